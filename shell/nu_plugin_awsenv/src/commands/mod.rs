//! Owns the list of commands, and what they share.

mod done;
mod export;
mod prompt;
mod told;

use awsenv::cmd;
use nu_plugin::{EngineInterface, PluginCommand};
use nu_protocol::{DynamicSuggestion, Type};

use crate::Awsenv;
use crate::engine::context;
use done::{Act, Done};
use export::Export;
use prompt::Prompt;
use told::Told;

pub(crate) fn all() -> Vec<Box<dyn PluginCommand<Plugin = Awsenv>>> {
    vec![
        Box::new(Export),
        Box::new(Told {
            name: "awsenv status",
            description: "What awsenv has loaded, from which file, until when; and why not, if not",
            terms: &["aws", "credentials", "expires"],
            output: Type::record(),
            takes_profile: false,
            tell: |context, _| cmd::status::json(context),
            examples: &[("When the credentials end", "(awsenv status).expires_at")],
        }),
        Box::new(Told {
            name: "awsenv profiles",
            description: "Every AWS profile with its kind, account, region and session state",
            terms: &["aws", "accounts", "roles"],
            output: Type::table(),
            takes_profile: false,
            tell: |context, _| cmd::profiles::json(context),
            examples: &[("The names of all profiles", "(awsenv profiles).name")],
        }),
        Box::new(Told {
            name: "awsenv explain",
            description: "The chain that an AWS profile resolves to, step by step, with where each value was read",
            terms: &["aws", "role", "chain", "mfa"],
            output: Type::table(),
            takes_profile: true,
            tell: |context, profile| Ok(cmd::explain::json(context, profile)?["steps"].take()),
            examples: &[("The steps to a profile's credentials", "(awsenv explain acme-dev).role_arn")],
        }),
        Box::new(Prompt),
        Box::new(Done {
            name: "awsenv use",
            description: "Write .awsprofile here, and trust it",
            terms: &["aws", "profile", "directory"],
            act: Act::Use,
            example: ("Use a profile below this directory", "awsenv use acme-dev --region eu-west-1"),
        }),
        Box::new(Done {
            name: "awsenv allow",
            description: "Trust a .awsprofile, after showing what it will do",
            terms: &["aws", "trust"],
            act: Act::Allow,
            example: ("Trust the nearest .awsprofile", "awsenv allow"),
        }),
        Box::new(Done {
            name: "awsenv login",
            description: "Sign in to AWS now, whatever is cached",
            terms: &["aws", "mfa", "sso"],
            act: Act::Login,
            example: ("Sign in to the directory's profile", "awsenv login"),
        }),
    ]
}

/// What completes the name of a profile.
fn profile_names(engine: &EngineInterface) -> Option<Vec<DynamicSuggestion>> {
    let context = context(engine, None, Vec::new()).ok()?;
    let files = awsenv::provider::aws_files::of_user(&context).ok()?;
    let suggestion = |name: &String| DynamicSuggestion { value: name.clone(), ..DynamicSuggestion::default() };
    Some(files.profiles.keys().map(suggestion).collect())
}

#[cfg(test)]
mod tests {
    use nu_plugin_test_support::PluginTest;

    use super::*;

    #[test]
    fn examples_run() {
        let mut nu = PluginTest::new("awsenv", Awsenv.into()).expect("a plugin");
        for command in all() {
            let examples = command.examples();
            assert!(!examples.is_empty() && !command.search_terms().is_empty(), "{}", command.name());
            nu.test_examples(&examples).unwrap_or_else(|error| panic!("{}: {error}", command.name()));
        }
    }
}
