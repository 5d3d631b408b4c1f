//! Owns how a profile's name becomes a `ResolvedProfile`: the rules of the AWS SDKs for chains, regions and endpoints.

use super::{AccessKeys, AwsFiles, ResolvedProfile, Role, Section, Source, StsTarget};
use crate::account;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::secret::Secret;

/// Keys that mark a kind of profile which needs a source of its own, and what it is called.
const OTHER_SOURCES: [(&str, &str); 6] = [
    ("sso_session", "IAM Identity Center (SSO)"),
    ("sso_start_url", "IAM Identity Center (SSO)"),
    ("web_identity_token_file", "web identity"),
    ("credential_process", "credential_process"),
    ("login_session", "`aws login`"),
    ("credential_source", "credential_source"),
];

impl AwsFiles {
    /// Resolves a profile down to the keys that it starts from. `context` gives the endpoint and region variables.
    ///
    /// # Errors
    /// When there is no such profile, its chain loops or ends without keys, or it is of a kind not supported yet.
    pub fn resolve(&self, name: &str, context: &Context) -> Result<ResolvedProfile> {
        let mut roles = Vec::new();
        let mut visited: Vec<&str> = Vec::new();
        let mut current = name;
        let source = loop {
            let section = self.section(current, visited.last().copied())?;
            let first = visited.is_empty();
            let own_keys_serve = !first && section.contains_key("aws_access_key_id");
            if own_keys_serve || !section.contains_key("role_arn") {
                break self.source(current, section, context)?;
            }
            if visited.contains(&current) {
                return Err(self.loop_error(&visited, current));
            }
            visited.push(current);
            let next = self.source_profile(current, section)?;
            roles.push(self.role(current, section, context)?);
            if next == current {
                break self.source(current, section, context)?;
            }
            current = next;
        };
        roles.reverse();
        let section = &self.profiles[name];
        Ok(ResolvedProfile {
            name: name.to_owned(),
            region: section.get("region").cloned(),
            source,
            roles,
            ca_bundle: context
                .user_var("AWS_CA_BUNDLE")
                .or(section.get("ca_bundle").map(String::as_str))
                .map(|path| context.expand_home(path)),
            // The SDK's own reading of the variable panics over what is not a number.
            max_attempts: context
                .user_var("AWS_MAX_ATTEMPTS")
                .or(section.get("max_attempts").map(String::as_str))
                .and_then(|text| text.parse().ok())
                .filter(|attempts| (1..=10).contains(attempts)),
        })
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

    fn loop_error(&self, visited: &[&str], again: &str) -> Error {
        let chain = visited.iter().skip_while(|name| **name != again).chain([&again]).copied().collect::<Vec<_>>().join(" → ");
        Error::failed(format!("cannot use profile `{}`", visited[0]), format!("source_profile goes in a circle: {chain}"))
            .hint(format!("give one of them keys, or another source_profile, in {}", self.config_path.display()))
    }

    fn source_profile<'a>(&self, name: &str, section: &'a Section) -> Result<&'a str> {
        match (section.get("source_profile"), section.get("credential_source")) {
            (Some(source), None) => Ok(source),
            (Some(_), Some(_)) => {
                Err(unusable(name, "it has both source_profile and credential_source").hint("keep one of the two"))
            }
            (None, Some(_)) => Err(not_supported(name, "credential_source")),
            (None, None) if section.contains_key("web_identity_token_file") => Err(not_supported(name, "web identity")),
            (None, None) => Err(unusable(name, "it has a role_arn, but no source_profile to assume the role from")
                .hint(format!("add `source_profile = NAME` below [profile {name}] in {}", self.config_path.display()))),
        }
    }

    fn source(&self, name: &str, section: &Section, context: &Context) -> Result<Source> {
        let keys = self.access_keys(name, section)?;
        let sts = self.sts_target(section, None, context)?;
        Ok(Source {
            profile: name.to_owned(),
            keys,
            mfa_serial: section.get("mfa_serial").cloned(),
            duration_seconds: if section.contains_key("role_arn") { None } else { duration(name, section)? },
            sts,
        })
    }

    fn access_keys(&self, name: &str, section: &Section) -> Result<AccessKeys> {
        let value = |key: &str| section.get(key).map(String::as_str).filter(|value| !value.is_empty());
        let half = |have: &str, lack: &str| {
            Err(unusable(name, &format!("it has an {have}, but no {lack}"))
                .hint(format!("add `{lack} = …` below [{name}] in {}", self.credentials_path.display())))
        };
        match (value("aws_access_key_id"), value("aws_secret_access_key")) {
            (Some(id), Some(secret)) => Ok(AccessKeys {
                access_key_id: id.to_owned(),
                secret_access_key: Secret::new(secret),
                session_token: value("aws_session_token").map(Secret::new),
            }),
            (Some(_), None) => half("aws_access_key_id", "aws_secret_access_key"),
            (None, Some(_)) => half("aws_secret_access_key", "aws_access_key_id"),
            (None, None) => Err(match OTHER_SOURCES.iter().find(|(key, _)| section.contains_key(*key)) {
                Some((_, kind)) => not_supported(name, kind),
                None => unusable(name, "it has neither keys nor a role")
                    .hint(format!("aws configure --profile {name}, or `role_arn` and `source_profile` below [profile {name}]")),
            }),
        }
    }

    fn role(&self, name: &str, section: &Section, context: &Context) -> Result<Role> {
        let get = |key: &str| section.get(key).cloned();
        let role_arn = get("role_arn").unwrap_or_default();
        if account::role_name(&role_arn).is_none() || account::of_arn(&role_arn).is_none() {
            return Err(unusable(name, &format!("`{role_arn}` is not the ARN of a role"))
                .hint("write it like `role_arn = arn:aws:iam::222222222222:role/NAME`"));
        }
        Ok(Role {
            profile: name.to_owned(),
            mfa_serial: get("mfa_serial"),
            external_id: get("external_id"),
            role_session_name: get("role_session_name"),
            duration_seconds: duration(name, section)?,
            session_tags: tags(name, section)?,
            transitive_session_tags: list(section.get("transitive_session_tags")),
            source_identity: get("source_identity"),
            sts: self.sts_target(section, account::partition_of_arn(&role_arn), context)?,
            role_arn,
        })
    }

    /// The order of the SDKs: the service's own variable, the general one, the profile's `services`, the profile.
    fn sts_target(&self, section: &Section, partition: Option<&str>, context: &Context) -> Result<StsTarget> {
        let var = |name: &str| context.user_var(name);
        let of_profile = |key: &str| section.get(key).map(String::as_str);
        let region =
            of_profile("region").or(var("AWS_REGION")).or(var("AWS_DEFAULT_REGION")).unwrap_or(default_region(partition));
        let services = of_profile("services").and_then(|name| self.sts_endpoints.get(name)).map(String::as_str);
        let ignore = flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", of_profile("ignore_configured_endpoint_urls"), context)?;
        let configured = var("AWS_ENDPOINT_URL_STS").or(var("AWS_ENDPOINT_URL")).or(services).or(of_profile("endpoint_url"));
        Ok(StsTarget {
            region: region.to_owned(),
            endpoint_url: configured.filter(|_| !ignore).map(str::to_owned),
            use_fips: flag("AWS_USE_FIPS_ENDPOINT", of_profile("use_fips_endpoint"), context)?,
            use_dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT", of_profile("use_dualstack_endpoint"), context)?,
        })
    }
}

fn unusable(name: &str, why: &str) -> Error {
    Error::failed(format!("cannot use profile `{name}`"), why)
}

fn not_supported(name: &str, kind: &str) -> Error {
    unusable(name, &format!("it signs in by {kind}, which awsenv does not support yet"))
        .hint(format!("until then: `export = profile` in .awsprofile leaves it to each program, as AWS_PROFILE={name} would"))
}

fn duration(name: &str, section: &Section) -> Result<Option<u32>> {
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

fn list(value: Option<&String>) -> Vec<String> {
    value.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn flag(variable: &str, of_profile: Option<&str>, context: &Context) -> Result<bool> {
    let text = context.user_var(variable).or(of_profile);
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            Err(Error::failed("cannot use the AWS configuration", format!("`{other}` is neither true nor false, for {variable}"))
                .hint(format!("export {variable}=true, or unset it")))
        }
    }
}

/// The region that a partition's STS is asked in where nothing names one.
fn default_region(partition: Option<&str>) -> &'static str {
    match partition {
        Some("aws-cn") => "cn-north-1",
        Some("aws-us-gov") => "us-gov-west-1",
        Some("aws-eusc") => "eusc-de-east-1",
        _ => "us-east-1",
    }
}
