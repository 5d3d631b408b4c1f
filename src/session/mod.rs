//! Owns sessions between processes: sealed in files, shared by all shells, one sign-in at a time.
//! Never speaks to AWS itself (`provider` does), and never decides what a profile needs (the plan does).

mod cache;
mod codes;
mod flight;
mod index;
mod key;
mod obtain;

pub use cache::{Header, SessionCache};
pub use codes::{Ask, NoCodes, TokenCodes};
pub use index::Summary;
pub use obtain::{Freshness, Obtained, Renewal, Sessions};

/// Seconds before its expiry at which a session is renewed if that takes no person.
pub const RENEW_SOON: i64 = 900;
/// Seconds before its expiry at which a session counts as expired.
pub const RENEW_NOW: i64 = 300;
