//! Owns the browser's way back from a sign-in: which visit brings an authorization code.

use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;

use super::connection::Connection;
use super::loopback::{Loopback, Page};
use super::oidc::{REDIRECT_HOST, REDIRECT_PATH};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

const DONE: &str = "<!doctype html><meta charset=utf-8><title>awsenv</title><p>You are signed in. You can close this page.";
const FAILED: &str = "<!doctype html><meta charset=utf-8><title>awsenv</title><p>The sign-in failed; the terminal says why.";

/// The way back.
pub struct Callback<'a> {
    loopback: Loopback<'a>,
    pub redirect_uri: String,
}

impl<'a> Callback<'a> {
    /// # Errors
    /// When no port can be had on loopback.
    pub fn listen(connection: &'a Connection) -> Result<Self> {
        let loopback = Loopback::listen(connection).map_err(|error| error.hint("awsenv sso login --device-code"))?;
        Ok(Callback { redirect_uri: format!("{REDIRECT_HOST}:{}{REDIRECT_PATH}", loopback.port), loopback })
    }

    /// The code that the browser brings, if it brings `state` too.
    ///
    /// # Errors
    /// When nobody comes in time, or the person said no.
    pub fn wait(self, state: &str, limit: Duration) -> Result<Secret> {
        let state = state.to_owned();
        let visit = move |request: &Request<Incoming>| match outcome(request, &state) {
            None => (Page::html(404, FAILED), None),
            Some(Ok(code)) => (Page::html(200, DONE), Some(Ok(code))),
            Some(Err(why)) => (Page::html(400, FAILED), Some(Err(why))),
        };
        let failed = |why: String| {
            Error::new(Kind::SignInNeeded, "cannot sign in", why).hint("awsenv sso login, or awsenv sso login --device-code")
        };
        match self.loopback.wait(limit, visit) {
            Some(Ok(code)) => Ok(code),
            Some(Err(why)) => Err(failed(format!("the browser came back with an error: {why}"))),
            None => Err(failed(format!("the browser did not come back within {} min", limit.as_secs() / 60))),
        }
    }
}

/// What a request brings; none if it is not the way back.
fn outcome(request: &Request<Incoming>, state: &str) -> Option<Result<Secret, String>> {
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
