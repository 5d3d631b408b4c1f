//! Owns the way from a profile's name to its credentials: the cache first, then the plan, step by step, each session
//! of it cached and had by one process at a time.

use std::time::Duration;

use super::codes::{Ask, SentCodes};
use super::flight::{self, Held};
use super::index::Index;
use super::{Header, RENEW_NOW, RENEW_SOON, SessionCache, Summary, TokenCodes};
use crate::context::Context;
use crate::credentials::{CacheKey, CredentialPlan, SessionCredentials, Step};
use crate::error::{Error, Kind, Result};
use crate::profile::{AccessKeys, ResolvedProfile, StsTarget};
use crate::provider::aws_files;
use crate::provider::sts::{Caller, Network, Sts, StsError};
use crate::secret::Secret;
use crate::settings::Settings;

/// How often the SDKs make a call at most. <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const DEFAULT_ATTEMPTS: u32 = 3;

/// How fresh the credentials must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Whatever is cached and does not count as expired.
    Cached,
    /// As cached, but the profile's own session is renewed if it expires soon.
    RenewSoon,
    /// Nothing cached: sign in now.
    SignIn,
}

/// What it takes to renew a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It does not expire.
    Never,
    /// Calls to AWS alone.
    Silent,
    /// A person's code.
    NeedsCode,
}

/// Credentials of a profile, and what is known of them.
#[derive(Clone, Debug)]
pub struct Obtained {
    pub credentials: SessionCredentials,
    pub summary: Summary,
    pub renewal: Renewal,
    /// Whether AWS was asked for anything.
    pub from_cache: bool,
}

impl Obtained {
    /// The account: by the profile's ARNs, else as AWS said, else as the access key id tells.
    #[must_use]
    pub fn account_id(&self) -> Option<String> {
        self.summary.account_id.clone().or_else(|| self.credentials.account_for_display())
    }
}

/// Obtains sessions for one command.
pub struct Sessions<'a> {
    context: &'a Context,
    settings: &'a Settings,
    cache: SessionCache<'a>,
    codes: &'a mut dyn TokenCodes,
    /// How long to wait for another process that signs in for the same session.
    pub patience: Duration,
    /// Whether to ask nobody if the process that was waited for did not sign in.
    pub ask_once: bool,
    /// What went wrong without standing in the way, such as a cache that cannot be written.
    pub notices: Vec<Error>,
}

/// The state of carrying out one plan.
struct Walk<'p> {
    profile: &'p ResolvedProfile,
    plan: &'p CredentialPlan,
    freshness: Freshness,
    sts: Option<Sts>,
}

impl<'a> Sessions<'a> {
    pub fn new(context: &'a Context, settings: &'a Settings, codes: &'a mut dyn TokenCodes) -> Self {
        let cache = SessionCache::new(context, settings.cache);
        Sessions { context, settings, cache, codes, patience: Duration::from_secs(60), ask_once: false, notices: Vec::new() }
    }

    /// The credentials of a profile. `at_most` shortens the session, in seconds; `account` must be the profile's.
    ///
    /// # Errors
    /// When the profile cannot be used, is of another account, AWS refuses or cannot be reached, or a code is needed
    /// and not to be had.
    pub fn obtain(
        &mut self,
        profile: &str,
        at_most: Option<u32>,
        account: Option<&str>,
        freshness: Freshness,
    ) -> Result<Obtained> {
        let index = Index::of(self.context, self.cache.directory(), profile, at_most)?;
        if freshness != Freshness::SignIn
            && let Some(obtained) = self.cached(&index, freshness)
        {
            let known = obtained.credentials.account_id.as_deref().or(obtained.summary.account_id.as_deref());
            if account.is_none() || known.is_some() {
                check_account(profile, account, known)?;
                return Ok(obtained);
            }
        }
        self.context.log(|| format!("no session of profile {profile} in the cache that will do; reading the AWS files"));
        let files = aws_files::of_user(self.context)?;
        let resolved = files.resolve(profile, self.context)?;
        let plan = CredentialPlan::new(&resolved, at_most);
        self.context.log(|| format!("the plan: {:?}", plan.steps));
        let summary = Summary::new(&resolved, &plan);
        check_account(profile, account, summary.account_id.as_deref())?;
        let mut walk = Walk { profile: &resolved, plan: &plan, freshness, sts: None };
        let mut credentials = self.step(&mut walk, plan.steps.len() - 1)?;
        if account.is_some() && credentials.account_id.is_none() {
            credentials.account_id = Some(self.sts(&mut walk)?.caller_identity(&resolved.source.sts, &credentials)?.0);
            self.keep(&plan, plan.steps.len() - 1, &credentials);
            check_account(profile, account, credentials.account_id.as_deref())?;
        }
        index.write(&summary);
        let renewal = self.renewal(&summary, &credentials);
        Ok(Obtained { credentials, summary, renewal, from_cache: walk.sts.is_none() })
    }

    /// The keys of an access key checked by AWS: the account and the ARN that they belong to.
    ///
    /// # Errors
    /// When AWS refuses the keys, or cannot be reached.
    pub fn verify(&mut self, profile: &str, credentials: &SessionCredentials) -> Result<(String, String)> {
        let files = aws_files::of_user(self.context)?;
        let resolved = files.resolve(profile, self.context)?;
        let target: StsTarget = resolved.source.sts.clone();
        let sts = self.start(&resolved)?;
        Ok(sts.caller_identity(&target, credentials)?)
    }

    /// Forgets what is cached for a profile: its own session, and the one that its MFA code bought.
    ///
    /// # Errors
    /// When the profile cannot be resolved, or a file cannot be removed.
    pub fn forget(&self, profile: &str, at_most: Option<u32>) -> Result<usize> {
        let files = aws_files::of_user(self.context)?;
        let plan = CredentialPlan::new(&files.resolve(profile, self.context)?, at_most);
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
        let margin = if freshness == Freshness::RenewSoon { RENEW_SOON } else { RENEW_NOW };
        let credentials = self.cache.read(&summary.session, self.context.now(), margin)?;
        let renewal = self.renewal(&summary, &credentials);
        Some(Obtained { credentials, summary, renewal, from_cache: true })
    }

    fn renewal(&self, summary: &Summary, credentials: &SessionCredentials) -> Renewal {
        let lives = |key: &CacheKey| {
            let header = self.cache.header(key);
            header.and_then(|header| header.expires_at).is_some_and(|expires_at| expires_at - self.context.now() > RENEW_NOW)
        };
        match (&summary.mfa_session, credentials.expires_at) {
            (_, None) => Renewal::Never,
            (None, Some(_)) if summary.kind == "session_token" => Renewal::NeedsCode,
            (None, Some(_)) => Renewal::Silent,
            (Some(key), Some(_)) if *key != summary.session && lives(key) => Renewal::Silent,
            (Some(_), Some(_)) => Renewal::NeedsCode,
        }
    }

    /// The credentials of one step: cached, or had by AWS from those of the step before it.
    fn step(&mut self, walk: &mut Walk<'_>, index: usize) -> Result<SessionCredentials> {
        if let Step::Keys { keys, .. } = &walk.plan.steps[index] {
            let credentials = of_keys(keys);
            if walk.plan.steps.len() == 1 {
                self.keep(walk.plan, index, &credentials);
            }
            return Ok(credentials);
        }
        let key = walk.plan.cache_key(index);
        let last = index + 1 == walk.plan.steps.len();
        let margin = if last && walk.freshness == Freshness::RenewSoon { RENEW_SOON } else { RENEW_NOW };
        let sign_in = walk.freshness == Freshness::SignIn;
        let started = self.context.now();
        let cached = |sessions: &Self| sessions.cache.read(&key, sessions.context.now(), margin);
        if !sign_in && let Some(credentials) = cached(self) {
            return Ok(credentials);
        }
        let flight =
            flight::board(self.cache.directory(), &key, self.patience).map_err(|held| still_held(walk.profile, &held))?;
        // Whoever held the lock may have signed in meanwhile: even a sign-in "now" is not needed twice at once.
        if (!sign_in || (flight.waited && self.cache.written_since(&key, started)))
            && let Some(credentials) = cached(self)
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
        let from = self.step(walk, index - 1)?;
        let credentials = self.call(walk, index, &from)?;
        self.keep(walk.plan, index, &credentials);
        Ok(credentials)
    }

    fn call(&mut self, walk: &mut Walk<'_>, index: usize, from: &SessionCredentials) -> Result<SessionCredentials> {
        let carries_mfa = matches!(walk.plan.steps[index - 1], Step::SessionToken(_));
        let step = &walk.plan.steps[index];
        let session_name = self.default_session_name();
        let context = self.context;
        context.log(|| format!("calling STS for {} of profile {}", step.kind(), walk.profile.name));
        self.sts(walk)?;
        let Some(sts) = &walk.sts else { return Err(Error::failed("cannot call STS", "it was not started")) };
        let call = |code: Option<&Secret>| match (step, code) {
            (Step::SessionToken(step), Some(code)) => sts.session_token(step, from, code),
            (Step::AssumeRole(step), code) => {
                let name = step.role_session_name.as_deref().unwrap_or(&session_name);
                sts.assume_role(step, name, Caller { credentials: from, carries_mfa }, code)
            }
            _ => Err(StsError::Other(Error::failed("cannot sign in", "this step makes no call"))),
        };
        match step.mfa_serial() {
            None => Ok(call(None)?),
            Some(mfa_serial) => self.with_code(mfa_serial, |code| call(Some(code))),
        }
    }

    /// Asks for codes until AWS takes one, it is no use, or the tries are used up.
    fn with_code(
        &mut self,
        mfa_serial: &str,
        call: impl Fn(&Secret) -> Result<SessionCredentials, StsError>,
    ) -> Result<SessionCredentials> {
        let sent = |sessions: &Self| SentCodes::of_device(sessions.cache.directory(), mfa_serial);
        let mut memory = sent(self);
        let mut problem: Option<Error> = None;
        for _ in 0..self.codes.tries() {
            let wait_seconds = memory.wait_seconds(self.context.now());
            let code = self.codes.next(&Ask { mfa_serial, problem: problem.as_ref(), wait_seconds })?;
            // While the person typed, another process may have sent a code of the same device.
            memory.refresh(sent(self));
            let outcome =
                memory.spend(mfa_serial, &code, self.context.now()).map_err(StsError::WrongCode).and_then(|()| call(&code));
            match outcome {
                Ok(credentials) => return Ok(credentials),
                Err(StsError::WrongCode(error) | StsError::CodeSpent(error)) => problem = Some(error),
                Err(StsError::Other(error)) => return Err(error),
            }
        }
        Err(problem.unwrap_or_else(|| Error::new(Kind::SignInNeeded, "cannot sign in", "no code was given")))
    }

    fn sts<'w>(&self, walk: &'w mut Walk<'_>) -> Result<&'w Sts> {
        let sts = match walk.sts.take() {
            Some(sts) => sts,
            None => self.start(walk.profile)?,
        };
        Ok(walk.sts.insert(sts))
    }

    fn start(&self, profile: &ResolvedProfile) -> Result<Sts> {
        let network = Network { settings: self.settings.network, max_attempts: profile.max_attempts.unwrap_or(DEFAULT_ATTEMPTS) };
        Sts::new(network, profile.ca_bundle.as_deref())
    }

    fn keep(&mut self, plan: &CredentialPlan, index: usize, credentials: &SessionCredentials) {
        let step = &plan.steps[index];
        let header = Header {
            profile: step.profile().to_owned(),
            kind: step.kind().to_owned(),
            expires_at: credentials.expires_at,
            account_id: credentials.account_id.clone(),
        };
        if let Err(error) = self.cache.write(&plan.cache_key(index), &header, credentials)
            && self.notices.is_empty()
        {
            self.notices.push(error);
        }
    }

    /// What CloudTrail shows for a role session that the profile gives no name: who it was.
    fn default_session_name(&self) -> String {
        let user = self.context.user_var("USER").unwrap_or("user");
        let allowed = |c: &char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c);
        format!("awsenv-{}", user.chars().filter(allowed).take(50).collect::<String>())
    }
}

fn of_keys(keys: &AccessKeys) -> SessionCredentials {
    SessionCredentials {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.clone(),
        session_token: keys.session_token.clone(),
        expires_at: None,
        account_id: None,
    }
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
