//! Limits that the project promises: memory, and what a cached entry may touch.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::home::Home;

/// The largest resident size that the system saw of a command, in KiB. A child of python starts as a copy of it, so what
/// python itself takes, as `true` shows, is the floor of the measurement.
fn peak_kib(home: &Home, directory: &Path, words: &[&str]) -> u64 {
    let script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let mut measured = Command::new("python3");
    measured.arg("-c").arg(script).args(words).env_clear().envs(home.environment()).current_dir(directory);
    let output = measured.output().expect("python3 is installed");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

#[test]
fn memory_stays_under_twelve_mebibytes() {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    home.login("dev").succeeds();
    let project = home.project("acme", "dev\n");
    for arguments in [&["export", "bash"][..], &["env", "--profile", "prod", "--format", "json"], &["hook", "zsh"], &["status"]] {
        let floor = peak_kib(&home, &project, &["true"]);
        let peak = peak_kib(&home, &project, &[&[env!("CARGO_BIN_EXE_awsenv")], arguments].concat());
        let limit = (12 * 1024).max(floor + 2048) * if cfg!(debug_assertions) { 2 } else { 1 };
        assert!(peak < limit, "{arguments:?}: {peak} KiB, floor {floor} KiB");
    }
}

#[test]
fn a_cached_entry_opens_neither_aws_file_nor_a_socket() {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    home.login("dev").succeeds();
    let project = home.project("acme", "dev\n");
    let (after, _) = home.export(&project, &BTreeMap::new());
    assert_eq!(after["AWSENV_PROFILE"], "dev");
    let log = home.path("strace");
    let command = home.command(&project, &[]);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o"]).arg(&log).arg(command.get_program()).args(["export", "bash"]).env_clear().envs(home.environment());
    let output = strace.env("PWD", &project).current_dir(&project).output().expect("strace is installed");
    assert!(output.status.success());
    let text = std::fs::read_to_string(log).expect("written");
    assert!(text.contains(".awsprofile"));
    for line in text.lines() {
        assert!(!(line.contains("open") && line.contains(".aws/")), "{line}");
        for call in ["socket(", "clone(", "clone3(", "fork("] {
            assert!(!line.contains(call), "{line}");
        }
    }
}
