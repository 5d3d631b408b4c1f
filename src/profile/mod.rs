//! Owns AWS profiles as data: what the two files say (`AwsFiles`), and what a profile resolves to (`ResolvedProfile`).
//! Never reads a file and never calls AWS: the files are read by `provider::aws_files`, and the calls planned by
//! `credentials`.

pub mod identity;
mod resolve;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::secret::Secret;

/// The keys of one section.
pub type Section = BTreeMap<String, String>;

/// `~/.aws/config` with `~/.aws/credentials` laid over it.
#[derive(Clone, Debug, Default)]
pub struct AwsFiles {
    pub config_path: PathBuf,
    pub credentials_path: PathBuf,
    pub profiles: BTreeMap<String, Section>,
    /// `endpoint_url` for STS of each `[services NAME]`.
    pub sts_endpoints: BTreeMap<String, String>,
}

/// Where and how STS is called for one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsTarget {
    pub region: String,
    pub endpoint_url: Option<String>,
    pub use_fips: bool,
    pub use_dual_stack: bool,
}

/// Access keys as a file holds them. With a session token they are somebody's session, not long-lived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKeys {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Option<Secret>,
}

/// The root of a chain: the profile that holds keys.
#[derive(Clone, Debug)]
pub struct Source {
    pub profile: String,
    pub keys: AccessKeys,
    pub mfa_serial: Option<String>,
    /// `duration_seconds` of the session that an MFA code buys.
    pub duration_seconds: Option<u32>,
    pub sts: StsTarget,
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
    pub sts: StsTarget,
}

/// What a profile means: keys, and the roles that are assumed from them, in order.
#[derive(Clone, Debug)]
pub struct ResolvedProfile {
    pub name: String,
    /// The region that the profile names for programs.
    pub region: Option<String>,
    pub source: Source,
    pub roles: Vec<Role>,
    pub ca_bundle: Option<PathBuf>,
    /// How often a call is made at most.
    pub max_attempts: Option<u32>,
}
