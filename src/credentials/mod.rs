//! Owns what to do for a profile (`CredentialPlan`, pure data) and what comes of it (`SessionCredentials`).
//! Never does any of it: the session cache and `provider` carry a plan out.

mod plan;

pub use plan::{AssumeRole, CacheKey, CredentialPlan, SessionToken, Step};

use time::OffsetDateTime;
use time::format_description::well_known::{Iso8601, Rfc3339};

use crate::account;
use crate::profile::AccessKeys;
use crate::secret::Secret;

/// Credentials as AWS hands them out, and what is known of their identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCredentials {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// None for long-lived keys.
    pub session_token: Option<Secret>,
    /// Seconds since the epoch; none if they do not expire.
    pub expires_at: Option<i64>,
    /// The account, where AWS itself or an ARN names it.
    pub account_id: Option<String>,
}

impl From<&AccessKeys> for SessionCredentials {
    fn from(keys: &AccessKeys) -> Self {
        SessionCredentials {
            access_key_id: keys.access_key_id.clone(),
            secret_access_key: keys.secret_access_key.clone(),
            session_token: keys.session_token.clone(),
            expires_at: None,
            account_id: None,
        }
    }
}

impl SessionCredentials {
    /// The account: what is known, else what the access key id tells.
    #[must_use]
    pub fn account_for_display(&self) -> Option<String> {
        self.account_id.clone().or_else(|| account::of_access_key_id(&self.access_key_id))
    }
}

/// A moment as AWS writes it, in seconds since the epoch.
#[must_use]
pub fn epoch_seconds(text: &str) -> Option<i64> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(text, &Iso8601::PARSING));
    Some(parsed.ok()?.unix_timestamp())
}
