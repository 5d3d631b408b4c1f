//! `awsenv prompt`: the segment.

use awsenv::cmd;
use nu_plugin::{EngineInterface, EvaluatedCall, SimplePluginCommand};
use nu_protocol::{Category, Example, LabeledError, Signature, SyntaxShape, Type, Value};

use crate::Awsenv;
use crate::engine::{context, labeled};

/// `awsenv prompt`: the segment.
pub(super) struct Prompt;

impl SimplePluginCommand for Prompt {
    type Plugin = Awsenv;

    fn name(&self) -> &'static str {
        "awsenv prompt"
    }

    fn description(&self) -> &'static str {
        "The prompt segment: what is loaded, and for how long"
    }

    fn search_terms(&self) -> Vec<&str> {
        vec!["aws", "prompt"]
    }

    fn signature(&self) -> Signature {
        Signature::build(SimplePluginCommand::name(self))
            .input_output_type(Type::Nothing, Type::String)
            .named(
                "format",
                SyntaxShape::String,
                "what to show: {profile} {account} {alias} {region} {role} {remaining} {expires_at}",
                None,
            )
            .category(Category::Env)
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![Example {
            example: "awsenv prompt --format '{profile}'",
            description: "The profile alone; empty while none is loaded",
            result: Some(Value::test_string("")),
        }]
    }

    fn run(&self, _: &Awsenv, engine: &EngineInterface, call: &EvaluatedCall, _: &Value) -> Result<Value, LabeledError> {
        let format: Option<String> = call.get_flag("format")?;
        let context = context(engine, None, Vec::new())?;
        let segment = cmd::prompt::segment(&context, format.as_deref()).map_err(|error| labeled(&error, call))?;
        Ok(Value::string(segment.unwrap_or_default(), call.head))
    }
}
