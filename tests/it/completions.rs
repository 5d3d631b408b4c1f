//! The completion scripts: as committed, and in their shells.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::pty::{Kind, Shell, nu};
use crate::support::home::Home;

const FILES: [(&str, &str); 4] = [("bash", "awsenv.bash"), ("zsh", "_awsenv"), ("fish", "awsenv.fish"), ("nu", "awsenv.nu")];

#[test]
fn what_is_committed_is_what_is_generated() {
    let home = Home::new();
    for (shell, file) in FILES {
        let committed =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file)).unwrap_or_default();
        let generated = home.run(&home.root, &["completions", shell]).succeeds().stdout;
        assert!(
            committed == generated,
            "run: just completions (completions/{file} is not what `awsenv completions {shell}` prints)"
        );
    }
}

#[test]
fn names_of_profiles_are_completed() {
    let home = Home::new();
    home.append(".aws/config", "[profile unmistakable-one]\nregion = x\n");
    let script = |file: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file).display().to_string();
    for (kind, load) in [
        (Kind::Bash, format!("source {}", script("awsenv.bash"))),
        (Kind::Zsh, format!("fpath=({} $fpath); autoload -Uz compinit; compinit -u -D", script(""))),
        (Kind::Fish, format!("source {}", script("awsenv.fish"))),
    ] {
        let shell = Shell::start_with(&home, kind, "", &load, &[]);
        for line in ["awsenv login unm\t", "awsenv env --profile unm\t"] {
            shell.clear();
            shell.type_text(line);
            shell.wait_for("istakable-one");
            shell.type_text("\u{15}");
        }
    }
    Shell::start(&home, Kind::Bash);
    let words = format!(
        "source {}; (scope commands | where name == 'awsenv login' | length) + (nu-complete awsenv profiles | where $it == 'unmistakable-one' | length)",
        script("awsenv.nu")
    );
    let output = Command::new(nu())
        .args(["--no-config-file", "-c", &words])
        .env_clear()
        .envs(home.environment())
        .output()
        .expect("nu is installed");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "2", "{}", String::from_utf8_lossy(&output.stderr));
}
