//! Owns the way to a token that serves: the file's, refreshed if it can be, else by signing in; by one process at a time.

use std::time::Duration;

use super::sign_in::{self, SignIn};
use super::{Token, TokenFile};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::profile::SsoSession;
use crate::provider::connection::Connection;
use crate::provider::oidc::Oidc;
use crate::provider::portal::PortalError;
use crate::secret::Secret;
use crate::session::{RENEW_NOW, flight};

/// The tokens of one session.
pub struct Tokens<'a> {
    pub context: &'a Context,
    pub connection: &'a Connection,
    pub session: &'a SsoSession,
    /// How to sign in, where that is allowed.
    pub sign_in: Option<SignIn>,
    /// How long to wait for another process that signs in.
    pub patience: Duration,
}

impl Tokens<'_> {
    /// A token that serves. `rejected` is one that did not.
    ///
    /// # Errors
    /// When the person has to sign in and may not be asked, or AWS refuses or cannot be reached.
    pub fn get(&self, rejected: Option<&Token>) -> Result<Token> {
        let file = TokenFile::of(self.session, self.context)?;
        let now = self.context.now();
        let is_other = |token: &Token| rejected.is_none_or(|rejected| rejected.access_token != token.access_token);
        let lives = |token: &Token, margin: i64| token.expires_at - now > margin && is_other(token);
        let current = || file.read().filter(|token| lives(token, RENEW_NOW));
        if let Some(token) = current() {
            return Ok(token);
        }
        let _flight = self.board(&file)?;
        // Whoever held the lock may have refreshed it.
        if let Some(token) = current() {
            return Ok(token);
        }
        let held = file.read();
        let refreshed = held.as_ref().map_or(Ok(None), |token| self.refreshed(token, now));
        match (refreshed, held.filter(|token| lives(token, 0))) {
            (Ok(Some(token)), _) => {
                file.write(&token)?;
                Ok(token)
            }
            // It ends soon, and still serves.
            (_, Some(token)) => Ok(token),
            (Err(error), None) => Err(error),
            (Ok(None), None) => match self.sign_in {
                Some(way) => self.ask(&file, way),
                None => Err(self.not_signed_in()),
            },
        }
    }

    /// Signs in, whatever there is.
    ///
    /// # Errors
    /// When the person does not, or AWS refuses or cannot be reached.
    pub fn renew(&self, way: SignIn) -> Result<Token> {
        let file = TokenFile::of(self.session, self.context)?;
        let _flight = self.board(&file)?;
        self.ask(&file, way)
    }

    fn not_signed_in(&self) -> Error {
        Error::new(
            Kind::SignInNeeded,
            format!("not signed in to {}", self.session.label()),
            "the sign-in at IAM Identity Center is missing or has expired",
        )
        .hint(self.session.sign_in_command())
    }

    /// What the portal answers for a token; once more with another one, if that ended before the time that it says.
    ///
    /// # Errors
    /// As for `get`, and what the portal says.
    pub fn used_by<T>(&self, call: impl Fn(&Secret) -> Result<T, PortalError>) -> Result<T> {
        let token = self.get(None)?;
        let answer = match call(&token.access_token) {
            Err(PortalError::TokenRejected) => call(&self.get(Some(&token))?.access_token),
            first => first,
        };
        answer.map_err(|error| match error {
            PortalError::TokenRejected => self.not_signed_in(),
            PortalError::Other(error) => error,
        })
    }

    fn board(&self, file: &TokenFile<'_>) -> Result<flight::Flight> {
        let directory = self.context.cache_dir().ok();
        flight::board(directory.as_deref(), &file.name(), self.patience).map_err(|held| {
            Error::new(
                Kind::SignInNeeded,
                format!("not signed in to {}", self.session.label()),
                format!("process {} is still signing in", held.holder),
            )
            .hint(format!(
                "answer it there, or end it: kill {}; then: {}",
                held.holder,
                self.session.sign_in_command()
            ))
        })
    }

    fn ask(&self, file: &TokenFile<'_>, way: SignIn) -> Result<Token> {
        let token = sign_in::sign_in(self.context, self.connection, self.session, way)?;
        file.write(&token)?;
        Ok(token)
    }

    fn refreshed(&self, token: &Token, now: i64) -> Result<Option<Token>> {
        match (&token.refresh_token, &token.registration) {
            (Some(refresh), Some(client)) if client.expires_at > now => {
                self.context.log(|| format!("refreshing the sign-in to {}", self.session.label()));
                Oidc::new(self.connection, self.session).refresh(client, refresh, now)
            }
            _ => Ok(None),
        }
    }
}
