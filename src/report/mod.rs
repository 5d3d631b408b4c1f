//! Owns what is told of profiles without signing in: the list of all, and one chain step by step.
//! Never prints (`cmd` does), never calls AWS, and asks nobody.

mod explanation;
mod profiles;

pub use explanation::{Explained, Explanation, Setting, WouldAsk, target};
pub use profiles::{ProfileRow, profiles};

use crate::session::Header;

/// What the cache has of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    None,
    /// Until when, in seconds since the epoch.
    Valid(i64),
    Expired(i64),
}

impl SessionState {
    fn of(header: Option<&Header>, now: i64) -> Self {
        match header.and_then(|header| header.expires_at) {
            None => SessionState::None,
            Some(at) if at > now => SessionState::Valid(at),
            Some(at) => SessionState::Expired(at),
        }
    }

    /// The word of the contract.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            SessionState::None => "none",
            SessionState::Valid(_) => "valid",
            SessionState::Expired(_) => "expired",
        }
    }

    #[must_use]
    pub fn expires_at(self) -> Option<i64> {
        match self {
            SessionState::None => None,
            SessionState::Valid(at) | SessionState::Expired(at) => Some(at),
        }
    }
}
