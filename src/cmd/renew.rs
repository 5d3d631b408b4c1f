//! What the hook starts in the background: a renewal that asks nobody, and tells the open shells when it is done.

use std::time::Duration;

use crate::context::Context;
use crate::error::Result;
use crate::generation::Generation;
use crate::session::{Freshness, NoCodes, Request, Sessions};
use crate::settings::Settings;

/// How the hook says that a profile is to be renewed, and its session at most so many seconds long.
pub const RENEW_WORD: &str = "__renew";

/// # Errors
/// When it cannot be renewed without a person, or AWS says no.
pub fn run(context: &Context, profile: &str, at_most: Option<u32>) -> Result<()> {
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
