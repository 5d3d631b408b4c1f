//! Owns what a directory asks for: a pin, or the nearest `.awsprofile` and whether it is trusted.
//! Never loads anything.

use std::path::PathBuf;

use crate::awsprofile::{self, Candidate, Directive};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::session::{Freshness, Request};
use crate::settings::Settings;
use crate::trust::{self, TrustStore, Trusted, Verdict};

/// The variable that pins a profile in a shell.
pub const PIN_VARIABLE: &str = "AWSENV_PIN";

/// What is asked for.
#[derive(Debug)]
pub enum Wanted {
    /// No `.awsprofile` at or above here, and no pin.
    Nothing,
    /// A trusted directive; without a file it is a pin.
    Directive { directive: Trusted<Directive>, file: Option<Candidate> },
    /// A file that may not have effect.
    Blocked { path: PathBuf, candidate: Option<Candidate>, error: Error },
}

/// Looks at a pin, then at the nearest file.
///
/// # Errors
/// When the pin is not the name of a profile, or there is no place for trust records.
pub fn wanted(context: &Context, settings: &Settings) -> Result<Wanted> {
    if let Some(name) = context.own_var(PIN_VARIABLE) {
        let directive = Directive::for_profile(name)
            .map_err(|why| Error::failed("cannot use AWSENV_PIN", why).hint("awsenv shell --unset"))?;
        return Ok(Wanted::Directive { directive: trust::typed(directive), file: None });
    }
    let Some(path) = awsprofile::nearest(&context.cwd) else { return Ok(Wanted::Nothing) };
    let candidate = match awsprofile::open(&path, context) {
        Ok(candidate) => candidate,
        Err(error) => return Ok(Wanted::Blocked { path, candidate: None, error }),
    };
    Ok(match TrustStore::new(&context.data_dir()?).judge(&candidate, &settings.trust) {
        Verdict::Trusted(directive) => Wanted::Directive { directive, file: Some(candidate) },
        Verdict::NotAllowed => Wanted::Blocked { error: not_allowed(&candidate), path, candidate: Some(candidate) },
        Verdict::Denied => Wanted::Blocked { error: denied(&candidate), path, candidate: Some(candidate) },
    })
}

fn not_allowed(candidate: &Candidate) -> Error {
    let why = format!("it asks for profile `{}` and is not trusted", candidate.directive.profile_name());
    Error::new(Kind::NotTrusted, format!("{} has no effect", candidate.path.display()), why).hint("awsenv allow")
}

fn denied(candidate: &Candidate) -> Error {
    Error::new(Kind::NotTrusted, format!("{} has no effect", candidate.path.display()), "it is denied")
        .hint("awsenv allow, if that was a mistake")
}

/// The profile that a command is for.
pub struct Choice {
    directive: Trusted<Directive>,
    /// Whether somebody named it: a person, the directory, or `AWS_PROFILE`.
    named: bool,
}

impl Choice {
    /// The profile: the one that is named, else the directory's, else `AWS_PROFILE`, else `default`, where the SDKs' own
    /// chain counts.
    ///
    /// # Errors
    /// When the directory's file may not have effect.
    pub fn new(context: &Context, settings: &Settings, named: Option<&str>) -> Result<Self> {
        let typed = |name: &str, named: bool| {
            let directive = Directive::for_profile(name)
                .map_err(|why| Error::new(Kind::Usage, "cannot use this profile", why).hint("awsenv --help"))?;
            Ok(Choice { directive: trust::typed(directive), named })
        };
        if let Some(name) = named {
            return typed(name, true);
        }
        match wanted(context, settings)? {
            Wanted::Directive { directive, .. } => Ok(Choice { directive, named: true }),
            Wanted::Blocked { error, .. } => Err(error),
            Wanted::Nothing => match context.user_var("AWS_PROFILE") {
                Some(name) => typed(name, true),
                None => typed("default", false),
            },
        }
    }

    #[must_use]
    pub fn directive(&self) -> &Directive {
        self.directive.get()
    }

    /// What is wanted of the sessions.
    ///
    /// # Errors
    /// When the directory asks for no identity at all.
    pub fn request(&self, freshness: Freshness) -> Result<Request<'_>> {
        let directive = self.directive.get();
        let Some(profile) = directive.profile.as_deref() else {
            return Err(Error::failed("there are no credentials here", "this directory's .awsprofile says `none`")
                .hint("name a profile: awsenv login PROFILE, or --profile PROFILE"));
        };
        Ok(Request {
            profile: self.named.then_some(profile),
            at_most: directive.duration,
            account: directive.account_id.as_deref(),
            freshness,
        })
    }
}
