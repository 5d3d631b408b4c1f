//! Owns how a profile's name becomes a `ResolvedProfile`: the rules of the AWS SDKs for chains, regions and endpoints.

use super::source::{self, Way};
use super::target::Service;
use super::{AwsFiles, ResolvedProfile, Role, Section, Source};
use crate::account;
use crate::context::Context;
use crate::error::{Error, Result};

impl AwsFiles {
    /// Resolves a profile down to the source that it starts from. `context` gives the variables.
    ///
    /// # Errors
    /// When there is no such profile, its chain loops or ends without credentials, or something in it is wrong.
    pub fn resolve(&self, name: &str, context: &Context) -> Result<ResolvedProfile> {
        let mut roles = Vec::new();
        let mut visited: Vec<String> = Vec::new();
        let mut current = name.to_owned();
        let source = loop {
            let section = self.section(&current, visited.last().map(String::as_str))?;
            if visited.contains(&current) {
                return Err(self.loop_error(&visited, &current));
            }
            let way = source::way(section, !visited.is_empty());
            visited.push(current.clone());
            // A web identity's role is the source itself, and keys of a source profile count before its role.
            let chained = section.contains_key("role_arn")
                && !matches!(way, Way::WebIdentity)
                && !(visited.len() > 1 && way == Way::Keys && section.contains_key("aws_access_key_id"));
            if !chained {
                match source::asks_awsenv(section, &current).filter(|_| way == Way::Process) {
                    None => break self.source(&current, section, way, context)?,
                    Some(other) if other == current => break self.beside_awsenv(&current, section, context)?,
                    Some(other) => {
                        current = other;
                        continue;
                    }
                }
            }
            let next = self.source_profile(&current, section)?.to_owned();
            roles.push(self.role(&current, section, context)?);
            if next == current {
                break self.source(&current, section, way, context)?;
            }
            current = next;
        };
        roles.reverse();
        Ok(resolved(name, &self.profiles[name], source, roles, context))
    }

    /// The same of a profile that somebody named, or of what the SDKs take where nobody did.
    ///
    /// # Errors
    /// As for a profile.
    pub fn resolve_chosen(&self, name: Option<&str>, context: &Context) -> Result<ResolvedProfile> {
        match name {
            Some(name) => self.resolve(name, context),
            None => self.resolve_unnamed(context),
        }
    }

    fn resolve_unnamed(&self, context: &Context) -> Result<ResolvedProfile> {
        let Some(credentials) = self.unnamed_source(context)? else { return self.resolve("default", context) };
        let section = self.profiles.get("default").cloned().unwrap_or_default();
        let source = Source {
            profile: "default".to_owned(),
            credentials,
            account_id: None,
            mfa_serial: None,
            duration_seconds: None,
            sts: self.in_own_region(Service::Sts, &section, None, context)?,
        };
        Ok(ResolvedProfile { unnamed: true, ..resolved("default", &section, source, Vec::new(), context) })
    }

    /// The source of a profile whose `credential_process` is awsenv for this very profile: that line is for other
    /// programs, and what else the section has counts here.
    fn beside_awsenv(&self, name: &str, section: &Section, context: &Context) -> Result<Source> {
        if section.contains_key("aws_access_key_id") {
            return self.source(name, section, Way::Keys, context);
        }
        Err(unusable(name, "its credential_process is awsenv for this same profile, and it has nothing else to sign in by")
            .hint(format!("give [profile {name}] keys or a role, or let credential_process name another profile")))
    }

    /// A profile's own section. `named_by` is the role that names it as its source.
    ///
    /// # Errors
    /// When there is none, with the nearest names.
    pub fn section(&self, name: &str, named_by: Option<&str>) -> Result<&Section> {
        self.profiles.get(name).ok_or_else(|| match named_by {
            None => Error::failed(format!("no profile `{name}`"), self.where_looked()).hint(self.nearest_names(name)),
            Some(role) => Error::failed(
                format!("cannot use profile `{role}`"),
                format!("its source_profile `{name}` is not in {}", self.files()),
            )
            .hint(self.nearest_names(name)),
        })
    }

    fn where_looked(&self) -> String {
        match self.profiles.len() {
            0 => format!("there are no profiles in {}", self.files()),
            count => format!("it is not among the {count} in {}", self.files()),
        }
    }

    fn files(&self) -> String {
        format!("{} or {}", self.config_path.display(), self.credentials_path.display())
    }

    fn nearest_names(&self, name: &str) -> String {
        let mut scored: Vec<_> = self.profiles.keys().map(|known| (strsim::jaro_winkler(known, name), known)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        let near: Vec<_> =
            scored.into_iter().filter(|(score, _)| *score > 0.75).take(3).map(|(_, known)| format!("`{known}`")).collect();
        if near.is_empty() { format!("aws configure --profile {name}") } else { format!("did you mean {}?", near.join(" or ")) }
    }

    fn loop_error(&self, visited: &[String], again: &str) -> Error {
        let circle = visited.iter().skip_while(|name| *name != again).map(String::as_str).chain([again]);
        let chain = circle.collect::<Vec<_>>().join(" → ");
        Error::failed(format!("cannot use profile `{}`", visited[0]), format!("source_profile goes in a circle: {chain}"))
            .hint(format!("give one of them keys, or another source_profile, in {}", self.config_path.display()))
    }

    fn source_profile<'a>(&self, name: &'a str, section: &'a Section) -> Result<&'a str> {
        match (section.get("source_profile"), section.get("credential_source")) {
            (Some(source), None) => Ok(source),
            (Some(_), Some(_)) => {
                Err(unusable(name, "it has both source_profile and credential_source").hint("keep one of the two"))
            }
            (None, Some(_)) => Ok(name),
            (None, None) => Err(unusable(name, "it has a role_arn, but no source_profile to assume the role from")
                .hint(format!("add `source_profile = NAME` below [profile {name}] in {}", self.config_path.display()))),
        }
    }

    fn role(&self, name: &str, section: &Section, context: &Context) -> Result<Role> {
        let get = |key: &str| section.get(key).cloned();
        let role_arn = role_arn(name, section)?.unwrap_or_default();
        Ok(Role {
            profile: name.to_owned(),
            mfa_serial: get("mfa_serial"),
            external_id: get("external_id"),
            role_session_name: get("role_session_name"),
            duration_seconds: duration(name, section)?,
            session_tags: tags(name, section)?,
            transitive_session_tags: list(section.get("transitive_session_tags")),
            source_identity: get("source_identity"),
            sts: self.in_own_region(Service::Sts, section, Some(&role_arn), context)?,
            role_arn,
        })
    }
}

fn resolved(name: &str, section: &Section, source: Source, roles: Vec<Role>, context: &Context) -> ResolvedProfile {
    ResolvedProfile {
        name: name.to_owned(),
        unnamed: false,
        region: section.get("region").cloned(),
        source,
        roles,
        ca_bundle: context.ca_bundle(section.get("ca_bundle").map(String::as_str)),
        // The SDK's own reading of the variable panics over what is not a number.
        max_attempts: context
            .user_var("AWS_MAX_ATTEMPTS")
            .or(section.get("max_attempts").map(String::as_str))
            .and_then(|text| text.parse().ok())
            .filter(|attempts| (1..=10).contains(attempts)),
    }
}

/// The ARN of the role of a section, if it has one.
pub(super) fn role_arn(name: &str, section: &Section) -> Result<Option<String>> {
    let Some(role_arn) = section.get("role_arn") else { return Ok(None) };
    if account::role_name(role_arn).is_none() || account::of_arn(role_arn).is_none() {
        return Err(unusable(name, &format!("`{role_arn}` is not the ARN of a role"))
            .hint("write it like `role_arn = arn:aws:iam::222222222222:role/NAME`"));
    }
    Ok(Some(role_arn.clone()))
}

pub(super) fn unusable(name: &str, why: &str) -> Error {
    Error::failed(format!("cannot use profile `{name}`"), why)
}

pub(super) fn duration(name: &str, section: &Section) -> Result<Option<u32>> {
    let Some(text) = section.get("duration_seconds") else { return Ok(None) };
    match text.parse() {
        Ok(seconds @ 900..=129_600) => Ok(Some(seconds)),
        _ => Err(unusable(name, &format!("`duration_seconds = {text}` is not a number of seconds from 900 to 129600"))
            .hint("a role's session lasts 900 s up to the role's maximum, at most 43200 s (12 h)")),
    }
}

/// `session_tags = key=value, key=value`, the form that aws-vault made known.
fn tags(name: &str, section: &Section) -> Result<Vec<(String, String)>> {
    let pair = |tag: String| {
        let (key, value) = tag.split_once('=').ok_or_else(|| {
            unusable(name, &format!("`{tag}` in session_tags is not `key=value`")).hint("session_tags = team=web,stage=dev")
        })?;
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    };
    list(section.get("session_tags")).into_iter().map(pair).collect()
}

pub(super) fn list(value: Option<&String>) -> Vec<String> {
    value.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
