//! Owns the HTTP clients: rustls with ring, the proxy variables, the CA bundle; and one without any proxy.

use std::error::Error as StdError;
use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::error::{Error, Result};

/// A client that trusts the given CA bundle, or else the system's certificates.
pub(super) fn client(ca_bundle: Option<&Path>) -> Result<SharedHttpClient> {
    let tls = tls(ca_bundle)?;
    Ok(Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone())
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(
            components.and_then(aws_smithy_runtime_api::client::runtime_components::RuntimeComponents::sleep_impl),
        );
        connector.build()
    }))
}

/// A connector for the metadata services of instances and containers, which are never behind a proxy. Only https needs
/// the system's certificates, which take longer to load than all that is asked.
pub(super) fn direct(url: &str) -> Result<Connector> {
    if url.starts_with("http://") {
        return Ok(Connector::builder().build_http());
    }
    Ok(Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls(None)?).build())
}

/// A connector for a plain request that goes where the SDK's would.
pub(super) fn proxied(ca_bundle: Option<&Path>) -> Result<Connector> {
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls(ca_bundle)?);
    Ok(connector.proxy_config(ProxyConfig::from_env()).build())
}

fn tls(ca_bundle: Option<&Path>) -> Result<TlsContext> {
    let trust = match ca_bundle {
        Some(path) => TrustStore::empty().with_pem_certificate(read_bundle(path)?),
        None => TrustStore::empty().with_native_roots(true),
    };
    TlsContext::builder().with_trust_store(trust).build().map_err(|error| Error::failed("cannot set up TLS", error))
}

pub(super) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause| {
        let cause: &'a (dyn StdError + 'static) = *cause;
        cause.source()
    })
}

/// The innermost error says what happened; the others say which layer noticed.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().map_or_else(String::new, ToString::to_string)
}

/// The SDK would panic over a bundle without certificates, so that is looked for here.
fn read_bundle(path: &Path) -> Result<Vec<u8>> {
    let cannot = |why: String| {
        Error::failed(format!("cannot use the CA bundle {}", path.display()), why)
            .hint("set AWS_CA_BUNDLE, or ca_bundle in ~/.aws/config, to a PEM file")
    };
    let pem = std::fs::read(path).map_err(|error| cannot(error.to_string()))?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if pem.windows(marker.len()).any(|window| window == marker) {
        Ok(pem)
    } else {
        Err(cannot("there is no PEM certificate in it".into()))
    }
}
