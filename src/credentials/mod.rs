//! Owns what to do for a profile (`CredentialPlan`, pure data) and what comes of it (`SessionCredentials`).
//! Never does any of it: the session cache and `provider` carry a plan out.

mod plan;

pub use plan::{AssumeRole, CacheKey, CredentialPlan, SessionToken, Step};

use crate::account;
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

impl SessionCredentials {
    /// The account: what is known, else what the access key id tells.
    #[must_use]
    pub fn account_for_display(&self) -> Option<String> {
        self.account_id.clone().or_else(|| account::of_access_key_id(&self.access_key_id))
    }
}
