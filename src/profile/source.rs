//! Owns where a chain's first credentials come from: which way of a profile counts, and what each way needs.
//! The order is that of the SDKs; nothing is read or called here.

use std::time::Duration;

use super::target::Service;
use super::{
    AccessKeys, AwsFiles, ContainerAuthorization, ContainerEndpoint, CredentialSource, InstanceMetadata, LoginSession, Section,
    Source, SsoRole, SsoSession, WebIdentity,
};
use crate::account;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::profile::resolve::{duration, list, role_arn, unusable};
use crate::secret::Secret;

/// What IAM Identity Center is asked for unless `sso_registration_scopes` says otherwise.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sso.html>
const DEFAULT_SCOPE: &str = "sso:account:access";
const SSO_KEYS: [&str; 5] = ["sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"];

/// The ways of a profile, in the order in which they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    CredentialSource,
    WebIdentity,
    Sso,
    Login,
    Process,
    Keys,
}

/// The way that counts. `as_source` says that another profile names this one as its source: then its keys come first.
pub(super) fn way(section: &Section, as_source: bool) -> Way {
    let has = |key: &str| section.contains_key(key);
    match () {
        () if as_source && has("aws_access_key_id") => Way::Keys,
        () if has("credential_source") => Way::CredentialSource,
        () if has("web_identity_token_file") => Way::WebIdentity,
        () if SSO_KEYS.iter().any(|key| has(key)) => Way::Sso,
        () if has("login_session") => Way::Login,
        () if has("credential_process") => Way::Process,
        () => Way::Keys,
    }
}

/// The profile that a `credential_process` of awsenv itself is for: to run it would be to ask ourselves. Without a name
/// it is the profile that has the line.
pub(super) fn asks_awsenv<'s>(section: &'s Section, name: &'s str) -> Option<String> {
    let words = shell_words::split(section.get("credential_process")?).ok()?;
    let [program, command, arguments @ ..] = words.as_slice() else { return None };
    if std::path::Path::new(program).file_name()? != "awsenv" || command != "credential-process" {
        return None;
    }
    let after = arguments.iter().position(|word| word == "--profile").and_then(|at| arguments.get(at + 1)).map(String::as_str);
    let joined = arguments.iter().find_map(|word| word.strip_prefix("--profile="));
    Some(after.or(joined).unwrap_or(name).to_owned())
}

impl AwsFiles {
    pub(super) fn source(&self, name: &str, section: &Section, way: Way, context: &Context) -> Result<Source> {
        let credentials = match way {
            Way::CredentialSource => credential_source(name, section, context)?,
            Way::WebIdentity => CredentialSource::WebIdentity(Box::new(self.web_identity(name, section, context)?)),
            Way::Sso => CredentialSource::Sso(Box::new(self.sso_role(name, section, context)?)),
            Way::Login => CredentialSource::Login(LoginSession {
                session_arn: section["login_session"].clone(),
                signin: self.in_own_region(Service::SignIn, section, None, context)?,
            }),
            Way::Process => CredentialSource::Process(Secret::new(section["credential_process"].as_str())),
            Way::Keys => CredentialSource::Keys(self.access_keys(name, section)?),
        };
        Ok(Source {
            profile: name.to_owned(),
            credentials,
            account_id: section.get("aws_account_id").cloned(),
            mfa_serial: section.get("mfa_serial").cloned(),
            duration_seconds: if section.contains_key("role_arn") { None } else { duration(name, section)? },
            sts: self.in_own_region(Service::Sts, section, None, context)?,
        })
    }

    pub(super) fn access_keys(&self, name: &str, section: &Section) -> Result<AccessKeys> {
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
            (None, None) => Err(unusable(name, "it has neither keys nor a role, nor another way to sign in")
                .hint(format!("aws configure --profile {name}, or `role_arn` and `source_profile` below [profile {name}]"))),
        }
    }

    fn web_identity(&self, name: &str, section: &Section, context: &Context) -> Result<WebIdentity> {
        let Some(role_arn) = role_arn(name, section)? else {
            return Err(unusable(name, "it has a web_identity_token_file, but no role_arn to assume with the token")
                .hint("role_arn = arn:aws:iam::222222222222:role/NAME"));
        };
        Ok(WebIdentity {
            sts: self.in_own_region(Service::Sts, section, Some(&role_arn), context)?,
            token_file: context.expand_home(&section["web_identity_token_file"]),
            role_session_name: section.get("role_session_name").cloned(),
            duration_seconds: duration(name, section)?,
            role_arn,
        })
    }

    fn sso_role(&self, name: &str, section: &Section, context: &Context) -> Result<SsoRole> {
        let session = self.sso_session_of(name, section, context)?;
        let need = |key: &str| {
            section.get(key).cloned().ok_or_else(|| {
                unusable(name, &format!("it signs in by IAM Identity Center, but has no {key}"))
                    .hint(format!("add `{key} = …` below [profile {name}], or: aws configure sso"))
            })
        };
        let (account_id, role_name) = (need("sso_account_id")?, need("sso_role_name")?);
        if !account::is_id(&account_id) {
            return Err(unusable(name, &format!("`sso_account_id = {account_id}` is not an account id"))
                .hint("an account id has twelve digits"));
        }
        Ok(SsoRole { session, account_id, role_name })
    }

    /// The session of IAM Identity Center that a profile names, or has itself.
    fn sso_session_of(&self, name: &str, section: &Section, context: &Context) -> Result<SsoSession> {
        let Some(session) = section.get("sso_session") else { return self.sso_parts(name, None, section, section, context) };
        let of_session = self
            .sso_sessions
            .get(session)
            .ok_or_else(|| self.no_sso_session(&format!("cannot use profile `{name}`"), session))?;
        for key in ["sso_start_url", "sso_region"] {
            if section.get(key).is_some_and(|value| of_session.get(key) != Some(value)) {
                return Err(unusable(name, &format!("its {key} is not that of its sso_session `{session}`"))
                    .hint(format!("remove {key} below [profile {name}]; [sso-session {session}] has it")));
            }
        }
        self.sso_parts(name, Some(session), of_session, section, context)
    }

    fn no_sso_session(&self, what: &str, session: &str) -> Error {
        let known: Vec<_> = self.sso_sessions.keys().map(|name| format!("`{name}`")).collect();
        let hint = if known.is_empty() { "aws configure sso-session".to_owned() } else { format!("one of {}", known.join(", ")) };
        Error::failed(what, format!("there is no [sso-session {session}] in {}", self.config_path.display())).hint(hint)
    }

    /// A session of IAM Identity Center by its own name.
    ///
    /// # Errors
    /// When there is none, or it lacks something.
    pub fn sso_session(&self, session: &str, context: &Context) -> Result<SsoSession> {
        let of_session = self.sso_sessions.get(session).ok_or_else(|| self.no_sso_session("cannot sign in", session))?;
        self.sso_parts(session, Some(session), of_session, &Section::new(), context)
    }

    fn sso_parts(
        &self,
        name: &str,
        session: Option<&str>,
        parts: &Section,
        profile: &Section,
        context: &Context,
    ) -> Result<SsoSession> {
        let place = session.map_or_else(|| format!("[profile {name}]"), |session| format!("[sso-session {session}]"));
        let need = |key: &str| {
            parts.get(key).map(String::as_str).ok_or_else(|| {
                Error::failed(format!("cannot use {place}"), format!("it has no {key}"))
                    .hint(format!("add `{key} = …` below {place} in {}", self.config_path.display()))
            })
        };
        let (start_url, region) = (need("sso_start_url")?, need("sso_region")?);
        let scopes = list(parts.get("sso_registration_scopes"));
        Ok(SsoSession {
            name: session.map(str::to_owned),
            start_url: start_url.to_owned(),
            scopes: if scopes.is_empty() { vec![DEFAULT_SCOPE.to_owned()] } else { scopes },
            portal: self.target(Service::Sso, profile, region, context)?,
            oidc: self.target(Service::SsoOidc, profile, region, context)?,
        })
    }

    /// The source where nobody named a profile: the chain of the SDKs, which is the environment, a web identity in the
    /// environment, the profile `default`, a container, the instance.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>
    pub(super) fn unnamed_source(&self, context: &Context) -> Result<Option<CredentialSource>> {
        if let Some(keys) = environment(context)? {
            return Ok(Some(CredentialSource::Environment(keys)));
        }
        let variables = [
            ("role_arn", "AWS_ROLE_ARN"),
            ("web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"),
            ("role_session_name", "AWS_ROLE_SESSION_NAME"),
        ];
        let section: Section =
            variables.into_iter().filter_map(|(key, name)| Some((key, context.user_var(name)?.to_owned()))).collect();
        if section.contains_key("role_arn") && section.contains_key("web_identity_token_file") {
            return Ok(Some(CredentialSource::WebIdentity(Box::new(self.web_identity("default", &section, context)?))));
        }
        if self.profiles.contains_key("default") {
            return Ok(None);
        }
        Ok(Some(match container(context)? {
            Some(endpoint) => CredentialSource::Container(endpoint),
            None => CredentialSource::InstanceMetadata(instance_metadata(None, context)?),
        }))
    }
}

fn credential_source(name: &str, section: &Section, context: &Context) -> Result<CredentialSource> {
    let hint = "credential_source = Environment, Ec2InstanceMetadata or EcsContainer";
    match section["credential_source"].as_str() {
        "Environment" => environment(context)?.map(CredentialSource::Environment).ok_or_else(|| {
            unusable(name, "its credential_source is Environment, and AWS_ACCESS_KEY_ID is not set")
                .hint("export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…")
        }),
        "Ec2InstanceMetadata" => instance_metadata(Some(section), context).map(CredentialSource::InstanceMetadata),
        "EcsContainer" => container(context)?.map(CredentialSource::Container).ok_or_else(|| {
            unusable(
                name,
                "its credential_source is EcsContainer, and neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
            )
            .hint("AWS sets them inside ECS tasks and EKS pods; elsewhere use source_profile")
        }),
        other => Err(unusable(name, &format!("there is no credential_source `{other}`")).hint(hint)),
    }
}

/// The keys in the environment as the user made it.
fn environment(context: &Context) -> Result<Option<AccessKeys>> {
    let Some(id) = context.user_var("AWS_ACCESS_KEY_ID") else { return Ok(None) };
    let secret = context.user_var("AWS_SECRET_ACCESS_KEY").ok_or_else(|| {
        Error::failed("cannot use the keys in the environment", "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
            .hint("export AWS_SECRET_ACCESS_KEY=…, or unset AWS_ACCESS_KEY_ID")
    })?;
    Ok(Some(AccessKeys {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::new(secret),
        session_token: context.user_var("AWS_SESSION_TOKEN").map(Secret::new),
    }))
}

/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
fn container(context: &Context) -> Result<Option<ContainerEndpoint>> {
    let relative = context.user_var("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let full = context.user_var("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let wrong = |variable: &str, why: &str| {
        Err(Error::failed("cannot ask for the container's credentials", format!("{variable} {why}"))
            .hint("AWS sets it inside ECS tasks and EKS pods; unset it elsewhere"))
    };
    let url = match (relative, full) {
        (Some(path), _) if path.starts_with('/') => format!("http://169.254.170.2{path}"),
        (Some(_), _) => return wrong("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "does not begin with `/`"),
        (None, Some(url)) if may_be_asked(url) => url.to_owned(),
        (None, Some(_)) => {
            return wrong(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "is neither https nor on this machine (localhost, 127.0.0.0/8, [::1], 169.254.170.2, 169.254.170.23, [fd00:ec2::23])",
            );
        }
        (None, None) => return Ok(None),
    };
    let file =
        context.user_var("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(|path| ContainerAuthorization::TokenFile(path.into()));
    let token = || context.user_var("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|token| ContainerAuthorization::Token(token.into()));
    Ok(Some(ContainerEndpoint { url, authorization: file.or_else(token) }))
}

/// Plain http goes to this machine and to the addresses of ECS and EKS alone.
fn may_be_asked(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return url.starts_with("https://") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let own = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
    host == "localhost" || own.contains(&host) || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html>
fn instance_metadata(section: Option<&Section>, context: &Context) -> Result<InstanceMetadata> {
    let get = |variable: &str, key: &str| {
        context.user_var(variable).or_else(|| section.and_then(|section| section.get(key)).map(String::as_str))
    };
    let what = "cannot ask for the instance's credentials";
    if context.user_var("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(Error::failed(what, "AWS_EC2_METADATA_DISABLED is set").hint("unset AWS_EC2_METADATA_DISABLED"));
    }
    let mode = get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode").unwrap_or("IPv4");
    let default = match mode.to_ascii_lowercase().as_str() {
        "ipv4" => "http://169.254.169.254",
        "ipv6" => "http://[fd00:ec2::254]",
        _ => {
            return Err(Error::failed(what, format!("there is no endpoint mode `{mode}`"))
                .hint("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE (or ec2_metadata_service_endpoint_mode) is IPv4 or IPv6"));
        }
    };
    let number = |variable: &str, key: &str| get(variable, key).and_then(|text| text.parse().ok()).unwrap_or(1_u32);
    Ok(InstanceMetadata {
        endpoint_url: get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint").unwrap_or(default).to_owned(),
        timeout: Duration::from_secs(number("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout").into()),
        attempts: number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts").clamp(1, 10),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_the_machine() {
        for url in [
            "http://localhost/x",
            "http://127.0.0.7:80/x",
            "http://[::1]:80/x",
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/x",
            "https://example.com/x",
        ] {
            assert!(may_be_asked(url), "{url}");
        }
        for url in [
            "http://example.com/x",
            "http://169.254.169.254/x",
            "http://127.0.0.1.example.com/x",
            "http://localhost@evil/x",
            "ftp://localhost/",
            "127.0.0.1",
            "",
        ] {
            assert!(!may_be_asked(url), "{url}");
        }
    }

    #[test]
    fn our_own_process_is_known() {
        let of = |command: &str| {
            let section = Section::from([("credential_process", command.to_owned())]);
            asks_awsenv(&section, "dev")
        };
        assert_eq!(of("awsenv credential-process --profile x").as_deref(), Some("x"));
        assert_eq!(of("/usr/bin/awsenv credential-process --profile=x").as_deref(), Some("x"));
        assert_eq!(of("awsenv credential-process").as_deref(), Some("dev"));
        assert_eq!(of("aws-vault exec x --json"), None);
        assert_eq!(of("awsenv env"), None);
    }
}
