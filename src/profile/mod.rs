//! Owns AWS profiles as data: what the two files say (`AwsFiles`), and what a profile resolves to (`ResolvedProfile`).
//! Never reads a file and never calls AWS: the files are read by `provider::aws_files`, and the calls planned by
//! `credentials`.

pub mod identity;
pub mod origin;
mod resolve;
mod source;
mod target;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// The keys of one section, of those that are read.
pub type Section = BTreeMap<&'static str, String>;

/// `~/.aws/config` with `~/.aws/credentials` laid over it.
#[derive(Clone, Debug, Default)]
pub struct AwsFiles {
    pub config_path: PathBuf,
    pub credentials_path: PathBuf,
    pub profiles: BTreeMap<String, Section>,
    /// `[sso-session NAME]`.
    pub sso_sessions: BTreeMap<String, Section>,
    /// `[services NAME]`: the `endpoint_url` of each service.
    pub services: BTreeMap<String, Section>,
}

/// Where and how one service of AWS is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    pub region: String,
    pub endpoint_url: Option<String>,
    pub use_fips: bool,
    pub use_dual_stack: bool,
}

/// Access keys as a file, or the environment, holds them. With a session token they are somebody's session, not
/// long-lived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKeys {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
}

/// A role that is assumed with a token of another identity provider (OpenID Connect).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebIdentity {
    pub role_arn: String,
    pub token_file: PathBuf,
    pub role_session_name: Option<String>,
    pub duration_seconds: Option<u32>,
    pub sts: ServiceTarget,
}

/// A portal of IAM Identity Center, and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoSession {
    /// None for a profile of the older form, which has all of it itself.
    pub name: Option<String>,
    pub start_url: String,
    pub scopes: Vec<String>,
    pub portal: ServiceTarget,
    pub oidc: ServiceTarget,
}

/// A role in an account of IAM Identity Center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoRole {
    pub session: SsoSession,
    pub account_id: String,
    pub role_name: String,
}

/// Where a container asks for its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerEndpoint {
    pub url: String,
    pub authorization: Option<ContainerAuthorization>,
}

/// What a container proves itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerAuthorization {
    Token(Secret),
    TokenFile(PathBuf),
}

/// The metadata service of an EC2 instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceMetadata {
    pub endpoint_url: String,
    /// For everything that is asked.
    pub timeout: Duration,
    pub attempts: u32,
}

/// A session of `aws login`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginSession {
    pub session_arn: String,
    pub signin: ServiceTarget,
}

/// Where the first credentials of a chain come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    Keys(AccessKeys),
    Environment(AccessKeys),
    WebIdentity(Box<WebIdentity>),
    Sso(Box<SsoRole>),
    /// The command line of `credential_process`; there may be secrets in it.
    Process(Secret),
    InstanceMetadata(InstanceMetadata),
    Container(ContainerEndpoint),
    Login(LoginSession),
}

/// How long-lived credentials are, which decides whether an MFA code can go with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    LongLived,
    Session,
    /// Only the process that prints them knows.
    Unknown,
}

impl CredentialSource {
    /// The word of the contract for this kind of credentials.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            CredentialSource::Keys(keys) if keys.session_token.is_none() => "static_keys",
            CredentialSource::Keys(_) => "session_token",
            CredentialSource::Environment(_) => "environment",
            CredentialSource::WebIdentity(_) => "web_identity",
            CredentialSource::Sso(_) => "sso",
            CredentialSource::Process(_) => "process",
            CredentialSource::InstanceMetadata(_) => "imds",
            CredentialSource::Container(_) => "container",
            CredentialSource::Login(_) => "login",
        }
    }

    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        match self {
            CredentialSource::Keys(keys) | CredentialSource::Environment(keys) if keys.session_token.is_none() => {
                Lifetime::LongLived
            }
            CredentialSource::Process(_) => Lifetime::Unknown,
            _ => Lifetime::Session,
        }
    }
}

/// The root of a chain: the profile whose credentials come from somewhere else than a role.
#[derive(Clone, Debug)]
pub struct Source {
    pub profile: String,
    pub credentials: CredentialSource,
    /// The account, where the profile says it (`aws_account_id`).
    pub account_id: Option<String>,
    pub mfa_serial: Option<String>,
    /// `duration_seconds` of the session that an MFA code buys.
    pub duration_seconds: Option<u32>,
    pub sts: ServiceTarget,
}

/// One role of a chain.
#[derive(Clone, Debug)]
pub struct Role {
    pub profile: String,
    pub role_arn: String,
    pub mfa_serial: Option<String>,
    pub external_id: Option<String>,
    pub role_session_name: Option<String>,
    pub duration_seconds: Option<u32>,
    pub session_tags: Vec<(String, String)>,
    pub transitive_session_tags: Vec<String>,
    pub source_identity: Option<String>,
    pub sts: ServiceTarget,
}

/// What a profile means: a source, and the roles that are assumed from it, in order.
#[derive(Clone, Debug)]
pub struct ResolvedProfile {
    pub name: String,
    /// Whether nobody named it, and the SDKs' own chain led here.
    pub unnamed: bool,
    /// The region that the profile names for programs.
    pub region: Option<String>,
    pub source: Source,
    pub roles: Vec<Role>,
    pub ca_bundle: Option<PathBuf>,
    /// How often a call is made at most.
    pub max_attempts: Option<u32>,
}
