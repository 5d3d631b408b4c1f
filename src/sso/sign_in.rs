//! Owns the two ways to sign in: a browser on this machine, which brings an authorization code back to loopback (PKCE),
//! and a device code, which the person enters in a browser anywhere.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use super::Token;
use crate::browser::Browser;
use crate::context::Context;
use crate::error::{Result, say};
use crate::profile::SsoSession;
use crate::provider::callback::Callback;
use crate::provider::connection::Connection;
use crate::provider::oidc::{AuthorizationCode, Oidc};
use crate::secret;

/// How long a person may take in the browser.
const BROWSER_LIMIT: Duration = Duration::from_secs(600);

/// A way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    Browser,
    DeviceCode,
}

impl SignIn {
    /// The browser; over SSH, or where there is none, the device code.
    #[must_use]
    pub fn of_terminal(context: &Context) -> Self {
        let remote = ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| context.own_var(name).is_some());
        if remote || Browser::find(context).is_none() { SignIn::DeviceCode } else { SignIn::Browser }
    }
}

/// Signs in, which takes a person.
pub(super) fn sign_in(context: &Context, connection: &Connection, session: &SsoSession, way: SignIn) -> Result<Token> {
    let oidc = Oidc::new(connection, session);
    match way {
        SignIn::Browser => by_browser(context, connection, session, oidc),
        SignIn::DeviceCode => by_device_code(context, session, oidc),
    }
}

fn by_browser(context: &Context, connection: &Connection, session: &SsoSession, oidc: Oidc<'_>) -> Result<Token> {
    let callback = Callback::listen(connection)?;
    let client = oidc.register(true)?;
    // <https://www.rfc-editor.org/rfc/rfc7636#section-4>
    let (verifier, state) = (secret::random()?, secret::random()?);
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(verifier.expose()));
    let url = oidc.authorization_url(&[
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", &callback.redirect_uri),
        ("state", state.expose()),
        ("code_challenge_method", "S256"),
        ("code_challenge", &challenge),
        ("scopes", &session.scopes.join(" ")),
    ])?;
    say(&format!("sign in to {} in the browser: {url}", session.label()));
    open(context, &url);
    let redirect_uri = callback.redirect_uri.clone();
    let code = callback.wait(state.expose(), BROWSER_LIMIT)?;
    let grant = AuthorizationCode { code: &code, redirect_uri: &redirect_uri, verifier: &verifier };
    oidc.redeem(&client, &grant, context.now())
}

fn by_device_code(context: &Context, session: &SsoSession, oidc: Oidc<'_>) -> Result<Token> {
    let client = oidc.register(false)?;
    let device = oidc.device_code(&client)?;
    say(&format!("sign in to {}: open {} and check that it shows the code {}", session.label(), device.url, device.user_code));
    open(context, &device.url);
    oidc.wait_for_device(&client, &device, || context.now())
}

/// The page was named, so a browser that cannot be started stops nobody.
fn open(context: &Context, url: &str) {
    if let Some(browser) = Browser::find(context)
        && !browser.open(url)
    {
        say("the browser could not be started; open the page yourself");
    }
}
