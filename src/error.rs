//! Owns the one error type: a kind (which is the exit status), what failed, why, and the hint that mends it.
//! Never prints by itself and never holds a secret.

use std::fmt;
use std::path::Path;

/// What kind of failure it is; each kind has its exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything that has no status of its own.
    Failed,
    /// The command line is wrong.
    Usage,
    /// A person must sign in, and could not be asked.
    SignInNeeded,
    /// The `.awsprofile` is not trusted.
    NotTrusted,
    /// AWS answered, and said no.
    Refused,
    /// AWS could not be reached, or did not answer in a way that makes sense.
    Unreachable,
    /// The user interrupted.
    Interrupted,
    /// There is no such command to run.
    CommandNotFound,
    /// The command is there, and cannot be run.
    CommandNotExecutable,
}

impl Kind {
    /// The exit status that stands for this kind.
    #[must_use]
    pub fn exit_status(self) -> u8 {
        match self {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::SignInNeeded => 3,
            Kind::NotTrusted => 4,
            Kind::Refused => 5,
            Kind::Unreachable => 6,
            Kind::CommandNotExecutable => 126,
            Kind::CommandNotFound => 127,
            Kind::Interrupted => 130,
        }
    }
}

/// A failure: what failed, why, and what mends it.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: Kind,
    what: String,
    why: String,
    hint: Option<String>,
    reported: bool,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Error { kind, what: what.into(), why: why.into(), hint: None, reported: false }
    }

    /// A failure of the general kind.
    pub fn failed(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Error::new(Kind::Failed, what, why.to_string())
    }

    /// The command, or the line to change, that mends it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, of another kind.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Self {
        Error { kind, ..self }
    }

    /// Marks the failure as one that the user was told of; only its exit status is left to give.
    #[must_use]
    pub fn reported(mut self) -> Self {
        self.reported = true;
        self
    }

    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.reported
    }

    /// The cause alone.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The failure in one line, without the hint.
    #[must_use]
    pub fn summary(&self) -> String {
        printable(&format!("{}: {}", self.what, self.why))
    }

    /// The failure and its hint in one line, for a program that shows one.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        match self.hint_text() {
            Some(hint) => format!("{}; {hint}", self.summary()),
            None => self.summary(),
        }
    }

    #[must_use]
    pub fn hint_text(&self) -> Option<String> {
        self.hint.as_deref().map(printable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "awsenv: {}", self.summary())?;
        match self.hint_text() {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// A path as a word of a command that a person may copy: a directory of a repository may be named like a command.
#[must_use]
pub fn word(path: &Path) -> String {
    shell_words::quote(&path.to_string_lossy()).into_owned()
}

/// Says something that is no failure, on standard error.
pub fn say(text: &str) {
    eprintln!("awsenv: {}", printable(text));
}

/// Text that is safe on a terminal: control characters (which could move the cursor or rewrite the line) are
/// written as escapes.
#[must_use]
pub fn printable(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_direction_override(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Unicode's bidirectional controls can show text in another order than it has.
fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_move_the_cursor() {
        let error = Error::failed("cannot read \u{1b}[2Jx", "a\nb").hint("rm \u{202e}x");
        assert_eq!(error.to_string(), "awsenv: cannot read \\u{1b}[2Jx: a\\nb\nhint: rm \\u{202e}x");
    }
}
