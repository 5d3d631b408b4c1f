//! Owns what calls share: one current-thread runtime, the HTTP client, time limits and repetitions; and the plain
//! requests to the metadata services, which the SDK's own clients read the environment for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_sts::config::{BehaviorVersion, Credentials, Region, SharedHttpClient, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedCredentialsProvider;

use super::http;
use crate::credentials::SessionCredentials;
use crate::error::{Error, Result};
use crate::profile::ServiceTarget;
use crate::secret::Secret;
use crate::settings::NetworkSettings;

/// How often the SDKs make a call at most. <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const DEFAULT_ATTEMPTS: u32 = 3;

/// How AWS is reached, whatever is called there.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    pub settings: NetworkSettings,
    /// How often a call is made at most; refusals are never repeated.
    pub max_attempts: u32,
}

impl Network {
    #[must_use]
    pub fn new(settings: NetworkSettings, max_attempts: Option<u32>) -> Self {
        Network { settings, max_attempts: max_attempts.unwrap_or(DEFAULT_ATTEMPTS) }
    }
}

/// The way to AWS. Making one starts the runtime, so it is made after the cache has nothing.
pub struct Connection {
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) network: Network,
    http: SharedHttpClient,
    ca_bundle: Option<PathBuf>,
}

impl Connection {
    /// # Errors
    /// When the runtime or TLS cannot be set up, which includes an unusable CA bundle.
    pub fn new(network: Network, ca_bundle: Option<&Path>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::failed("cannot start the network runtime", &error))?;
        Ok(Connection { runtime, network, http: http::client(ca_bundle)?, ca_bundle: ca_bundle.map(Path::to_owned) })
    }

    /// What a client of the SDK is made from.
    ///
    /// # Errors
    /// When the target's region is none.
    pub(super) fn config(
        &self,
        target: &ServiceTarget,
        credentials: Option<&SessionCredentials>,
        attempts: u32,
    ) -> Result<SdkConfig> {
        target.check()?;
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(self.http.clone())
            .region(Region::new(target.region.clone()))
            .retry_config(retries(attempts))
            .timeout_config(self.time_limits())
            .use_fips(target.use_fips)
            .use_dual_stack(target.use_dual_stack);
        config.set_endpoint_url(target.endpoint_url.clone());
        if let Some(from) = credentials {
            let token = from.session_token.as_ref().map(|token| token.expose().to_owned());
            let credentials = Credentials::new(&from.access_key_id, from.secret_access_key.expose(), token, None, "awsenv");
            config.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials)));
        }
        Ok(config.build())
    }

    /// What a provider of `aws-config` is made from.
    #[cfg(feature = "login")]
    pub(super) fn provider_config(&self, target: &ServiceTarget) -> aws_config::provider_config::ProviderConfig {
        aws_config::provider_config::ProviderConfig::empty()
            .with_region(Some(Region::new(target.region.clone())))
            .with_use_fips(Some(target.use_fips))
            .with_use_dual_stack(Some(target.use_dual_stack))
            .with_http_client(self.http.clone())
            .with_sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .with_retry_config(retries(self.network.max_attempts))
            .with_timeout_config(self.time_limits())
    }

    fn time_limits(&self) -> TimeoutConfig {
        let NetworkSettings { connect_timeout, timeout } = self.network.settings;
        TimeoutConfig::builder().connect_timeout(connect_timeout).operation_timeout(timeout).build()
    }

    /// One plain request, past every proxy; its status and body. The error says why there is no answer.
    pub(super) fn request(
        &self,
        method: &str,
        url: &str,
        headers: &[(&'static str, &str)],
        timeout: Duration,
    ) -> Result<(u16, Secret), String> {
        let mut request = HttpRequest::get(url).map_err(|error| error.to_string())?;
        request.set_method(method).map_err(|error| error.to_string())?;
        for (name, value) in headers {
            request.headers_mut().try_insert(*name, (*value).to_owned()).map_err(|error| error.to_string())?;
        }
        self.exchange(&http::direct(url).map_err(|error| error.summary())?, request, timeout)
    }

    /// The same, GET, by the proxy that the environment names.
    pub(super) fn request_proxied(&self, url: &str, timeout: Duration) -> Result<(u16, Secret), String> {
        let request = HttpRequest::get(url).map_err(|error| error.to_string())?;
        let connector = http::proxied(self.ca_bundle.as_deref()).map_err(|error| error.summary())?;
        self.exchange(&connector, request, timeout)
    }

    fn exchange(&self, connector: &Connector, request: HttpRequest, timeout: Duration) -> Result<(u16, Secret), String> {
        let exchange = async {
            let response = connector.call(request).await.map_err(|error| http::root_cause(&error))?;
            let status = response.status().as_u16();
            let body = ByteStream::new(response.into_body()).collect().await.map_err(|error| http::root_cause(&error))?;
            let text = String::from_utf8(body.to_vec()).map_err(|_| "the answer is not UTF-8 text".to_owned())?;
            Ok((status, Secret::new(text)))
        };
        let limited = self.runtime.block_on(async { tokio::time::timeout(timeout, exchange).await });
        limited.unwrap_or_else(|_| Err(format!("no answer within {} ms", timeout.as_millis())))
    }
}

fn retries(attempts: u32) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(Duration::from_millis(250))
}
