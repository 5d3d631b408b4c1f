//! What the hook starts in the background: a renewal that asks nobody, and tells the open shells when it is done.

use std::time::{Duration, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::error::Result;
use crate::generation::Generation;
use crate::private_file;
use crate::session::{Freshness, NoCodes, Request, Sessions};
use crate::settings::Settings;

/// Seconds between attempts, of all shells together: while AWS cannot be reached, twenty shells are one.
const ATTEMPT_SECONDS: i64 = 55;

/// How the hook says that a profile is to be renewed, and its session at most so many seconds long.
pub const RENEW_WORD: &str = "__renew";

/// # Errors
/// When it cannot be renewed without a person, or AWS says no.
pub fn run(context: &Context, profile: &str, at_most: Option<u32>) -> Result<()> {
    if attempted_lately(context, profile, at_most)? {
        return Ok(());
    }
    let settings = Settings::load(context)?;
    let mut nobody = NoCodes { why: "a renewal in the background asks nobody" };
    let mut sessions = Sessions::new(context, &settings, &mut nobody);
    // Another process that renews the same session makes this one superfluous.
    sessions.patience = Duration::ZERO;
    let obtained =
        sessions.obtain(Request { profile: Some(profile), at_most, account: None, freshness: Freshness::RenewSoon })?;
    if obtained.is_new {
        Generation::new(&context.data_dir()?).bump()?;
    }
    Ok(())
}

/// Whether any process attempted this renewal within the last minute; if not, this one does now.
fn attempted_lately(context: &Context, profile: &str, at_most: Option<u32>) -> Result<bool> {
    let name = HEXLOWER.encode(&Sha256::digest(format!("{}\n{profile}", at_most.unwrap_or_default())));
    let stamp = context.cache_dir()?.join("renewals").join(name);
    let modified = stamp.metadata().and_then(|found| found.modified()).ok();
    let attempted = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs().cast_signed());
    // A clock that was set back must not end all attempts.
    if attempted.is_some_and(|at| (0..ATTEMPT_SECONDS).contains(&(context.now() - at))) {
        context.log(|| format!("the renewal of {profile} was attempted within the last minute"));
        return Ok(true);
    }
    // Where nothing can be written, nothing can be renewed for anybody either.
    let _best_effort = private_file::replace(&stamp, b"");
    Ok(false)
}
