//! `awsenv exec`: runs a command with a profile's credentials, in the place of this process.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::activation;
use crate::awsprofile::Export;
use crate::context::Context;
use crate::directory::{Choice, PIN_VARIABLE};
use crate::env_diff;
use crate::error::{Error, Kind, Result};
use crate::session::Freshness;
use crate::settings::Settings;

/// The arguments in the form that programs use, `[--profile P] [--server] -- CMD…`, read without the definition of the
/// whole command line, which takes longer than all the rest. None if they are of another form.
#[must_use]
pub fn plain(arguments: &[OsString]) -> Option<(Option<&str>, bool, &[OsString])> {
    let (mut profile, mut server, mut rest) = (None, false, arguments);
    loop {
        match rest {
            [word, command @ ..] if word == "--" && !command.is_empty() => return Some((profile, server, command)),
            [word, name, after @ ..] if word == "--profile" && profile.is_none() => {
                (profile, rest) = (Some(name.to_str()?), after);
            }
            [word, after @ ..] if word == "--server" && !server => (server, rest) = (true, after),
            _ => return None,
        }
    }
}

/// # Errors
/// When there are no credentials, or the command cannot be run. Otherwise it does not return.
pub fn run(context: &Context, profile: Option<&str>, server: bool, command: &[OsString]) -> Result<()> {
    let settings = Settings::load(context)?;
    let choice = Choice::new(context, &settings, profile)?;
    let obtained = super::obtain(context, &settings, &choice)?;
    let how = if server { Export::Server } else { Export::Env };
    let request = choice.request(Freshness::Cached)?;
    let target = activation::for_command(context, &settings, choice.directive(), &request, &obtained, how)?;
    let (changes, _) = context.state.transition(&context.env, Some(&target));
    let shell = context.own_var("SHELL").unwrap_or("/bin/sh");
    let (program, arguments): (&OsStr, &[OsString]) = match command {
        [program, arguments @ ..] => (program, arguments),
        [] => (shell.as_ref(), &[]),
    };
    let mut command = Command::new(program);
    command.args(arguments);
    env_diff::give(changes, &mut command);
    // A shell with the hook, here or further down, keeps to the profile that was named.
    if let Some(profile) = profile {
        command.env(PIN_VARIABLE, profile);
    }
    let error = command.exec();
    let what = format!("cannot run {}", program.to_string_lossy());
    Err(match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(Kind::CommandNotFound, what, "there is no such command").hint("echo $PATH shows where it was looked for")
        }
        _ => Error::new(Kind::CommandNotExecutable, what, error.to_string()).hint("chmod +x makes a file executable"),
    })
}
