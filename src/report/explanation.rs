//! Owns the explanation of one profile: each step of its chain, where each value was read, what is cached, and what
//! signing in would ask.

use std::collections::BTreeMap;

use super::SessionState;
use crate::context::Context;
use crate::credentials::{CredentialPlan, Step};
use crate::error::Result;
use crate::profile::origin::{AwsFile, Origin, Origins};
use crate::profile::{AwsFiles, CredentialSource, Section, ServiceTarget};
use crate::provider::aws_files;
use crate::session::SessionCache;
use crate::settings::Settings;
use crate::sso;

/// What stands for a secret.
const REDACTED: &str = "[redacted]";

/// A value of a profile, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub value: String,
    pub origin: Option<Origin>,
}

/// What signing in now would ask a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WouldAsk {
    Nothing,
    MfaCode(String),
    SsoSignIn(String),
}

/// One step of a chain.
#[derive(Debug)]
pub struct Explained {
    pub step: Step,
    /// What the profile of the step says, where it was not told at a step before.
    pub settings: BTreeMap<String, Setting>,
    pub session: SessionState,
}

/// One profile, explained.
#[derive(Debug)]
pub struct Explanation {
    pub profile: String,
    pub account_id: Option<String>,
    pub region: Option<String>,
    /// What the profile itself says.
    pub settings: BTreeMap<String, Setting>,
    pub steps: Vec<Explained>,
    pub would_ask: WouldAsk,
}

impl Explanation {
    /// Explains a profile; without a name, what the SDKs' own chain finds. `at_most` shortens the session, in seconds.
    ///
    /// # Errors
    /// When the profile cannot be used.
    pub fn new(context: &Context, settings: &Settings, profile: Option<&str>, at_most: Option<u32>) -> Result<Self> {
        let files = aws_files::of_user(context)?;
        let resolved = files.resolve_chosen(profile, context)?;
        let plan = CredentialPlan::new(&resolved, at_most);
        let reader = Reader { files: &files, origins: origins(&files)? };
        let cache = SessionCache::new(context, settings.cache);
        let mut told: Vec<&str> = Vec::new();
        let mut steps = Vec::new();
        for (index, step) in plan.steps.iter().enumerate() {
            let is_new = !told.contains(&step.profile());
            told.push(step.profile());
            steps.push(Explained {
                step: step.clone(),
                settings: if is_new { reader.profile(step.profile()) } else { BTreeMap::new() },
                session: SessionState::of(cache.header(&plan.cache_key(index)).as_ref(), context.now()),
            });
        }
        Ok(Explanation {
            settings: reader.profile(&resolved.name),
            would_ask: would_ask(&steps, context),
            account_id: plan.account_for_display(),
            region: resolved.region,
            profile: resolved.name,
            steps,
        })
    }
}

/// What is called for a step, if anything of AWS is.
#[must_use]
pub fn target(step: &Step) -> Option<(&'static str, &ServiceTarget)> {
    match step {
        Step::SessionToken(step) => Some(("STS", &step.sts)),
        Step::AssumeRole(step) => Some(("STS", &step.sts)),
        Step::Source { source: CredentialSource::WebIdentity(role), .. } => Some(("STS", &role.sts)),
        Step::Source { source: CredentialSource::Sso(role), .. } => Some(("SSO", &role.session.portal)),
        Step::Source { source: CredentialSource::Login(login), .. } => Some(("sign-in", &login.signin)),
        Step::Source { .. } => None,
    }
}

/// From the last step that has a session, forward.
fn would_ask(steps: &[Explained], context: &Context) -> WouldAsk {
    let cached = steps.iter().rposition(|explained| matches!(explained.session, SessionState::Valid(_)));
    for explained in &steps[cached.map_or(0, |at| at + 1)..] {
        if let Some(serial) = explained.step.mfa_serial() {
            return WouldAsk::MfaCode(serial.to_owned());
        }
        if let Step::Source { source: CredentialSource::Sso(role), .. } = &explained.step
            && !sso::is_signed_in(&role.session, context)
        {
            return WouldAsk::SsoSignIn(role.session.sign_in_command());
        }
    }
    WouldAsk::Nothing
}

fn origins(files: &AwsFiles) -> Result<Origins> {
    let mut origins = Origins::default();
    origins.add(&files.config_path, &aws_files::text_of(&files.config_path)?, AwsFile::Config);
    origins.add(&files.credentials_path, &aws_files::text_of(&files.credentials_path)?, AwsFile::Credentials);
    Ok(origins)
}

struct Reader<'a> {
    files: &'a AwsFiles,
    origins: Origins,
}

impl Reader<'_> {
    /// What a profile says, and what its session of IAM Identity Center says.
    fn profile(&self, name: &str) -> BTreeMap<String, Setting> {
        let Some(section) = self.files.profiles.get(name) else { return BTreeMap::new() };
        let session = section.get("sso_session").and_then(|session| Some((session, self.files.sso_sessions.get(session)?)));
        let mut settings = session.map(|(session, keys)| self.section("sso-session", session, keys)).unwrap_or_default();
        settings.extend(self.section("profile", name, section));
        settings
    }

    fn section(&self, kind: &str, name: &str, section: &Section) -> BTreeMap<String, Setting> {
        let is_secret = |key: &str| matches!(key, "aws_secret_access_key" | "aws_session_token");
        let setting = |(key, value): (&&str, &String)| {
            let value = if is_secret(key) { REDACTED.to_owned() } else { value.clone() };
            ((*key).to_owned(), Setting { value, origin: self.origins.of(kind, name, key).cloned() })
        };
        section.iter().map(setting).collect()
    }
}
