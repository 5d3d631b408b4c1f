//! Owns reading `~/.aws/config` and `~/.aws/credentials`, by the SDK's own parser.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind as FileKind, EnvConfigFiles};
use aws_runtime::env_config::property::PropertiesKey;
use aws_types::os_shim_internal::{Env, Fs};

use crate::context::Context;
use crate::error::{Error, Result, word};
use crate::profile::{AwsFiles, Section};

/// Every key of a profile that is read.
const KEYS: [&str; 35] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_account_id",
    "region",
    "role_arn",
    "source_profile",
    "credential_source",
    "external_id",
    "mfa_serial",
    "role_session_name",
    "duration_seconds",
    "session_tags",
    "transitive_session_tags",
    "source_identity",
    "credential_process",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
    "sso_registration_scopes",
    "login_session",
    "endpoint_url",
    "services",
    "ignore_configured_endpoint_urls",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "ca_bundle",
    "max_attempts",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "metadata_service_timeout",
    "metadata_service_num_attempts",
];

const SSO_SESSION_KEYS: [&str; 3] = ["sso_start_url", "sso_region", "sso_registration_scopes"];
/// Services whose `endpoint_url` in `[services NAME]` is read.
const SERVICES: [&str; 4] = ["sts", "sso", "sso_oidc", "signin"];
const PLACEHOLDER: &str = "awsenv.named.";

/// Reads the user's files, from where the environment says they are.
///
/// # Errors
/// When a file cannot be found or read, or is malformed.
pub fn of_user(context: &Context) -> Result<AwsFiles> {
    read(&context.aws_config_file()?, &context.aws_credentials_file()?)
}

/// Reads both files; one that is not there counts as empty.
///
/// # Errors
/// When a file cannot be read or is malformed, with the line.
pub fn read(config: &Path, credentials: &Path) -> Result<AwsFiles> {
    parse_texts((config, &text_of(config)?), (credentials, &text_of(credentials)?), &KEYS, &SSO_SESSION_KEYS)
}

/// The same of texts, for these keys of a profile and of an `[sso-session NAME]`: the SDK's types give a value only for a
/// name.
///
/// # Errors
/// When a text is malformed, with the line.
pub fn parse_texts(
    (config, config_text): (&Path, &str),
    (credentials, credentials_text): (&Path, &str),
    keys: &[&'static str],
    sso_session_keys: &[&'static str],
) -> Result<AwsFiles> {
    let mut named = Placeholders::default();
    let config_text = named.replace(config_text, true, quoted_section);
    let credentials_text = named.replace(credentials_text, false, spaced_section);
    let set = parse(&[(FileKind::Config, &config_text), (FileKind::Credentials, &credentials_text)]).map_err(|error| {
        // Parsed by itself, a file tells whether the error is in it.
        let in_config = parse(&[(FileKind::Config, &config_text)]).is_err();
        malformed(if in_config { config } else { credentials }, &error)
    })?;
    // Of the keys that are read, few occur in anybody's files, and each look-up of one copies and hashes its name.
    let texts = [config_text.to_ascii_lowercase(), credentials_text.to_ascii_lowercase()];
    let keys: Vec<&'static str> = keys.iter().copied().filter(|key| texts.iter().any(|text| text.contains(key))).collect();
    let mut files = AwsFiles { config_path: config.to_owned(), credentials_path: credentials.to_owned(), ..AwsFiles::default() };
    for name in set.profiles() {
        let Some(profile) = set.get_profile(name) else { continue };
        files.profiles.insert(named.original(name).to_owned(), section(&keys, |key| profile.get(key)));
    }
    for name in set.sso_sessions() {
        let Some(session) = set.sso_session(name) else { continue };
        files.sso_sessions.insert(named.original(name).to_owned(), section(sso_session_keys, |key| session.get(key)));
    }
    let names: BTreeSet<_> = files.profiles.values().filter_map(|profile| profile.get("services")).collect();
    let of_name = |name: &&String| ((*name).clone(), section(&SERVICES, |service| endpoint(&set, name, service)));
    files.services = names.iter().map(of_name).collect();
    Ok(files)
}

fn section<'v>(keys: &[&'static str], get: impl Fn(&str) -> Option<&'v str>) -> Section {
    keys.iter().filter_map(|key| Some((*key, get(key)?.to_owned()))).collect()
}

fn endpoint<'s>(set: &'s ProfileSet, services: &str, service: &str) -> Option<&'s str> {
    let key = PropertiesKey::builder()
        .section_key("services")
        .section_name(services)
        .property_name(service)
        .sub_property_name("endpoint_url");
    set.other_sections().get(&key.build().ok()?).map(String::as_str)
}

pub(crate) fn text_of(path: &Path) -> Result<String> {
    let cannot =
        |why: String| Err(Error::failed(format!("cannot read {}", path.display()), why).hint(format!("ls -l {}", word(path))));
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).or_else(|_| cannot("it is not UTF-8 text".into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => cannot(error.to_string()),
    }
}

/// Sections that the AWS CLI takes and the SDK's parser passes over get a plain name for the parser. Line numbers stay.
#[derive(Default)]
struct Placeholders(Vec<String>);

impl Placeholders {
    /// `learn` says whether a name that is not known yet gets a placeholder.
    fn replace(&mut self, text: &str, learn: bool, find: fn(&str) -> Option<(&str, &str)>) -> String {
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            let found = find(line);
            if let Some((_, name)) = found.filter(|(_, name)| learn && !self.0.iter().any(|known| known == name)) {
                self.0.push(name.to_owned());
            }
            match found.and_then(|(kind, name)| Some((kind, self.0.iter().position(|known| known == name)?))) {
                Some((kind, at)) => {
                    let _infallible = writeln!(out, "[{kind} {PLACEHOLDER}{at}]");
                }
                None => {
                    out.push_str(line);
                    out.push('\n');
                }
            }
        }
        out
    }

    fn original<'n>(&'n self, name: &'n str) -> &'n str {
        let named = name.strip_prefix(PLACEHOLDER).and_then(|at| self.0.get(at.parse::<usize>().ok()?));
        named.map_or(name, String::as_str)
    }
}

/// `[profile "a b"]` and `[sso-session "a b"]` in the configuration file.
fn quoted_section(line: &str) -> Option<(&str, &str)> {
    let inner = line.strip_prefix('[')?.split(']').next()?.trim();
    let (kind, name) = inner.split_once([' ', '\t']).filter(|(kind, _)| matches!(*kind, "profile" | "sso-session"))?;
    let name = name.trim();
    let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    Some((kind, name.strip_prefix(quote)?.strip_suffix(quote)?))
}

/// `[a b]` in the credentials file, where no section has a prefix; it counts if the configuration file has it in quotes.
fn spaced_section(line: &str) -> Option<(&str, &str)> {
    let name = line.strip_prefix('[')?.split(']').next()?.trim();
    let (first, _) = name.split_once([' ', '\t'])?;
    (!matches!(first, "profile" | "sso-session" | "services")).then_some(("", name))
}

fn parse(contents: &[(FileKind, &str)]) -> Result<ProfileSet, profile::ProfileFileLoadError> {
    let mut files = EnvConfigFiles::builder();
    for (kind, content) in contents {
        files = files.with_contents(*kind, *content);
    }
    let (fs, env, files) = (Fs::from_slice(&[]), Env::from_slice(&[]), files.build());
    let mut load = pin!(profile::load(&fs, &env, &files, Some("default".into())));
    // Asynchronous in name only: with the contents given there is nothing to wait for.
    loop {
        if let Poll::Ready(result) = load.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
            return result;
        }
    }
}

/// The SDK's message is `error parsing FILE on line N:\n  WHY`, where FILE is empty for contents that were handed over.
fn malformed(path: &Path, error: &profile::ProfileFileLoadError) -> Error {
    let text = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    let (place, why) = text.split_once(":\n").unwrap_or(("", &text));
    let line = place.rsplit(' ').next().unwrap_or_default();
    Error::failed(format!("cannot read {}", path.display()), format!("line {line}: {}", why.trim()))
        .hint(format!("correct line {line} of {}", path.display()))
}
