//! Owns what the server answers: from memory while that is true, else from the sessions; one sign-in at a time for each
//! profile, never longer than an SDK waits, and never a question to anybody.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Grant, Running};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::exports::rfc3339;
use crate::generation::Generation;
use crate::provider::http_server::{Answer, Handler, Incoming};
use crate::secret::Secret;
use crate::session::{Freshness, NoCodes, Obtained, Renewal, Sessions};
use crate::settings::Settings;

/// SDKs wait two seconds for a container's agent, three times.
const ANSWER_LIMIT: Duration = Duration::from_millis(1_700);
/// How long a refusal is answered again without another look: an SDK that asks three times asks once.
const REFUSAL_LIVES: Duration = Duration::from_secs(3);
/// Seconds between attempts at a renewal that does not succeed.
const RETRY_SECONDS: i64 = 60;
/// What is said to expire at keys that do not, in seconds: SDKs demand a date.
const KEYS_SECONDS: i64 = 3_600;
/// How long after the last credentials that it handed out end the server stays, in seconds.
const GRACE_SECONDS: i64 = 900;

/// What is known of one grant.
#[derive(Default)]
struct Slot {
    held: Option<Held>,
    refused: Option<(Instant, Error)>,
    /// Whether a thread is at work for it.
    busy: bool,
    tried_at: i64,
}

/// Credentials as they are answered.
struct Held {
    body: Secret,
    expires_at: Option<i64>,
    /// When to renew them; never, if that takes a person.
    renew_at: Option<i64>,
    /// The generation in which they were true: when it goes, somebody logged out, or a file changed.
    marker: Option<PathBuf>,
}

impl Held {
    fn is_true(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|at| at > now) && self.marker.as_ref().is_none_or(|marker| marker.exists())
    }
}

pub(super) struct Service {
    context: Arc<Context>,
    running: Running,
    state: PathBuf,
    idle_seconds: i64,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    slots: Mutex<Slots>,
    changed: Condvar,
}

#[derive(Default)]
struct Slots {
    by_grant: HashMap<Grant, Slot>,
    asked_at: i64,
    handed_out_until: i64,
}

impl Shared {
    /// A thread that panicked left nothing half done: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    pub(super) fn new(context: &Context, running: Running, state: PathBuf) -> Result<Self> {
        let idle_seconds = Settings::load(context)?.server_idle.as_secs().cast_signed();
        let shared = Arc::new(Shared::default());
        shared.lock().asked_at = context.now();
        Ok(Service { context: Arc::new(context.clone()), running, state, idle_seconds, shared })
    }

    /// Starts a thread for a grant, unless one is at work.
    fn load(&self, slot: &mut Slot, grant: &Grant, freshness: Freshness, now: i64) {
        if slot.busy {
            return;
        }
        (slot.busy, slot.tried_at) = (true, now);
        let (context, shared, grant) = (Arc::clone(&self.context), Arc::clone(&self.shared), grant.clone());
        std::thread::spawn(move || {
            let outcome = obtain(&context, &grant, freshness);
            let mut slots = shared.lock();
            let slot = slots.by_grant.entry(grant).or_default();
            slot.busy = false;
            match outcome {
                Ok(held) => (slot.held, slot.refused) = (Some(held), None),
                Err(error) => slot.refused = Some((Instant::now(), error)),
            }
            drop(slots);
            shared.changed.notify_all();
        });
    }

    /// The answer that memory has, if any; starts what is needed for the next one.
    fn known(&self, slots: &mut Slots, grant: &Grant, now: i64) -> Option<Answer> {
        let slot = slots.by_grant.entry(grant.clone()).or_default();
        if let Some(held) = slot.held.as_ref().filter(|held| held.is_true(now)) {
            let answer = Answer::json(200, held.body.clone());
            let until = held.expires_at.unwrap_or(now);
            if held.renew_at.is_some_and(|at| at <= now) && now - slot.tried_at >= RETRY_SECONDS {
                self.load(slot, grant, Freshness::RenewSoon, now);
            }
            slots.handed_out_until = slots.handed_out_until.max(until);
            return Some(answer);
        }
        match &slot.refused {
            Some((since, error)) if since.elapsed() < REFUSAL_LIVES && !slot.busy => Some(refusal(error)),
            _ => None,
        }
    }
}

impl Handler for Service {
    fn at_once(&self, incoming: &Incoming<'_>) -> Option<Answer> {
        let Some(grant) = self.running.verify(incoming.path, incoming.authorization.unwrap_or_default()) else {
            return Some(Answer::error(403, "AccessDenied", "this address and this token do not belong together"));
        };
        let now = self.context.now();
        let mut slots = self.shared.lock();
        slots.asked_at = now;
        self.known(&mut slots, &grant, now)
    }

    fn wait(&self, incoming: &Incoming<'_>) -> Answer {
        let Some(grant) = self.running.verify(incoming.path, incoming.authorization.unwrap_or_default()) else {
            return Answer::error(403, "AccessDenied", "this address and this token do not belong together");
        };
        let now = self.context.now();
        let end = Instant::now() + ANSWER_LIMIT;
        let mut slots = self.shared.lock();
        if let Some(answer) = self.known(&mut slots, &grant, now) {
            return answer;
        }
        self.load(slots.by_grant.entry(grant.clone()).or_default(), &grant, Freshness::Cached, now);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            slots = self.shared.changed.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0;
            if slots.by_grant.get(&grant).is_some_and(|slot| !slot.busy)
                && let Some(answer) = self.known(&mut slots, &grant, now)
            {
                return answer;
            }
            if left.is_zero() {
                return Answer::error(503, "Busy", "awsenv is still signing in; ask again");
            }
        }
    }

    /// When nobody asked or touched it for long, and what it handed out has ended; or its files are gone, as they are
    /// after the user has logged out of the system.
    fn is_done(&self) -> bool {
        let now = self.context.now();
        let slots = self.shared.lock();
        let touched = self.state.metadata().and_then(|found| found.modified()).ok();
        let Some(touched) = touched.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()) else { return true };
        let asked = slots.asked_at.max(touched.as_secs().cast_signed());
        now - asked > self.idle_seconds && now > slots.handed_out_until + GRACE_SECONDS.min(self.idle_seconds)
    }
}

/// Signs in for a grant, asking nobody.
fn obtain(context: &Context, grant: &Grant, freshness: Freshness) -> Result<Held> {
    let settings = Settings::load(context)?;
    let mut nobody = NoCodes { why: "the credential server asks nobody" };
    let mut sessions = Sessions::new(context, &settings, &mut nobody);
    let obtained = sessions.obtain(grant.request(freshness))?;
    let generation = Generation::new(&context.data_dir()?);
    let marker = if obtained.is_new { Some(generation.bump()?) } else { generation.ensure() };
    Ok(held(&obtained, marker, context.now()))
}

fn held(obtained: &Obtained, marker: Option<PathBuf>, now: i64) -> Held {
    let credentials = &obtained.credentials;
    let body = json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key.expose(),
        "Token": credentials.session_token.as_ref().map(Secret::expose).unwrap_or_default(),
        "Expiration": rfc3339(credentials.expires_at.unwrap_or(now + KEYS_SECONDS)),
        "AccountId": obtained.account_id(),
    });
    Held {
        body: Secret::new(body.to_string()),
        // Keys that do not expire are looked up again, with the date that was said.
        expires_at: Some(credentials.expires_at.unwrap_or(now + KEYS_SECONDS / 2)),
        renew_at: credentials.expires_at.filter(|_| obtained.renewal == Renewal::Silent).map(|at| at - obtained.margins.soon),
        marker,
    }
}

/// What an SDK shows its user.
fn refusal(error: &Error) -> Answer {
    let status = match error.kind {
        Kind::Unreachable => 502,
        _ => 400,
    };
    let code = if error.kind == Kind::SignInNeeded { "SignInNeeded" } else { "CannotSignIn" };
    Answer::error(status, code, &error.in_one_line())
}
