//! `awsenv prompt`: the segment of what is loaded in this environment. It reads neither files of AWS nor sessions.

use std::io::IsTerminal;

use crate::cli::HookShell;
use crate::context::Context;
use crate::error::Result;
use crate::prompt::{self, Reader, Remaining, Style};
use crate::settings::Settings;

pub(super) fn run(context: &Context, shell: Option<HookShell>, format: Option<&str>) -> Result<()> {
    let Some(loaded) = &context.state.loaded else { return Ok(()) };
    let settings = Settings::load(context)?;
    let now = context.now();
    let segment = prompt::segment(format.unwrap_or(&settings.prompt_format), loaded, &settings, Remaining::From(now));
    let coloured = context.own_var("NO_COLOR").is_none() && (shell.is_some() || std::io::stdout().is_terminal());
    let reader = match shell {
        Some(HookShell::Bash) => Reader::Bash,
        Some(HookShell::Zsh) => Reader::Zsh,
        _ => Reader::Plain,
    };
    let text = prompt::for_reader(&segment, reader, coloured.then(|| Style::of(loaded, &settings, now)));
    super::print(&if shell.is_some() { text } else { format!("{text}\n") })
}

/// The segment without colour; none if nothing is loaded.
///
/// # Errors
/// When the settings cannot be read.
pub fn segment(context: &Context, format: Option<&str>) -> Result<Option<String>> {
    let Some(loaded) = &context.state.loaded else { return Ok(None) };
    let settings = Settings::load(context)?;
    Ok(Some(prompt::segment(format.unwrap_or(&settings.prompt_format), loaded, &settings, Remaining::From(context.now()))))
}
