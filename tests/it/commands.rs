//! The commands without a shell: what they print, and their exit status.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::support::home::{DEVICE, Home};

#[test]
fn nothing_has_effect_before_it_is_trusted() {
    let home = Home::new();
    home.login("dev").succeeds();
    let project = home.project("acme", "dev\n");
    let (after, run) = home.export(&project, &BTreeMap::new());
    assert!(after.is_empty());
    run.fails(4, &[".awsprofile has no effect: it asks for profile `dev` and is not trusted; run: awsenv allow"]);
    let allow = home.run(&project, &["allow"]).succeeds();
    assert!(
        allow.stderr.contains("asks for profile `dev`, account 222222222222, role dev, region eu-west-1"),
        "{}",
        allow.stderr
    );
    let (after, run) = home.export(&project, &BTreeMap::new());
    run.succeeds();
    assert_eq!(
        (after["AWSENV_PROFILE"].as_str(), after["AWSENV_ACCOUNT_ID"].as_str(), after["AWS_REGION"].as_str()),
        ("dev", "222222222222", "eu-west-1")
    );
    assert_eq!(after["AWSENV_DIR"], project.display().to_string());
    assert!(after["AWSENV_PROMPT"].starts_with("dev 222222222222 59m") || after["AWSENV_PROMPT"] == "dev 222222222222 1h00m");
    // Comments may change; meaning may not.
    home.write("work/acme/.awsprofile", "# ours\nprofile = dev\n");
    home.export(&project, &BTreeMap::new()).1.succeeds();
    home.write("work/acme/.awsprofile", "prod\n");
    home.export(&project, &BTreeMap::new()).1.fails(4, &["asks for profile `prod`"]);
    home.write("work/acme/.awsprofile", "dev\n");
    home.run(&project, &["deny"]).succeeds();
    home.export(&project, &BTreeMap::new()).1.fails(4, &["it is denied"]);
}

#[test]
fn export_says_nothing_where_there_is_nothing_to_change() {
    let home = Home::new();
    // The segment tells minutes: a session of an hour goes from 1h00m to 59m within its first second.
    home.aws.world().session_seconds = Some(3_590);
    home.login("dev").succeeds();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    let project = home.project("acme", "dev\n");
    let (inside, _) = home.export(&project, &BTreeMap::new());
    let inside: Vec<_> = inside.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for shell in ["bash", "zsh", "fish", "nu", "json"] {
        assert_eq!(home.run(&home.root, &["export", shell]).succeeds().stdout, "", "{shell}");
        // In fish the segment names the time of day, so there it is another one.
        if shell != "fish" {
            assert_eq!(home.run_with(&project, &["export", shell], &inside, "").succeeds().stdout, "", "{shell}");
        }
        assert!(
            home.run_with(&home.root, &["export", shell], &inside, "").succeeds().stdout.contains("AWS_SECRET_ACCESS_KEY"),
            "{shell}"
        );
    }
}

#[test]
fn settings_trust_and_protect() {
    let home = Home::new();
    home.login("dev").succeeds();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\nprotected = prod\n");
    let project = home.project("acme", "dev\n");
    home.export(&project, &BTreeMap::new()).1.succeeds();
    home.write("work/acme/.awsprofile", "prod\n");
    home.export(&project, &BTreeMap::new()).1.fails(4, &["not trusted"]);
    home.write(".config/awsenv/config.ini", "[trust]\nprofile = *\n");
    home.export(&project, &BTreeMap::new())
        .1
        .fails(1, &["config.ini:2: `trust.profile` is not a setting", "hint: correct line 2"]);
}

#[test]
fn the_nearest_file_decides_and_a_refused_one_stops_the_walk() {
    let home = Home::new();
    home.login("dev").succeeds();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    let outer = home.project("acme", "dev\n");
    let inner = outer.join("inner");
    std::fs::create_dir(&inner).expect("made");
    let export = || home.export(&inner, &BTreeMap::new());
    assert_eq!(export().0["AWSENV_PROFILE"], "dev");
    let file = inner.join(".awsprofile");
    let refused = |says: &[&str]| {
        let (after, run) = export();
        assert!(after.is_empty(), "{after:?}");
        run.fails(1, says);
    };
    symlink(outer.join(".awsprofile"), &file).expect("linked");
    refused(&["it is a symbolic link"]);
    std::fs::remove_file(&file).expect("removed");
    std::fs::create_dir(&file).expect("made");
    refused(&["it is not a plain file"]);
    std::fs::remove_dir(&file).expect("removed");
    std::process::Command::new("mkfifo").arg(&file).status().expect("mkfifo is there");
    refused(&["it is not a plain file"]);
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&file, "x".repeat(5000)).expect("written");
    refused(&["it has 5000 bytes, at most 4096 are read"]);
    std::fs::write(&file, b"dev\0\n").expect("written");
    refused(&["it is not text"]);
    std::fs::write(&file, b"\xff\xfe").expect("written");
    refused(&["it is not text"]);
    std::fs::write(&file, "dev\nendpoint_url = http://evil\n").expect("written");
    refused(&["line 1: `dev` is not `key = value`"]);
    std::fs::write(&file, "dev\n").expect("written");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).expect("changed");
    refused(&["others may write to it", "hint: chmod o-w"]);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).expect("changed");
    std::fs::set_permissions(&inner, PermissionsExt::from_mode(0o777)).expect("changed");
    refused(&["others may write to its directory"]);
    std::fs::set_permissions(&inner, PermissionsExt::from_mode(0o755)).expect("changed");
    std::os::unix::fs::chown(&file, Some(12345), None).expect("the tests run as root");
    refused(&["it belongs to another user"]);
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(export().0["AWSENV_PROFILE"], "dev");
}

#[test]
fn a_hint_can_be_copied_whatever_a_directory_is_called() {
    let home = Home::new();
    let project = home.project("a $(touch pwned) \u{1b}[2J;'b", "dev\n");
    std::fs::set_permissions(project.join(".awsprofile"), PermissionsExt::from_mode(0o666)).expect("changed");
    let run = home.export(&project, &BTreeMap::new()).1.fails(1, &["others may write to it"]);
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    let hint = run.stderr.split("hint: ").nth(1).expect("a hint");
    std::process::Command::new("sh").args(["-c", hint]).current_dir(&home.root).output().expect("sh is there");
    assert!(!home.path("pwned").exists(), "{hint}");
    let allow = home.run(&project, &["deny"]).succeeds();
    assert!(!allow.stderr.contains('\u{1b}'), "{}", allow.stderr);
}

#[test]
fn profiles_that_cannot_be_used_say_why() {
    let home = Home::new();
    home.append(
        ".aws/config",
        "[profile a]\nrole_arn = arn:aws:iam::222222222222:role/a\nsource_profile = b\n\
         [profile b]\nrole_arn = arn:aws:iam::222222222222:role/b\nsource_profile = a\n\
         [profile half]\naws_access_key_id = AKIA\n[profile bare]\nregion = eu-west-1\n\
         [profile alone]\nrole_arn = arn:aws:iam::222222222222:role/a\n[profile lost]\nrole_arn = arn:aws:iam::222222222222:role/a\nsource_profile = securty\n\
         [profile sso]\nsso_session = acme\n[profile proc]\ncredential_process = true\n[profile long]\nrole_arn = x\nsource_profile = security\n\
         [profile bad]\nrole_arn = arn:aws:iam::222222222222:role/a\nsource_profile = security\nduration_seconds = 1h\n",
    );
    let login = |profile: &str| home.run(&home.root, &["login", profile]);
    login("devv").fails(1, &["no profile `devv`: it is not among the", "hint: did you mean `dev`?"]);
    login("a").fails(1, &["source_profile goes in a circle: a → b → a"]);
    login("half").fails(
        1,
        &["it has an aws_access_key_id, but no aws_secret_access_key", "hint: add `aws_secret_access_key = …` below [half]"],
    );
    login("bare").fails(1, &["it has neither keys nor a role", "hint: aws configure --profile bare"]);
    login("alone").fails(1, &["no source_profile to assume the role from"]);
    login("lost").fails(1, &["its source_profile `securty` is not in", "did you mean `security`?"]);
    login("sso").fails(1, &["there is no [sso-session acme] in", "hint: aws configure sso-session"]);
    login("proc").fails(1, &["its credential_process prints something that cannot be used: it is not the JSON of credentials"]);
    login("long").fails(1, &["`x` is not the ARN of a role"]);
    login("bad").fails(1, &["`duration_seconds = 1h` is not a number of seconds"]);
    home.append(".aws/config", "not a property\n");
    login("dev").fails(1, &["cannot read", "/.aws/config: line ", "Expected an '=' sign"]);
    home.write(".aws/config", "");
    home.append(".aws/credentials", "[x]\n oops\n");
    login("dev").fails(1, &["/.aws/credentials: line 5: "]);
}

#[test]
fn quoted_profile_names() {
    let home = Home::new();
    home.append(
        ".aws/config",
        "[profile \"my dev\"]\nrole_arn = arn:aws:iam::222222222222:role/dev\nsource_profile = security\n",
    );
    home.login("my dev").succeeds();
    assert!(home.run(&home.root, &["__profiles"]).succeeds().stdout.lines().any(|line| line == "my dev"));
}

#[test]
fn use_writes_trusts_and_checks() {
    let home = Home::new();
    let project = home.path("work/new");
    std::fs::create_dir_all(&project).expect("made");
    home.run(&project, &["use", "dev", "--region", "us-west-2"]).succeeds();
    assert_eq!(std::fs::read_to_string(project.join(".awsprofile")).expect("written"), "profile = dev\nregion = us-west-2\n");
    home.login("dev").succeeds();
    let (after, _) = home.export(&project, &BTreeMap::new());
    assert_eq!(after["AWS_REGION"], "us-west-2");
    home.run(&project, &["use", "devv"]).fails(1, &["did you mean `dev`?"]);
    home.run(&project, &["use", "$(id)"]).fails(2, &["cannot be the name of a profile"]);
    home.run(&project, &["use", "dev", "--region", "evil.com/"]).fails(2, &["cannot be a region"]);
    home.run(&project, &["use", "none"]).succeeds();
    let before = BTreeMap::from([("AWS_PROFILE".to_owned(), "mine".to_owned()), ("AWS_REGION".to_owned(), "x".to_owned())]);
    let (after, _) = home.export(&project, &before);
    assert!(!after.contains_key("AWS_PROFILE") && !after.contains_key("AWS_REGION"));
    assert_eq!(home.export(&home.root, &after).0, before);
}

#[test]
fn export_as_profile_signs_in_to_nothing() {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    let project = home.project("acme", "profile = dev\nexport = profile\n");
    let before = BTreeMap::from([("AWS_ACCESS_KEY_ID".to_owned(), "old".to_owned())]);
    let (after, run) = home.export(&project, &before);
    run.succeeds();
    assert_eq!(
        (after["AWS_PROFILE"].as_str(), after["AWS_REGION"].as_str(), after.get("AWS_ACCESS_KEY_ID")),
        ("dev", "eu-west-1", None)
    );
    assert_eq!(home.aws.actions().len(), 0);
}

#[test]
fn status_tells_what_is_loaded_and_why_not() {
    let home = Home::new();
    home.login("dev").succeeds();
    let project = home.project("acme", "dev\n");
    let status = |environment: &BTreeMap<String, String>| {
        let pairs: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        home.run_with(&project, &["status", "--json"], &pairs, "").succeeds().json()
    };
    let blocked = status(&BTreeMap::new());
    assert_eq!((&blocked["loaded"], &blocked["trusted"], &blocked["profile"]), (&false.into(), &false.into(), &"dev".into()));
    assert!(blocked["reason"].as_str().expect("text").contains("not trusted"));
    home.run(&project, &["allow"]).succeeds();
    let (after, _) = home.export(&project, &BTreeMap::new());
    let loaded = status(&after);
    assert_eq!(loaded["loaded"], true);
    assert_eq!(loaded["source"], "assume_role");
    assert_eq!(loaded["account_id"], "222222222222");
    assert_eq!(loaded["role_arn"], "arn:aws:iam::222222222222:role/dev");
    assert_eq!(loaded["file"], project.join(".awsprofile").display().to_string());
    assert!(loaded["remaining_seconds"].as_i64().expect("a number") > 3500);
    assert!(loaded["expires_at"].as_str().expect("text").ends_with('Z'));
    let text = home.run(&home.root, &["status"]).succeeds().stdout;
    assert!(text.contains("there is no .awsprofile at or above this directory"), "{text}");
}

#[test]
fn prompt_formats() {
    let home = Home::new();
    home.login("dev").succeeds();
    home.write(
        ".config/awsenv/config.ini",
        "[trust]\nprofiles = *\n[accounts]\n222222222222 = acme 100%\n[prompt]\nproduction = dev\n",
    );
    let project = home.project("acme", "dev\n");
    let (after, _) = home.export(&project, &BTreeMap::new());
    let prompt = |arguments: &[&str]| {
        let pairs: Vec<_> = after.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        home.run_with(&project, &[&["prompt"], arguments].concat(), &pairs, "").succeeds().stdout
    };
    assert_eq!(prompt(&["--format", "{profile}/{role}@{alias} {region}"]), "dev/dev@acme 100% eu-west-1\n");
    assert_eq!(prompt(&["--shell", "zsh", "--format", "{alias}"]), "%{\u{1b}[97;41m%}acme 100%%%{\u{1b}[0m%}");
    assert_eq!(prompt(&["--shell", "bash", "--format", "{profile}"]), "\u{1}\u{1b}[97;41m\u{2}dev\u{1}\u{1b}[0m\u{2}");
    assert_eq!(home.run(&project, &["prompt"]).succeeds().stdout, "");
}

#[test]
fn logout_forgets() {
    let home = Home::new();
    home.login("dev").succeeds();
    let run = home.run(&home.root, &["logout", "dev"]).succeeds();
    assert!(run.stderr.contains("2 sessions forgotten"), "{}", run.stderr);
    let project = home.project("short", "profile = security\nduration = 15m\n");
    home.run(&project, &["allow"]).succeeds();
    let code = home.aws.fresh_code(DEVICE);
    home.run(&project, &["login", "--mfa-code", &code]).succeeds();
    assert!(home.run(&project, &["logout"]).succeeds().stderr.contains("1 session forgotten"));
    home.run_with(&home.root, &["env", "--profile", "dev", "--format", "env"], &[("TERM", "dumb")], "");
    home.aws.forget_codes(DEVICE);
    home.write(".cache/awsenv/codes/none", "");
    assert!(home.run(&home.root, &["logout", "--all"]).succeeds().stderr.contains("0 sessions forgotten"));
}

#[test]
fn static_keys_need_no_call_and_login_checks_them() {
    let home = Home::new();
    home.write(".aws/config", "[profile security]\nregion = eu-west-1\n");
    let run = home.run(&home.root, &["env", "--profile", "security", "--format", "json"]).succeeds();
    assert_eq!(run.json()["AWS_SESSION_TOKEN"], serde_json::Value::Null);
    assert_eq!(home.aws.actions().len(), 0);
    let run = home.run(&home.root, &["login", "security"]).succeeds();
    assert!(
        run.stderr.contains("account 111111111111, arn:aws:iam::111111111111:user/jane; the keys do not expire"),
        "{}",
        run.stderr
    );
    // A changed secret is taken at once.
    let credentials = std::fs::read_to_string(home.path(".aws/credentials")).expect("there");
    home.write(".aws/credentials", &credentials.replace("forty", "sixty"));
    let run = home.run(&home.root, &["env", "--profile", "security", "--format", "json"]).succeeds();
    assert!(run.json()["AWS_SECRET_ACCESS_KEY"].as_str().expect("text").contains("sixty"));
}

#[test]
fn without_a_home_the_message_says_so_and_the_hook_comes_back() {
    let home = Home::new();
    for arguments in [&["login", "dev"][..], &["export", "bash"], &["status"]] {
        let mut command = home.command(&home.root, arguments);
        // A user that the system does not know has no home in its database either.
        let output = std::process::Command::new("setpriv")
            .args(["--reuid", "54321", "--clear-groups"])
            .arg(command.get_program())
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .current_dir("/")
            .output()
            .expect("setpriv is part of util-linux");
        command.env_clear();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|status| status <= 1), "{arguments:?}: {stderr}");
        if arguments[0] == "login" {
            assert!(stderr.contains("HOME is not set") && stderr.contains("hint: export HOME="), "{stderr}");
        }
    }
}

#[test]
fn usage_errors_and_help() {
    let home = Home::new();
    home.run(&home.root, &["stauts"]).fails(2, &["awsenv: cannot read the command line: unrecognized subcommand 'stauts'\nhint: a similar subcommand exists: 'status'\n"]);
    home.run(&home.root, &["use"]).fails(2, &["required arguments were not provided: <PROFILE>\nhint: awsenv --help"]);
    home.run(&home.root, &[]).fails(2, &["Usage:"]);
    home.run_with(&home.root, &["status"], &[("AWSENV_CONFIG", "/nonexistent.ini")], "")
        .fails(1, &["cannot read the settings in /nonexistent.ini"]);
    home.run(&home.root, &["hook", "cmd.exe"]).fails(2, &["no shell `cmd.exe`", "hint:"]);
    home.run(&home.root, &["export", "ksh"]).fails(2, &["no shell `ksh`"]);
    home.run(&home.root, &["shell", "dev"]).fails(1, &["only the hook's function can"]);
    for command in
        ["hook", "export", "use", "shell", "allow", "deny", "status", "prompt", "login", "logout", "env", "completions"]
    {
        let help = home.run(&home.root, &[command, "--help"]).succeeds().stdout;
        assert!(help.contains("Example"), "{command}: {help}");
    }
}
