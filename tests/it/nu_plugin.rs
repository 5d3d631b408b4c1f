//! nushell with the plugin, beyond the scenarios that every shell goes through: values, errors, completion, and what
//! happens when the plugin is gone.

use std::path::Path;
use std::process::Command;

use crate::pty::{Kind, Shell, nu, nu_plugin};
use crate::support::fake_aws::START_URL;
use crate::support::home::{DEV_ROLE, DEVICE, Home};

fn home() -> Home {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    home
}

/// What a script prints in a nu that has the plugin.
#[track_caller]
fn eval(home: &Home, directory: &Path, script: &str) -> String {
    let mut command = Command::new(nu());
    command.args(["--no-config-file", "--plugins", &format!("[{}]", nu_plugin()), "-c", script]);
    let output = command.env_clear().envs(home.environment()).current_dir(directory).output().expect("nu is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn values_are_nus_own() {
    let home = home();
    home.login("dev").succeeds();
    let project = home.project("acme", "dev\n");
    let loaded = "let done = (awsenv export); for name in $done.hide { hide-env --ignore-errors $name }; ";
    let of = |script: &str| eval(&home, &project, &format!("{loaded}{script}"));
    assert_eq!(of("$env.AWSENV_PROFILE"), "dev");
    assert_eq!(
        of("awsenv status | select loaded profile account_id source | to nuon"),
        "{loaded: true, profile: dev, account_id: \"222222222222\", source: assume_role}"
    );
    assert_eq!(
        of("awsenv status | [($in.expires_at | describe) ($in.remaining | describe)] | str join ' '"),
        "datetime duration"
    );
    assert_eq!(of("(awsenv status).remaining <= 1hr and (awsenv status).expires_at > (date now)"), "true");
    assert_eq!(of("awsenv profiles | where kind == assume_role and session.state == valid | get name | to nuon"), "[dev]");
    assert_eq!(of("awsenv profiles | where name == dev | get 0.session.expires_at | describe"), "datetime");
    assert_eq!(
        of("awsenv explain dev | select type duration | to nuon"),
        "[[type, duration]; [static_keys, null], [session_token, 43200000000000ns], [assume_role, 3600000000000ns]]"
    );
    assert_eq!(of("awsenv explain | get 2.role_arn"), DEV_ROLE);
    assert_eq!(of("awsenv prompt --format '{profile}'"), "dev");
    // What was there and must go is in the list that the hook hides.
    assert_eq!(eval(&home, &project, "$env.AWS_PROFILE = 'mine'; 'AWS_PROFILE' in (awsenv export).hide"), "true");
    let left = format!(
        "{loaded}cd {}; let after = (awsenv export); [$after.hide ($env.AWS_PROFILE? | default none)] | to nuon",
        home.root.display()
    );
    assert!(eval(&home, &project, &left).contains("AWS_ACCESS_KEY_ID"));
    // Each call sees the environment and the directory that the caller has now.
    assert_eq!(
        eval(
            &home,
            &home.root,
            "let before = (awsenv status).profile; cd work/acme; [$before (awsenv status).profile] | to nuon"
        ),
        "[null, dev]"
    );
}

#[test]
fn an_error_has_its_cause_and_its_hint() {
    let home = home();
    let shown = eval(&home, &home.root, "try { awsenv explain devv } catch {|error| $error.rendered }");
    let flat = shown.split_whitespace().filter(|word| *word != "|" && *word != "│").collect::<Vec<_>>().join(" ");
    for part in ["awsenv: no profile `devv`: it is not among the", "help: did you mean `dev`?"] {
        assert!(flat.contains(part), "{shown}");
    }
}

#[test]
fn commands_that_ask_and_write() {
    let home = home();
    home.write(".config/awsenv/config.ini", "");
    home.project("acme", "dev\n");
    let mut shell = Shell::start(&home, Kind::NuPlugin);
    shell.line("cd work/acme");
    shell.wait_for("run: awsenv allow");
    shell.line("awsenv allow");
    shell.wait_for("awsenv: trusted");
    // The next prompt asks, from the plugin, in the foreground.
    shell.give_code();
    assert_eq!(shell.environment()["AWSENV_PROFILE"], "dev");
    shell.line("print $'plugin=($env.__awsenv.plugin)'");
    shell.wait_for("plugin=true");
    home.aws.forget_codes(DEVICE);
    std::fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
    shell.line("awsenv logout --all; plugin stop awsenv; awsenv login");
    shell.wait_for("sessions forgotten");
    shell.give_code();
    shell.wait_for("signed in: dev, account 222222222222");
    shell.line("mkdir ../new; cd ../new; awsenv use prod --region us-west-2");
    shell.wait_for("awsenv: trusted");
    let environment = shell.environment();
    assert_eq!((environment["AWSENV_PROFILE"].as_str(), environment["AWS_REGION"].as_str()), ("prod", "us-west-2"));
    // Everything else is the binary's.
    home.append(".aws/config", &format!("\n[sso-session corp]\nsso_start_url = {START_URL}\n"));
    shell.line("awsenv sso login --sso-session corp");
    shell.wait_for("it has no sso_region");
}

#[test]
fn names_of_profiles_are_completed() {
    let home = home();
    let shell = Shell::start(&home, Kind::NuPlugin);
    shell.line("print ready");
    shell.wait_for("ready");
    shell.type_text("awsenv explain secu\t");
    shell.wait_for("security");
}

#[test]
fn without_its_plugin_the_hook_goes_on_with_the_binary() {
    let home = home();
    home.login("dev").succeeds();
    home.project("acme", "dev\n");
    let copy = home.path("bin/nu_plugin_awsenv");
    std::fs::create_dir_all(home.path("bin")).expect("made");
    std::fs::copy(nu_plugin(), &copy).expect("copied");
    let mut shell = Shell::start_with_plugin(&home, &copy);
    assert_eq!(shell.run("cd work/acme")["AWSENV_PROFILE"], "dev");
    assert!(!shell.run("cd").contains_key("AWSENV_PROFILE"));
    std::fs::remove_file(&copy).expect("there");
    shell.line("plugin stop awsenv");
    let loaded = shell.run("cd work/acme");
    shell.wait_for("awsenv: the plugin does not work");
    assert_eq!(loaded["AWSENV_PROFILE"], "dev");
    shell.clear();
    assert!(!shell.run("cd").contains_key("AWSENV_PROFILE"));
    assert!(!shell.screen().contains("does not work"), "{}", shell.screen());
}
