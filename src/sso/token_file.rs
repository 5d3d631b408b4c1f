//! Owns the token's file, `~/.aws/sso/cache/HASH.json`, in the AWS CLI's format. Fields that are not known here stay.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::{Registration, Token};
use crate::context::Context;
use crate::credentials::epoch_seconds;
use crate::error::{Error, Result, word};
use crate::exports::rfc3339;
use crate::private_file;
use crate::profile::SsoSession;
use crate::secret::Secret;

/// The file of one session.
pub(super) struct TokenFile<'a> {
    session: &'a SsoSession,
    path: PathBuf,
}

impl<'a> TokenFile<'a> {
    /// The file is named by the session, or by the start URL of a profile of the older form.
    ///
    /// # Errors
    /// When there is no home directory.
    pub(super) fn of(session: &'a SsoSession, context: &Context) -> Result<Self> {
        let name = HEXLOWER.encode(&Sha1::digest(session.label()));
        Ok(TokenFile { session, path: context.home()?.join(".aws/sso/cache").join(format!("{name}.json")) })
    }

    /// A name for what concerns this token alone.
    #[must_use]
    pub(super) fn name(&self) -> String {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        format!("sso-{stem}")
    }

    fn fields(&self) -> Option<Map<String, Value>> {
        let text = private_file::read(&self.path).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// The token, expired or not; none if there is none, or it is of another portal.
    #[must_use]
    pub(super) fn read(&self) -> Option<Token> {
        let fields = self.fields()?;
        let get = |name: &str| fields.get(name).and_then(Value::as_str);
        // The session may have been given another start URL since.
        if get("startUrl").is_some_and(|url| url.trim_end_matches('/') != self.session.start_url.trim_end_matches('/')) {
            return None;
        }
        let registration = get("clientId").zip(get("clientSecret")).map(|(id, secret)| Registration {
            client_id: id.to_owned(),
            client_secret: Secret::new(secret),
            expires_at: get("registrationExpiresAt").and_then(moment).unwrap_or(i64::MAX),
        });
        Some(Token {
            access_token: Secret::new(get("accessToken")?),
            expires_at: moment(get("expiresAt")?)?,
            refresh_token: get("refreshToken").map(Secret::new),
            registration,
        })
    }

    /// Keeps a token.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn write(&self, token: &Token) -> Result<()> {
        let mut fields = self.fields().unwrap_or_default();
        let mut set = |name: &str, value: Option<String>| match value {
            Some(value) => fields.insert(name.to_owned(), value.into()),
            None => fields.remove(name),
        };
        let registration = token.registration.as_ref();
        set("startUrl", Some(self.session.start_url.clone()));
        set("region", Some(self.session.oidc.region.clone()));
        set("accessToken", Some(token.access_token.expose().to_owned()));
        set("expiresAt", rfc3339(token.expires_at));
        set("refreshToken", token.refresh_token.as_ref().map(|token| token.expose().to_owned()));
        set("clientId", registration.map(|client| client.client_id.clone()));
        set("clientSecret", registration.map(|client| client.client_secret.expose().to_owned()));
        set("registrationExpiresAt", registration.and_then(|client| rfc3339(client.expires_at)));
        let text = Zeroizing::new(Value::Object(fields).to_string());
        private_file::replace(&self.path, text.as_bytes()).map_err(|error| {
            Error::failed(format!("cannot keep the sign-in in {}", self.path.display()), error)
                .hint(format!("make it yours: ls -l {}", word(&self.path)))
        })
    }
}

/// Older versions of the AWS CLI write `UTC` for `Z`.
fn moment(text: &str) -> Option<i64> {
    epoch_seconds(&text.replace("UTC", "Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Environment;
    use crate::profile::ServiceTarget;

    fn session() -> SsoSession {
        let target = ServiceTarget { region: "eu-west-1".into(), endpoint_url: None, use_fips: false, use_dual_stack: false };
        SsoSession {
            name: Some("corp".into()),
            start_url: "https://corp.awsapps.com/start".into(),
            scopes: vec![],
            portal: target.clone(),
            oidc: target,
        }
    }

    #[test]
    fn the_aws_clis_file_is_read_and_kept() {
        let home = tempfile::tempdir().expect("a directory");
        let context = Context::new(Environment::new(), "/".into(), 0, Some(home.path().to_owned()));
        let session = session();
        let file = TokenFile::of(&session, &context).expect("a path");
        // echo -n corp | sha1sum
        assert!(file.path.ends_with(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"));
        assert!(file.read().is_none());
        let text = r#"{"startUrl":"https://corp.awsapps.com/start/","region":"eu-west-1","accessToken":"a","expiresAt":"2026-01-02T03:04:05UTC",
            "clientId":"i","clientSecret":"s","registrationExpiresAt":"2026-04-02T03:04:05Z","refreshToken":"r","toolsOwn":7}"#;
        private_file::replace(&file.path, text.as_bytes()).expect("written");
        let token = file.read().expect("a token");
        assert_eq!((token.access_token.expose(), token.expires_at), ("a", 1_767_323_045));
        file.write(&Token { access_token: Secret::new("b"), refresh_token: None, ..token }).expect("written");
        let fields = file.fields().expect("JSON");
        assert_eq!(
            (fields["accessToken"].as_str(), fields["toolsOwn"].as_i64(), fields.get("refreshToken")),
            (Some("b"), Some(7), None)
        );
        assert_eq!(fields["expiresAt"], "2026-01-02T03:04:05Z");
        let other = SsoSession { start_url: "https://other.awsapps.com/start".into(), ..session.clone() };
        assert!(TokenFile::of(&other, &context).expect("a path").read().is_none());
    }
}
