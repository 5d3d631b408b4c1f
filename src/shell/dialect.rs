//! Owns the statements for bash, zsh and fish: one list of what to say, and how each of them says it.

use std::path::Path;

use zeroize::Zeroizing;

use super::{Content, HookState, Shell};
use crate::env_diff::Change;

/// Up to this length bash reads a content faster byte by byte than line by line.
const SHORT_BYTES: usize = 256;

/// Single quotes keep everything; a single quote itself ends them, is escaped, and begins them again.
pub(super) fn quote_posix(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for (index, part) in text.split('\'').enumerate() {
        if index > 0 {
            quoted.push_str(r"'\''");
        }
        quoted.push_str(part);
    }
    quoted.push('\'');
    quoted
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
        let parts = match self.shell {
            Shell::Fish => ["set -g __awsenv_", name, " ", &value, "\n"],
            _ => ["__awsenv_", name, "=", &value, "\n"],
        };
        self.text.extend(parts);
    }

    fn keep_path(&mut self, name: &str, path: Option<&Path>) {
        self.keep(name, &path.map(Path::to_string_lossy).unwrap_or_default());
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

pub(super) fn statements(shell: Shell, changes: &[Change], state: Option<&HookState>) -> Zeroizing<String> {
    // Never grown, so that no copy of a secret is left behind in freed memory.
    let size: usize = changes
        .iter()
        .map(|(name, value)| 2 * name.len() + 4 * value.as_ref().map_or(0, |value| value.expose().len()) + 32)
        .sum();
    let mut script = Script { shell, text: Zeroizing::new(String::with_capacity(size + 4096)) };
    for change in changes {
        script.change(change);
    }
    if let Some(state) = state {
        hook_state(&mut script, state);
    }
    script.text
}

/// The variables that a hook compares with at the next prompt.
fn hook_state(script: &mut Script, state: &HookState) {
    let shell = script.shell;
    script.keep_list("nearer", state.nearer.iter().map(AsRef::as_ref));
    script.keep_path("file", state.file.as_deref());
    match (&state.content, &state.file) {
        (Content::Exact(content), _) => {
            script.keep("content", as_shell_reads(shell, content));
            script.keep("short", if content.len() <= SHORT_BYTES { "1" } else { "" });
        }
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
    watch(script, state);
    let segment = state.segment.as_ref();
    if shell.has_clock() {
        script.keep_number("deadline", state.deadline);
        script.keep_number("expires", segment.and_then(|segment| segment.expires_at));
        script.keep("template", segment.map(|segment| segment.template.as_str()).unwrap_or_default());
    }
    script.keep("production", if segment.is_some_and(|segment| segment.production) { "1" } else { "" });
    script.keep("told", &state.told.join(" "));
    script.keep("pin", &state.pin);
    if shell == Shell::Bash {
        // bash before 4.2 knows the time only from when it started.
        script.line(&format!("__awsenv_epoch=$(({} - SECONDS))", state.now));
    }
}

/// What tells that something changed: the generation, and the files that are watched. Tests are cheap in every shell, but
/// bash has the cheapest function for them, zsh the cheapest loop, and fish the cheapest list of arguments. An older file
/// that was moved in place is not newer than its stamp: that is noticed when the binary runs next.
fn watch(script: &mut Script, state: &HookState) {
    let present: Vec<_> =
        state.watched.iter().filter_map(|watched| Some([watched.path.as_path(), watched.stamp.as_deref()?])).collect();
    let absent: Vec<_> =
        state.watched.iter().filter(|watched| watched.stamp.is_none()).map(|watched| watched.path.as_path()).collect();
    if script.shell == Shell::Zsh {
        script.keep_path("generation", state.generation.as_deref());
        script.keep_list("present", present.into_iter().flatten());
        script.keep_list("absent", absent);
        return;
    }
    let quoted = |path: &Path| script.shell.quote(&path.to_string_lossy());
    let mut newer: Vec<_> = present.iter().map(|[path, stamp]| format!("{} -nt {}", quoted(path), quoted(stamp))).collect();
    newer.extend(state.deadline_file.as_deref().map(|deadline| format!("/dev/stdin -nt {}", quoted(deadline))));
    let gone = state
        .generation
        .as_deref()
        .into_iter()
        .chain(present.iter().map(|[path, _]| *path))
        .map(|path| format!("! -e {}", quoted(path)));
    let existing: Vec<_> = gone.chain(absent.iter().map(|path| format!("-e {}", quoted(path)))).collect();
    if script.shell == Shell::Fish {
        let newer: String = newer.iter().flat_map(|test| [" -o ", test]).collect();
        let existing = if existing.is_empty() { "-n ''".to_owned() } else { existing.join(" -o ") };
        script.line(&format!("set -g __awsenv_existing {existing}"));
        script.line(&format!("set -g __awsenv_newer{newer}"));
    } else {
        let tests = [existing, newer].concat().join(" || ");
        let body = if tests.is_empty() { "return 1".to_owned() } else { format!("[[ {tests} ]]") };
        script.line(&format!("__awsenv_touched() {{ {body}; }}"));
    }
}

/// zsh's `$(<file)` drops the newlines at the end.
fn as_shell_reads(shell: Shell, content: &str) -> &str {
    if shell == Shell::Zsh { content.trim_end_matches('\n') } else { content }
}
