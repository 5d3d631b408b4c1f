//! `awsenv completions`: the completion scripts, generated from the command line's definition, which complete the
//! names of profiles by asking the binary.

use clap::CommandFactory;
use clap_complete::{Generator, Shell};
use clap_complete_nushell::Nushell;

use crate::cli::{Cli, HookShell};
use crate::context::Context;
use crate::error::Result;
use crate::provider::aws_files;

/// How the scripts ask for the names of all profiles.
pub const PROFILES_WORD: &str = "__profiles";

const BASH: &str = include_str!("../../shell/completions.bash");
const ZSH: &str = include_str!("../../shell/completions.zsh");
const FISH: &str = include_str!("../../shell/completions.fish");
const NU: &str = include_str!("../../shell/completions.nu");

pub(super) fn run(shell: HookShell) -> Result<()> {
    super::print(&script(shell))
}

fn script(shell: HookShell) -> String {
    match shell {
        HookShell::Bash => generated(Shell::Bash) + BASH,
        HookShell::Zsh => {
            let script = generated(Shell::Zsh).replace("#compdef awsenv\n", ZSH);
            script
                .replace(":profile:_default", ":profile:_awsenv_profiles")
                .replace(":PROFILE:_default", ":PROFILE:_awsenv_profiles")
        }
        HookShell::Fish => generated(Shell::Fish) + FISH,
        HookShell::Nu => {
            let script = without_shell(&generated(Nushell));
            let arguments = [" profile: string", " profile?: string", " --profile: string"];
            let completed = |script: String, argument: &&str| {
                script.replace(*argument, &format!("{argument}@\"nu-complete awsenv profiles\""))
            };
            NU.to_owned() + &arguments.iter().fold(script, completed)
        }
    }
}

/// `awsenv shell` is a command of nu's own, which the hook defines; a declaration of the binary's would hide it.
fn without_shell(script: &str) -> String {
    let mut blocks =
        script.split("\n\n").filter(|block| !block.contains("export extern \"awsenv shell\"")).collect::<Vec<_>>().join("\n\n");
    if !blocks.ends_with('\n') {
        blocks.push('\n');
    }
    blocks
}

fn generated(generator: impl Generator) -> String {
    let mut out = Vec::new();
    clap_complete::generate(generator, &mut Cli::command(), "awsenv", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Prints the names of all profiles, a line each.
///
/// # Errors
/// When the AWS files cannot be read.
pub fn profiles(context: &Context) -> Result<()> {
    let files = aws_files::of_user(context)?;
    super::print(&files.profiles.into_keys().fold(String::new(), |names, name| names + &name + "\n"))
}
