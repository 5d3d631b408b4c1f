//! Owns the calls to the portal of IAM Identity Center: a role's credentials, and which accounts and roles there are.
//! <https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/Welcome.html>

use aws_sdk_sso::Client;
use aws_sdk_sso::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;

use super::connection::Connection;
use super::failure::{self, Failure};
use crate::credentials::SessionCredentials;
use crate::error::{Error, Kind};
use crate::profile::{SsoRole, SsoSession};
use crate::secret::Secret;

const SERVICE: &str = "SSO";

/// An account that the person has roles in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub roles: Vec<String>,
}

/// Why the portal did not answer.
pub enum PortalError {
    /// It does not take the token any more.
    TokenRejected,
    Other(Error),
}

/// The portal of one session.
#[derive(Clone, Copy)]
pub struct Portal<'a> {
    pub connection: &'a Connection,
    pub session: &'a SsoSession,
}

impl Portal<'_> {
    fn client(self) -> Result<Client, PortalError> {
        let config = self.connection.config(&self.session.portal, None, self.connection.network.max_attempts);
        Ok(Client::new(&config.map_err(PortalError::Other)?))
    }

    /// The credentials of a role.
    pub fn role_credentials(self, role: &SsoRole, token: &Secret) -> Result<SessionCredentials, PortalError> {
        let what = format!("cannot get role {} of account {}", role.role_name, role.account_id);
        let call = self
            .client()?
            .get_role_credentials()
            .access_token(token.expose())
            .account_id(&role.account_id)
            .role_name(&role.role_name);
        let output = self.connection.runtime.block_on(call.send()).map_err(|error| self.failed(&what, &error))?;
        let incomplete = || PortalError::Other(Error::new(Kind::Unreachable, &what, "the answer has no credentials in it"));
        let granted = output.role_credentials().ok_or_else(incomplete)?;
        Ok(SessionCredentials {
            access_key_id: granted.access_key_id().ok_or_else(incomplete)?.to_owned(),
            secret_access_key: Secret::new(granted.secret_access_key().ok_or_else(incomplete)?),
            session_token: granted.session_token().map(Secret::new),
            // Milliseconds, unlike everywhere else.
            expires_at: Some(granted.expiration() / 1000),
            account_id: Some(role.account_id.clone()),
        })
    }

    /// All accounts and roles of the person, by account name.
    pub fn accounts(self, token: &Secret) -> Result<Vec<Account>, PortalError> {
        let what = format!("cannot list the accounts of {}", self.session.start_url);
        let client = self.client()?;
        let pages = client.list_accounts().access_token(token.expose()).into_paginator().items().send();
        let listed = self.connection.runtime.block_on(pages.collect::<Result<Vec<_>, _>>());
        let mut accounts = Vec::new();
        for account in listed.map_err(|error| self.failed(&what, &error))? {
            let id = account.account_id().unwrap_or_default();
            let pages = client.list_account_roles().access_token(token.expose()).account_id(id).into_paginator().items().send();
            let roles = self.connection.runtime.block_on(pages.collect::<Result<Vec<_>, _>>());
            let roles = roles.map_err(|error| self.failed(&what, &error))?;
            accounts.push(Account {
                id: id.to_owned(),
                name: account.account_name().unwrap_or_default().to_owned(),
                roles: roles.iter().filter_map(|role| role.role_name().map(str::to_owned)).collect(),
            });
        }
        accounts.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(accounts)
    }

    fn failed<E>(self, what: &str, error: &SdkError<E, Response>) -> PortalError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let (status, code, message) = match Failure::of(error, self.connection.network.settings) {
            Failure::Unreachable(why) => {
                return PortalError::Other(failure::unreachable(what.to_owned(), SERVICE, &self.session.portal, &why));
            }
            Failure::Answered { status, code, message, .. } => (status, code, message),
        };
        let said = failure::said(&code, &message);
        if status == 401 || code == "UnauthorizedException" {
            return PortalError::TokenRejected;
        }
        PortalError::Other(failure::busy(what, status, &code, &said).unwrap_or_else(|| {
            let assigned = status == 403 || matches!(code.as_str(), "ForbiddenException" | "ResourceNotFoundException");
            let why = if assigned { format!("that account or role is not assigned to you ({said})") } else { said };
            Error::new(Kind::Refused, what, why).hint(format!(
                "check sso_account_id and sso_role_name in ~/.aws/config; what is assigned to you: {}",
                self.session.populate_command()
            ))
        }))
    }
}
