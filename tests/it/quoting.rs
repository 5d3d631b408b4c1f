//! Whatever a value is, a shell that evaluates what awsenv prints has exactly that value.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use awsenv::shell::{HookState, Segment, Shell};
use proptest::prelude::*;

use crate::pty::nu;

/// Values as a repository, a settings file or AWS might have them, weighted towards what shells treat as special.
fn values() -> impl Strategy<Value = Vec<String>> {
    let special = "[ -~\\n\\t\\\\'\"`$%!(){}\\[\\]*?~#&;|<>=\u{1}\u{7f}\u{1b}éß漢😀\u{202e}]{0,24}";
    let any = "[^\u{0}]{0,16}";
    proptest::collection::vec(prop_oneof![3 => special, 1 => any], 24)
}

/// The environment of a program that the shell starts after evaluating the statements.
fn evaluate(shell: Shell, values: &[String]) -> BTreeMap<String, String> {
    let changes: Vec<_> =
        values.iter().enumerate().map(|(index, value)| (format!("AWS_V{index}"), Some(value.clone().into()))).collect();
    let state = HookState {
        segment: Some(Segment { template: values[0].clone(), ..Segment::default() }),
        pin: values[1].clone(),
        file: Some(values[2].clone().into()),
        ..HookState::default()
    };
    let directory = tempfile::tempdir().expect("a directory");
    let script = directory.path().join("statements");
    fs::write(&script, shell.statements(&changes, Some(&state)).as_bytes()).expect("written");
    let path = script.display();
    let (program, code) = match shell {
        Shell::Bash => {
            ("bash".to_owned(), format!("set -eu; __awsenv_read() {{ __awsenv_reply=; }}; eval \"$(cat {path})\"; exec env -0"))
        }
        Shell::Zsh => ("zsh".to_owned(), format!("__awsenv_read() {{ __awsenv_reply=; }}; eval \"$(<{path})\"; exec env -0")),
        Shell::Fish => ("fish".to_owned(), format!("function __awsenv_read; end; cat {path} | source; env -0")),
        _ => (nu(), format!("let update = (open --raw {path} | from json); load-env $update.set; ^env '-0'")),
    };
    let arguments: &[&str] = match shell {
        Shell::Bash => &["--norc"],
        Shell::Zsh => &["-f"],
        Shell::Fish => &["--no-config"],
        _ => &["--no-config-file"],
    };
    let home = directory.path();
    let output = Command::new(program)
        .args(arguments)
        .args(["-c", &code])
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .output();
    let output = output.expect("the shell is installed");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell:?} {values:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.split('\0').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_shell_takes_every_value_as_it_is(values in values()) {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Nu] {
            let seen = evaluate(shell, &values);
            for (index, value) in values.iter().enumerate() {
                prop_assert_eq!(seen.get(&format!("AWS_V{index}")), Some(value), "{:?}", shell);
            }
        }
    }
}
