//! Owns sessions between processes: sealed in files, shared by all shells, one sign-in at a time.
//! Never speaks to AWS itself (`provider` does), and never decides what a profile needs (the plan does).

mod cache;
mod codes;
pub(crate) mod flight;
mod index;
mod key;
mod obtain;
mod source;

pub use cache::{Header, SessionCache};
pub use codes::{Ask, NoCodes, TokenCodes};
pub use index::{Summary, VARIABLES};
pub use obtain::Sessions;

use std::time::Duration;

use crate::credentials::SessionCredentials;

/// Seconds before its expiry at which a session is renewed if that takes no person, at most.
const RENEW_SOON: i64 = 900;
/// Seconds before its expiry at which a session counts as expired, at most.
pub const RENEW_NOW: i64 = 300;
/// How long to wait for another process that signs in.
pub const SIGN_IN_PATIENCE: Duration = Duration::from_secs(60);

/// Seconds before its expiry at which a session is renewed, and at which it counts as expired. A short session is not
/// always about to expire: of its life only the last third, and the last sixth, count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Margins {
    pub soon: i64,
    pub now: i64,
}

impl Margins {
    /// Those of a session that lives so many seconds in all, where that is known.
    #[must_use]
    pub fn of(lifetime: Option<i64>) -> Self {
        let at_most = |margin: i64, part: i64| lifetime.map_or(margin, |seconds| margin.min(seconds / part));
        Margins { soon: at_most(RENEW_SOON, 3), now: at_most(RENEW_NOW, 6) }
    }

    fn for_freshness(self, freshness: Freshness) -> i64 {
        if freshness == Freshness::RenewSoon { self.soon } else { self.now }
    }
}

/// How fresh the credentials must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Whatever is cached and does not count as expired.
    Cached,
    /// As cached, but the profile's own session is renewed if it expires soon.
    RenewSoon,
    /// Nothing cached: sign in now.
    SignIn,
}

/// What is wanted of the sessions.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The profile; none where nobody named one, which is what the SDKs' own chain then finds.
    pub profile: Option<&'a str>,
    /// Shortens the session, in seconds.
    pub at_most: Option<u32>,
    /// The account that it must be of.
    pub account: Option<&'a str>,
    pub freshness: Freshness,
}

/// What it takes to renew a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It does not expire.
    Never,
    /// Calls to AWS alone.
    Silent,
    /// A person, or a process that may ask one.
    NeedsPerson,
}

/// Credentials of a profile, and what is known of them.
#[derive(Clone, Debug)]
pub struct Obtained {
    pub credentials: SessionCredentials,
    pub summary: Summary,
    pub renewal: Renewal,
    pub margins: Margins,
    /// Whether nothing was asked for outside the cache and the files.
    pub from_cache: bool,
    /// Whether the cache has something new that other shells may wait for.
    pub is_new: bool,
}

impl Obtained {
    /// The account: by the profile's ARNs, else as AWS said, else as the access key id tells.
    #[must_use]
    pub fn account_id(&self) -> Option<String> {
        self.summary.account_id.clone().or_else(|| self.credentials.account_for_display())
    }
}
