//! Owns the five calls to STS that awsenv makes.

use aws_sdk_sts::Client;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::Tag;
use aws_smithy_runtime_api::http::Response;

use super::connection::Connection;
use super::failure::{self, Failure, Request};
use super::token_file;
use crate::account;
use crate::credentials::{AssumeRole, SessionCredentials, SessionToken};
use crate::profile::{ServiceTarget, WebIdentity};
use crate::secret::Secret;

pub use super::failure::{Caller, StsError};

/// A federated session may do what both the user and its own policy allow.
const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// STS.
#[derive(Clone, Copy)]
pub struct Sts<'c>(pub &'c Connection);

impl Sts<'_> {
    /// GetSessionToken with a one-time code.
    pub fn session_token(
        self,
        step: &SessionToken,
        from: &SessionCredentials,
        code: &Secret,
    ) -> Result<SessionCredentials, StsError> {
        let call = self
            .client(&step.sts, Some(from), true)?
            .get_session_token()
            .serial_number(&step.mfa_serial)
            .token_code(code.expose())
            .duration_seconds(step.duration_seconds.cast_signed());
        let request = Request::SessionToken(step, from);
        let output = self.0.runtime.block_on(call.send()).map_err(|error| self.failed(request, &step.sts, &error))?;
        let granted = output.credentials().ok_or_else(|| failure::incomplete(&request))?;
        Ok(session(granted, account::of_arn(&step.mfa_serial)))
    }

    /// AssumeRole, with a one-time code if the step asks for one.
    pub fn assume_role(
        self,
        step: &AssumeRole,
        session_name: &str,
        caller: Caller<'_>,
        code: Option<&Secret>,
    ) -> Result<SessionCredentials, StsError> {
        let tags = step
            .session_tags
            .iter()
            .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
            .collect::<Vec<_>>();
        let call = self
            .client(&step.sts, Some(caller.credentials), code.is_some())?
            .assume_role()
            .role_arn(&step.role_arn)
            .role_session_name(session_name)
            .duration_seconds(step.duration_seconds.cast_signed())
            .set_external_id(step.external_id.clone())
            .set_source_identity(step.source_identity.clone())
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!step.transitive_session_tags.is_empty()).then(|| step.transitive_session_tags.clone()))
            .set_serial_number(step.mfa_serial.clone().filter(|_| code.is_some()))
            .set_token_code(code.map(|code| code.expose().to_owned()));
        let request = Request::AssumeRole(step, caller);
        let output = self.0.runtime.block_on(call.send()).map_err(|error| self.failed(request, &step.sts, &error))?;
        let granted = output.credentials().ok_or_else(|| failure::incomplete(&request))?;
        Ok(session(granted, account::of_arn(&step.role_arn)))
    }

    /// GetCallerIdentity: the account and the ARN that credentials belong to.
    pub fn caller_identity(self, target: &ServiceTarget, of: &SessionCredentials) -> Result<(String, String), StsError> {
        let call = self.client(target, Some(of), false)?.get_caller_identity();
        let output =
            self.0.runtime.block_on(call.send()).map_err(|error| self.failed(Request::CallerIdentity(of), target, &error))?;
        Ok((output.account().unwrap_or_default().to_owned(), output.arn().unwrap_or_default().to_owned()))
    }

    /// GetFederationToken: what the user may do, as a session that can sign in to the console.
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>
    pub fn federation_token(
        self,
        target: &ServiceTarget,
        from: &SessionCredentials,
        name: &str,
    ) -> Result<SessionCredentials, StsError> {
        let call = self.client(target, Some(from), false)?.get_federation_token().name(name).policy(EVERYTHING);
        let request = Request::FederationToken(from);
        let output = self.0.runtime.block_on(call.send()).map_err(|error| self.failed(request, target, &error))?;
        let granted = output.credentials().ok_or_else(|| failure::incomplete(&request))?;
        Ok(session(granted, from.account_id.as_deref()))
    }

    /// AssumeRoleWithWebIdentity, which no credentials sign: the token in the file is the proof.
    pub fn web_identity(self, role: &WebIdentity, session_name: &str) -> Result<SessionCredentials, StsError> {
        let token = token_file::read(&role.token_file, "web_identity_token_file").map_err(StsError::Other)?;
        let call = self
            .client(&role.sts, None, false)?
            .assume_role_with_web_identity()
            .role_arn(&role.role_arn)
            .role_session_name(role.role_session_name.as_deref().unwrap_or(session_name))
            .set_duration_seconds(role.duration_seconds.map(u32::cast_signed))
            .web_identity_token(token.expose());
        let request = Request::WebIdentity(role);
        let output = self.0.runtime.block_on(call.send()).map_err(|error| self.failed(request, &role.sts, &error))?;
        let granted = output.credentials().ok_or_else(|| failure::incomplete(&request))?;
        Ok(session(granted, account::of_arn(&role.role_arn)))
    }

    /// A call that carries a one-time code is made once: AWS takes a code once, so a repetition could only fail.
    fn client(self, target: &ServiceTarget, from: Option<&SessionCredentials>, once: bool) -> Result<Client, StsError> {
        let attempts = if once { 1 } else { self.0.network.max_attempts };
        Ok(Client::new(&self.0.config(target, from, attempts).map_err(StsError::Other)?))
    }

    fn failed<E>(self, request: Request<'_>, target: &ServiceTarget, error: &SdkError<E, Response>) -> StsError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        failure::explain(&request, target, &Failure::of(error, self.0.network.settings))
    }
}

fn session(granted: &aws_sdk_sts::types::Credentials, account_id: Option<&str>) -> SessionCredentials {
    SessionCredentials {
        access_key_id: granted.access_key_id().to_owned(),
        secret_access_key: Secret::new(granted.secret_access_key()),
        session_token: Some(Secret::new(granted.session_token())),
        expires_at: Some(granted.expiration().secs()),
        account_id: account_id.map(str::to_owned),
    }
}
