//! `awsenv allow`: shows what a `.awsprofile` will do, and trusts it.

use std::path::{Path, PathBuf};

use crate::account;
use crate::awsprofile::{self, Candidate, Directive, FILE_NAME};
use crate::context::Context;
use crate::credentials::CredentialPlan;
use crate::error::{Error, Result, say};
use crate::generation::Generation;
use crate::provider::aws_files;
use crate::settings::Settings;
use crate::trust::TrustStore;

/// # Errors
/// What the command reports.
pub fn run(context: &Context, path: Option<&Path>) -> Result<()> {
    let settings = Settings::load(context)?;
    let candidate = awsprofile::open(&file_at(context, path)?, context)?;
    say(&format!("{} asks for {}", candidate.path.display(), describe(context, &settings, &candidate.directive)));
    record(context, &candidate)
}

/// Trusts a file, and tells the open shells.
pub(super) fn record(context: &Context, candidate: &Candidate) -> Result<()> {
    let data_dir = context.data_dir()?;
    TrustStore::new(&data_dir).allow(candidate).map_err(|error| {
        Error::failed(format!("cannot record trust in {}", data_dir.display()), error)
            .hint(format!("make it yours: ls -ld {}; or set AWSENV_DATA_DIR", data_dir.display()))
    })?;
    Generation::new(&data_dir).bump()?;
    say("trusted");
    Ok(())
}

/// The file that an argument, or the working directory, means.
pub(super) fn file_at(context: &Context, path: Option<&Path>) -> Result<PathBuf> {
    let none = |place: &Path| {
        Error::failed("nothing to trust", format!("there is no {FILE_NAME} at {}", place.display()))
            .hint("awsenv use PROFILE writes one")
    };
    let Some(path) = path else {
        return awsprofile::nearest(&context.cwd).ok_or_else(|| none(&context.cwd));
    };
    let path = context.cwd.join(path);
    let file = if path.file_name().is_some_and(|name| name == FILE_NAME) { path } else { path.join(FILE_NAME) };
    if file.symlink_metadata().is_ok() { Ok(file) } else { Err(none(&file)) }
}

/// Profile, account, role and region, as far as the AWS files tell. That a profile is unknown does not stop anyone
/// from trusting its name, but is said.
fn describe(context: &Context, settings: &Settings, directive: &Directive) -> String {
    let Some(profile) = directive.profile.as_deref() else { return "no AWS identity (profile = none)".to_owned() };
    let mut parts = vec![format!("profile `{profile}`")];
    let resolved = aws_files::of_user(context).and_then(|files| files.resolve(profile, context));
    let region = match &resolved {
        Ok(resolved) => {
            let plan = CredentialPlan::new(resolved, directive.duration);
            if let Some(account) = plan.account_for_display() {
                let name = settings.accounts.get(&account).map(|name| format!(" ({name})")).unwrap_or_default();
                parts.push(format!("account {account}{name}"));
            }
            parts.extend(plan.role_arn().and_then(account::role_name).map(|role| format!("role {role}")));
            directive.region.clone().or_else(|| resolved.region.clone())
        }
        Err(error) => {
            parts.push(format!("which cannot be used now ({})", error.summary()));
            directive.region.clone()
        }
    };
    parts.extend(region.map(|region| format!("region {region}")));
    if settings.production.matches(profile) {
        parts.push("PRODUCTION".to_owned());
    }
    parts.join(", ")
}
