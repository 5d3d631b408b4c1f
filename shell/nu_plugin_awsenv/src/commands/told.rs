//! Commands that tell something: status, profiles, explain.

use awsenv::context::Context;
use awsenv::error::Result as AwsenvResult;
use nu_plugin::{DynamicCompletionCall, EngineInterface, EvaluatedCall, SimplePluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{Category, DynamicSuggestion, Example, LabeledError, Signature, SyntaxShape, Type, Value};
use serde_json::Value as Json;

use super::profile_names;
use crate::Awsenv;
use crate::engine::{context, labeled};
use crate::values::of_json;

pub(super) type Tell = fn(&Context, Option<&str>) -> AwsenvResult<Json>;

/// A command that tells something.
pub(super) struct Told {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) terms: &'static [&'static str],
    pub(super) output: Type,
    pub(super) takes_profile: bool,
    pub(super) tell: Tell,
    pub(super) examples: &'static [(&'static str, &'static str)],
}

impl SimplePluginCommand for Told {
    type Plugin = Awsenv;

    fn name(&self) -> &str {
        self.name
    }

    fn description(&self) -> &str {
        self.description
    }

    fn search_terms(&self) -> Vec<&str> {
        self.terms.to_vec()
    }

    fn signature(&self) -> Signature {
        let signature = Signature::build(self.name).input_output_type(Type::Nothing, self.output.clone()).category(Category::Env);
        if self.takes_profile {
            signature.optional("profile", SyntaxShape::String, "the profile; else the directory's")
        } else {
            signature
        }
    }

    fn examples(&self) -> Vec<Example<'_>> {
        self.examples.iter().map(|(description, example)| Example { example, description, result: None }).collect()
    }

    fn run(&self, _: &Awsenv, engine: &EngineInterface, call: &EvaluatedCall, _: &Value) -> Result<Value, LabeledError> {
        let profile: Option<String> = if self.takes_profile { call.opt(0)? } else { None };
        let context = context(engine, None, Vec::new())?;
        let told = (self.tell)(&context, profile.as_deref()).map_err(|error| labeled(&error, call))?;
        Ok(of_json(&told, call.head))
    }

    #[expect(deprecated, reason = "nu's sign for what may change")]
    fn get_dynamic_completion(
        &self,
        _: &Awsenv,
        engine: &EngineInterface,
        _: DynamicCompletionCall,
        argument: ArgType<'_>,
        _: nu_protocol::engine::ExperimentalMarker,
    ) -> Option<Vec<DynamicSuggestion>> {
        matches!(argument, ArgType::Positional(0)).then(|| profile_names(engine)).flatten().filter(|_| self.takes_profile)
    }
}
