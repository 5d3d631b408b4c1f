//! `awsenv logout`: forgets cached sessions, and tells the open shells.

use crate::context::Context;
use crate::directory::Choice;
use crate::error::{Result, say};
use crate::generation::Generation;
use crate::server::Server;
use crate::session::{Freshness, NoCodes, Sessions};
use crate::settings::Settings;

pub(super) fn run(context: &Context, profile: Option<&str>, all: bool) -> Result<()> {
    let settings = Settings::load(context)?;
    let mut nobody = NoCodes { why: "" };
    let sessions = Sessions::new(context, &settings, &mut nobody);
    let count = if all {
        for (server, running) in Server::all(context)? {
            server.stop(&running)?;
        }
        sessions.forget_all()?
    } else {
        let choice = Choice::new(context, &settings, profile)?;
        let request = choice.request(Freshness::Cached)?;
        sessions.forget(request.profile, request.at_most)?
    };
    Generation::new(&context.data_dir()?).bump()?;
    say(&format!("{count} {} forgotten", if count == 1 { "session" } else { "sessions" }));
    Ok(())
}
