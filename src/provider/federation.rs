//! Owns the federation endpoint, which turns a session into a sign-in of the web console.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html>

use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::connection::Connection;
use crate::credentials::SessionCredentials;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

const WHAT: &str = "cannot sign in to the console";
const LIMIT: Duration = Duration::from_secs(10);

/// The console of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    pub sign_in_url: String,
    pub console_url: &'static str,
}

impl Console {
    /// By partition. `sign_in_url` stands for the partition's own.
    #[must_use]
    pub fn of(partition: &str, sign_in_url: Option<&str>) -> Self {
        let (sign_in, console_url) = match partition {
            "aws-cn" => ("https://signin.amazonaws.cn", "https://console.amazonaws.cn"),
            "aws-us-gov" => ("https://signin.amazonaws-us-gov.com", "https://console.amazonaws-us-gov.com"),
            "aws-eusc" => ("https://signin.amazonaws-eusc.eu", "https://console.amazonaws-eusc.eu"),
            _ => ("https://signin.aws.amazon.com", "https://console.aws.amazon.com"),
        };
        Console { sign_in_url: sign_in_url.unwrap_or(sign_in).trim_end_matches('/').to_owned(), console_url }
    }

    /// The page of a service in a region.
    #[must_use]
    pub fn page(&self, service: Option<&str>, region: &str) -> String {
        format!("{}/{}/home?region={region}", self.console_url, service.unwrap_or("console"))
    }

    /// The address that signs in and leads to a page. Whoever has it is signed in.
    ///
    /// # Errors
    /// When AWS refuses the session, or cannot be reached.
    pub fn sign_in(&self, connection: &Connection, session: &SessionCredentials, page: &str) -> Result<Secret> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Granted {
            signin_token: Secret,
        }
        let document = Zeroizing::new(
            serde_json::json!({
                "sessionId": session.access_key_id,
                "sessionKey": session.secret_access_key.expose(),
                "sessionToken": session.session_token.as_ref().map(Secret::expose),
            })
            .to_string(),
        );
        let ask = self.address(&[("Action", "getSigninToken"), ("Session", &document)]);
        let (status, body) = connection.request_proxied(&ask, LIMIT).map_err(|why| {
            Error::new(Kind::Unreachable, WHAT, format!("cannot reach {}: {why}", self.sign_in_url))
                .hint("check the network, HTTPS_PROXY and AWS_CA_BUNDLE")
        })?;
        match status {
            200 => {}
            500.. => {
                return Err(Error::new(Kind::Unreachable, WHAT, format!("AWS has a fault of its own ({status})"))
                    .hint("try again in a minute"));
            }
            _ => {
                return Err(Error::new(Kind::Refused, WHAT, format!("AWS does not take the session (status {status})"))
                    .hint("awsenv login, and again; sessions of IAM users that GetSessionToken gave cannot sign in"));
            }
        }
        let granted: Granted = serde_json::from_str(body.expose()).map_err(|_| {
            Error::new(Kind::Unreachable, WHAT, "the answer has no sign-in token in it").hint("is a proxy in between?")
        })?;
        let token = granted.signin_token.expose();
        let query = [("Action", "login"), ("Issuer", "awsenv"), ("Destination", page), ("SigninToken", token)];
        Ok(Secret::new(self.address(&query).as_str()))
    }

    fn address(&self, query: &[(&str, &str)]) -> Zeroizing<String> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        Zeroizing::new(format!("{}/federation?{query}", self.sign_in_url))
    }
}
