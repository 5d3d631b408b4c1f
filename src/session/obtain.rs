//! Owns the way from a profile's name to its credentials: the cache first, then the plan, step by step, each session
//! of it cached and had by one process at a time.

use std::path::Path;
use std::time::Duration;

use super::codes::{Ask, SentCodes};
use super::flight::{self, Held};
use super::index::Index;
use super::{Freshness, Header, Margins, Obtained, Renewal, Request, SIGN_IN_PATIENCE, SessionCache, Summary, TokenCodes};
use crate::context::Context;
use crate::credentials::{CacheKey, CredentialPlan, SessionCredentials, Step};
use crate::error::{Error, Kind, Result};
use crate::profile::{CredentialSource, ResolvedProfile};
use crate::provider::aws_files;
use crate::provider::connection::{Connection, Network};
use crate::provider::sts::{Caller, Sts, StsError};
use crate::secret::Secret;
use crate::settings::Settings;
use crate::sso::SignIn;

/// Obtains sessions for one command.
pub struct Sessions<'a> {
    pub(super) context: &'a Context,
    pub(super) settings: &'a Settings,
    pub(super) cache: SessionCache<'a>,
    pub(super) codes: &'a mut dyn TokenCodes,
    /// How long to wait for another process that signs in for the same session.
    pub patience: Duration,
    /// Whether to ask nobody if the process that was waited for did not sign in.
    pub ask_once: bool,
    /// How to sign in to IAM Identity Center, where that is allowed.
    pub sso_sign_in: Option<SignIn>,
    /// What went wrong without standing in the way, such as a cache that cannot be written.
    pub notices: Vec<Error>,
}

/// The state of carrying out one plan.
pub(super) struct Walk<'p> {
    pub(super) profile: &'p ResolvedProfile,
    pub(super) plan: &'p CredentialPlan,
    pub(super) freshness: Freshness,
    connection: Option<Connection>,
    /// Whether anything was asked for outside the cache and the files.
    asked: bool,
    /// Whether the cache has something new.
    kept: bool,
}

impl<'a> Sessions<'a> {
    pub fn new(context: &'a Context, settings: &'a Settings, codes: &'a mut dyn TokenCodes) -> Self {
        let cache = SessionCache::new(context, settings.cache);
        Sessions {
            context,
            settings,
            cache,
            codes,
            patience: SIGN_IN_PATIENCE,
            ask_once: false,
            sso_sign_in: None,
            notices: Vec::new(),
        }
    }

    /// The credentials of a profile.
    ///
    /// # Errors
    /// When the profile cannot be used, is of another account, AWS refuses or cannot be reached, or a code is needed
    /// and not to be had.
    pub fn obtain(&mut self, request: Request<'_>) -> Result<Obtained> {
        let Request { profile, at_most, account, freshness } = request;
        let name = profile.unwrap_or("default");
        // What the SDKs' chain finds depends on more than files.
        let index = profile.map(|profile| Index::of(self.context, self.cache.directory(), profile, at_most)).transpose()?;
        if freshness != Freshness::SignIn
            && let Some(obtained) = index.as_ref().and_then(|index| self.cached(index, freshness))
        {
            let known = obtained.credentials.account_id.as_deref().or(obtained.summary.account_id.as_deref());
            if account.is_none() || known.is_some() {
                check_account(name, account, known)?;
                return Ok(obtained);
            }
        }
        self.context.log(|| format!("no session of profile {name} in the cache that will do; reading the AWS files"));
        let resolved = self.resolve(profile)?;
        let plan = CredentialPlan::new(&resolved, at_most);
        self.context.log(|| format!("the plan: {:?}", plan.steps));
        let summary = Summary::new(&resolved, &plan);
        check_account(name, account, summary.account_id.as_deref())?;
        let mut walk = Walk { profile: &resolved, plan: &plan, freshness, connection: None, asked: false, kept: false };
        let mut credentials = self.step(&mut walk, plan.steps.len() - 1)?;
        if account.is_some() && credentials.account_id.is_none() {
            let sts = Sts(self.connection(&mut walk)?);
            credentials.account_id = Some(sts.caller_identity(&resolved.source.sts, &credentials)?.0);
            self.keep(&mut walk, plan.steps.len() - 1, &credentials);
        }
        check_account(name, account, credentials.account_id.as_deref())?;
        if let Some(index) = index {
            index.write(&summary);
        }
        let renewal = self.renewal(&summary, &credentials);
        let lifetime = credentials.expires_at.map(|at| at - self.context.now());
        let kept = self.cache.header(&summary.session).and_then(|header| header.lifetime);
        let margins = Margins::of(kept.or(lifetime));
        Ok(Obtained { credentials, summary, renewal, margins, from_cache: !walk.asked, is_new: walk.asked && walk.kept })
    }

    fn resolve(&self, profile: Option<&str>) -> Result<ResolvedProfile> {
        aws_files::of_user(self.context)?.resolve_chosen(profile, self.context)
    }

    /// The keys of an access key checked by AWS: the account and the ARN that they belong to.
    ///
    /// # Errors
    /// When AWS refuses the keys, or cannot be reached.
    pub fn verify(&mut self, profile: Option<&str>, credentials: &SessionCredentials) -> Result<(String, String)> {
        let resolved = self.resolve(profile)?;
        let connection = self.connect(&resolved)?;
        Ok(Sts(&connection).caller_identity(&resolved.source.sts, credentials)?)
    }

    /// Forgets what is cached for a profile: its own session, and those that it was had from.
    ///
    /// # Errors
    /// When the profile cannot be resolved, or a file cannot be removed.
    pub fn forget(&self, profile: Option<&str>, at_most: Option<u32>) -> Result<usize> {
        let plan = CredentialPlan::new(&self.resolve(profile)?, at_most);
        let mut count = 0;
        for index in 0..plan.steps.len() {
            count += usize::from(self.cache.forget(&plan.cache_key(index))?);
        }
        Ok(count)
    }

    /// Forgets every session.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn forget_all(&self) -> Result<usize> {
        self.cache.forget_all()
    }

    fn cached(&self, index: &Index, freshness: Freshness) -> Option<Obtained> {
        let summary = index.read()?;
        let (credentials, margins) = self.cache.read(&summary.session, self.context.now(), freshness)?;
        let renewal = self.renewal(&summary, &credentials);
        Some(Obtained { credentials, summary, renewal, margins, from_cache: true, is_new: false })
    }

    fn renewal(&self, summary: &Summary, credentials: &SessionCredentials) -> Renewal {
        let lives = |key: &CacheKey| {
            self.cache.header(key).is_some_and(|header| {
                let margins = Margins::of(header.lifetime);
                header.expires_at.is_some_and(|expires_at| expires_at - self.context.now() > margins.now)
            })
        };
        match (&summary.person_session, credentials.expires_at) {
            (_, None) => Renewal::Never,
            (None, Some(_)) if summary.kind == "session_token" => Renewal::NeedsPerson,
            (None, Some(_)) => Renewal::Silent,
            (Some(key), Some(_)) if *key != summary.session && lives(key) => Renewal::Silent,
            (Some(_), Some(_)) => Renewal::NeedsPerson,
        }
    }

    /// The credentials of one step: cached, or had from its source or from those of the step before it.
    fn step(&mut self, walk: &mut Walk<'_>, index: usize) -> Result<SessionCredentials> {
        if let Step::Source { source: CredentialSource::Keys(_) | CredentialSource::Environment(_), .. } = &walk.plan.steps[index]
        {
            let credentials = self.ask_source(walk)?;
            self.keep(walk, index, &credentials);
            return Ok(credentials);
        }
        let key = walk.plan.cache_key(index);
        let last = index + 1 == walk.plan.steps.len();
        let freshness = if last { walk.freshness } else { Freshness::Cached };
        let sign_in = walk.freshness == Freshness::SignIn;
        let started = self.context.now();
        let cached = |sessions: &Self| sessions.cache.read(&key, sessions.context.now(), freshness);
        if !sign_in && let Some((credentials, _)) = cached(self) {
            return Ok(credentials);
        }
        let flight =
            flight::board(self.cache.directory(), key.as_str(), self.patience).map_err(|held| still_held(walk.profile, &held))?;
        // Whoever held the lock may have signed in meanwhile: even a sign-in "now" is not needed twice at once.
        if (!sign_in || (flight.waited && self.cache.written_since(&key, started)))
            && let Some((credentials, _)) = cached(self)
        {
            return Ok(credentials);
        }
        if flight.waited && self.ask_once && walk.plan.steps[index].mfa_serial().is_some() {
            return Err(Error::new(
                Kind::SignInNeeded,
                format!("profile `{}` is not signed in", walk.profile.name),
                "another shell was asked and did not sign in",
            )
            .hint("awsenv login"));
        }
        walk.asked = true;
        let credentials = match index.checked_sub(1) {
            None => self.ask_source(walk)?,
            Some(before) => {
                let from = self.step(walk, before)?;
                self.call(walk, index, &from)?
            }
        };
        self.keep(walk, index, &credentials);
        Ok(credentials)
    }

    fn call(&mut self, walk: &mut Walk<'_>, index: usize, from: &SessionCredentials) -> Result<SessionCredentials> {
        let carries_mfa = matches!(walk.plan.steps[index - 1], Step::SessionToken(_));
        let step = &walk.plan.steps[index];
        // A process may turn out to give a session, which no code can go with.
        let of_session = from.session_token.is_some();
        if matches!(step, Step::SessionToken(_)) && of_session {
            return Ok(from.clone());
        }
        let session_name = self.default_session_name();
        let context = self.context;
        context.log(|| format!("calling STS for {} of profile {}", step.kind(), walk.profile.name));
        let sts = Sts(self.connection(walk)?);
        let call = |code: Option<&Secret>| match (step, code) {
            (Step::SessionToken(step), Some(code)) => sts.session_token(step, from, code),
            (Step::AssumeRole(step), code) => {
                let name = step.role_session_name.as_deref().unwrap_or(&session_name);
                sts.assume_role(step, name, Caller { credentials: from, carries_mfa }, code)
            }
            _ => Err(StsError::Other(Error::failed("cannot sign in", "this step makes no call"))),
        };
        match step.mfa_serial().filter(|_| !of_session) {
            None => Ok(call(None)?),
            Some(mfa_serial) => with_code(self.codes, self.cache.directory(), context, mfa_serial, |code| call(Some(code))),
        }
    }

    pub(super) fn connection<'w>(&self, walk: &'w mut Walk<'_>) -> Result<&'w Connection> {
        walk.asked = true;
        let connection = match walk.connection.take() {
            Some(connection) => connection,
            None => self.connect(walk.profile)?,
        };
        Ok(walk.connection.insert(connection))
    }

    fn connect(&self, profile: &ResolvedProfile) -> Result<Connection> {
        let network = Network::new(self.settings.network, profile.max_attempts);
        Connection::new(network, profile.ca_bundle.as_deref())
    }

    fn keep(&mut self, walk: &mut Walk<'_>, index: usize, credentials: &SessionCredentials) {
        if self.cache.directory().is_none() || !may_be_kept(walk.plan, index, credentials) {
            return;
        }
        let step = &walk.plan.steps[index];
        let key = walk.plan.cache_key(index);
        // A source may hand out what it handed out before; then nothing is new to anybody.
        let before = self.cache.header(&key);
        if index == 0 && before.is_some_and(|before| before.expires_at.is_some() && before.expires_at == credentials.expires_at) {
            return;
        }
        let header = Header {
            profile: step.profile().to_owned(),
            kind: step.kind().to_owned(),
            expires_at: credentials.expires_at,
            account_id: credentials.account_id.clone(),
            lifetime: credentials.expires_at.map(|at| at - self.context.now()),
        };
        match self.cache.write(&key, &header, credentials) {
            Ok(()) => walk.kept = true,
            Err(error) if self.notices.is_empty() => self.notices.push(error),
            Err(_) => {}
        }
    }

    /// What CloudTrail shows for a role session that the profile gives no name: who it was.
    pub(super) fn default_session_name(&self) -> String {
        let user = self.context.user_var("USER").unwrap_or("user");
        let allowed = |c: &char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c);
        format!("awsenv-{}", user.chars().filter(allowed).take(50).collect::<String>())
    }
}

/// Whether credentials go into the cache: a file's own keys where they are all there is, so that the next entry parses
/// nothing; not what the environment has anyway; and what does not expire only its process can tell to be true still.
fn may_be_kept(plan: &CredentialPlan, index: usize, credentials: &SessionCredentials) -> bool {
    match &plan.steps[index] {
        Step::Source { source: CredentialSource::Keys(_), .. } => plan.steps.len() == 1,
        Step::Source { source: CredentialSource::Environment(_), .. } => false,
        _ => credentials.expires_at.is_some(),
    }
}

/// Asks for codes until AWS takes one, it is no use, or the tries are used up.
fn with_code(
    codes: &mut dyn TokenCodes,
    cache_dir: Option<&Path>,
    context: &Context,
    mfa_serial: &str,
    call: impl Fn(&Secret) -> Result<SessionCredentials, StsError>,
) -> Result<SessionCredentials> {
    let sent = || SentCodes::of_device(cache_dir, mfa_serial);
    let mut memory = sent();
    let mut problem: Option<Error> = None;
    for _ in 0..codes.tries() {
        let wait_seconds = memory.wait_seconds(context.now());
        let code = codes.next(&Ask { mfa_serial, problem: problem.as_ref(), wait_seconds })?;
        // While the person typed, another process may have sent a code of the same device.
        memory.refresh(sent());
        let outcome = memory.spend(mfa_serial, &code, context.now()).map_err(StsError::WrongCode).and_then(|()| call(&code));
        match outcome {
            Ok(credentials) => return Ok(credentials),
            Err(StsError::WrongCode(error) | StsError::CodeSpent(error)) => problem = Some(error),
            Err(StsError::Other(error)) => return Err(error),
        }
    }
    Err(problem.unwrap_or_else(|| Error::new(Kind::SignInNeeded, "cannot sign in", "no code was given")))
}

fn check_account(profile: &str, wanted: Option<&str>, is: Option<&str>) -> Result<()> {
    match (wanted, is) {
        (Some(wanted), Some(is)) if wanted != is => Err(Error::failed(
            format!("refused profile `{profile}`"),
            format!("it is of account {is}, and .awsprofile demands account_id = {wanted}"),
        )
        .hint("name another profile in .awsprofile, or correct its account_id")),
        _ => Ok(()),
    }
}

fn still_held(profile: &ResolvedProfile, held: &Held) -> Error {
    Error::new(
        Kind::SignInNeeded,
        format!("profile `{}` is not signed in", profile.name),
        format!("process {} is still signing in for it", held.holder),
    )
    .hint(format!("answer it there, or end it: kill {}; then: awsenv login", held.holder))
}
