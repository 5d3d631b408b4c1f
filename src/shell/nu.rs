//! Owns what nushell reads: JSON, which nu's own `from json` takes apart, so that nothing is evaluated.

use std::path::Path;

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{Content, HookState};
use crate::env_diff::Change;
use crate::secret::Secret;

/// A string in double quotes. nu's escapes are those of JSON.
pub(super) fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// `awsenv export json`: an object of names and values, null for what is to be unset.
pub(super) fn changes(changes: &[Change]) -> Zeroizing<String> {
    let object: Map<String, Value> =
        changes.iter().map(|(name, value)| (name.clone(), Value::from(value.as_ref().map(Secret::expose)))).collect();
    if object.is_empty() { Zeroizing::default() } else { Zeroizing::new(format!("{}\n", Value::from(object))) }
}

/// What the hook applies: variables to set, variables to hide, and its own state.
pub(super) fn update(changes: &[Change], state: Option<&HookState>) -> Zeroizing<String> {
    if changes.is_empty() && state.is_none() {
        return Zeroizing::default();
    }
    let set: Map<String, Value> =
        changes.iter().filter_map(|(name, value)| Some((name.clone(), Value::from(value.as_ref()?.expose())))).collect();
    let hide: Vec<&str> = changes.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()).collect();
    let hook = state.map(hook);
    Zeroizing::new(format!("{}\n", json!({"set": set, "hide": hide, "hook": hook})))
}

/// The hook's own state.
pub(super) fn hook(state: &HookState) -> Value {
    let path = |path: &Path| Value::from(path.to_string_lossy());
    let content = match &state.content {
        Content::Exact(content) => Value::from(content.as_str()),
        Content::AsRead => Value::Null,
    };
    let segment = state.segment.as_ref();
    json!({
        "nearer": state.nearer.iter().map(|nearer| path(nearer)).collect::<Vec<_>>(),
        "file": state.file.as_deref().map(path),
        "content": content,
        "generation": state.generation.as_deref().map(path),
        "present": state.watched.iter().filter(|watched| watched.stamp.is_some()).map(|watched| path(&watched.path)).collect::<Vec<_>>(),
        "absent": state.watched.iter().filter(|watched| watched.stamp.is_none()).map(|watched| path(&watched.path)).collect::<Vec<_>>(),
        "deadline": state.deadline,
        "expires": segment.and_then(|segment| segment.expires_at),
        "template": segment.map(|segment| segment.template.as_str()),
        "production": segment.is_some_and(|segment| segment.production),
        "told": state.told.join(" "),
        "pin": state.pin,
    })
}
