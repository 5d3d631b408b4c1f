//! Owns the shortcut from a profile's name to its cached session: what the profile resolved to, and of which state of
//! the AWS files that is true. On a hit neither file is parsed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::credentials::{CacheKey, CredentialPlan};
use crate::error::Result;
use crate::private_file;
use crate::profile::{ResolvedProfile, identity};

/// Variables that a profile's resolution depends on.
pub const VARIABLES: [&str; 17] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "USER",
];

/// What a profile resolved to, without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub kind: String,
    pub region: Option<String>,
    pub account_id: Option<String>,
    pub role_arn: Option<String>,
    /// Where the credentials are cached.
    pub session: CacheKey,
    /// Where the session is that took a person. The same as `session` if each renewal takes one.
    pub person_session: Option<CacheKey>,
}

impl Summary {
    #[must_use]
    pub fn new(profile: &ResolvedProfile, plan: &CredentialPlan) -> Self {
        Summary {
            kind: plan.last().kind().to_owned(),
            region: profile.region.clone(),
            account_id: plan.account_id().map(str::to_owned),
            role_arn: plan.role_arn().map(str::to_owned),
            session: plan.cache_key(plan.steps.len() - 1),
            person_session: plan.person_step().map(|index| plan.cache_key(index)),
        }
    }
}

/// The record of one profile.
pub(super) struct Index {
    path: Option<PathBuf>,
    files: String,
}

impl Index {
    pub(super) fn of(context: &Context, cache_dir: Option<&Path>, profile: &str, at_most: Option<u32>) -> Result<Self> {
        let (config, credentials) = (context.aws_config_file()?, context.aws_credentials_file()?);
        let mut hash = Sha256::new().chain_update(profile).chain_update([0]).chain_update(at_most.unwrap_or(0).to_le_bytes());
        for value in VARIABLES.iter().map(|name| context.user_var(name).unwrap_or_default()) {
            hash.update(value);
            hash.update([0]);
        }
        for path in [&config, &credentials] {
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update([0]);
        }
        let path = cache_dir.map(|directory| directory.join("index").join(HEXLOWER.encode(&hash.finalize())));
        Ok(Index { path, files: format!("{} {}", identity::of(&config), identity::of(&credentials)) })
    }

    /// What the profile resolved to, if the files are still as they were then.
    pub(super) fn read(&self) -> Option<Summary> {
        let text = private_file::read_text(self.path.as_ref()?).ok()?;
        let mut lines = text.lines();
        if lines.next()? != "awsenv-index 1" || lines.next()? != self.files {
            return None;
        }
        let fields: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
        let get = |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Some(Summary {
            kind: get("kind")?,
            region: get("region"),
            account_id: get("account_id"),
            role_arn: get("role_arn"),
            session: CacheKey::from_recorded(&get("session")?)?,
            person_session: get("person_session").and_then(|key| CacheKey::from_recorded(&key)),
        })
    }

    /// Records a resolution. A cache that cannot be written has been reported where the session was to be kept.
    pub(super) fn write(&self, summary: &Summary) {
        let Some(path) = &self.path else { return };
        let mut text = format!("awsenv-index 1\n{}\nkind: {}\nsession: {}\n", self.files, summary.kind, summary.session.as_str());
        let optional = [
            ("region", summary.region.as_deref()),
            ("account_id", summary.account_id.as_deref()),
            ("role_arn", summary.role_arn.as_deref()),
            ("person_session", summary.person_session.as_ref().map(CacheKey::as_str)),
        ];
        for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            let _infallible = writeln!(text, "{name}: {value}");
        }
        let _best_effort = private_file::replace(path, text.as_bytes());
    }
}
