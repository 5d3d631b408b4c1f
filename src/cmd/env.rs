//! `awsenv env`: a profile's credentials, printed for other programs, each quoted for its reader.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::cli::EnvFormat;
use crate::context::Context;
use crate::directory::Choice;
use crate::error::{Error, Result};
use crate::exports;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::shell::Shell;

/// What the credentials file calls what the environment carries.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>
const INI_KEYS: [(&str, &str); 4] = [
    ("aws_access_key_id", "AWS_ACCESS_KEY_ID"),
    ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"),
    ("aws_session_token", "AWS_SESSION_TOKEN"),
    ("region", "AWS_REGION"),
];

type Pair<'v> = (&'v str, &'v str);

pub(super) fn run(context: &Context, profile: Option<&str>, format: EnvFormat) -> Result<()> {
    let settings = Settings::load(context)?;
    let choice = Choice::new(context, &settings, profile)?;
    let obtained = super::obtain(context, &settings, &choice)?;
    let region = choice.directive().region.as_deref().or(obtained.summary.region.as_deref());
    let variables = exports::keys(&obtained.credentials, region);
    let set: Vec<Pair<'_>> =
        variables.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref().map(Secret::expose)?))).collect();
    super::print(&text(&set, choice.directive().profile_name(), format)?)
}

fn text(set: &[Pair<'_>], profile: &str, format: EnvFormat) -> Result<Zeroizing<String>> {
    Ok(match format {
        EnvFormat::Env => lines(set, |name, value| format!("export {name}={}", &*Shell::Bash.quote(value))),
        EnvFormat::Fish => Zeroizing::new(set.iter().map(|(name, value)| Shell::Fish.set(name, value).to_string()).collect()),
        EnvFormat::Dotenv => lines(set, |name, value| format!("{name}={}", dotenv(value))),
        EnvFormat::Powershell => lines(set, |name, value| format!("$env:{name} = {}", powershell(value))),
        EnvFormat::Docker => {
            plain(set, "docker")?;
            lines(set, |name, value| format!("{name}={value}"))
        }
        EnvFormat::Ini => {
            plain(set, "ini")?;
            let value = |variable: &str| set.iter().find(|(name, _)| *name == variable).map(|(_, value)| *value);
            let keys: Vec<Pair<'_>> = INI_KEYS.iter().filter_map(|(key, variable)| Some((*key, value(variable)?))).collect();
            Zeroizing::new(format!("[{profile}]\n{}", &*lines(&keys, |key, value| format!("{key} = {value}"))))
        }
        // A record in nu's own notation is written like JSON.
        EnvFormat::Json | EnvFormat::Nu => {
            let object: Map<String, Value> = set.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
            Zeroizing::new(format!("{}\n", Value::from(object)))
        }
    })
}

fn lines(set: &[Pair<'_>], line: impl Fn(&str, &str) -> String) -> Zeroizing<String> {
    Zeroizing::new(set.iter().map(|(name, value)| line(name, value) + "\n").collect())
}

/// A format without quotes has no way to write a line end.
fn plain(set: &[Pair<'_>], format: &str) -> Result<()> {
    match set.iter().find(|(_, value)| value.contains(['\n', '\r', '\0'])) {
        Some((name, _)) => Err(Error::failed(format!("cannot print {name} in the format {format}"), "there is a line end in it")
            .hint("awsenv env --format json")),
        None => Ok(()),
    }
}

/// The readers of `.env` files agree on plain words, and on single quotes around what has none of its own.
fn dotenv(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@+=,".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        value.to_owned()
    } else if value.contains(['\'', '\n', '\r']) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
        format!("\"{}\"", escaped.replace('\n', "\\n").replace('\r', "\\r"))
    } else {
        format!("'{value}'")
    }
}

/// PowerShell takes typographic single quotes for plain ones, and each is doubled to stand for itself.
/// <https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules>
fn powershell(value: &str) -> String {
    let mut quoted = String::from("'");
    for c in value.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_has_its_quotes() {
        let set = [("AWS_ACCESS_KEY_ID", "ASIA"), ("AWS_REGION", "eu-west-1"), ("AWS_SESSION_TOKEN", "a'b $c\"\\d=")];
        let of = |format| text(&set, "dev", format).expect("printed").to_string();
        assert_eq!(
            of(EnvFormat::Dotenv),
            "AWS_ACCESS_KEY_ID=ASIA\nAWS_REGION=eu-west-1\nAWS_SESSION_TOKEN=\"a'b \\$c\\\"\\\\d=\"\n"
        );
        assert!(of(EnvFormat::Powershell).ends_with("$env:AWS_SESSION_TOKEN = 'a''b $c\"\\d='\n"));
        assert_eq!(powershell("\u{2019}"), "'\u{2019}\u{2019}'");
        assert!(of(EnvFormat::Docker).ends_with("AWS_SESSION_TOKEN=a'b $c\"\\d=\n"));
        assert_eq!(of(EnvFormat::Ini), "[dev]\naws_access_key_id = ASIA\naws_session_token = a'b $c\"\\d=\nregion = eu-west-1\n");
        assert_eq!((dotenv(""), dotenv("a b"), dotenv("a\nb")), ("''".into(), "'a b'".into(), "\"a\\nb\"".into()));
        for format in [EnvFormat::Docker, EnvFormat::Ini] {
            assert!(text(&[("X", "a\nb")], "dev", format).is_err());
        }
    }
}
