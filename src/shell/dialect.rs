//! Owns the statements for bash, zsh and fish: one list of what to say, and how each of them says it.

use std::path::Path;

use zeroize::Zeroizing;

use super::{Content, HookState, Shell};
use crate::env_diff::Change;

/// Single quotes keep everything; a single quote itself ends them, is escaped, and begins them again.
pub(super) fn quote_posix(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// fish takes everything in single quotes as it is, but for `\` and `'`.
pub(super) fn quote_fish(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// Collects statements for one shell.
struct Script {
    shell: Shell,
    text: Zeroizing<String>,
}

impl Script {
    fn change(&mut self, (name, value): &Change) {
        match value {
            Some(value) => self.text.push_str(&self.shell.set(name, value.expose())),
            None => self.text.push_str(&self.shell.unset(name)),
        }
    }

    /// An unexported variable of the hook's.
    fn keep(&mut self, name: &str, value: &str) {
        let value = self.shell.quote(value);
        let line = match self.shell {
            Shell::Fish => format!("set -g __awsenv_{name} {value}"),
            _ => format!("__awsenv_{name}={value}"),
        };
        self.line(&line);
    }

    fn keep_number(&mut self, name: &str, value: Option<i64>) {
        self.keep(name, &value.map(|number| number.to_string()).unwrap_or_default());
    }

    fn keep_list<'v>(&mut self, name: &str, values: impl IntoIterator<Item = &'v Path>) {
        let words: Vec<_> = values.into_iter().map(|value| self.shell.quote(&value.to_string_lossy())).collect();
        let line = match self.shell {
            Shell::Fish => format!("set -g __awsenv_{name} {}", words.join(" ")),
            _ => format!("__awsenv_{name}=({})", words.join(" ")),
        };
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

pub(super) fn statements(shell: Shell, changes: &[Change], state: &HookState) -> Zeroizing<String> {
    // Never grown, so that no copy of a secret is left behind in freed memory.
    let size: usize = changes
        .iter()
        .map(|(name, value)| 2 * name.len() + 4 * value.as_ref().map_or(0, |value| value.expose().len()) + 32)
        .sum();
    let mut script = Script { shell, text: Zeroizing::new(String::with_capacity(size + 8192)) };
    for change in changes {
        script.change(change);
    }
    script.keep_list("nearer", state.nearer.iter().map(AsRef::as_ref));
    script.keep("file", &state.file.as_ref().map(|path| path.to_string_lossy()).unwrap_or_default());
    match (&state.content, &state.file) {
        (Content::Exact(content), _) => script.keep("content", as_shell_reads(shell, content)),
        (Content::AsRead, Some(path)) => {
            let read = format!("__awsenv_read {}", shell.quote(&path.to_string_lossy()));
            script.line(&read);
            script.line(if shell == Shell::Fish {
                "set -g __awsenv_content $__awsenv_reply"
            } else {
                "__awsenv_content=$__awsenv_reply"
            });
        }
        (Content::AsRead, None) => script.keep("content", ""),
    }
    script.keep("generation", &state.generation);
    script.keep_list(
        "present",
        state
            .watched
            .iter()
            .filter_map(|watched| watched.stamp.as_ref().map(|stamp| [watched.path.as_path(), stamp.as_path()]))
            .flatten(),
    );
    script.keep_list(
        "absent",
        state.watched.iter().filter(|watched| watched.stamp.is_none()).map(|watched| watched.path.as_path()),
    );
    if shell.has_clock() {
        script.keep_number("deadline", state.deadline);
        script.keep_number("expires", state.template.as_ref().and(state.expires_at));
        script.keep("template", state.template.as_deref().unwrap_or_default());
    } else {
        script.keep("deadline", &state.deadline_file.as_ref().map(|path| path.to_string_lossy()).unwrap_or_default());
    }
    script.keep("production", if state.production { "1" } else { "" });
    script.keep("told", &state.told.join(" "));
    script.keep("pin", &state.pin);
    if shell == Shell::Bash {
        // bash before 4.2 knows the time only from when it started.
        script.line(&format!("__awsenv_epoch=$(({} - SECONDS))", state.now));
    }
    script.text
}

/// zsh's `$(<file)` drops the newlines at the end.
fn as_shell_reads(shell: Shell, content: &str) -> &str {
    if shell == Shell::Zsh { content.trim_end_matches('\n') } else { content }
}
