//! `awsenv export`: what the hook asks.

use std::sync::atomic::{AtomicBool, Ordering};

use awsenv::cmd;
use awsenv::cmd::export::{Outcome, TOLD_VARIABLE};
use awsenv::session::NoCodes;
use awsenv::shell::Shell;
use nu_plugin::{EngineInterface, EvaluatedCall, SimplePluginCommand};
use nu_protocol::{Category, Example, LabeledError, Record, Signature, Span, SyntaxShape, Type, Value};
use serde_json::Value as Json;

use crate::Awsenv;
use crate::engine::{Foreground, context};
use crate::values::of_json;

/// `awsenv export`: brings the caller to the directory's state.
pub(super) struct Export;

/// Whether nu was told to let this process live.
static STAYS: AtomicBool = AtomicBool::new(false);

impl SimplePluginCommand for Export {
    type Plugin = Awsenv;

    fn name(&self) -> &'static str {
        "awsenv export"
    }

    fn description(&self) -> &'static str {
        "Set the AWS variables that the directory asks for (what the hook runs)"
    }

    fn extra_description(&self) -> &'static str {
        "A plugin can set variables, but not hide them: what must go is in the list `hide`, which the hook hides."
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["aws", "credentials", "environment"]
    }

    fn signature(&self) -> Signature {
        Signature::build(SimplePluginCommand::name(self))
            .input_output_type(Type::Nothing, Type::record())
            .named(
                "environment",
                SyntaxShape::Record(vec![].into()),
                "the variables to look at, from the hook, which sets them itself",
                None,
            )
            .named("told", SyntaxShape::String, "what the hook keeps of what was told; asks for its state too", None)
            .category(Category::Env)
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![Example {
            example: "for name in (awsenv export).hide { hide-env --ignore-errors $name }",
            description: "Bring this shell to the directory's state, without the hook",
            result: None,
        }]
    }

    fn run(&self, _: &Awsenv, engine: &EngineInterface, call: &EvaluatedCall, _: &Value) -> Result<Value, LabeledError> {
        // A process that stays is what makes the next call quick: nu would end it after ten seconds.
        if !STAYS.swap(true, Ordering::Relaxed) {
            engine.set_gc_disabled(true)?;
        }
        let told: Option<String> = call.get_flag("told")?;
        let environment: Option<Value> = call.get_flag("environment")?;
        let told = told.into_iter().map(|told| (TOLD_VARIABLE.to_owned(), told)).collect();
        let context = context(engine, environment.as_ref(), told)?;
        let outcome = match cmd::export::cannot_ask(&context) {
            Some(why) => Outcome::new(&context, Shell::Nu, &mut NoCodes { why }),
            None => Outcome::new(&context, Shell::Nu, &mut Foreground::new(engine)),
        };
        let Some(outcome) = outcome else { return Ok(Value::nothing(call.head)) };
        let (mut set, mut hide) = (Record::new(), Vec::new());
        for (name, value) in &outcome.changes {
            match value {
                // The hook does all of them at once.
                Some(value) if environment.is_some() => set.push(name, Value::string(value.expose(), call.head)),
                Some(value) => engine.add_env_var(name, Value::string(value.expose(), call.head))?,
                None => hide.push(Value::string(name, call.head)),
            }
        }
        let hook = outcome.hook.as_ref().map(awsenv::shell::nu_state);
        // What there was to say is said on standard error, as the binary says it: a prompt is no place for a panic of nu's.
        let _told = outcome.finish(&context);
        let mut record = Record::new();
        record.push("set", Value::record(set, call.head));
        record.push("hide", Value::list(hide, call.head));
        record.push("hook", hook.map_or(Value::nothing(call.head), |hook| plain(&hook, call.head)));
        Ok(Value::record(record, call.head))
    }
}

/// The hook's state, as it is: its times are the hook's own to read.
fn plain(json: &Json, span: Span) -> Value {
    match json {
        Json::Object(fields) => {
            let record: Record = fields.iter().map(|(name, value)| (name.clone(), plain(value, span))).collect();
            Value::record(record, span)
        }
        other => of_json(other, span),
    }
}
