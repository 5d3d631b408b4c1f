//! Owns the credential server, seen from outside: where it listens, who may ask it for what, starting and stopping it.
//! One process of the user's own hands out credentials the way a container's agent does, so that a program which
//! outlives its session keeps working.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

mod grant;
mod service;
mod state_file;

use std::fs::{File, OpenOptions};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::error::{Error, Result, word};
use crate::generation::Generation;
use crate::private_file;
use crate::provider::http_server::{self, Listener};
use crate::secret::{self, Secret};
use crate::session::VARIABLES;

pub use grant::Grant;
use service::Service;

/// How a server process is started.
pub const SERVE_WORD: &str = "__serve";
/// How the files of all servers begin.
const FILES: &str = "server-";
/// How long a start may take.
const START_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(5);
const AGAIN: Duration = Duration::from_millis(50);

/// Where a server shall listen besides loopback, and at which port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listening {
    /// For containers; on loopback alone if there is none.
    pub bind: Option<IpAddr>,
    /// A free one if there is none.
    pub port: Option<u16>,
}

/// A server that runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Running {
    pub pid: i32,
    /// `http://ADDRESS:PORT`.
    pub url: String,
    /// Seconds since the epoch.
    pub started_at: i64,
    /// The first part of every path.
    path: String,
    /// What grants are signed with, in base64.
    key: Text,
}

/// A secret that is written into the state file, and nowhere else.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Text(Secret);

impl Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// The files of the server that serves this environment.
pub struct Server<'a> {
    context: &'a Context,
    state: PathBuf,
    /// Held by the one server that there may be, from its first moment on.
    lock: PathBuf,
}

impl<'a> Server<'a> {
    /// What a profile means depends on the AWS files and on variables; each such set has a server of its own, and most
    /// users have one.
    ///
    /// # Errors
    /// When there is no place for its files.
    pub fn of(context: &'a Context) -> Result<Self> {
        let mut hash = Sha256::new();
        for path in [context.aws_config_file()?, context.aws_credentials_file()?, context.cache_dir()?] {
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update([0]);
        }
        // Who the user is called says nothing about a profile, and shells differ about it.
        let variables = VARIABLES.iter().filter(|name| **name != "USER");
        for value in variables.map(|name| context.user_var(name).unwrap_or_default()) {
            hash.update(value);
            hash.update([0]);
        }
        Ok(Server::named(context, &directory(context)?, &HEXLOWER.encode(&hash.finalize()[..8])))
    }

    fn named(context: &'a Context, directory: &Path, name: &str) -> Self {
        let state = directory.join(format!("{FILES}{name}"));
        Server { context, lock: state.with_extension("lock"), state }
    }

    /// All servers of the user that run, this environment's first.
    ///
    /// # Errors
    /// When there is no place for their files.
    pub fn all(context: &'a Context) -> Result<Vec<(Self, Running)>> {
        let own = Server::of(context)?;
        let directory = directory(context)?;
        let listed = directory.read_dir().into_iter().flatten().flatten();
        let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
        let others = names
            .filter_map(|name| Some(name.strip_prefix(FILES)?.strip_suffix(".lock")?.to_owned()))
            .map(|name| Server::named(context, &directory, &name))
            .filter(|server| server.state != own.state)
            .collect::<Vec<_>>();
        let all = std::iter::once(own).chain(others);
        Ok(all.filter_map(|server| server.running().map(|running| (server, running))).collect())
    }

    /// The server, if it runs.
    #[must_use]
    pub fn running(&self) -> Option<Running> {
        state_file::read(&self.state)
    }

    /// The server; starts it if it does not run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn ensure(&self, listening: Listening) -> Result<Running> {
        if let Some(running) = self.running() {
            // Whoever needs it says so: it ends when nobody does.
            let _best_effort = File::options()
                .write(true)
                .open(&self.state)
                .and_then(|file| file.set_modified(UNIX_EPOCH + Duration::from_secs(self.context.now().unsigned_abs())));
            return Ok(running);
        }
        self.start(listening)
    }

    /// Starts it, detached, and waits until it listens.
    ///
    /// # Errors
    /// When it cannot be started, or the address is taken.
    pub fn start(&self, listening: Listening) -> Result<Running> {
        let failed = |why: String| Error::failed("cannot start the credential server", why);
        if let Some(directory) = self.state.parent() {
            private_file::create_directory(directory).map_err(|error| failed(error.to_string()))?;
        }
        // Nobody reads what it says once it runs, so it cannot be a pipe.
        let log = self.state.with_extension("log");
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let log = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&log);
        let log = log.map_err(|error| failed(error.to_string()))?;
        let this = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut command = Command::new(this);
        command.arg0("awsenv").arg(SERVE_WORD);
        command.args(listening.bind.iter().flat_map(|address| ["--bind".to_owned(), address.to_string()]));
        command.args(listening.port.iter().flat_map(|port| ["--port".to_owned(), port.to_string()]));
        self.context.hand_over_users(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).current_dir("/");
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if let Some(running) = self.running() {
                if let Ok(directory) = self.context.data_dir() {
                    // Shells that know the address of one that has ended look again.
                    Generation::new(&directory).bump()?;
                }
                return Ok(running);
            }
            match child.try_wait() {
                // Another one was at work, and has ended since.
                Ok(Some(status)) if status.success() => {
                    sleep(AGAIN);
                    child = command.spawn().map_err(|error| failed(error.to_string()))?;
                }
                Ok(Some(status)) => {
                    let text = said();
                    let why = text
                        .lines()
                        .next()
                        .map_or_else(|| status.to_string(), |line| line.trim_start_matches("awsenv: ").to_owned());
                    return Err(
                        failed(why).hint("another port: awsenv server start --port PORT; without --port any free one is taken")
                    );
                }
                _ => sleep(POLL),
            }
        }
        Err(failed(format!("it did not listen within {} s", START_LIMIT.as_secs()))
            .hint(format!("cat {}", word(&self.state.with_extension("log")))))
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&self, running: &Running) -> Result<()> {
        let failed = |why: String| Error::failed("cannot stop the credential server", why).hint(format!("ps -p {}", running.pid));
        let pid = rustix::process::Pid::from_raw(running.pid).ok_or_else(|| failed("its state file is damaged".into()))?;
        // It has nothing to put in order; and one that an interactive shell started may have to ignore TERM.
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).map_err(|error| failed(error.to_string()))?;
        let start = Instant::now();
        // Where a shell needs it at this very moment, another one may run already.
        let same = || self.running().is_some_and(|now| now.pid == running.pid);
        while same() {
            if start.elapsed() > START_LIMIT {
                return Err(failed("it does not end".into()));
            }
            sleep(POLL);
        }
        Ok(())
    }

    /// Serves, until nobody needs it. One that finds another at work ends at once.
    ///
    /// # Errors
    /// When the address is taken, or its files cannot be written.
    pub fn serve(&self, listening: Listening) -> Result<()> {
        let failed = |why: String| Error::failed("the credential server cannot start", why);
        // The terminal that it was started from may go. One that was started by hand in the foreground stays there.
        let _is_leader = rustix::process::setsid();
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.lock);
        let lock = lock.map_err(|error| failed(error.to_string()))?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        let loopback = Listener::bind(IpAddr::from([127, 0, 0, 1]), listening.port.unwrap_or(0))?;
        let port = loopback.port();
        let bound = listening.bind.map(|address| Listener::bind(address, port)).transpose()?;
        let url = bound.as_ref().map_or_else(|| loopback.url(), Listener::url);
        let (path, key) = (secret::random()?.expose().to_owned(), secret::random()?);
        let running = Running {
            pid: rustix::process::getpid().as_raw_nonzero().get(),
            url,
            started_at: self.context.now(),
            path,
            key: Text(key),
        };
        let state = state_file::publish(&self.state, &running).map_err(|error| failed(error.to_string()))?;
        let service = Service::new(self.context, running, self.state.clone())?;
        let served = http_server::serve([Some(loopback), bound].into_iter().flatten().collect(), service);
        private_file::remove(&self.state).map_err(|error| failed(error.to_string()))?;
        drop((state, lock));
        served
    }
}

/// Where the files are: on the user's own tmpfs, if the system made one.
fn directory(context: &Context) -> Result<PathBuf> {
    match context.runtime_dir() {
        Some(directory) if directory.is_dir() => Ok(directory.join("awsenv")),
        _ => context.cache_dir(),
    }
}
