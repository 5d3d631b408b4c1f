//! One list of scenarios, replayed by every shell.

use std::collections::BTreeMap;
use std::fs;

use crate::pty::{EVERY_SHELL, Kind, Shell};
use crate::support::home::{DEVICE, Home};

fn trusting() -> Home {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    home
}

fn in_every_shell(scenario: impl Fn(&Home, &mut Shell<'_>)) {
    in_shells(&EVERY_SHELL, scenario);
}

fn in_shells(kinds: &[Kind], scenario: impl Fn(&Home, &mut Shell<'_>)) {
    for kind in kinds {
        let home = trusting();
        let mut shell = Shell::start(&home, *kind);
        scenario(&home, &mut shell);
    }
}

fn aws(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let of_aws = |name: &str| name.starts_with("AWS_") && !name.starts_with("AWS_E") || name.starts_with("AWSENV_");
    environment.iter().filter(|(name, _)| of_aws(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[track_caller]
fn is_loaded(environment: &BTreeMap<String, String>, profile: &str) {
    assert_eq!(environment.get("AWSENV_PROFILE").map(String::as_str), Some(profile));
    assert!(environment["AWS_ACCESS_KEY_ID"].starts_with("ASIA"));
    assert!(environment.contains_key("AWS_SESSION_TOKEN") && environment.contains_key("AWS_CREDENTIAL_EXPIRATION"));
}

#[track_caller]
fn is_clean(environment: &BTreeMap<String, String>) {
    let left: Vec<_> = aws(environment).into_keys().filter(|name| name != "AWSENV_PROMPT_COLOR").collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn entering_asks_once_and_leaving_restores() {
    in_every_shell(|home, shell| {
        home.project("acme", "dev\n");
        home.project("prod", "prod\n");
        shell.run(&shell.kind.set("AWS_PROFILE", "mine"));
        shell.line("cd work/acme");
        shell.give_code();
        let inside = shell.environment();
        is_loaded(&inside, "dev");
        assert_eq!(inside.get("AWS_PROFILE"), None);
        assert_eq!((inside["AWS_REGION"].as_str(), inside["AWS_DEFAULT_REGION"].as_str()), ("eu-west-1", "eu-west-1"));
        assert_eq!(home.aws.actions(), ["GetSessionToken", "AssumeRole"]);
        let other = shell.run("cd ../prod");
        is_loaded(&other, "prod");
        assert_eq!(home.aws.actions().len(), 3);
        let outside = shell.run("cd ../..");
        assert_eq!(outside["AWS_PROFILE"], "mine");
        assert!(!outside.contains_key("AWS_ACCESS_KEY_ID") && !outside.contains_key("AWSENV_STATE"), "{outside:?}");
        is_loaded(&shell.run("cd work/acme"), "dev");
        assert_eq!(home.aws.actions().len(), 3);
        assert!(!shell.screen().contains("rror"), "{}", shell.screen());
    });
}

#[test]
fn a_file_that_appears_changes_or_goes_is_noticed_without_a_cd() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        home.login_cached("prod");
        let outer = home.project("acme", "dev\n");
        fs::create_dir_all(outer.join("a/b")).expect("made");
        is_loaded(&shell.run("cd work/acme/a/b"), "dev");
        fs::write(outer.join("a/.awsprofile"), "prod\n").expect("written");
        is_loaded(&shell.run("true"), "prod");
        // Same size, same second.
        fs::write(outer.join("a/.awsprofile"), "none\n").expect("written");
        assert!(!shell.run("true").contains_key("AWS_ACCESS_KEY_ID"));
        fs::remove_file(outer.join("a/.awsprofile")).expect("removed");
        is_loaded(&shell.run("true"), "dev");
        fs::remove_file(outer.join(".awsprofile")).expect("removed");
        is_clean(&shell.run("true"));
        home.project("acme", "dev\n");
        is_loaded(&shell.run("true"), "dev");
    });
}

#[test]
fn trust_settings_and_aws_files_are_noticed_at_the_next_prompt() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        home.login_cached("prod");
        fs::remove_file(home.path(".config/awsenv/config.ini")).expect("removed");
        home.project("acme", "dev\n");
        is_clean(&shell.run("cd work/acme"));
        shell.wait_for("has no effect");
        home.run(&home.path("work/acme"), &["allow"]).succeeds();
        is_loaded(&shell.run("true"), "dev");
        home.run(&home.path("work/acme"), &["deny"]).succeeds();
        is_clean(&shell.run("true"));
        home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
        shell.settle();
        is_clean(&shell.run("true"));
        home.run(&home.path("work/acme"), &["allow"]).succeeds();
        is_loaded(&shell.run("true"), "dev");
        let config = fs::read_to_string(home.path(".aws/config")).expect("there");
        home.write(".aws/config", &config.replace("eu-west-1", "eu-west-9"));
        shell.settle();
        assert_eq!(shell.run("true")["AWS_REGION"], "eu-west-9");
        home.write(".config/awsenv/config.ini", "[prompt]\nformat = <{profile}>\n");
        shell.settle();
        assert_eq!(shell.run("true")["AWSENV_PROMPT"], "<dev>");
    });
}

#[test]
fn an_untrusted_file_is_told_once_and_what_was_loaded_goes() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        home.write(".config/awsenv/config.ini", "[trust]\nprofiles = dev\n");
        home.project("acme", "dev\n");
        home.project("acme/evil", "prod\n");
        is_loaded(&shell.run("cd work/acme"), "dev");
        shell.clear();
        is_clean(&shell.run("cd evil"));
        shell.wait_for("awsenv allow");
        is_loaded(&shell.run("cd .."), "dev");
        shell.clear();
        is_clean(&shell.run("cd evil"));
        assert!(!shell.screen().contains("awsenv allow"), "{}", shell.screen());
        assert_eq!(home.aws.actions().len(), 2);
    });
}

#[test]
fn declining_asks_no_more_until_the_next_entry_or_a_login() {
    in_every_shell(|home, shell| {
        home.project("acme/sub", "dev\n");
        fs::rename(home.path("work/acme/sub/.awsprofile"), home.path("work/acme/.awsprofile")).expect("moved");
        shell.line("cd work/acme");
        shell.wait_for("awsenv: MFA code for");
        shell.type_text("12\u{3}");
        let declined = shell.environment();
        assert!(!declined.contains_key("AWS_ACCESS_KEY_ID"));
        assert_eq!(declined["AWSENV_PROMPT"], "dev (awsenv login)");
        shell.clear();
        shell.run("cd sub");
        home.touch_generation();
        shell.run("true");
        assert!(!shell.screen().contains("awsenv: MFA code for"), "{}", shell.screen());
        home.login("dev").succeeds();
        is_loaded(&shell.run("true"), "dev");
        home.run(&home.root, &["logout", "--all"]).succeeds();
        let out = shell.run("true");
        assert!(!out.contains_key("AWS_ACCESS_KEY_ID"), "{out:?}");
        assert!(!shell.screen().contains("awsenv: MFA code for"), "{}", shell.screen());
        shell.run("cd ~");
        shell.line("cd work/acme");
        shell.give_code();
        is_loaded(&shell.environment(), "dev");
    });
}

#[test]
fn three_tries_for_a_code() {
    in_every_shell(|home, shell| {
        home.project("acme", "dev\n");
        shell.line("cd work/acme");
        for wrong in ["000000", "12345"] {
            shell.wait_for("awsenv: MFA code for");
            shell.clear();
            shell.answer(wrong);
        }
        shell.wait_for("a code has six digits");
        shell.give_code();
        is_loaded(&shell.environment(), "dev");
    });
}

#[test]
fn what_the_user_changes_stays_the_users() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        home.project("acme", "dev\n");
        is_loaded(&shell.run("cd work/acme"), "dev");
        shell.run(&shell.kind.set("AWS_REGION", "mars-1"));
        home.touch_generation();
        assert_eq!(shell.run("true")["AWS_REGION"], "mars-1");
        let outside = shell.run("cd ~");
        assert_eq!(outside["AWS_REGION"], "mars-1");
        assert!(!outside.contains_key("AWS_DEFAULT_REGION") && !outside.contains_key("AWS_ACCESS_KEY_ID"));
    });
}

#[test]
fn a_pin_stands_above_every_file() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        home.login_cached("prod");
        home.project("acme", "dev\n");
        is_loaded(&shell.run("cd work/acme"), "dev");
        is_loaded(&shell.run("awsenv shell prod"), "prod");
        is_loaded(&shell.run("cd ~"), "prod");
        is_clean(&shell.run("awsenv shell --unset"));
        is_loaded(&shell.run("cd work/acme"), "dev");
        shell.clear();
        shell.run("awsenv shell pord");
        shell.wait_for("did you mean `prod`?");
        is_loaded(&shell.environment(), "dev");
    });
}

#[test]
fn a_child_shell_behaves_the_same() {
    for kind in EVERY_SHELL {
        let home = trusting();
        home.login("dev").succeeds();
        home.project("acme", "dev\n");
        let mut parent = Shell::start(&home, Kind::Bash);
        let inside = parent.run("cd work/acme");
        let inherited: Vec<_> = aws(&inside).into_iter().collect();
        let inherited: Vec<_> = inherited.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut child = Shell::start_with(&home, kind, "", "", &inherited);
        is_clean(&child.environment());
        is_loaded(&child.run("cd work/acme"), "dev");
        is_clean(&child.run("cd ~"));
    }
}

#[test]
fn awkward_paths() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        let name = "it's $(id) `x` \"q\" %d \\ é";
        home.project(name, "# it's $(id) `x` \"q\" \\\nprofile = dev\n");
        std::os::unix::fs::symlink(home.path(&format!("work/{name}")), home.path("awkward")).expect("linked");
        let inside = shell.run("cd awkward");
        is_loaded(&inside, "dev");
        assert!(inside["AWSENV_DIR"].ends_with("/awkward"));
        let pid = shell.pid();
        is_loaded(&shell.environment(), "dev");
        assert_eq!(home.count_runs(pid, shell), 0);
        is_clean(&shell.run("cd ~"));
    });
}

#[test]
fn disabled_and_never_asking() {
    in_every_shell(|home, shell| {
        home.project("acme", "dev\n");
        shell.run(&shell.kind.set("AWSENV_MFA", "never"));
        let inside = shell.run("cd work/acme");
        assert!(!inside.contains_key("AWS_ACCESS_KEY_ID"));
        shell.wait_for("run: awsenv login");
        shell.run("cd ~");
        home.login("dev").succeeds();
        shell.run(&shell.kind.set("AWSENV_DISABLE", "1"));
        assert!(!shell.run("cd work/acme").contains_key("AWS_ACCESS_KEY_ID"));
    });
}

#[test]
fn a_prompt_at_which_nothing_changed_runs_nothing() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        home.project("acme/a/b", "dev\n");
        fs::rename(home.path("work/acme/a/b/.awsprofile"), home.path("work/acme/.awsprofile")).expect("moved");
        is_loaded(&shell.run("cd work/acme"), "dev");
        let pid = shell.pid();
        assert_eq!(home.count_runs(pid, shell), 0, "{}", shell.kind.name());
    });
}

#[test]
fn a_session_is_renewed_in_the_background_and_five_panes_take_it() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        home.project("acme", "dev\n");
        // A role session that is to be renewed soon: it enters the last third of its life. (fish has no clock, and looks
        // at the terminal's, which the kernel moves every eight seconds.)
        let seconds = if shell.kind == Kind::Fish { 30 } else { 12 };
        home.run(&home.root, &["logout", "--all"]).succeeds();
        fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
        home.aws.forget_codes(DEVICE);
        home.login("security").succeeds();
        home.aws.world().session_seconds = Some(seconds);
        shell.line("cd work/acme");
        let first = shell.environment();
        is_loaded(&first, "dev");
        home.aws.world().session_seconds = None;
        std::thread::sleep(std::time::Duration::from_secs(seconds * 2 / 3 + 1));
        let start = std::time::Instant::now();
        loop {
            let now = shell.run("true");
            if now["AWS_ACCESS_KEY_ID"] != first["AWS_ACCESS_KEY_ID"] {
                break;
            }
            assert!(start.elapsed().as_secs() < 30, "{}: not renewed: {}", shell.kind.name(), shell.screen());
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
    });
}

#[test]
fn a_file_that_is_no_file_costs_nothing_and_is_noticed_when_it_becomes_one() {
    in_every_shell(|home, shell| {
        home.login("dev").succeeds();
        let project = home.project("acme", "dev\n");
        let file = project.join(".awsprofile");
        fs::remove_file(&file).expect("removed");
        fs::create_dir(&file).expect("made");
        is_clean(&shell.run("cd work/acme"));
        shell.wait_for("it is not a plain file");
        let pid = shell.pid();
        assert_eq!(home.count_runs(pid, shell), 0, "{}", shell.kind.name());
        fs::remove_dir(&file).expect("removed");
        fs::write(&file, "x".repeat(5000)).expect("written");
        is_clean(&shell.run("true"));
        shell.wait_for("it has 5000 bytes");
        fs::write(&file, "dev\n").expect("written");
        is_loaded(&shell.run("true"), "dev");
        // Whoever reads a pipe that nobody writes to waits for ever.
        fs::remove_file(&file).expect("removed");
        std::process::Command::new("mkfifo").arg(&file).status().expect("mkfifo is there");
        is_clean(&shell.run("true"));
        is_clean(&shell.run("true"));
    });
}

#[test]
fn five_panes_ask_once() {
    let home = trusting();
    home.project("acme", "dev\n");
    let mut panes: Vec<_> = (0..5).map(|_| Shell::start(&home, Kind::Bash)).collect();
    for pane in &panes {
        pane.line("cd work/acme");
    }
    let asking = || panes.iter().filter(|pane| pane.screen().contains("awsenv: MFA code for")).count();
    panes[0].until("question in one of the panes", || asking() == 1);
    panes[0].until("pane that waits", || {
        panes.iter().filter(|pane| pane.screen().contains("awsenv: waiting for the sign-in of process")).count() == 4
    });
    assert_eq!(asking(), 1);
    panes.iter().find(|pane| pane.screen().contains("awsenv: MFA code for")).expect("one").give_code();
    for pane in &mut panes {
        is_loaded(&pane.environment(), "dev");
    }
    assert_eq!(home.aws.actions(), ["GetSessionToken", "AssumeRole"]);
}

#[test]
fn when_the_mfa_session_itself_ends_a_person_is_asked_once() {
    let home = trusting();
    home.project("jane", "security\n");
    home.aws.world().session_seconds = Some(24);
    let mut shell = Shell::start(&home, Kind::Zsh);
    shell.line("cd work/jane");
    shell.give_code();
    let first = shell.environment();
    is_loaded(&first, "security");
    assert_eq!(
        (first["AWSENV_ACCOUNT_ID"].as_str(), first["AWSENV_PROMPT"].as_str()),
        ("111111111111", "security 111111111111 <1m")
    );
    std::thread::sleep(std::time::Duration::from_secs(21));
    shell.clear();
    shell.line("true");
    shell.wait_for("awsenv: MFA code for");
    shell.answer("");
    let kept = shell.environment();
    assert_eq!(kept["AWS_ACCESS_KEY_ID"], first["AWS_ACCESS_KEY_ID"]);
    shell.clear();
    home.touch_generation();
    shell.run("true");
    shell.run("true");
    assert!(!shell.screen().contains("awsenv:"), "{}", shell.screen());
    home.aws.world().session_seconds = None;
    home.login("security").succeeds();
    assert_ne!(shell.run("true")["AWS_ACCESS_KEY_ID"], first["AWS_ACCESS_KEY_ID"]);
}

#[test]
fn an_interrupted_login_ends_with_130() {
    let home = trusting();
    let shell = Shell::start(&home, Kind::Bash);
    shell.line("awsenv login dev; echo status=$?.");
    shell.wait_for("awsenv: MFA code for");
    shell.type_text("12\u{3}");
    shell.wait_for("status=130.");
    shell.clear();
    shell.line("awsenv login dev; echo status=$?.");
    shell.wait_for("awsenv: MFA code for");
    shell.answer("");
    shell.wait_for("status=3.");
}
