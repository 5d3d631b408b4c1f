//! Owns signing in to IAM Identity Center: the token that one sign-in buys, kept where and as the AWS CLI keeps it, so
//! that one serves both; the two ways to sign in; and the profiles for all that is assigned.
//! Never calls AWS itself (`provider` does).

pub mod populate;
mod sign_in;
mod token_file;
mod tokens;

pub use sign_in::SignIn;
use token_file::TokenFile;
pub use tokens::Tokens;

use crate::context::Context;
use crate::profile::SsoSession;
use crate::secret::Secret;

/// This program, as IAM Identity Center knows it; it expires after 90 days.
#[derive(Clone, Debug)]
pub struct Registration {
    pub client_id: String,
    pub client_secret: Secret,
    /// Seconds since the epoch.
    pub expires_at: i64,
}

/// What a sign-in buys.
#[derive(Clone, Debug)]
pub struct Token {
    pub access_token: Secret,
    /// Seconds since the epoch.
    pub expires_at: i64,
    pub refresh_token: Option<Secret>,
    /// What the refresh token is redeemed with.
    pub registration: Option<Registration>,
}

/// Whether a token is there that serves, or can be refreshed.
#[must_use]
pub fn is_signed_in(session: &SsoSession, context: &Context) -> bool {
    let now = context.now();
    let token = TokenFile::of(session, context).ok().and_then(|file| file.read());
    token.is_some_and(|token| {
        let client = token.registration.as_ref().filter(|_| token.refresh_token.is_some());
        token.expires_at > now || client.is_some_and(|client| client.expires_at > now)
    })
}

impl SsoSession {
    /// The session's name in messages.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.start_url)
    }

    /// The command that signs in.
    #[must_use]
    pub fn sign_in_command(&self) -> String {
        self.name.as_ref().map_or_else(
            || "awsenv sso login".to_owned(),
            |name| format!("awsenv sso login --sso-session {}", shell_words::quote(name)),
        )
    }

    /// The command that shows what is assigned.
    #[must_use]
    pub fn populate_command(&self) -> String {
        format!("awsenv sso populate --sso-session {} --dry-run", shell_words::quote(self.name.as_deref().unwrap_or("NAME")))
    }
}
