//! Owns the commands, one file each: what a command does, in terms of the rooms below it, and what it prints.

pub mod allow;
pub mod completions;
mod console;
pub mod credential_process;
mod deny;
mod env;
pub mod exec;
pub mod explain;
pub mod export;
pub mod hook;
pub mod login;
mod logout;
pub mod profiles;
pub mod prompt;
pub mod renew;
mod server;
mod shell;
mod sso;
pub mod status;
pub mod use_profile;

use std::io::Write;

use crate::cli::Command;
use crate::context::Context;
use crate::directory::Choice;
use crate::error::{Error, Result};
use crate::exports;
use crate::generation::Generation;
use crate::report::SessionState;
use crate::server::{Listening, Server};
use crate::session::{Freshness, NoCodes, Obtained, Renewal, Sessions};
use crate::settings::Settings;
use crate::terminal::AskedCodes;

/// Runs one command.
///
/// # Errors
/// What the command reports.
pub fn run(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Hook { shell, cd } => hook::run(context, shell.name(), cd),
        Command::Export { shell } => export::run(context, &shell),
        Command::Use { profile, region } => use_profile::run(context, &profile, region.as_deref()),
        Command::Shell { profile, unset: _, shell } => shell::run(context, profile.as_deref(), shell.as_deref()),
        Command::Allow { path } => allow::run(context, path.as_deref()),
        Command::Deny { path } => deny::run(context, path.as_deref()),
        Command::Status { json } => status::run(context, json),
        Command::Prompt { shell, format } => prompt::run(context, shell, format.as_deref()),
        Command::Login { profile, mfa_code } => login::run(context, profile.as_deref(), mfa_code.as_deref()),
        Command::Logout { profile, all } => logout::run(context, profile.as_deref(), all),
        Command::Env { profile, format } => env::run(context, profile.as_deref(), format),
        Command::Profiles { json } => profiles::run(context, json),
        Command::Explain { profile, json } => explain::run(context, profile.as_deref(), json),
        Command::Exec { profile, server, command } => exec::run(context, profile.as_deref(), server, &command),
        Command::CredentialProcess { profile } => credential_process::run(context, profile.as_deref()),
        Command::Server { command } => server::run(context, command),
        Command::Console { profile, service, region, print } => {
            console::run(context, profile.as_deref(), service.as_deref(), region.as_deref(), print)
        }
        Command::Sso { command } => sso::run(context, command),
        Command::Completions { shell } => completions::run(shell),
    }
}

/// Runs the credential server, as `Server::start` asks for it.
///
/// # Errors
/// When it cannot listen.
pub fn serve(context: &Context, mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut listening = Listening::default();
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        match name.as_str() {
            "--bind" => listening.bind = value.parse().ok(),
            _ => listening.port = value.parse().ok(),
        }
    }
    Server::of(context)?.serve(listening)
}

/// A session as `--json` shows it.
fn session_json(session: SessionState) -> serde_json::Value {
    serde_json::json!({"state": session.word(), "expires_at": session.expires_at().and_then(exports::rfc3339)})
}

/// Writes a result to standard output. A reader that has gone away is no failure of ours.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::failed("cannot write to standard output", error))
        }
        _ => Ok(()),
    }
}

/// As `obtain`, for programs that ask again when fifteen minutes are left: what can be renewed without a person is
/// renewed before it is handed out, and where that fails, what is still valid serves.
fn obtain_lasting(context: &Context, settings: &Settings, choice: &Choice) -> Result<Obtained> {
    let obtained = obtain(context, settings, choice)?;
    let left = obtained.credentials.expires_at.map(|at| at - context.now());
    if obtained.renewal != Renewal::Silent || left.is_none_or(|left| left > obtained.margins.soon) {
        return Ok(obtained);
    }
    let mut nobody = NoCodes { why: "" };
    let mut sessions = Sessions::new(context, settings, &mut nobody);
    match sessions.obtain(choice.request(Freshness::RenewSoon)?) {
        Ok(renewed) => {
            tell(context, &renewed)?;
            Ok(renewed)
        }
        Err(error) => {
            context.log(|| format!("not renewed: {}", error.summary()));
            Ok(obtained)
        }
    }
}

/// The credentials of the profile that a command is for, cached if they are. Says what went wrong beside, and tells the
/// open shells of what is new.
fn obtain(context: &Context, settings: &Settings, choice: &Choice) -> Result<Obtained> {
    let mut codes = AskedCodes::new();
    let mut sessions = Sessions::new(context, settings, &mut codes);
    // Of many callers at once one asks, and the others take its answer, whatever it is.
    sessions.ask_once = true;
    let obtained = sessions.obtain(choice.request(Freshness::Cached)?)?;
    for notice in &sessions.notices {
        eprintln!("{notice}");
    }
    tell(context, &obtained)?;
    Ok(obtained)
}

/// Tells the open shells of what is new.
fn tell(context: &Context, obtained: &Obtained) -> Result<()> {
    if obtained.is_new {
        Generation::new(&context.data_dir()?).bump()?;
    }
    Ok(())
}
