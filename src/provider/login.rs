//! Owns the sessions of `aws login`: the AWS CLI's own cache of them, read and refreshed by the SDK's provider.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/access-login.html>

use std::error::Error as StdError;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::login::LoginCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;

use super::connection::Connection;
use super::http::{causes, root_cause};
use crate::account;
use crate::credentials::SessionCredentials;
use crate::error::{Error, Kind, Result};
use crate::profile::LoginSession;
use crate::secret::Secret;

/// The credentials of a session, refreshed if they end soon.
///
/// # Errors
/// When there is no such session, it has ended, or AWS cannot be reached.
pub fn credentials(connection: &Connection, login: &LoginSession, profile: &str) -> Result<SessionCredentials> {
    login.signin.check()?;
    let config = connection.provider_config(&login.signin);
    let provider = LoginCredentialsProvider::builder(&login.session_arn).configure(&config).build();
    let granted = connection.runtime.block_on(provider.provide_credentials()).map_err(|error| failed(&error, profile))?;
    let seconds = |moment: SystemTime| moment.duration_since(UNIX_EPOCH).ok().and_then(|since| since.as_secs().try_into().ok());
    Ok(SessionCredentials {
        access_key_id: granted.access_key_id().to_owned(),
        secret_access_key: Secret::new(granted.secret_access_key()),
        session_token: granted.session_token().map(Secret::new),
        expires_at: granted.expiry().and_then(seconds),
        account_id: account::of_arn(&login.session_arn).map(str::to_owned),
    })
}

fn failed(error: &CredentialsError, profile: &str) -> Error {
    let io_error =
        causes(error).find_map(|cause: &(dyn StdError + 'static)| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let (kind, why) = match io_error {
        Some(io::ErrorKind::NotFound) => (Kind::SignInNeeded, "there is no session of `aws login` for it".to_owned()),
        Some(_) => (Kind::Unreachable, format!("its session of `aws login` cannot be refreshed: {}", root_cause(error))),
        None => (Kind::SignInNeeded, format!("its session of `aws login` has ended ({})", root_cause(error))),
    };
    Error::new(kind, format!("profile `{profile}` is not signed in"), why).hint(format!("aws login --profile {profile}"))
}
