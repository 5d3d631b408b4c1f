//! Owns the hooks' texts: the files in `shell/`, with the paths of this machine put in.

use std::path::PathBuf;

use crate::context::VARIABLES;

use super::dialect::{quote_fish, quote_posix};
use super::nu;

const BINARY: &str = "AWSENV_BINARY";
/// Stands for the list of variables that the plugin is given.
const VARIABLE_LIST: &str = "AWSENV_VARIABLES";
const GENERATION: &str = "AWSENV_GENERATION_FILE";

/// What a hook must know of this machine.
pub struct HookPaths {
    pub binary: PathBuf,
    pub generation: PathBuf,
    /// Whether bash's `cd` is wrapped, so that `cd DIR && COMMAND` sees the directory's credentials.
    pub wrap_cd: bool,
}

impl HookPaths {
    fn put_in(&self, template: &str, quote: fn(&str) -> String) -> String {
        template
            .replace(GENERATION, &quote(&self.generation.to_string_lossy()))
            .replace(BINARY, &quote(&self.binary.to_string_lossy()))
    }
}

pub(super) fn bash(paths: &HookPaths) -> String {
    let mut text = paths.put_in(include_str!("../../shell/awsenv.bash"), quote_posix);
    if paths.wrap_cd {
        text.push_str(include_str!("../../shell/awsenv-cd.bash"));
    }
    text
}

/// zsh reads the hook with its own defaults, whatever options and aliases the user has set, and its functions keep
/// running with them.
pub(super) fn zsh(paths: &HookPaths) -> String {
    let text = paths.put_in(include_str!("../../shell/awsenv.zsh"), quote_posix);
    format!("emulate zsh -o no_aliases -c {}\n", quote_posix(&text))
}

pub(super) fn fish(paths: &HookPaths) -> String {
    paths.put_in(include_str!("../../shell/awsenv.fish"), quote_fish)
}

/// nu knows no bare words as values, so there the quotes are part of what is replaced.
pub(super) fn nu(paths: &HookPaths) -> String {
    let template = include_str!("../../shell/awsenv.nu");
    let bare = [BINARY, GENERATION].iter().fold(template.to_owned(), |text, word| text.replace(&format!("\"{word}\""), word));
    paths.put_in(&bare.replace(VARIABLE_LIST, &VARIABLES.join(" ")), nu::quote)
}
