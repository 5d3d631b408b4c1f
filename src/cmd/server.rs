//! `awsenv server`: the credential server, started and ended by hand, and looked at.

use serde_json::json;

use crate::cli::ServerCommand;
use crate::context::Context;
use crate::error::{Error, Result, say};
use crate::exports;
use crate::server::{Listening, Running, Server};

pub(super) fn run(context: &Context, command: ServerCommand) -> Result<()> {
    let server = Server::of(context)?;
    match command {
        ServerCommand::Start { bind, port } => {
            let listening = Listening { bind, port };
            if let Some(running) = server.running() {
                let fits = bind.is_none_or(|address| running.url.contains(&address.to_string()))
                    && port.is_none_or(|port| running.url.ends_with(&format!(":{port}")));
                if !fits {
                    return Err(Error::failed(
                        "cannot start the credential server",
                        format!("one runs already, {}", describe(&running)),
                    )
                    .hint("awsenv server stop, and then start again"));
                }
                say(&format!("runs already: {}", describe(&running)));
                return Ok(());
            }
            let running = server.start(listening)?;
            say(&format!("started: {}", describe(&running)));
            Ok(())
        }
        ServerCommand::Stop => {
            let all = Server::all(context)?;
            if all.is_empty() {
                say("no credential server runs");
            }
            for (server, running) in all {
                server.stop(&running)?;
                say(&format!("ended: {}", describe(&running)));
            }
            Ok(())
        }
        ServerCommand::Status { json } => {
            if json {
                return super::print(&format!("{}\n", status(server.running().as_ref())));
            }
            let all = Server::all(context)?;
            let lines: Vec<_> = all.iter().map(|(_, running)| format!("runs: {}\n", describe(running))).collect();
            super::print(&if lines.is_empty() {
                "does not run; it starts when something needs it\n".to_owned()
            } else {
                lines.concat()
            })
        }
    }
}

fn describe(running: &Running) -> String {
    let since = exports::rfc3339(running.started_at).unwrap_or_default();
    format!("process {} at {}, since {since}", running.pid, running.url)
}

fn status(running: Option<&Running>) -> serde_json::Value {
    json!({
        "running": running.is_some(),
        "pid": running.map(|running| running.pid),
        "url": running.map(|running| &running.url),
        "started_at": running.and_then(|running| exports::rfc3339(running.started_at)),
    })
}
