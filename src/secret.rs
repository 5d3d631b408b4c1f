//! Owns the type that secrets live in: it does not print, and its memory is zeroed when it goes.
//! Never writes a secret anywhere; whoever calls `expose` answers for where it goes.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// A secret text: a secret access key, a session token, a token code; and any variable of an environment, since one of
/// them may be such.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that hands it to AWS or to the shell.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A text of 43 characters that nobody can guess.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn random() -> Result<Secret> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|error| Error::failed("cannot make a secret", format!("no random numbers: {error}")))?;
    Ok(Secret::new(BASE64URL_NOPAD.encode(bytes.as_slice())))
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_says_nothing() {
        assert_eq!(format!("{:?}", Some(Secret::new("wJalr"))), "Some([redacted])");
    }
}
