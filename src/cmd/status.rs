//! `awsenv status`: what is loaded, from which file, until when; and why not, if not.

use serde_json::json;

use crate::context::Context;
use crate::directory::{self, Wanted};
use crate::env_diff::Loaded;
use crate::error::{Error, Result};
use crate::exports;
use crate::prompt;
use crate::settings::Settings;

pub(super) fn run(context: &Context, as_json: bool) -> Result<()> {
    if as_json {
        return super::print(&format!("{}\n", json(context)?));
    }
    let settings = Settings::load(context)?;
    let wanted = directory::wanted(context, &settings)?;
    super::print(&Status::new(context, &wanted).text())
}

/// What there is to tell, as `--json` shows it.
///
/// # Errors
/// When the settings or the trust records cannot be read.
pub fn json(context: &Context) -> Result<serde_json::Value> {
    let settings = Settings::load(context)?;
    let wanted = directory::wanted(context, &settings)?;
    Ok(Status::new(context, &wanted).json())
}

struct Status<'a> {
    loaded: Option<&'a Loaded>,
    profile: Option<String>,
    file: Option<String>,
    trusted: Option<bool>,
    reason: Option<Error>,
    now: i64,
}

impl<'a> Status<'a> {
    fn new(context: &'a Context, wanted: &Wanted) -> Self {
        let loaded = context.state.loaded.as_ref();
        let (mut profile, mut file, mut trusted) = (None, None, None);
        let reason;
        match wanted {
            Wanted::Nothing => {
                reason = Some(
                    Error::failed("nothing is loaded", "there is no .awsprofile at or above this directory")
                        .hint("awsenv use PROFILE"),
                );
            }
            Wanted::Blocked { path, candidate, error } => {
                file = Some(path.display().to_string());
                trusted = Some(false);
                profile = candidate.as_ref().map(|candidate| candidate.directive.profile_name().to_owned());
                reason = Some(error.clone());
            }
            Wanted::Directive { directive, file: found } => {
                profile = Some(directive.get().profile_name().to_owned());
                file = found.as_ref().map(|found| found.path.display().to_string());
                trusted = Some(true);
                reason = not_loaded(loaded, directive.get().profile_name());
            }
        }
        Status { loaded: loaded.filter(|loaded| loaded.signed_in), profile, file, trusted, reason, now: context.now() }
    }

    fn remaining(&self) -> Option<i64> {
        Some((self.loaded?.expires_at? - self.now).max(0))
    }

    fn json(&self) -> serde_json::Value {
        let loaded = self.loaded;
        let profile = loaded.map(|loaded| loaded.profile.clone()).or_else(|| self.profile.clone());
        json!({
            "loaded": loaded.is_some(),
            "file": loaded.and_then(|loaded| loaded.file.clone()).or_else(|| self.file.clone()),
            "trusted": self.trusted,
            "profile": profile,
            "account_id": loaded.and_then(|loaded| loaded.account_id.clone()),
            "role_arn": loaded.and_then(|loaded| loaded.role_arn.clone()),
            "region": loaded.and_then(|loaded| loaded.region.clone()),
            "source": loaded.and_then(|loaded| loaded.kind.clone()),
            "expires_at": loaded.and_then(|loaded| loaded.expires_at).and_then(exports::rfc3339),
            "remaining_seconds": self.remaining(),
            "reason": self.reason.as_ref().map(Error::summary),
            "hint": self.reason.as_ref().and_then(Error::hint_text),
        })
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        if let Some(loaded) = self.loaded {
            lines.push(("profile", loaded.profile.clone()));
            lines.extend(loaded.account_id.clone().map(|account| ("account", account)));
            lines.extend(loaded.role_arn.clone().map(|role| ("role", role)));
            lines.extend(loaded.region.clone().map(|region| ("region", region)));
            lines.extend(loaded.kind.clone().map(|kind| ("source", kind)));
            lines.push(("file", loaded.file.clone().unwrap_or_else(|| "none: pinned by `awsenv shell`".to_owned())));
            if let (Some(left), Some(at)) = (self.remaining(), loaded.expires_at.and_then(exports::rfc3339)) {
                lines.push(("expires", format!("{at} ({})", prompt::remaining_text(left))));
            }
        }
        if let Some(reason) = &self.reason {
            lines.push((if self.loaded.is_some() { "note" } else { "not loaded" }, reason.summary()));
            lines.extend(reason.hint_text().map(|hint| ("hint", hint)));
        }
        let line =
            |text: String, (name, value): (&str, String)| text + &format!("{name:<11} {}\n", crate::error::printable(&value));
        lines.into_iter().fold(String::new(), line)
    }
}

/// The environment may lag behind the directory: without the hook, or before the next prompt.
fn not_loaded(loaded: Option<&Loaded>, wanted: &str) -> Option<Error> {
    match loaded {
        Some(loaded) if loaded.profile == wanted && loaded.signed_in => None,
        Some(loaded) if loaded.profile == wanted => {
            Some(Error::failed(format!("profile `{wanted}` is not loaded"), "it is not signed in").hint("awsenv login"))
        }
        _ => Some(
            Error::failed(format!("profile `{wanted}` is not loaded"), "the hook has not run here")
                .hint("eval \"$(awsenv hook zsh)\" (or bash, fish, nu) in the shell's start-up file"),
        ),
    }
}
