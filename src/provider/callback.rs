//! Owns the browser's way back: one HTTP server on loopback that takes one authorization code.
//! <https://www.rfc-editor.org/rfc/rfc8252#section-7.3>

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::connection::Connection;
use super::oidc::{REDIRECT_HOST, REDIRECT_PATH};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

const DONE: &str = "<!doctype html><meta charset=utf-8><title>awsenv</title><p>You are signed in. You can close this page.";
const FAILED: &str = "<!doctype html><meta charset=utf-8><title>awsenv</title><p>The sign-in failed; the terminal says why.";

/// The listening server.
pub struct Callback<'a> {
    connection: &'a Connection,
    listener: TcpListener,
    pub redirect_uri: String,
}

impl<'a> Callback<'a> {
    /// # Errors
    /// When no port can be had on loopback.
    pub fn listen(connection: &'a Connection) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::failed("cannot wait for the browser", format!("no port on 127.0.0.1: {error}"))
                .hint("awsenv sso login --device-code")
        };
        let listener = connection.runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Callback { connection, listener, redirect_uri: format!("{REDIRECT_HOST}:{port}{REDIRECT_PATH}") })
    }

    /// The code that the browser brings, if it brings `state` too.
    ///
    /// # Errors
    /// When nobody comes in time, or the person said no.
    pub fn wait(self, state: &str, limit: Duration) -> Result<Secret> {
        let state: Arc<str> = state.into();
        let (brought, mut codes) = mpsc::channel(1);
        let serve = async {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else { continue };
                let (state, brought) = (Arc::clone(&state), brought.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let outcome = outcome(&request, &state);
                    let brought = brought.clone();
                    async move { Ok::<_, Infallible>(answer(outcome, &brought)) }
                });
                // A browser may open connections that it never uses; none may hold up another.
                tokio::task::spawn(http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service));
            }
        };
        let first = async {
            let mut serve = std::pin::pin!(serve);
            std::future::poll_fn(|context| match codes.poll_recv(context) {
                std::task::Poll::Pending => serve.as_mut().poll(context),
                ready @ std::task::Poll::Ready(_) => ready,
            })
            .await
        };
        let outcome = self.connection.runtime.block_on(async {
            let outcome = tokio::time::timeout(limit, first).await;
            // The page is still on its way to the browser.
            tokio::time::sleep(Duration::from_millis(50)).await;
            outcome
        });
        let failed = |why: String| {
            Error::new(Kind::SignInNeeded, "cannot sign in", why).hint("awsenv sso login, or awsenv sso login --device-code")
        };
        match outcome {
            Ok(Some(Ok(code))) => Ok(code),
            Ok(Some(Err(why))) => Err(failed(format!("the browser came back with an error: {why}"))),
            Ok(None) | Err(_) => Err(failed(format!("the browser did not come back within {} min", limit.as_secs() / 60))),
        }
    }
}

type Outcome = Option<Result<Secret, String>>;

/// What a request brings; none if it is not the way back.
fn outcome(request: &Request<Incoming>, state: &str) -> Outcome {
    if request.uri().path() != REDIRECT_PATH {
        return None;
    }
    let query = request.uri().query().unwrap_or_default();
    let get =
        |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if get("state").as_deref() != Some(state) {
        return None;
    }
    match get("code") {
        Some(code) if !code.is_empty() => Some(Ok(Secret::new(code))),
        _ => Some(Err(get("error_description").or_else(|| get("error")).unwrap_or_else(|| "no code".to_owned()))),
    }
}

fn answer(outcome: Outcome, brought: &mpsc::Sender<Result<Secret, String>>) -> Response<Full<Bytes>> {
    let (status, page) = match &outcome {
        None => (404, FAILED),
        Some(Ok(_)) => (200, DONE),
        Some(Err(_)) => (400, FAILED),
    };
    if let Some(outcome) = outcome {
        // Only the first one counts.
        let _second = brought.try_send(outcome);
    }
    let mut response = Response::new(Full::new(Bytes::from_static(page.as_bytes())));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
