//! `awsenv env`: a profile's credentials, printed for other programs.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::cli::EnvFormat;
use crate::context::Context;
use crate::directory::Choice;
use crate::error::Result;
use crate::exports;
use crate::settings::Settings;
use crate::shell::Shell;

pub(super) fn run(context: &Context, profile: Option<&str>, format: EnvFormat) -> Result<()> {
    let settings = Settings::load(context)?;
    let choice = Choice::new(context, &settings, profile)?;
    let obtained = super::obtain(context, &settings, &choice)?;
    let region = choice.directive().region.as_deref().or(obtained.summary.region.as_deref());
    let variables = exports::keys(&obtained.credentials, region);
    let set = variables.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?.expose())));
    let text: Zeroizing<String> = match format {
        EnvFormat::Env => lines(set, |name, value| Zeroizing::new(format!("export {name}={}\n", Shell::Bash.quote(value)))),
        EnvFormat::Fish => lines(set, |name, value| Shell::Fish.set(name, value)),
        // A record in nu's own notation is written like JSON.
        EnvFormat::Json | EnvFormat::Nu => {
            let object: Map<String, Value> = set.map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
            Zeroizing::new(format!("{}\n", Value::from(object)))
        }
    };
    super::print(&text)
}

fn lines<'v>(set: impl Iterator<Item = (&'v str, &'v str)>, line: impl Fn(&str, &str) -> Zeroizing<String>) -> Zeroizing<String> {
    Zeroizing::new(set.map(|(name, value)| line(name, value).to_string()).collect())
}
