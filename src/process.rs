//! Owns one run of the program, from its arguments to its exit status: what the hook calls goes straight to it,
//! everything else through the command line's definition.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::cli::Cli;
use crate::cmd::{self, completions::PROFILES_WORD, renew::RENEW_WORD};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::server::SERVE_WORD;

/// Runs this process's command line.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let words = [arguments.next(), arguments.next(), arguments.next()];
    let words = words.each_ref().map(|word| word.as_ref().and_then(|word| word.to_str()));
    let only = |count: usize| std::env::args_os().count() == count + 1;
    // What the hook, the completions and other programs call takes no time to parse, and no place in the help.
    let result = match words {
        [Some("export"), Some(shell), None] if !shell.starts_with('-') => cmd::export::run(&Context::from_process(), shell),
        [Some("hook"), Some(shell), None] if !shell.starts_with('-') => cmd::hook::run(&Context::from_process(), shell, false),
        [Some(RENEW_WORD), Some(profile), at_most] => {
            cmd::renew::run(&Context::from_process(), profile, at_most.and_then(|seconds| seconds.parse().ok()))
        }
        [Some("credential-process"), Some("--profile"), Some(profile)] if only(3) => {
            cmd::credential_process::run(&Context::from_process(), Some(profile))
        }
        [Some("exec"), ..] => {
            let arguments: Vec<_> = std::env::args_os().skip(2).collect();
            match cmd::exec::plain(&arguments) {
                Some((profile, server, command)) => cmd::exec::run(&Context::from_process(), profile, server, command),
                None => run(),
            }
        }
        [Some(SERVE_WORD), ..] => cmd::serve(&Context::from_process(), std::env::args().skip(2)),
        [Some(PROFILES_WORD), None, None] => cmd::completions::profiles(&Context::from_process()),
        _ => run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !error.is_reported() {
                eprintln!("{error}");
            }
            ExitCode::from(error.kind.exit_status())
        }
    }
}

fn run() -> Result<()> {
    match Cli::try_parse() {
        Ok(cli) => cmd::run(cli.command, &Context::from_process()),
        Err(error) if error.use_stderr() => Err(usage(&error)),
        Err(help) => {
            // A reader that has gone away is no failure of ours.
            let _gone = help.print();
            Ok(())
        }
    }
}

/// A mistake on the command line, in the form of all other failures.
fn usage(error: &clap::Error) -> Error {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _gone = error.print();
        return Error::new(Kind::Usage, "", "").reported();
    }
    let text = error.render().to_string();
    let what = text.lines().next().unwrap_or_default().trim_start_matches("error: ").trim_end_matches(':');
    let missing: Vec<_> = text.lines().skip(1).take_while(|line| line.starts_with("  ")).map(str::trim).collect();
    let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let why = if missing.is_empty() { what.to_owned() } else { format!("{what}: {}", missing.join(", ")) };
    Error::new(Kind::Usage, "cannot read the command line", why).hint(tip.unwrap_or("awsenv --help, or awsenv COMMAND --help"))
}
