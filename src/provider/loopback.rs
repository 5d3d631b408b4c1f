//! Owns a small HTTP server on loopback that waits for one visit of the person's browser.
//! <https://www.rfc-editor.org/rfc/rfc8252#section-7.3>

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::connection::Connection;
use crate::error::{Error, Result};

/// What the browser gets for a visit.
pub(super) struct Page {
    status: u16,
    body: &'static str,
    location: Option<String>,
}

impl Page {
    pub(super) fn html(status: u16, body: &'static str) -> Self {
        Page { status, body, location: None }
    }

    fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from_static(self.body.as_bytes())));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let mut set =
            |name: HeaderName, value: Option<HeaderValue>| value.map(|value| response.headers_mut().insert(name, value));
        set(CONTENT_TYPE, Some(HeaderValue::from_static("text/html; charset=utf-8")));
        set(CACHE_CONTROL, Some(HeaderValue::from_static("no-store")));
        set(REFERRER_POLICY, Some(HeaderValue::from_static("no-referrer")));
        set(LOCATION, self.location.and_then(|location| location.parse().ok()));
        response
    }
}

/// The listening server.
pub struct Loopback<'a> {
    connection: &'a Connection,
    listener: TcpListener,
    pub(super) port: u16,
}

impl<'a> Loopback<'a> {
    /// # Errors
    /// When no port can be had on loopback.
    pub fn listen(connection: &'a Connection) -> Result<Self> {
        let failed =
            |error: std::io::Error| Error::failed("cannot wait for the browser", format!("no port on 127.0.0.1: {error}"));
        let listener = connection.runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Loopback { connection, listener, port })
    }

    /// Sends the first visitor of `path` on to another page, whose address is thus on no command line. Says whether
    /// anybody came.
    pub fn send_on(self, path: &str, location: &str, limit: Duration) -> bool {
        let (path, location) = (path.to_owned(), location.to_owned());
        let visit = move |request: &Request<Incoming>| {
            if request.uri().path() == path {
                (Page { status: 302, body: "", location: Some(location.clone()) }, Some(()))
            } else {
                (Page::html(404, ""), None)
            }
        };
        self.wait(limit, visit).is_some()
    }

    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Serves until a visit brings something, or the time is up.
    pub(super) fn wait<T: Send + 'static>(
        self,
        limit: Duration,
        visit: impl Fn(&Request<Incoming>) -> (Page, Option<T>) + Send + Sync + 'static,
    ) -> Option<T> {
        let visit = Arc::new(visit);
        let (brought, mut first) = mpsc::channel(1);
        let serve = async {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else { continue };
                let (visit, brought) = (Arc::clone(&visit), brought.clone());
                let service = service_fn(move |request: Request<Incoming>| {
                    let (page, outcome) = visit(&request);
                    if let Some(outcome) = outcome {
                        // Only the first one counts.
                        let _second = brought.try_send(outcome);
                    }
                    async move { Ok::<_, Infallible>(page.response()) }
                });
                // A browser may open connections that it never uses; none may hold up another.
                tokio::task::spawn(http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service));
            }
        };
        self.connection.runtime.block_on(async {
            let mut serve = pin!(serve);
            let first = std::future::poll_fn(|context| match first.poll_recv(context) {
                Poll::Pending => serve.as_mut().poll(context),
                ready @ Poll::Ready(_) => ready,
            });
            let outcome = tokio::time::timeout(limit, first).await.ok().flatten();
            // The page is still on its way to the browser.
            tokio::time::sleep(Duration::from_millis(50)).await;
            outcome
        })
    }
}
