//! Owns the three calls to STS that awsenv makes, on one current-thread runtime with time limits.

use std::path::Path;
use std::time::Duration;

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region, SharedHttpClient, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::Tag;
use aws_sdk_sts::{Client, Config};
use aws_smithy_runtime_api::http::Response;

use super::failure::{self, Failure, Request};
use super::http;
use crate::account;
use crate::credentials::{AssumeRole, SessionCredentials, SessionToken};
use crate::error::{Error, Result};
use crate::profile::StsTarget;
use crate::secret::Secret;
use crate::settings::NetworkSettings;

pub use super::failure::{Caller, StsError};

/// How STS is reached, whatever is called there.
#[derive(Clone, Debug)]
pub struct Network {
    pub settings: NetworkSettings,
    /// How often a call is made at most; refusals are never repeated.
    pub max_attempts: u32,
}

/// A client for STS. Making one starts the runtime, so it is made after the cache has nothing.
pub struct Sts {
    runtime: tokio::runtime::Runtime,
    http: SharedHttpClient,
    network: Network,
}

impl Sts {
    /// # Errors
    /// When the runtime or TLS cannot be set up, which includes an unusable CA bundle.
    pub fn new(network: Network, ca_bundle: Option<&Path>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::failed("cannot start the network runtime", &error))?;
        Ok(Sts { runtime, http: http::client(ca_bundle)?, network })
    }

    /// GetSessionToken with a one-time code.
    pub fn session_token(
        &self,
        step: &SessionToken,
        from: &SessionCredentials,
        code: &Secret,
    ) -> Result<SessionCredentials, StsError> {
        let call = self
            .client(&step.sts, from, true)
            .get_session_token()
            .serial_number(&step.mfa_serial)
            .token_code(code.expose())
            .duration_seconds(step.duration_seconds.cast_signed());
        let request = Request::SessionToken(step, from);
        let output = self.runtime.block_on(call.send()).map_err(|error| self.failed(request, &step.sts, &error))?;
        let granted = output.credentials().ok_or_else(|| failure::incomplete(&request))?;
        Ok(session(granted, account::of_arn(&step.mfa_serial)))
    }

    /// AssumeRole, with a one-time code if the step asks for one.
    pub fn assume_role(
        &self,
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
            .client(&step.sts, caller.credentials, code.is_some())
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
        let output = self.runtime.block_on(call.send()).map_err(|error| self.failed(request, &step.sts, &error))?;
        let granted = output.credentials().ok_or_else(|| failure::incomplete(&request))?;
        Ok(session(granted, account::of_arn(&step.role_arn)))
    }

    /// GetCallerIdentity: the account and the ARN that credentials belong to.
    pub fn caller_identity(&self, target: &StsTarget, of: &SessionCredentials) -> Result<(String, String), StsError> {
        let call = self.client(target, of, false).get_caller_identity();
        let output =
            self.runtime.block_on(call.send()).map_err(|error| self.failed(Request::CallerIdentity(of), target, &error))?;
        Ok((output.account().unwrap_or_default().to_owned(), output.arn().unwrap_or_default().to_owned()))
    }

    /// A call that carries a one-time code is made once: AWS takes a code once, so a repetition could only fail.
    fn client(&self, target: &StsTarget, from: &SessionCredentials, once: bool) -> Client {
        let NetworkSettings { connect_timeout, timeout } = self.network.settings;
        let attempts = if once { 1 } else { self.network.max_attempts };
        let token = from.session_token.as_ref().map(|token| token.expose().to_owned());
        let credentials = Credentials::new(&from.access_key_id, from.secret_access_key.expose(), token, None, "awsenv");
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .region(Region::new(target.region.clone()))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(250)))
            .timeout_config(TimeoutConfig::builder().connect_timeout(connect_timeout).operation_timeout(timeout).build())
            .use_fips(target.use_fips)
            .use_dual_stack(target.use_dual_stack);
        config.set_endpoint_url(target.endpoint_url.clone());
        Client::from_conf(config.build())
    }

    fn failed<E>(&self, request: Request<'_>, target: &StsTarget, error: &SdkError<E, Response>) -> StsError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        failure::explain(&request, target, &Failure::of(error, self.network.settings))
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
