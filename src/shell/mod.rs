//! Owns everything that a shell reads from awsenv: the hooks, and the statements that bring a shell to a state.
//! Never decides what that state is. Every value goes out through the one quoting function of its shell.

mod dialect;
mod hook;
mod nu;

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::env_diff::Change;
use crate::error::{Error, Kind, Result};
use crate::generation::Watched;

pub use hook::HookPaths;

/// What `awsenv export` prints for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Nu,
    Json,
}

/// The file in force, as the hook compares it at each prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// The content that was parsed, so that an edit since is noticed.
    Exact(String),
    /// It could not be taken; the hook compares with what it reads itself.
    #[default]
    AsRead,
}

/// The prompt segment, as a hook keeps it right.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    /// With a marker for the remaining time, which runs to `expires_at`.
    pub template: String,
    pub expires_at: Option<i64>,
    pub production: bool,
}

/// What a hook keeps, unexported, to tell at the next prompt that nothing changed.
#[derive(Clone, Debug, Default)]
pub struct HookState {
    /// Where a file would be that is nearer than the one in force.
    pub nearer: Vec<PathBuf>,
    pub file: Option<PathBuf>,
    pub content: Content,
    /// A file that is gone once something changed elsewhere.
    pub generation: Option<PathBuf>,
    pub watched: Vec<Watched>,
    /// When the binary must run, whatever happens (seconds since the epoch).
    pub deadline: Option<i64>,
    /// The same, for a shell without a clock.
    pub deadline_file: Option<PathBuf>,
    /// What the prompt shows, if anything.
    pub segment: Option<Segment>,
    /// Files of which the user of this shell was told that they have no effect.
    pub told: Vec<String>,
    pub pin: String,
    pub now: i64,
}

/// The state of nu's hook, for the plugin, which hands it over as values.
#[must_use]
pub fn nu_state(state: &HookState) -> serde_json::Value {
    nu::hook(state)
}

impl Shell {
    /// # Errors
    /// When there is no such shell.
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "bash" => Shell::Bash,
            "zsh" => Shell::Zsh,
            "fish" => Shell::Fish,
            "nu" | "nushell" => Shell::Nu,
            "json" => Shell::Json,
            _ => {
                return Err(Error::new(
                    Kind::Usage,
                    format!("no shell `{name}`"),
                    "awsenv knows bash, zsh, fish and nu (and json, for export)",
                )
                .hint("eval \"$(awsenv hook zsh)\""));
            }
        })
    }

    /// Whether the shell can tell the time without starting a process.
    #[must_use]
    pub fn has_clock(self) -> bool {
        self != Shell::Fish
    }

    /// The hook, for this shell to evaluate.
    ///
    /// # Errors
    /// When there is no hook for it (json).
    pub fn hook(self, paths: &HookPaths) -> Result<String> {
        match self {
            Shell::Bash => Ok(hook::bash(paths)),
            Shell::Zsh => Ok(hook::zsh(paths)),
            Shell::Fish => Ok(hook::fish(paths)),
            Shell::Nu => Ok(hook::nu(paths)),
            Shell::Json => Err(Error::new(Kind::Usage, "no hook for json", "only shells have one").hint("awsenv export json")),
        }
    }

    /// The statements for changes of the environment and, for a hook, its state. Without either there is nothing to say.
    #[must_use]
    pub fn statements(self, changes: &[Change], state: Option<&HookState>) -> Zeroizing<String> {
        match self {
            Shell::Bash | Shell::Zsh | Shell::Fish => dialect::statements(self, changes, state),
            Shell::Nu => nu::update(changes, state),
            Shell::Json => nu::changes(changes),
        }
    }

    /// A value as one word of this shell.
    #[must_use]
    pub fn quote(self, text: &str) -> String {
        match self {
            Shell::Bash | Shell::Zsh => dialect::quote_posix(text),
            Shell::Fish => dialect::quote_fish(text),
            Shell::Nu | Shell::Json => nu::quote(text),
        }
    }

    /// The statement that sets and exports one variable.
    #[must_use]
    pub fn set(self, name: &str, value: &str) -> Zeroizing<String> {
        let value = Zeroizing::new(self.quote(value));
        Zeroizing::new(match self {
            Shell::Bash | Shell::Zsh => [name, "=", &value, "; export ", name, "\n"].concat(),
            Shell::Fish => ["set -gx ", name, " ", &value, "\n"].concat(),
            Shell::Nu | Shell::Json => ["$env.", name, " = ", &value, "\n"].concat(),
        })
    }

    /// The statement that unsets one variable.
    #[must_use]
    pub fn unset(self, name: &str) -> String {
        match self {
            Shell::Bash | Shell::Zsh => format!("unset {name}\n"),
            Shell::Fish => format!("set -e {name}\n"),
            Shell::Nu | Shell::Json => format!("hide-env --ignore-errors {name}\n"),
        }
    }
}
