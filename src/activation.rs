//! Owns one turn of the hook: from what the directory asks for to what the shell shall become.
//! Never writes shell code and never prints; it decides, and says what there is to say.

use crate::awsprofile::{Candidate, Directive, Export};
use crate::context::Context;
use crate::directory::{self, Wanted};
use crate::env_diff::{Loaded, Target};
use crate::error::{Error, Kind, Result};
use crate::exports::{self, Variables};
use crate::prompt::{self, Remaining};
use crate::provider::aws_files;
use crate::server::{Grant, Listening, Server};
use crate::session::{Freshness, NoCodes, Obtained, RENEW_NOW, Renewal, Request, Sessions, TokenCodes};
use crate::settings::Settings;
use crate::sso::SignIn;

/// Seconds between attempts at a renewal that does not succeed.
const RETRY_SECONDS: i64 = 60;

/// What the shell shall become.
#[derive(Debug)]
pub enum Decision {
    Load(Target),
    /// What is loaded stays; the record notes what changed about it.
    Keep(Loaded),
    Unload,
}

/// A renewal to start in the background.
#[derive(Debug)]
pub struct BackgroundRenewal {
    pub profile: String,
    pub at_most: Option<u32>,
}

/// The outcome of one turn.
#[derive(Debug)]
pub struct Turn {
    pub decision: Decision,
    pub error: Option<Error>,
    pub notices: Vec<Error>,
    pub deadline: Option<i64>,
    pub renewal: Option<BackgroundRenewal>,
    /// Whether AWS gave something that other shells wait for.
    pub signed_in: bool,
}

impl Turn {
    fn load(target: Target) -> Self {
        Turn { decision: Decision::Load(target), ..Turn::unload(None) }
    }

    fn unload(error: Option<Error>) -> Self {
        Turn { decision: Decision::Unload, error, notices: Vec::new(), deadline: None, renewal: None, signed_in: false }
    }
}

/// One turn. `codes` asks the person, where that is allowed.
pub fn turn(
    context: &Context,
    settings: &Settings,
    wanted: Result<Wanted>,
    remaining: Remaining,
    codes: &mut dyn TokenCodes,
) -> (Turn, Option<Candidate>) {
    match wanted {
        Ok(Wanted::Nothing) => (Turn::unload(None), None),
        Ok(Wanted::Blocked { candidate, error, .. }) => (Turn::unload(Some(error)), candidate),
        Ok(Wanted::Directive { directive, file }) => {
            let entry = Entry::new(directive.get(), file.as_ref());
            let activation = Activation { context, settings, directive: directive.get(), file: file.as_ref(), entry, remaining };
            (activation.turn(codes), file)
        }
        Err(error) => (Turn::unload(Some(error)), None),
    }
}

/// What a command shall see that is run with a profile's credentials: what a shell sees that is pinned to it.
///
/// # Errors
/// When the credential server is wanted, and cannot serve.
pub fn for_command(
    context: &Context,
    settings: &Settings,
    directive: &Directive,
    request: &Request<'_>,
    obtained: &Obtained,
    how: Export,
) -> Result<Target> {
    let (entry, remaining) = (Entry::new(directive, None), Remaining::From(context.now()));
    Activation { context, settings, directive, file: None, entry, remaining }.target_of(request, obtained, how, true)
}

/// Names a directive in force: another file, or another meaning, is another entry.
struct Entry(String);

impl Entry {
    fn new(directive: &Directive, file: Option<&Candidate>) -> Self {
        let place = file.map_or_else(|| directory::PIN_VARIABLE.to_owned(), |file| file.canonical.display().to_string());
        Entry(format!("{place}\n{directive}"))
    }
}

struct Activation<'a> {
    context: &'a Context,
    settings: &'a Settings,
    directive: &'a Directive,
    file: Option<&'a Candidate>,
    entry: Entry,
    remaining: Remaining,
}

impl Activation<'_> {
    fn turn(&self, codes: &mut dyn TokenCodes) -> Turn {
        let Some(profile) = self.directive.profile.as_deref() else {
            let loaded = Loaded { profile: "none".into(), signed_in: true, ..self.loaded("none") };
            return Turn::load(self.target(exports::nothing(), loaded));
        };
        match self.directive.export {
            Export::Env | Export::Server => self.load_keys(profile, codes),
            Export::Profile => self.load_name(profile),
        }
    }

    /// What is in force of this very directive, if anything.
    fn current(&self) -> Option<&Loaded> {
        self.context.state.loaded.as_ref().filter(|_| self.context.state.is_entry(&self.entry.0))
    }

    fn load_keys(&self, profile: &str, codes: &mut dyn TokenCodes) -> Turn {
        let now = self.context.now();
        let current = self.current();
        // A person is asked on entering, and when what is loaded ends; not again because something else changed.
        let declined = current.is_some_and(|loaded| loaded.declined);
        let lives = current.is_some_and(|loaded| loaded.signed_in && loaded.expires_at.is_none_or(|at| at - now > RENEW_NOW));
        let mut nobody = NoCodes { why: "it was signed out" };
        let codes: &mut dyn TokenCodes = if declined || lives { &mut nobody } else { codes };
        let may_ask = codes.can_ask();
        let mut sessions = Sessions::new(self.context, self.settings, &mut *codes);
        sessions.ask_once = true;
        sessions.sso_sign_in = (self.settings.sso_auto_login && may_ask).then(|| SignIn::of_terminal(self.context));
        let result = sessions.obtain(self.request(Some(profile)));
        let notices = std::mem::take(&mut sessions.notices);
        let turn = match result {
            Ok(obtained) => self.loaded_keys(profile, &obtained, notices.is_empty(), now),
            Err(error) => {
                let sign_in = wants_person(&error);
                let declines = declined || codes.asked() || (sign_in && (lives || codes.can_ask()));
                self.not_loaded(profile, error, declines, lives, now)
            }
        };
        Turn { notices, ..turn }
    }

    fn loaded_keys(&self, profile: &str, obtained: &Obtained, cached: bool, now: i64) -> Turn {
        let Obtained { credentials, renewal, margins, from_cache, is_new, .. } = obtained;
        let target = match self.target_of(&self.request(Some(profile)), obtained, self.directive.export, cached) {
            Ok(target) => target,
            Err(error) => return Turn::unload(Some(error)),
        };
        let expires_at = credentials.expires_at.unwrap_or(i64::MAX);
        let soon = expires_at - now <= margins.soon;
        let deadline = match renewal {
            Renewal::Never => None,
            Renewal::Silent if soon => Some(now + RETRY_SECONDS),
            Renewal::Silent => Some(expires_at - margins.soon),
            Renewal::NeedsPerson => Some(expires_at - margins.now).filter(|at| *at > now),
        };
        let renew = *renewal == Renewal::Silent && soon && *from_cache;
        Turn {
            deadline,
            renewal: renew.then(|| BackgroundRenewal { profile: profile.to_owned(), at_most: self.directive.duration }),
            signed_in: *is_new,
            ..Turn::load(target)
        }
    }

    fn request<'r>(&'r self, profile: Option<&'r str>) -> Request<'r> {
        Request {
            profile,
            at_most: self.directive.duration,
            account: self.directive.account_id.as_deref(),
            freshness: Freshness::Cached,
        }
    }

    /// What a shell, or a command, shall see of credentials.
    fn target_of(&self, request: &Request<'_>, obtained: &Obtained, how: Export, cached: bool) -> Result<Target> {
        let Obtained { credentials, summary, .. } = obtained;
        let region = self.directive.region.as_deref().or(summary.region.as_deref());
        let loaded = Loaded {
            kind: Some(summary.kind.clone()),
            account_id: obtained.account_id(),
            role_arn: summary.role_arn.clone(),
            region: region.map(str::to_owned),
            expires_at: credentials.expires_at,
            signed_in: true,
            cached,
            ..self.loaded(request.profile.unwrap_or("default"))
        };
        let variables = match (how, Grant::of(request)) {
            (Export::Server, Some(grant)) => {
                let (url, token) = Server::of(self.context)?.ensure(Listening::default())?.address(&grant);
                exports::server(&url, &token, region)
            }
            (Export::Server, None) => {
                return Err(Error::failed("the credential server cannot serve this", "it serves profiles, and none was named")
                    .hint("name one: --profile PROFILE"));
            }
            _ => exports::keys(credentials, region),
        };
        Ok(self.target(variables, loaded))
    }

    /// Credentials of another directory never stay; those of this one do while they may still serve. `declined` says
    /// whether a person had the chance to sign in.
    fn not_loaded(&self, profile: &str, error: Error, declined: bool, lives: bool, now: i64) -> Turn {
        let sign_in = wants_person(&error);
        // What was said when it was first found so is not said again.
        let told = self.current().is_some_and(|loaded| loaded.declined || (!loaded.signed_in && sign_in && !declined));
        let error = Some(error).filter(|_| !told);
        match self.current() {
            Some(loaded) if loaded.signed_in && !(sign_in && lives && loaded.cached) => {
                let again = (!sign_in && !declined && loaded.expires_at.is_some()).then_some(now + RETRY_SECONDS);
                Turn {
                    decision: Decision::Keep(Loaded { declined, ..loaded.clone() }),
                    error,
                    deadline: again,
                    ..Turn::unload(None)
                }
            }
            _ if sign_in || declined => {
                let pending = Loaded { declined, ..self.loaded(profile) };
                Turn { error, ..Turn::load(self.target(Variables::new(), pending)) }
            }
            _ => Turn::unload(error),
        }
    }

    fn load_name(&self, profile: &str) -> Turn {
        let known = (|| {
            let files = aws_files::of_user(self.context)?;
            files.section(profile, None).cloned()
        })();
        match known {
            Ok(section) => {
                let region = self.directive.region.clone().or_else(|| section.get("region").cloned());
                let variables = exports::profile(profile, region.as_deref());
                let loaded = Loaded { region, signed_in: true, ..self.loaded(profile) };
                Turn::load(self.target(variables, loaded))
            }
            Err(error) => Turn::unload(Some(error)),
        }
    }

    fn loaded(&self, profile: &str) -> Loaded {
        Loaded { profile: profile.to_owned(), file: self.file.map(|file| file.path.display().to_string()), ..Loaded::default() }
    }

    fn target(&self, mut variables: Variables, loaded: Loaded) -> Target {
        let mut own = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                variables.insert(name.to_owned(), Some(value.into()));
            }
        };
        if loaded.signed_in {
            own("AWSENV_PROFILE", Some(loaded.profile.clone()));
            own("AWSENV_ACCOUNT_ID", loaded.account_id.clone());
            own("AWSENV_EXPIRATION", loaded.expires_at.map(|at| at.to_string()));
            own("AWSENV_DIR", self.file.map(|file| file.directory().display().to_string()));
        }
        own("AWSENV_PROMPT", Some(prompt::segment(&self.settings.prompt_format, &loaded, self.settings, self.remaining)));
        Target { entry: self.entry.0.clone(), variables, loaded }
    }
}

/// Whether only a person can mend it, by signing in.
fn wants_person(error: &Error) -> bool {
    matches!(error.kind, Kind::SignInNeeded | Kind::Interrupted)
}
