//! Runs the binary in a home, and looks at what it did.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::home::{DEVICE, Home};

pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// The environment that `awsenv export json` says, null for unset.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {:?}; stderr: {}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!(self.status, 0, "stderr: {}", self.stderr);
        self
    }

    /// Checks the exit status, and that the message says all of this.
    #[track_caller]
    pub fn fails(self, status: i32, says: &[&str]) -> Self {
        assert_eq!(self.status, status, "stderr: {}", self.stderr);
        for part in says {
            assert!(self.stderr.contains(part), "`{part}` is not in: {}", self.stderr);
        }
        self
    }
}

impl Home {
    pub fn command(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_awsenv"));
        command.args(arguments).env_clear().envs(self.environment()).current_dir(directory).env("PWD", directory);
        command
    }

    /// Without a terminal: tests have none, and the tests of tests must not find one either.
    pub fn run_with(&self, directory: &Path, arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Run {
        let mut command = self.command(directory, arguments);
        let extra: BTreeMap<_, _> = environment.iter().copied().collect();
        let child = command.envs(extra).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("it starts");
        // One that does not read its input is no failure.
        let _unread = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("it ends");
        Run {
            status: output.status.code().expect("no signal"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    pub fn run(&self, directory: &Path, arguments: &[&str]) -> Run {
        self.run_with(directory, arguments, &[], "")
    }

    /// Signs in with the device's next code.
    #[track_caller]
    pub fn login(&self, profile: &str) -> Run {
        let code = self.aws.fresh_code(DEVICE);
        self.run(&self.root, &["login", profile, "--mfa-code", &code])
    }

    /// Has another role of a device that is signed in already.
    #[track_caller]
    pub fn login_cached(&self, profile: &str) {
        self.run(&self.root, &["env", "--profile", profile, "--format", "env"]).succeeds();
    }

    /// Makes every shell look again, as something that changed elsewhere does.
    pub fn touch_generation(&self) {
        awsenv::generation::Generation::new(&self.path(".local/share/awsenv")).bump().expect("written");
    }

    /// The environment after `awsenv export json` in a directory, from a given one.
    pub fn export(&self, directory: &Path, environment: &BTreeMap<String, String>) -> (BTreeMap<String, String>, Run) {
        let pairs: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let run = self.run_with(directory, &["export", "json"], &pairs, "");
        let mut after = environment.clone();
        if !run.stdout.is_empty() {
            for (name, value) in run.json().as_object().expect("an object") {
                match value.as_str() {
                    Some(value) => after.insert(name.clone(), value.to_owned()),
                    None => after.remove(name),
                };
            }
        }
        (after, run)
    }
}
