//! Owns the plan: from which keys, through which STS calls, a profile's credentials come, and under which key each
//! intermediate session is cached.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::account;
use crate::profile::{CredentialSource, Lifetime, ResolvedProfile, Role, ServiceTarget, SsoSession};

/// How long an MFA session lives, in seconds: the default of GetSessionToken (12 h).
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
const SESSION_TOKEN_SECONDS: u32 = 43_200;
/// How long a role session lives unless the profile says otherwise, in seconds; also the most that role chaining
/// allows. <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const ROLE_SECONDS: u32 = 3_600;

/// GetSessionToken with a one-time code: a session that role sessions are then had from without a code. Where the
/// source turns out to be a session itself, this step is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionToken {
    pub profile: String,
    pub mfa_serial: String,
    pub duration_seconds: u32,
    pub sts: ServiceTarget,
}

/// AssumeRole; with `mfa_serial`, a one-time code goes with the call itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    pub profile: String,
    pub role_arn: String,
    pub role_session_name: Option<String>,
    pub external_id: Option<String>,
    pub duration_seconds: u32,
    pub mfa_serial: Option<String>,
    pub session_tags: Vec<(String, String)>,
    pub transitive_session_tags: Vec<String>,
    pub source_identity: Option<String>,
    pub sts: ServiceTarget,
}

/// One step of a plan; each but the first uses the credentials of the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Source { profile: String, source: CredentialSource, account_id: Option<String> },
    SessionToken(SessionToken),
    AssumeRole(Box<AssumeRole>),
}

impl Step {
    /// The profile that asks for this step.
    #[must_use]
    pub fn profile(&self) -> &str {
        match self {
            Step::Source { profile, .. } => profile,
            Step::SessionToken(step) => &step.profile,
            Step::AssumeRole(step) => &step.profile,
        }
    }

    /// The MFA device whose code this step needs.
    #[must_use]
    pub fn mfa_serial(&self) -> Option<&str> {
        match self {
            Step::Source { .. } => None,
            Step::SessionToken(step) => Some(&step.mfa_serial),
            Step::AssumeRole(step) => step.mfa_serial.as_deref(),
        }
    }

    /// The role that this step has the credentials of.
    #[must_use]
    pub fn role_arn(&self) -> Option<&str> {
        match self {
            Step::AssumeRole(step) => Some(&step.role_arn),
            Step::Source { source: CredentialSource::WebIdentity(role), .. } => Some(&role.role_arn),
            _ => None,
        }
    }

    /// How long the session of this step is asked for, where the plan says.
    #[must_use]
    pub fn duration_seconds(&self) -> Option<u32> {
        match self {
            Step::SessionToken(step) => Some(step.duration_seconds),
            Step::AssumeRole(step) => Some(step.duration_seconds),
            Step::Source { source: CredentialSource::WebIdentity(role), .. } => role.duration_seconds,
            Step::Source { .. } => None,
        }
    }

    /// The word of the contract for this kind of credentials.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Step::Source { source, .. } => source.kind(),
            Step::SessionToken(_) => "session_token",
            Step::AssumeRole(_) => "assume_role",
        }
    }
}

/// Names the credentials that a step yields by all that determines them, so that an edited profile never serves what
/// the old one did, and profiles that mean the same share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(String);

impl CacheKey {
    /// As a name for a file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key that was written down before.
    #[must_use]
    pub fn from_recorded(text: &str) -> Option<Self> {
        (text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| CacheKey(text.to_owned()))
    }
}

/// The steps to a profile's credentials. There is always a first one, and it is `Step::Source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialPlan {
    pub steps: Vec<Step>,
}

impl CredentialPlan {
    /// Plans a profile. `at_most` shortens the last session, in seconds.
    #[must_use]
    pub fn new(profile: &ResolvedProfile, at_most: Option<u32>) -> Self {
        let source = &profile.source;
        let mut steps = vec![Step::Source {
            profile: source.profile.clone(),
            source: source.credentials.clone(),
            account_id: source.account_id.clone(),
        }];
        let of_session = source.credentials.lifetime() == Lifetime::Session;
        let device =
            profile.roles.iter().find_map(|role| role.mfa_serial.as_ref()).or(source.mfa_serial.as_ref()).filter(|_| !of_session);
        let directly = device.filter(|_| wants_code_on_the_call(&profile.roles, at_most));
        if let (Some(mfa_serial), None) = (device, directly) {
            let asked = source.duration_seconds.unwrap_or(SESSION_TOKEN_SECONDS);
            steps.push(Step::SessionToken(SessionToken {
                profile: source.profile.clone(),
                mfa_serial: mfa_serial.clone(),
                duration_seconds: if profile.roles.is_empty() { shortened(asked, at_most) } else { asked },
                sts: source.sts.clone(),
            }));
        }
        for (hop, role) in profile.roles.iter().enumerate() {
            let last = hop + 1 == profile.roles.len();
            steps.push(Step::AssumeRole(Box::new(AssumeRole {
                profile: role.profile.clone(),
                role_arn: role.role_arn.clone(),
                role_session_name: role.role_session_name.clone(),
                external_id: role.external_id.clone(),
                duration_seconds: role_seconds(role, hop > 0 || of_session, if last { at_most } else { None }),
                mfa_serial: directly.cloned(),
                session_tags: role.session_tags.clone(),
                transitive_session_tags: role.transitive_session_tags.clone(),
                source_identity: role.source_identity.clone(),
                sts: role.sts.clone(),
            })));
        }
        CredentialPlan { steps }
    }

    /// The step that yields the profile's own credentials.
    #[must_use]
    pub fn last(&self) -> &Step {
        &self.steps[self.steps.len() - 1]
    }

    /// The key under which the credentials of the step at `index` are cached.
    #[must_use]
    pub fn cache_key(&self, index: usize) -> CacheKey {
        let mut hash = Sha256::new();
        for step in &self.steps[..=index] {
            for field in fields(step) {
                hash.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_le_bytes());
                hash.update(field);
            }
        }
        CacheKey(HEXLOWER.encode(&hash.finalize()))
    }

    /// The session that took a person, from which later steps renew without one: a code's, else that of a process, which
    /// may ask one.
    #[must_use]
    pub fn person_step(&self) -> Option<usize> {
        let of_process = matches!(self.steps[0], Step::Source { source: CredentialSource::Process(_), .. });
        self.steps.iter().position(|step| step.mfa_serial().is_some()).or(of_process.then_some(0))
    }

    /// The ARN of the last role.
    #[must_use]
    pub fn role_arn(&self) -> Option<&str> {
        self.last().role_arn()
    }

    /// The account, where an ARN in the plan names it: the role's, else that of the user's MFA device.
    #[must_use]
    pub fn account_id(&self) -> Option<&str> {
        match self.last() {
            Step::AssumeRole(step) => account::of_arn(&step.role_arn),
            Step::SessionToken(step) => account::of_arn(&step.mfa_serial),
            Step::Source { source: CredentialSource::Sso(role), .. } => Some(&role.account_id),
            Step::Source { source: CredentialSource::WebIdentity(role), .. } => account::of_arn(&role.role_arn),
            Step::Source { source: CredentialSource::Login(login), .. } => account::of_arn(&login.session_arn),
            Step::Source { account_id, .. } => account_id.as_deref(),
        }
    }

    /// The account: as an ARN in the plan names it, else as the source's access key id tells.
    #[must_use]
    pub fn account_for_display(&self) -> Option<String> {
        let of_keys = || match &self.steps[0] {
            Step::Source { source: CredentialSource::Keys(keys) | CredentialSource::Environment(keys), .. } => {
                account::of_access_key_id(&keys.access_key_id)
            }
            _ => None,
        };
        self.account_id().map(str::to_owned).or_else(of_keys)
    }
}

/// A session longer than role chaining allows is real only if the code goes with the AssumeRole call itself.
fn wants_code_on_the_call(roles: &[Role], at_most: Option<u32>) -> bool {
    matches!(roles, [role] if shortened(role.duration_seconds.unwrap_or(ROLE_SECONDS), at_most) > ROLE_SECONDS)
}

fn role_seconds(role: &Role, chained: bool, at_most: Option<u32>) -> u32 {
    let asked = shortened(role.duration_seconds.unwrap_or(ROLE_SECONDS), at_most);
    if chained { asked.min(ROLE_SECONDS) } else { asked }
}

fn shortened(seconds: u32, at_most: Option<u32>) -> u32 {
    at_most.map_or(seconds, |most| seconds.min(most))
}

fn of_target(target: &ServiceTarget) -> String {
    format!("{}\n{:?}\n{}{}", target.region, target.endpoint_url, target.use_fips, target.use_dual_stack)
}

fn of_sso(session: &SsoSession) -> String {
    format!("{:?}\n{}\n{}", session.name, session.start_url, of_target(&session.portal))
}

fn fields(step: &Step) -> Vec<String> {
    match step {
        Step::Source { source, .. } => fields_of_source(source),
        Step::SessionToken(step) => {
            vec!["session_token".into(), step.mfa_serial.clone(), step.duration_seconds.to_string(), of_target(&step.sts)]
        }
        Step::AssumeRole(step) => vec![
            "assume_role".into(),
            step.role_arn.clone(),
            format!("{:?}", (&step.role_session_name, &step.external_id, &step.mfa_serial, &step.source_identity)),
            step.duration_seconds.to_string(),
            format!("{:?}", (&step.session_tags, &step.transitive_session_tags)),
            of_target(&step.sts),
        ],
    }
}

fn fields_of_source(source: &CredentialSource) -> Vec<String> {
    let of_kind = |fields: &[&str]| [source.kind()].iter().chain(fields).map(|field| (*field).to_owned()).collect();
    match source {
        // The id alone: however the same keys are had, the sessions of them are the same.
        CredentialSource::Keys(keys) | CredentialSource::Environment(keys) => vec!["keys".into(), keys.access_key_id.clone()],
        CredentialSource::WebIdentity(role) => of_kind(&[
            &role.role_arn,
            &format!("{:?}", (&role.token_file, &role.role_session_name, role.duration_seconds)),
            &of_target(&role.sts),
        ]),
        CredentialSource::Sso(role) => of_kind(&[&of_sso(&role.session), &role.account_id, &role.role_name]),
        CredentialSource::Process(command) => of_kind(&[command.expose()]),
        CredentialSource::InstanceMetadata(metadata) => of_kind(&[&metadata.endpoint_url]),
        CredentialSource::Container(endpoint) => of_kind(&[&endpoint.url]),
        CredentialSource::Login(login) => of_kind(&[&login.session_arn]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Context, Environment};
    use crate::profile::AwsFiles;
    use crate::provider::aws_files;

    const CONFIG: &str = "
[profile keys]
[profile jane]
mfa_serial = arn:aws:iam::111111111111:mfa/jane
region = eu-central-1
[profile plain-role]
role_arn = arn:aws:iam::222222222222:role/plain
source_profile = keys
duration_seconds = 7200
[profile dev]
role_arn = arn:aws:iam::222222222222:role/dev
source_profile = jane
external_id = xyz
region = eu-west-1
session_tags = team=web, stage=dev
transitive_session_tags = team
[profile dev-own-device]
role_arn = arn:aws:iam::222222222222:role/dev
source_profile = keys
mfa_serial = arn:aws:iam::111111111111:mfa/jane
[profile prod]
role_arn = arn:aws:iam::333333333333:role/prod
source_profile = jane
duration_seconds = 28800
[profile hop]
role_arn = arn:aws:iam::444444444444:role/hop
source_profile = dev
duration_seconds = 28800
[profile of-session]
role_arn = arn:aws:iam::222222222222:role/dev
source_profile = session
mfa_serial = arn:aws:iam::111111111111:mfa/jane
";
    const CREDENTIALS: &str = "
[keys]
aws_access_key_id = AKIAQKEYSKEYSKEYS234
aws_secret_access_key = never-shown
[jane]
aws_access_key_id = AKIAQJANEJANEJANE234
aws_secret_access_key = never-shown
[session]
aws_access_key_id = ASIAQSESSIONSESSI234
aws_secret_access_key = never-shown
aws_session_token = never-shown
";

    fn files() -> AwsFiles {
        let home = tempfile::tempdir().expect("a directory");
        let (config, credentials) = (home.path().join("config"), home.path().join("credentials"));
        std::fs::write(&config, CONFIG).expect("written");
        std::fs::write(&credentials, CREDENTIALS).expect("written");
        aws_files::read(&config, &credentials).expect("valid")
    }

    fn plan_for(name: &str, at_most: Option<u32>) -> CredentialPlan {
        let context = Context::new(Environment::new(), "/".into(), 0, None);
        CredentialPlan::new(&files().resolve(name, &context).expect("resolves"), at_most)
    }

    #[test]
    fn the_plan_table() {
        for name in ["keys", "jane", "plain-role", "dev", "dev-own-device", "prod", "hop", "of-session"] {
            insta::with_settings!({snapshot_path => "../../tests/snapshots", prepend_module_to_snapshot => false}, {
                insta::assert_debug_snapshot!(format!("plan_{name}"), plan_for(name, None).steps);
            });
        }
    }

    #[test]
    fn no_secret_is_in_a_plan_that_is_shown() {
        assert!(!format!("{:?}", plan_for("of-session", None)).contains("never-shown"));
    }

    #[test]
    fn one_device_has_one_session_for_every_role() {
        let (dev, hop) = (plan_for("dev", None), plan_for("hop", None));
        assert_eq!(dev.person_step(), Some(1));
        assert_eq!(dev.cache_key(1), hop.cache_key(1));
        assert_eq!(dev.cache_key(1), plan_for("jane", None).cache_key(1));
        assert_eq!(dev.cache_key(2), hop.cache_key(2));
        assert_ne!(dev.cache_key(2), hop.cache_key(3));
    }

    #[test]
    fn shortening_makes_the_direct_call_unnecessary() {
        let short = plan_for("prod", Some(1800));
        assert_eq!(short.steps.len(), 3);
        assert!(matches!(short.last(), Step::AssumeRole(step) if step.duration_seconds == 1800 && step.mfa_serial.is_none()));
        assert!(matches!(plan_for("jane", Some(1800)).last(), Step::SessionToken(step) if step.duration_seconds == 1800));
    }

    #[test]
    fn the_account_comes_from_the_arns() {
        assert_eq!(plan_for("dev", None).account_id(), Some("222222222222"));
        assert_eq!(plan_for("jane", None).account_id(), Some("111111111111"));
        assert_eq!(plan_for("keys", None).account_id(), None);
    }
}
