//! The playground, as a newcomer would walk through it.

use std::path::{Path, PathBuf};

use pty_process::blocking::Command;

use crate::pty::{Terminal, nu};

/// `cargo test` builds the examples beside the binary.
fn playground() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_awsenv")).parent().expect("a directory").join("examples/playground")
}

#[test]
fn a_newcomers_first_minute() {
    let temporary = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish", &nu()] {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut terminal = Terminal::start(shell, || {
            Command::new(playground())
                .arg(shell)
                .env_clear()
                .env("PATH", path)
                .env("TERM", "xterm-256color")
                .env("TMPDIR", temporary.path())
        });
        // Nobody types before the prompt is there.
        let line = |terminal: &Terminal, text: &str| {
            std::thread::sleep(std::time::Duration::from_millis(700));
            terminal.answer(text);
        };
        terminal.wait_for("awsenv's playground");
        line(&terminal, "authenticator");
        terminal.wait_for("(for ");
        let shown = terminal.screen();
        let (before, _) = shown.split_once("(for ").expect("there");
        let code = before.split(|c: char| !c.is_ascii_digit()).rfind(|word| word.len() == 6).expect("a code");
        line(&terminal, "cd acme");
        terminal.wait_for("awsenv: MFA code for");
        line(&terminal, code);
        terminal.wait_for("dev 222222222222");
        line(&terminal, "cd ../acme-prod");
        terminal.wait_for("run: awsenv allow");
        line(&terminal, "awsenv allow");
        terminal.wait_for("prod 333333333333");
        line(&terminal, "cd ../acme-sandbox");
        terminal.wait_for("awsenv sso login --sso-session corp");
        line(&terminal, "awsenv sso login");
        terminal.wait_for("sandbox 444444444444");
        line(&terminal, "exit");
        assert!(terminal.wait(), "{shell}");
        assert_eq!(std::fs::read_dir(temporary.path()).expect("there").count(), 0, "{shell}: something was left behind");
    }
}
