//! `awsenv export SHELL`: what the hook runs. Its standard output is only what the shell shall evaluate.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::activation::{self, BackgroundRenewal, Decision, Turn};
use crate::awsprofile;
use crate::cmd::renew::RENEW_WORD;
use crate::context::Context;
use crate::directory::{self, Wanted};
use crate::env_diff::{Change, Loaded};
use crate::error::{Error, Kind, Result};
use crate::generation::Generation;
use crate::prompt::{self, Remaining};
use crate::session::{NoCodes, TokenCodes};
use crate::settings::Settings;
use crate::shell::{Content, HookState, Segment, Shell};
use crate::terminal::AskedCodes;

/// The variable in which a hook passes on of which files its user was told. Its presence says that a hook is calling,
/// which wants its own state besides the changes.
pub const TOLD_VARIABLE: &str = "AWSENV_TOLD";

/// # Errors
/// When there is no such shell, or the directory's profile is not loaded. The statements are printed all the same:
/// the shell never keeps half of a change.
pub fn run(context: &Context, shell: &str) -> Result<()> {
    let shell = Shell::named(shell)?;
    let outcome = match cannot_ask(context) {
        Some(why) => Outcome::new(context, shell, &mut NoCodes { why }),
        None => Outcome::new(context, shell, &mut AskedCodes::new()),
    };
    let Some(outcome) = outcome else { return Ok(()) };
    super::print(&shell.statements(&outcome.changes, outcome.hook.as_ref()))?;
    let reported = outcome.finish(context);
    // nu throws away what a program printed that ends with another status.
    if shell == Shell::Nu { Ok(()) } else { reported }
}

/// What one turn of the hook comes to.
pub struct Outcome {
    pub changes: Vec<Change>,
    /// What the hook is to keep, if a hook is calling.
    pub hook: Option<HookState>,
    renewal: Option<BackgroundRenewal>,
    error: Option<Error>,
    notices: Vec<Error>,
    untold: bool,
}

impl Outcome {
    /// One turn; none where awsenv is switched off.
    pub fn new(context: &Context, shell: Shell, codes: &mut dyn TokenCodes) -> Option<Self> {
        if context.own_var("AWSENV_DISABLE") == Some("1") {
            return None;
        }
        // What may change meanwhile is looked at first, so that a change during this turn leads to another one.
        let generation = context.data_dir().ok().map(|directory| Generation::new(&directory));
        let watched = generation.as_ref().map(|generation| generation.watch(context)).unwrap_or_default();
        let seen = generation.as_ref().and_then(Generation::ensure);
        let (settings, wanted) = settings_and_wanted(context);
        let told = told(context, blocked_file(&wanted).as_deref());
        let file = file_in_force(context, &wanted);
        let remaining = if shell.has_clock() { Remaining::From(context.now()) } else { Remaining::Until };
        let (turn, candidate) = activation::turn(context, &settings, wanted, remaining, codes);
        let (changes, state) = match &turn.decision {
            Decision::Load(target) => context.state.transition(&context.env, Some(target)),
            Decision::Keep(loaded) => context.state.noting(&context.env, loaded.clone()),
            Decision::Unload => context.state.transition(&context.env, None),
        };
        let seen = if turn.signed_in { generation.as_ref().and_then(|generation| bump(generation, seen.as_ref())) } else { seen };
        let hook = context.env.contains_key(TOLD_VARIABLE).then(|| HookState {
            nearer: awsprofile::candidate_paths(&context.cwd).take_while(|nearer| file.as_ref() != Some(nearer)).collect(),
            file,
            content: candidate.map_or(Content::AsRead, |candidate| Content::Exact(candidate.content)),
            generation: seen,
            watched,
            deadline: turn.deadline,
            deadline_file: generation
                .filter(|_| !shell.has_clock())
                .and_then(|generation| generation.deadline_file(turn.deadline?, context.now())),
            told: told.all,
            pin: context.own_var(directory::PIN_VARIABLE).unwrap_or_default().to_owned(),
            now: context.now(),
            segment: state.loaded.as_ref().map(|loaded| segment(loaded, &settings)),
        });
        let Turn { error, notices, renewal, .. } = turn;
        Some(Outcome { changes, hook, renewal, error, notices, untold: told.new })
    }

    /// Starts what goes on in the background, and tells the user.
    ///
    /// # Errors
    /// What the user was told, for the exit status.
    pub fn finish(self, context: &Context) -> Result<()> {
        if let Some(renewal) = &self.renewal {
            start_renewal(context, renewal);
        }
        report(self.error, &self.notices, self.untold)
    }
}

/// Settings that cannot be used leave nothing to want: a protection may be among what was not understood.
fn settings_and_wanted(context: &Context) -> (Settings, Result<Wanted>) {
    match Settings::load(context) {
        Ok(settings) => {
            let wanted = directory::wanted(context, &settings);
            (settings, wanted)
        }
        Err(error) => (Settings::default(), Err(error)),
    }
}

fn segment(loaded: &Loaded, settings: &Settings) -> Segment {
    Segment {
        template: prompt::segment(&settings.prompt_format, loaded, settings, Remaining::Marker),
        expires_at: loaded.expires_at.filter(|_| loaded.signed_in),
        production: settings.production.matches(&loaded.profile),
    }
}

/// The hook's words. One line where the contract promises one; otherwise as any command's, cause and hint.
fn report(error: Option<Error>, notices: &[Error], untold: bool) -> Result<()> {
    for notice in notices {
        eprintln!("{notice}");
    }
    match error {
        None => Ok(()),
        Some(error) if matches!(error.kind, Kind::NotTrusted | Kind::SignInNeeded | Kind::Interrupted) => {
            if untold || error.kind != Kind::NotTrusted {
                eprintln!("awsenv: {}; run: {}", error.summary(), error.hint_text().unwrap_or_default());
            }
            Err(error.reported())
        }
        Some(error) => {
            if untold {
                eprintln!("{error}");
            }
            Err(error.reported())
        }
    }
}

struct Told {
    all: Vec<String>,
    /// Whether what is to be said now was not said in this shell yet.
    new: bool,
}

/// The user is told once per shell and file, and again if the file means something else.
fn told(context: &Context, blocked: Option<&str>) -> Told {
    let mut all: Vec<String> = context
        .own_var(TOLD_VARIABLE)
        .unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let Some(blocked) = blocked else { return Told { all, new: true } };
    let mark = HEXLOWER.encode(&Sha256::digest(blocked)[..6]);
    let new = !all.contains(&mark);
    if new {
        all.push(mark);
    }
    Told { all, new }
}

/// The file that the hook is to compare.
fn file_in_force(context: &Context, wanted: &Result<Wanted>) -> Option<PathBuf> {
    match wanted {
        Ok(Wanted::Nothing) => None,
        Ok(Wanted::Directive { file, .. }) => file.as_ref().map(|file| file.path.clone()),
        Ok(Wanted::Blocked { path, .. }) => Some(path.clone()),
        Err(_) => awsprofile::nearest(&context.cwd),
    }
}

fn blocked_file(wanted: &Result<Wanted>) -> Option<String> {
    match wanted {
        Ok(Wanted::Blocked { path, candidate, error }) => {
            let meaning = candidate.as_ref().map_or_else(|| error.summary(), |candidate| candidate.directive.to_string());
            Some(format!("{}\n{meaning}", path.display()))
        }
        _ => None,
    }
}

/// Why nobody is to be asked, if so.
pub fn cannot_ask(context: &Context) -> Option<&'static str> {
    if context.own_var("AWSENV_MFA") == Some("never") {
        return Some("AWSENV_MFA=never forbids to ask here");
    }
    (context.own_var("TERM") == Some("dumb")).then_some("this terminal (TERM=dumb) cannot be asked on")
}

/// Tells the other shells. If another process told them meanwhile, this shell looks again too.
fn bump(generation: &Generation, seen: Option<&PathBuf>) -> Option<PathBuf> {
    let before = generation.marker();
    match generation.bump() {
        Ok(marker) if before.as_ref() == seen => Some(marker),
        _ => before,
    }
}

/// Starts the renewal in a process group of its own, so that neither Ctrl-C nor the end of this process ends it.
fn start_renewal(context: &Context, renewal: &BackgroundRenewal) {
    use std::os::unix::process::CommandExt;
    let Ok(this) = std::env::current_exe() else { return };
    let mut command = Command::new(this);
    command.arg0("awsenv");
    command
        .arg(RENEW_WORD)
        .arg(&renewal.profile)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    context.hand_to(&mut command);
    if let Some(seconds) = renewal.at_most {
        command.arg(seconds.to_string());
    }
    if let Err(error) = command.spawn() {
        context.log(|| format!("the renewal of {} was not started: {error}", renewal.profile));
    }
}
