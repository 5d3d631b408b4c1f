//! Owns the calls that sign a person in to IAM Identity Center (OAuth 2.0): registration, the authorization code with
//! PKCE, the device code, and refreshing.
//! <https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/Welcome.html>

use aws_sdk_ssooidc::Client;
use aws_sdk_ssooidc::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_ssooidc::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssooidc::operation::create_token::CreateTokenOutput;
use aws_smithy_runtime_api::http::Response;
use std::time::Duration;

use super::connection::Connection;
use super::failure::{self, Failure};
use crate::error::{Error, Kind, Result};
use crate::profile::SsoSession;
use crate::secret::Secret;
use crate::sso::{Registration, Token};

const SERVICE: &str = "SSO OIDC";
const CODE_GRANT: &str = "authorization_code";
const REFRESH_GRANT: &str = "refresh_token";
/// <https://www.rfc-editor.org/rfc/rfc8628#section-3.4>
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Seconds to add where the service asks to be polled less often. <https://www.rfc-editor.org/rfc/rfc8628#section-3.5>
const SLOW_DOWN_SECONDS: u64 = 5;

/// Where the browser comes back to; the port is added when it is known.
/// <https://www.rfc-editor.org/rfc/rfc8252#section-7.3>
pub const REDIRECT_HOST: &str = "http://127.0.0.1";
pub const REDIRECT_PATH: &str = "/oauth/callback";

/// The service of one session.
#[derive(Clone, Copy)]
pub struct Oidc<'a> {
    connection: &'a Connection,
    session: &'a SsoSession,
}

/// What a person enters on another machine.
pub struct DeviceCode {
    pub user_code: String,
    pub url: String,
    code: Secret,
    interval: Duration,
    lives: Duration,
}

/// An authorization code, and what it is redeemed with.
pub struct AuthorizationCode<'a> {
    pub code: &'a Secret,
    pub redirect_uri: &'a str,
    pub verifier: &'a Secret,
}

impl<'a> Oidc<'a> {
    #[must_use]
    pub fn new(connection: &'a Connection, session: &'a SsoSession) -> Self {
        Oidc { connection, session }
    }

    fn client(self, attempts: u32) -> Result<Client> {
        Ok(Client::new(&self.connection.config(&self.session.oidc, None, attempts)?))
    }

    /// Registers this program. `with_browser` is for the authorization code.
    ///
    /// # Errors
    /// When AWS refuses or cannot be reached.
    pub fn register(self, with_browser: bool) -> Result<Registration> {
        let call = self
            .client(self.connection.network.max_attempts)?
            .register_client()
            .client_name("awsenv")
            .client_type("public")
            .set_scopes(Some(self.session.scopes.clone()));
        let call = if with_browser {
            call.grant_types(CODE_GRANT)
                .grant_types(REFRESH_GRANT)
                .redirect_uris(format!("{REDIRECT_HOST}{REDIRECT_PATH}"))
                .issuer_url(&self.session.start_url)
        } else {
            call
        };
        let output = self.connection.runtime.block_on(call.send()).map_err(|error| self.failed(&error))?;
        Ok(Registration {
            client_id: output.client_id().unwrap_or_default().to_owned(),
            client_secret: Secret::new(output.client_secret().unwrap_or_default()),
            expires_at: output.client_secret_expires_at(),
        })
    }

    /// The page on which the person signs in.
    ///
    /// # Errors
    /// When the session's region is none.
    pub fn authorization_url(self, query: &[(&str, &str)]) -> Result<String> {
        let target = &self.session.oidc;
        target.check()?;
        let base = match &target.endpoint_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let params = Params::builder()
                    .region(target.region.clone())
                    .use_fips(target.use_fips)
                    .use_dual_stack(target.use_dual_stack)
                    .build()
                    .map_err(|error| Error::failed(self.what(), error))?;
                let endpoint = self.connection.runtime.block_on(DefaultResolver::new().resolve_endpoint(&params));
                endpoint.map_err(|error| Error::failed(self.what(), error))?.url().to_owned()
            }
        };
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        Ok(format!("{base}/authorize?{query}"))
    }

    /// Redeems an authorization code.
    ///
    /// # Errors
    /// When AWS refuses or cannot be reached.
    pub fn redeem(self, client: &Registration, grant: &AuthorizationCode<'_>, now: i64) -> Result<Token> {
        let call = self
            .client(1)?
            .create_token()
            .client_id(&client.client_id)
            .client_secret(client.client_secret.expose())
            .grant_type(CODE_GRANT)
            .code(grant.code.expose())
            .redirect_uri(grant.redirect_uri)
            .code_verifier(grant.verifier.expose());
        let output = self.connection.runtime.block_on(call.send()).map_err(|error| self.failed(&error))?;
        self.token(&output, client, None, now)
    }

    /// A new token for an old one; none if the person must sign in again.
    ///
    /// # Errors
    /// When AWS cannot be reached, or has a fault.
    pub fn refresh(self, client: &Registration, refresh_token: &Secret, now: i64) -> Result<Option<Token>> {
        let call = self
            .client(self.connection.network.max_attempts)?
            .create_token()
            .client_id(&client.client_id)
            .client_secret(client.client_secret.expose())
            .grant_type(REFRESH_GRANT)
            .refresh_token(refresh_token.expose());
        match self.connection.runtime.block_on(call.send()) {
            Ok(output) => self.token(&output, client, Some(refresh_token), now).map(Some),
            Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
                Some(
                    "InvalidGrantException" | "ExpiredTokenException" | "InvalidClientException" | "UnauthorizedClientException",
                ) => Ok(None),
                _ => Err(self.failed(&error)),
            },
        }
    }

    /// A code that the person enters in a browser anywhere.
    ///
    /// # Errors
    /// When AWS refuses or cannot be reached.
    pub fn device_code(self, client: &Registration) -> Result<DeviceCode> {
        let call = self
            .client(self.connection.network.max_attempts)?
            .start_device_authorization()
            .client_id(&client.client_id)
            .client_secret(client.client_secret.expose())
            .start_url(&self.session.start_url);
        let output = self.connection.runtime.block_on(call.send()).map_err(|error| self.failed(&error))?;
        let seconds = |number: i32| Duration::from_secs(number.max(1).unsigned_abs().into());
        Ok(DeviceCode {
            user_code: output.user_code().unwrap_or_default().to_owned(),
            url: output.verification_uri_complete().or(output.verification_uri()).unwrap_or_default().to_owned(),
            code: Secret::new(output.device_code().unwrap_or_default()),
            interval: seconds(output.interval()),
            lives: seconds(output.expires_in()),
        })
    }

    /// Waits until the person has entered the code.
    ///
    /// # Errors
    /// When it expires, the person says no, or AWS cannot be reached.
    pub fn wait_for_device(self, client: &Registration, device: &DeviceCode, now: impl Fn() -> i64) -> Result<Token> {
        let api = self.client(1)?;
        let (mut interval, mut waited) = (device.interval, Duration::ZERO);
        while waited < device.lives {
            let call = api
                .create_token()
                .client_id(&client.client_id)
                .client_secret(client.client_secret.expose())
                .grant_type(DEVICE_GRANT)
                .device_code(device.code.expose());
            match self.connection.runtime.block_on(call.send()) {
                Ok(output) => return self.token(&output, client, None, now()),
                Err(error) => match error.as_service_error().and_then(ProvideErrorMetadata::code) {
                    Some("AuthorizationPendingException") => {}
                    Some("SlowDownException") => interval += Duration::from_secs(SLOW_DOWN_SECONDS),
                    Some("ExpiredTokenException") => break,
                    _ => return Err(self.failed(&error)),
                },
            }
            std::thread::sleep(interval);
            waited += interval;
        }
        Err(Error::new(Kind::SignInNeeded, self.what(), "the code has expired before it was entered")
            .hint(self.session.sign_in_command()))
    }

    fn token(self, output: &CreateTokenOutput, client: &Registration, refresh: Option<&Secret>, now: i64) -> Result<Token> {
        let access_token = output.access_token().filter(|token| !token.is_empty());
        let access_token =
            access_token.ok_or_else(|| Error::new(Kind::Unreachable, self.what(), "the answer has no token in it"))?;
        Ok(Token {
            access_token: Secret::new(access_token),
            expires_at: now + i64::from(output.expires_in()),
            refresh_token: output.refresh_token().map(Secret::new).or_else(|| refresh.cloned()),
            registration: Some(client.clone()),
        })
    }

    fn what(self) -> String {
        format!("cannot sign in to {}", self.session.start_url)
    }

    fn failed<E>(self, error: &SdkError<E, Response>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let refused = |why: String| Error::new(Kind::Refused, self.what(), why);
        match Failure::of(error, self.connection.network.settings) {
            Failure::Unreachable(why) => failure::unreachable(self.what(), SERVICE, &self.session.oidc, &why),
            Failure::Answered { status, code, message, .. } => {
                let said = failure::said(&code, &message);
                if let Some(error) = failure::busy(&self.what(), status, &code, &said) {
                    return error;
                }
                match code.as_str() {
                    "AccessDeniedException" => {
                        refused("the request was denied in the browser".into()).hint(self.session.sign_in_command())
                    }
                    "InvalidRequestException" | "InvalidRequestRegionException" | "InvalidClientException" => {
                        refused(format!("AWS does not take the start URL in region {} ({said})", self.session.oidc.region))
                            .hint("check sso_start_url and sso_region in ~/.aws/config: both are on the portal's settings page")
                    }
                    "InvalidScopeException" => refused(said).hint("check sso_registration_scopes in ~/.aws/config"),
                    _ => refused(said).hint(self.session.sign_in_command()),
                }
            }
        }
    }
}
