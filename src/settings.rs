//! Owns the user's settings, `awsenv/config.ini`: what may stand there, and its defaults.
//! Never takes a setting from a repository. A mistake in the file is an error: a misspelt protection must not pass.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ini::{Ini, ParseOption};
use wildmatch::WildMatch;

use crate::context::Context;
use crate::error::{Error, Result, word};

/// The segment's format unless the settings say otherwise.
pub const DEFAULT_PROMPT: &str = "{profile} {account} {remaining}";

/// How sessions are kept between processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// Sealed with a key that the kernel, or a tmpfs, keeps.
    #[default]
    Sealed,
    /// In files that only their modes protect, where no key can be kept.
    Plain,
    /// Not at all.
    Off,
}

/// Names with `*` and `?`.
#[derive(Clone, Debug, Default)]
pub struct Globs(Vec<WildMatch>);

impl Globs {
    #[must_use]
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Globs(patterns.into_iter().map(WildMatch::new).collect())
    }

    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

/// What may have effect without `awsenv allow`.
#[derive(Clone, Debug, Default)]
pub struct TrustSettings {
    /// Profiles that any file may select.
    pub profiles: Globs,
    /// Directories whose files are trusted.
    pub paths: Vec<PathBuf>,
    /// Profiles that always need `awsenv allow`.
    pub protected: Globs,
}

/// Time limits of calls to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkSettings {
    /// To connect.
    pub connect_timeout: Duration,
    /// For one call in all, with its repetitions.
    pub timeout: Duration,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        NetworkSettings { connect_timeout: Duration::from_secs(3), timeout: Duration::from_secs(10) }
    }
}

/// The settings, all with a default.
#[derive(Clone, Debug)]
pub struct Settings {
    pub cache: CacheMode,
    pub trust: TrustSettings,
    pub network: NetworkSettings,
    /// How long a `credential_process` may take.
    pub process_timeout: Duration,
    /// Whether entering a directory may open a browser to sign in to IAM Identity Center.
    pub sso_auto_login: bool,
    /// How long the credential server stays when nobody needs it.
    pub server_idle: Duration,
    pub prompt_format: String,
    /// Profiles whose prompt segment warns.
    pub production: Globs,
    /// Account ids and the names to show for them.
    pub accounts: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            cache: CacheMode::default(),
            trust: TrustSettings::default(),
            network: NetworkSettings::default(),
            process_timeout: Duration::from_secs(60),
            sso_auto_login: false,
            server_idle: Duration::from_secs(12 * 3_600),
            prompt_format: DEFAULT_PROMPT.to_owned(),
            production: Globs::default(),
            accounts: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Reads the settings; without a file, and without a home to have one in, they are the defaults.
    ///
    /// # Errors
    /// When the file cannot be read, or something in it is not a setting.
    pub fn load(context: &Context) -> Result<Self> {
        let Ok(path) = context.settings_file() else { return Ok(Settings::default()) };
        match crate::private_file::read_text(&path) {
            Ok(text) => Settings::parse(&text, context).map_err(|problem| problem.at(&path, &text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && context.own_var("AWSENV_CONFIG").is_none() => {
                Ok(Settings::default())
            }
            Err(error) => Err(Error::failed(format!("cannot read the settings in {}", path.display()), error)
                .hint(format!("ls -l {}", word(&path)))),
        }
    }

    fn parse(text: &str, context: &Context) -> Result<Self, Problem> {
        let options = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
        let lines: Vec<&str> = text.lines().map(without_comment).collect();
        let ini = Ini::load_from_str_opt(&lines.join("\n"), options).map_err(|error| Problem {
            line: Some(error.line),
            key: String::new(),
            why: error.msg.to_string(),
        })?;
        let mut settings = Settings::default();
        for (section, properties) in &ini {
            for (key, value) in properties {
                let name = section.map_or_else(|| key.to_owned(), |section| format!("{section}.{key}"));
                settings.set(&name, value, context).map_err(|why| Problem { line: None, key: key.to_owned(), why })?;
            }
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str, context: &Context) -> Result<(), String> {
        match name {
            "cache" => {
                self.cache = match value {
                    "sealed" => CacheMode::Sealed,
                    "plain" => CacheMode::Plain,
                    "off" => CacheMode::Off,
                    _ => return Err(format!("`cache` is sealed, plain or off, not `{value}`")),
                };
            }
            "trust.profiles" => self.trust.profiles = Globs::new(list(value)),
            "trust.protected" => self.trust.protected = Globs::new(list(value)),
            "trust.paths" => self.trust.paths = list(value).map(|path| trusted_path(path, context)).collect::<Result<_, _>>()?,
            "network.connect_timeout" => self.network.connect_timeout = seconds(value)?,
            "network.timeout" => self.network.timeout = seconds(value)?,
            "process.timeout" => self.process_timeout = seconds(value)?,
            "sso.auto_login" => {
                self.sso_auto_login = value.parse().map_err(|_| format!("`auto_login` is true or false, not `{value}`"))?;
            }
            "server.idle" => {
                let valid = value.parse().ok().filter(|seconds| (1..=604_800).contains(seconds));
                self.server_idle =
                    Duration::from_secs(valid.ok_or_else(|| format!("`{value}` is not a number of seconds from 1 to 604800"))?);
            }
            "prompt.format" => value.clone_into(&mut self.prompt_format),
            "prompt.production" => self.production = Globs::new(list(value)),
            _ => match name.strip_prefix("accounts.") {
                Some(account) => {
                    self.accounts.insert(account.to_owned(), value.to_owned());
                }
                None => return Err(format!("`{name}` is not a setting")),
            },
        }
        Ok(())
    }
}

/// What follows ` #` or ` ;` is a comment, as is a line that begins so.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices(['#', ';']).find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']));
    comment.map_or(line, |(at, _)| &line[..at])
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn trusted_path(path: &str, context: &Context) -> Result<PathBuf, String> {
    let path = context.expand_home(path);
    if !path.is_absolute() {
        return Err(format!("`trust.paths` takes absolute paths, and ~/…, not `{}`", path.display()));
    }
    Ok(path.canonicalize().unwrap_or(path))
}

fn seconds(value: &str) -> Result<Duration, String> {
    match value.parse::<u64>() {
        Ok(seconds @ 1..=600) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{value}` is not a number of seconds from 1 to 600")),
    }
}

struct Problem {
    line: Option<usize>,
    key: String,
    why: String,
}

impl Problem {
    fn at(self, path: &Path, text: &str) -> Error {
        let of_key = || {
            let is_key = |line: &str| line.split(['=', ':']).next().is_some_and(|name| name.trim() == self.key);
            text.lines().position(is_key).map_or(1, |index| index + 1)
        };
        let line = self.line.unwrap_or_else(of_key);
        Error::failed("cannot use the settings", format!("{}:{line}: {}", path.display(), self.why))
            .hint(format!("correct line {line} of {}; the README lists the settings", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Environment;

    fn context() -> Context {
        Context::new(Environment::new(), "/".into(), 0, Some("/home/jane".into()))
    }

    #[test]
    fn every_setting() {
        let text = "cache = plain  # mine\n[trust]\nprofiles = acme-*, sandbox\npaths = ~/work, /srv\nprotected = *prod*\n\
                    [prompt]\nformat = {profile}\nproduction = *prod*\n[accounts]\n222222222222 = acme dev\n\
                    [network]\nconnect_timeout = 1\ntimeout = 5\n\
                    [process]\ntimeout = 90\n[sso]\nauto_login = true\n";
        let settings = Settings::parse(text, &context()).unwrap_or_else(|problem| panic!("{}", problem.why));
        assert_eq!(settings.cache, CacheMode::Plain);
        assert!(settings.trust.profiles.matches("acme-dev") && settings.trust.profiles.matches("sandbox"));
        assert!(!settings.trust.profiles.matches("other"));
        assert_eq!(settings.trust.paths, [PathBuf::from("/home/jane/work"), "/srv".into()]);
        assert!(settings.trust.protected.matches("my-prod-admin") && settings.production.matches("prod"));
        assert_eq!(settings.accounts["222222222222"], "acme dev");
        assert_eq!(settings.network.timeout, Duration::from_secs(5));
        assert_eq!(settings.prompt_format, "{profile}");
        assert!(settings.sso_auto_login && settings.process_timeout == Duration::from_secs(90));
    }

    #[test]
    fn a_mistake_names_its_line() {
        let text = "[trust]\nprofiles = a\nprotcted = *prod*\n";
        let problem = Settings::parse(text, &context()).expect_err("it is refused");
        let error = problem.at(Path::new("/c.ini"), text);
        assert_eq!(error.summary(), "cannot use the settings: /c.ini:3: `trust.protcted` is not a setting");
        for text in ["cache = maybe", "[network]\ntimeout = 0", "[trust]\npaths = work"] {
            assert!(Settings::parse(text, &context()).is_err(), "{text}");
        }
    }
}
