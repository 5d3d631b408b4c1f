//! Owns running a `credential_process`: split as the AWS CLI splits it (no shell), with a time limit, its messages passed
//! on and its output never shown.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::json;
use crate::context::Context;
use crate::credentials::SessionCredentials;
use crate::error::{Error, Result};
use crate::secret::Secret;

const POLL: Duration = Duration::from_millis(5);
/// More than any credentials take, in bytes.
const LONGEST_OUTPUT: u64 = 65_536;

/// The credentials that a profile's process prints. `with_input` lets it read the terminal.
///
/// # Errors
/// When it cannot be started, fails, takes too long, or prints something else than valid credentials.
pub fn run(context: &Context, profile: &str, command: &Secret, limit: Duration, with_input: bool) -> Result<SessionCredentials> {
    let failed = |why: String| {
        Error::failed(format!("cannot use profile `{profile}`"), format!("its credential_process {why}"))
            .hint(format!("run it by hand: sh -c \"$(aws configure get credential_process --profile {profile})\""))
    };
    let words = shell_words::split(command.expose()).map_err(|_| failed("has a quote that is not closed".into()))?;
    let Some((program, arguments)) = words.split_first() else { return Err(failed("is empty".into())) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(if with_input { Stdio::inherit() } else { Stdio::null() }).stdout(Stdio::piped());
    // What another directory loaded is none of its business.
    context.hand_over_users(&mut command);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed(format!("names a program that is not there: {program}")),
        _ => failed(format!("cannot be started: {program}: {error}")),
    })?;
    let output = output(&mut child, limit).map_err(|error| match error {
        Ended::Late => {
            // It may have ended at this very moment.
            let _ended = child.kill();
            failed(format!("did not end within {} s", limit.as_secs()))
                .hint("make it faster, or raise `timeout` below [process] in awsenv/config.ini")
        }
        Ended::Badly(how) => failed(how),
    })?;
    let credentials = json::of_process(&output).map_err(|why| failed(format!("prints something that cannot be used: {why}")))?;
    if credentials.expires_at.is_some_and(|at| at <= context.now()) {
        return Err(failed("printed credentials that have expired".into()));
    }
    Ok(credentials)
}

enum Ended {
    Late,
    Badly(String),
}

fn output(child: &mut Child, limit: Duration) -> Result<Secret, Ended> {
    let start = Instant::now();
    let (done, read) = mpsc::channel();
    let stdout = child.stdout.take();
    // A grandchild may hold the pipe open for ever; the thread is then left to the end of this process.
    std::thread::spawn(move || {
        let mut text = Zeroizing::new(Vec::new());
        let result = stdout.map_or(Ok(0), |stdout| stdout.take(LONGEST_OUTPUT).read_to_end(&mut text)).map(|_| text);
        let _nobody_waits = done.send(result);
    });
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < limit => std::thread::sleep(POLL),
            Ok(None) => return Err(Ended::Late),
            Err(error) => return Err(Ended::Badly(format!("cannot be waited for: {error}"))),
        }
    };
    if !status.success() {
        return Err(Ended::Badly(format!("failed ({status})")));
    }
    let text = read.recv_timeout(limit.saturating_sub(start.elapsed())).map_err(|_| Ended::Late)?;
    let text = text.map_err(|error| Ended::Badly(format!("cannot be read: {error}")))?;
    let text = std::str::from_utf8(&text).map_err(|_| Ended::Badly("prints something that is not text".into()))?;
    Ok(Secret::new(text))
}
