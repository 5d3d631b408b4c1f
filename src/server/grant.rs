//! Owns who may ask the server for what: a grant names one profile, and is signed with the server's key, so that whoever
//! has one directory's variables cannot ask for another's profile.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Running;
use crate::secret::Secret;
use crate::session::{Freshness, Request};

/// What may be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    pub profile: String,
    /// Shortens the session, in seconds.
    pub at_most: Option<u32>,
    /// The account that it must be of.
    pub account: Option<String>,
}

impl Grant {
    /// What a request of the sessions amounts to; none where nobody named a profile.
    #[must_use]
    pub fn of(request: &Request<'_>) -> Option<Self> {
        Some(Grant {
            profile: request.profile?.to_owned(),
            at_most: request.at_most,
            account: request.account.map(str::to_owned),
        })
    }

    pub(super) fn request(&self, freshness: Freshness) -> Request<'_> {
        Request { profile: Some(&self.profile), at_most: self.at_most, account: self.account.as_deref(), freshness }
    }

    /// As the last part of a path.
    fn word(&self) -> String {
        let seconds = self.at_most.map(|seconds| seconds.to_string()).unwrap_or_default();
        BASE64URL_NOPAD.encode(format!("{}\n{seconds}\n{}", self.profile, self.account.as_deref().unwrap_or_default()).as_bytes())
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(word.as_bytes()).ok()?).ok()?;
        let [profile, seconds, account] = text.split('\n').collect::<Vec<_>>().try_into().ok()?;
        let at_most = if seconds.is_empty() { None } else { Some(seconds.parse().ok()?) };
        Some(Grant {
            profile: profile.to_owned(),
            at_most,
            account: Some(account.to_owned()).filter(|account| !account.is_empty()),
        })
    }
}

impl Running {
    /// The address and the token for a grant.
    #[must_use]
    pub fn address(&self, grant: &Grant) -> (String, Secret) {
        let word = grant.word();
        let token = Secret::new(BASE64URL_NOPAD.encode(&self.mac(&word).finalize().into_bytes()));
        (format!("{}/{}/{word}", self.url, self.path), token)
    }

    /// The grant that a path and a token are good for. The comparison takes the same time whatever differs.
    pub(super) fn verify(&self, path: &str, token: &str) -> Option<Grant> {
        let (base, word) = path.strip_prefix('/')?.split_once('/')?;
        let given = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        self.mac(word).verify_slice(&given).ok()?;
        if base == self.path { Grant::from_word(word) } else { None }
    }

    fn mac(&self, word: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.key.0.expose().as_bytes()).unwrap_or_else(|_| unreachable!("any length"));
        mac.update(word.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::super::Text;
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_grant_alone() {
        let running =
            Running { pid: 1, url: "http://127.0.0.1:1".into(), started_at: 0, path: "p".into(), key: Text(Secret::new("k")) };
        let dev = Grant { profile: "my dev".into(), at_most: Some(900), account: Some("222222222222".into()) };
        let prod = Grant { profile: "prod".into(), at_most: None, account: None };
        let (url, token) = running.address(&dev);
        let path = url.strip_prefix("http://127.0.0.1:1").expect("ours");
        assert_eq!(running.verify(path, token.expose()), Some(dev));
        let other = running.address(&prod).0;
        let other = other.strip_prefix("http://127.0.0.1:1").expect("ours");
        for (path, token) in [
            (other, token.expose()),
            (path, ""),
            (path, &token.expose()[1..]),
            ("/p", token.expose()),
            (&path.replacen("/p/", "/q/", 1), token.expose()),
        ] {
            assert_eq!(running.verify(path, token), None, "{path}");
        }
        let elsewhere = Running { key: Text(Secret::new("other")), ..running };
        assert_eq!(elsewhere.verify(path, token.expose()), None);
    }
}
