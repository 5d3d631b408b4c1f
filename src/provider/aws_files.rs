//! Owns reading `~/.aws/config` and `~/.aws/credentials`, by the SDK's own parser.

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
use crate::profile::AwsFiles;

/// Every key that is read.
const KEYS: [&str; 26] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
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
    "login_session",
    "endpoint_url",
    "services",
    "ignore_configured_endpoint_urls",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "ca_bundle",
    "max_attempts",
];

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
    let mut quoted = Vec::new();
    let config_text = text_of(config)?;
    let config_text = name_quoted_sections(&config_text, &mut quoted);
    let credentials_text = text_of(credentials)?;
    // Each file is parsed by itself first, so that an error can say in which it is.
    parse(&[(FileKind::Config, &config_text)]).map_err(|error| malformed(config, &error))?;
    let set = parse(&[(FileKind::Config, &config_text), (FileKind::Credentials, &credentials_text)])
        .map_err(|error| malformed(credentials, &error))?;
    let mut files = AwsFiles { config_path: config.to_owned(), credentials_path: credentials.to_owned(), ..AwsFiles::default() };
    for name in set.profiles() {
        let Some(profile) = set.get_profile(name) else { continue };
        let section = KEYS.iter().filter_map(|key| Some(((*key).to_owned(), profile.get(key)?.to_owned()))).collect();
        let name = quoted.iter().find(|(placeholder, _)| placeholder == name).map_or(name, |(_, quoted)| quoted);
        files.profiles.insert(name.to_owned(), section);
    }
    let names: Vec<_> = files.profiles.values().filter_map(|section| section.get("services").cloned()).collect();
    files.sts_endpoints = names.into_iter().filter_map(|name| Some((name.clone(), sts_endpoint(&set, &name)?))).collect();
    Ok(files)
}

fn sts_endpoint(set: &ProfileSet, services: &str) -> Option<String> {
    let key = PropertiesKey::builder()
        .section_key("services")
        .section_name(services)
        .property_name("sts")
        .sub_property_name("endpoint_url");
    set.other_sections().get(&key.build().ok()?).cloned()
}

fn text_of(path: &Path) -> Result<String> {
    let cannot =
        |why: String| Err(Error::failed(format!("cannot read {}", path.display()), why).hint(format!("ls -l {}", word(path))));
    match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).or_else(|_| cannot("it is not UTF-8 text".into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => cannot(error.to_string()),
    }
}

/// The AWS CLI takes `[profile "a b"]`, which the SDK's parser passes over. Such a section is given a plain name for
/// the parser; the list says which name stands for which. Line numbers stay.
fn name_quoted_sections(text: &str, quoted: &mut Vec<(String, String)>) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        match quoted_profile(line) {
            Some(name) => {
                let placeholder = format!("awsenv.quoted.{}", quoted.len());
                let _infallible = writeln!(out, "[profile {placeholder}]");
                quoted.push((placeholder, name.to_owned()));
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

fn quoted_profile(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?.split(']').next()?.trim();
    let name = inner.strip_prefix("profile")?.trim();
    let quote = name.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    name.strip_prefix(quote)?.strip_suffix(quote)
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
