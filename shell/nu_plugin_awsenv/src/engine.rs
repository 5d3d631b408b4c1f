//! Owns what a command is given by the engine: the caller's environment and directory, and the terminal, in the
//! foreground only while a person is asked.

use std::fs::File;
use std::path::PathBuf;

use awsenv::context::Context;
use awsenv::error::{Error, Result};
use awsenv::secret::Secret;
use awsenv::session::{Ask, TokenCodes};
use awsenv::terminal::AskedCodes;
use nu_plugin::{EngineInterface, EvaluatedCall};
use nu_protocol::{LabeledError, Value};

/// The caller's environment and directory, with more variables. What the caller hands over of its environment stands for
/// all of it.
pub(crate) fn context(
    engine: &EngineInterface,
    handed: Option<&Value>,
    more: Vec<(String, String)>,
) -> Result<Context, LabeledError> {
    let variables = match handed.map(Value::as_record) {
        Some(record) => record?.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        None => engine.get_env_vars()?,
    };
    let texts = variables.into_iter().filter_map(|(name, value)| Some((name, text(&value)?)));
    let variables: Vec<_> = texts.chain(more).collect();
    let handed = variables.iter().find(|(name, _)| name == "PWD").map(|(_, cwd)| PathBuf::from(cwd));
    // Without a directory there is no `.awsprofile`; profiles are told of all the same.
    let cwd = handed.or_else(|| engine.get_current_dir().ok().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("/"));
    Ok(Context::of_shell(variables, cwd))
}

/// A variable as other programs see it: of nu's own kinds only the search path is a list.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::List { vals, .. } => Some(vals.iter().filter_map(|part| part.coerce_str().ok()).collect::<Vec<_>>().join(":")),
        Value::Nothing { .. } => None,
        other => other.coerce_str().ok().map(std::borrow::Cow::into_owned),
    }
}

/// A failure as nu shows it: what and why at the call, the hint below.
pub(crate) fn labeled(error: &Error, call: &EvaluatedCall) -> LabeledError {
    let shown = LabeledError::new(format!("awsenv: {}", error.summary())).with_label("here", call.head);
    match error.hint_text() {
        Some(hint) => shown.with_help(hint),
        None => shown,
    }
}

/// A person at the terminal that nu has. To ask, this process comes to the foreground, and goes back.
pub(crate) struct Foreground<'e> {
    engine: &'e EngineInterface,
    asked: AskedCodes,
}

impl<'e> Foreground<'e> {
    pub(crate) fn new(engine: &'e EngineInterface) -> Self {
        Foreground { engine, asked: AskedCodes::new() }
    }
}

impl TokenCodes for Foreground<'_> {
    fn next(&mut self, ask: &Ask<'_>) -> Result<Secret> {
        let Foreground { engine, asked } = self;
        in_foreground(engine, || asked.next(ask)).flatten()
    }

    fn tries(&self) -> u32 {
        self.asked.tries()
    }

    fn can_ask(&self) -> bool {
        has_terminal()
    }

    fn asked(&self) -> bool {
        self.asked.asked()
    }
}

fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Does something in the foreground, where reading the terminal is allowed. Where there is no terminal, or this is not
/// an interactive nu, there is none to come to.
pub(crate) fn in_foreground<T>(engine: &EngineInterface, act: impl FnOnce() -> T) -> Result<T> {
    let guard = if has_terminal() { engine.enter_foreground().ok() } else { None };
    let done = act();
    if let Some(guard) = guard {
        guard.leave().map_err(|error| Error::failed("cannot give the terminal back to nu", error))?;
    }
    Ok(done)
}
