//! Commands that do something, and say so: use, allow, login.

use awsenv::cmd;
use nu_plugin::{DynamicCompletionCall, EngineInterface, EvaluatedCall, SimplePluginCommand};
use nu_protocol::engine::ArgType;
use nu_protocol::{Category, DynamicSuggestion, Example, LabeledError, Signature, SyntaxShape, Type, Value};

use super::profile_names;
use crate::Awsenv;
use crate::engine::{context, in_foreground, labeled};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Use,
    Allow,
    Login,
}

/// A command that does something, and says so.
pub(super) struct Done {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) terms: &'static [&'static str],
    pub(super) act: Act,
    pub(super) example: (&'static str, &'static str),
}

impl SimplePluginCommand for Done {
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
        let signature = Signature::build(self.name).input_output_type(Type::Nothing, Type::Nothing).category(Category::Env);
        match self.act {
            Act::Use => signature.required("profile", SyntaxShape::String, "the profile, or `none`").named(
                "region",
                SyntaxShape::String,
                "the region for programs below here",
                None,
            ),
            Act::Allow => {
                signature.optional("path", SyntaxShape::Filepath, "a .awsprofile or its directory; else the nearest one")
            }
            Act::Login => signature.optional("profile", SyntaxShape::String, "the profile; else the directory's").named(
                "mfa-code",
                SyntaxShape::String,
                "the MFA code",
                None,
            ),
        }
    }

    fn examples(&self) -> Vec<Example<'_>> {
        vec![Example { example: self.example.1, description: self.example.0, result: None }]
    }

    fn run(&self, _: &Awsenv, engine: &EngineInterface, call: &EvaluatedCall, _: &Value) -> Result<Value, LabeledError> {
        let context = context(engine, None, Vec::new())?;
        let word: Option<String> = call.opt(0)?;
        let done = match self.act {
            Act::Use => {
                let region: Option<String> = call.get_flag("region")?;
                cmd::use_profile::run(&context, word.as_deref().unwrap_or_default(), region.as_deref())
            }
            Act::Allow => cmd::allow::run(&context, word.as_ref().map(std::path::Path::new)),
            Act::Login => {
                let code: Option<String> = call.get_flag("mfa-code")?;
                // Whom to ask is known before anything is: the whole of a sign-in is in the foreground.
                in_foreground(engine, || cmd::login::run(&context, word.as_deref(), code.as_deref())).flatten()
            }
        };
        done.map(|()| Value::nothing(call.head)).map_err(|error| labeled(&error, call))
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
        matches!(argument, ArgType::Positional(0)).then(|| profile_names(engine)).flatten().filter(|_| self.act != Act::Allow)
    }
}
