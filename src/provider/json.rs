//! Owns credentials in JSON, as the metadata services and `credential_process` write them.

use serde::Deserialize;

use crate::credentials::{SessionCredentials, epoch_seconds};
use crate::secret::Secret;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    /// Of `credential_process` alone.
    version: Option<serde_json::Value>,
    /// Of the metadata services alone: `Success`, or why not.
    code: Option<String>,
    message: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<Secret>,
    /// What a process calls `SessionToken`.
    #[serde(alias = "SessionToken")]
    token: Option<Secret>,
    expiration: Option<String>,
    account_id: Option<String>,
}

/// What a metadata service answered.
///
/// # Errors
/// What is wrong with it; never what it is.
pub(super) fn credentials(text: &Secret) -> Result<SessionCredentials, String> {
    parse(text)?.credentials()
}

/// What a `credential_process` printed.
///
/// # Errors
/// What is wrong with it; never what it is.
pub(super) fn of_process(text: &Secret) -> Result<SessionCredentials, String> {
    let document = parse(text)?;
    match &document.version {
        Some(version) if version.as_u64() == Some(1) => document.credentials(),
        Some(version) => Err(format!("it is of Version {version}, and only 1 is known")),
        None => Err("there is no Version in it".into()),
    }
}

fn parse(text: &Secret) -> Result<Document, String> {
    serde_json::from_str(text.expose()).map_err(|_| "it is not the JSON of credentials".to_owned())
}

impl Document {
    fn credentials(self) -> Result<SessionCredentials, String> {
        if let Some(code) = self.code.filter(|code| code != "Success") {
            return Err(format!("{code}: {}", self.message.as_deref().unwrap_or("no reason is given")));
        }
        let lacks = |name: &str| format!("there is no {name} in it");
        let expires_at = match self.expiration {
            Some(text) => Some(epoch_seconds(&text).ok_or("its Expiration is not a date like 2026-01-31T12:00:00Z")?),
            None => None,
        };
        Ok(SessionCredentials {
            access_key_id: self.access_key_id.filter(|id| !id.is_empty()).ok_or_else(|| lacks("AccessKeyId"))?,
            secret_access_key: self.secret_access_key.ok_or_else(|| lacks("SecretAccessKey"))?,
            session_token: self.token.filter(|token| !token.expose().is_empty()),
            expires_at,
            account_id: self.account_id,
        })
    }
}
