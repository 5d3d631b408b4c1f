//! `awsenv logout`: forgets cached sessions, and tells the open shells.

use crate::context::Context;
use crate::directory;
use crate::error::{Result, say};
use crate::generation::Generation;
use crate::session::{NoCodes, Sessions};
use crate::settings::Settings;

pub(super) fn run(context: &Context, profile: Option<&str>, all: bool) -> Result<()> {
    let settings = Settings::load(context)?;
    let mut nobody = NoCodes { why: "" };
    let sessions = Sessions::new(context, &settings, &mut nobody);
    let count = if all {
        sessions.forget_all()?
    } else {
        let directive = directory::or_default(context, &settings, profile)?;
        let directive = directive.get();
        directive.profile.as_deref().map_or(Ok(0), |profile| sessions.forget(profile, directive.duration))?
    };
    Generation::new(&context.data_dir()?).bump()?;
    say(&format!("{count} {} forgotten", if count == 1 { "session" } else { "sessions" }));
    Ok(())
}
