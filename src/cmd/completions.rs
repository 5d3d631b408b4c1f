//! `awsenv completions`: the completion scripts, generated from the command line's definition, which complete the
//! names of profiles by asking the binary.

use clap::CommandFactory;
use clap_complete::Shell as Generator;

use crate::cli::{Cli, HookShell};
use crate::context::Context;
use crate::error::Result;
use crate::provider::aws_files;

const BASH: &str = include_str!("../../shell/completions.bash");
const ZSH: &str = include_str!("../../shell/completions.zsh");
const FISH: &str = include_str!("../../shell/completions.fish");
const NU: &str = include_str!("../../shell/completions.nu");

pub(super) fn run(shell: HookShell) -> Result<()> {
    super::print(&script(shell))
}

/// The whole script for a shell.
#[must_use]
pub fn script(shell: HookShell) -> String {
    match shell {
        HookShell::Bash => generated(Generator::Bash) + BASH,
        HookShell::Zsh => generated(Generator::Zsh).replacen("_default'", "_awsenv_profiles'", 0) + ZSH,
        HookShell::Fish => generated(Generator::Fish) + FISH,
        HookShell::Nu => NU.to_owned(),
    }
}

fn generated(generator: Generator) -> String {
    let mut out = Vec::new();
    clap_complete::generate(generator, &mut Cli::command(), "awsenv", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// The names of all profiles. Completion must not fail aloud, so a file that cannot be read has none.
pub(super) fn profiles(context: &Context) -> Result<()> {
    let files = aws_files::read(&context.aws_config_file()?, &context.aws_credentials_file()?)?;
    super::print(&files.profiles.keys().map(|name| format!("{name}\n")).collect::<String>())
}
