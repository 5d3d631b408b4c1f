//! IAM Identity Center: signing in, one sign-in for the AWS CLI and awsenv, and profiles for all that is assigned.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::moto::python;
use crate::pty::{EVERY_SHELL, Shell};
use crate::run::Run;
use crate::support::browser::{follow, get};
use crate::support::fake_aws::{RoleSpec, START_URL};
use crate::support::home::Home;

const OVER_ROLE: &str = "arn:aws:iam::666666666666:role/over";

fn home() -> Home {
    let home = Home::new();
    home.append(
        ".aws/config",
        &format!(
            "\n[sso-session corp]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\nsso_registration_scopes = sso:account:access\n\
             [profile sandbox]\nsso_session = corp\nsso_account_id = 444444444444\nsso_role_name = Admin\nregion = eu-west-1\n\
             [profile data]\nsso_session = corp\nsso_account_id = 555555555555\nsso_role_name = ReadOnly\n\
             [profile old]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\nsso_account_id = 444444444444\nsso_role_name = ReadOnly\n\
             [profile over]\nrole_arn = {OVER_ROLE}\nsource_profile = sandbox\n\
             [profile foreign]\nsso_session = corp\nsso_account_id = 999999999999\nsso_role_name = Admin\n"
        ),
    );
    let sandbox = "arn:aws:iam::444444444444:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin";
    home.aws.world().roles.push(RoleSpec::new(sandbox, "sso").may_assume(OVER_ROLE));
    home.aws.world().roles.push(RoleSpec::new(OVER_ROLE, "arn:aws:iam::444444444444:root"));
    home
}

/// A browser that writes down the page that it is sent to.
fn browser(home: &Home) -> String {
    let path = home
        .write("bin/browser", "#!/bin/sh\nprintf '%s\\n' \"$1\" > \"$HOME/page.tmp\" && mv \"$HOME/page.tmp\" \"$HOME/page\"\n");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("changed");
    path.display().to_string()
}

fn start(home: &Home, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
    let mut command = home.command(&home.root, arguments);
    command.envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

fn end(child: Child) -> Run {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run { status: output.status.code().expect("no signal"), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn page(home: &Home) -> String {
    let (path, start) = (home.path("page"), Instant::now());
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(10), "no browser was opened");
        std::thread::sleep(Duration::from_millis(10));
    }
    let page = std::fs::read_to_string(&path).expect("read").trim().to_owned();
    std::fs::remove_file(path).expect("there");
    page
}

#[track_caller]
fn sign_in(home: &Home, arguments: &[&str]) -> Run {
    let child = start(home, arguments, &[("BROWSER", &browser(home))]);
    assert!(follow(&page(home)).expect("an answer").contains("You are signed in"));
    end(child).succeeds()
}

fn env(home: &Home, profile: &str) -> Run {
    home.run(&home.root, &["env", "--profile", profile, "--format", "json"])
}

fn token_file(home: &Home) -> PathBuf {
    home.path(".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json")
}

fn edit_token(home: &Home, change: impl FnOnce(&mut serde_json::Value)) {
    let mut token = serde_json::from_slice(&std::fs::read(token_file(home)).expect("a token")).expect("JSON");
    change(&mut token);
    std::fs::write(token_file(home), token.to_string()).expect("written");
}

fn expire_token(home: &Home) {
    edit_token(home, |token| token["expiresAt"] = "2020-01-01T00:00:00Z".into());
}

#[test]
fn one_sign_in_serves_every_role() {
    let home = home();
    env(&home, "sandbox").fails(3, &["not signed in to corp", "hint: awsenv sso login --sso-session corp"]);
    assert!(home.aws.actions().is_empty(), "nobody was asked");
    let run = sign_in(&home, &["sso", "login", "sandbox"]);
    assert!(
        run.stderr.contains("sign in to corp in the browser: http://") && run.stderr.contains("signed in to corp, until 20"),
        "{}",
        run.stderr
    );
    assert_eq!(home.aws.actions(), ["RegisterClient", "Authorize", "CreateToken"]);
    for (profile, account) in [("sandbox", "444444444444"), ("data", "555555555555"), ("over", "666666666666")] {
        let json = env(&home, profile).succeeds().json();
        let id = json["AWS_ACCESS_KEY_ID"].as_str().expect("there");
        let (_, principal) = home.aws.world().signer(id, json["AWS_SESSION_TOKEN"].as_str()).expect("known to AWS");
        assert_eq!(principal.account, account);
        env(&home, profile).succeeds();
    }
    assert_eq!(home.aws.actions()[3..], ["GetRoleCredentials", "GetRoleCredentials", "AssumeRole"], "each once");
    env(&home, "foreign").fails(
        5,
        &[
            "cannot get role Admin of account 999999999999: that account or role is not assigned to you",
            "hint: check sso_account_id",
        ],
    );
    // A profile of the older form has a token of its own, named by the start URL.
    env(&home, "old").fails(3, &["not signed in to https://corp.awsapps.com/start", "hint: awsenv sso login"]);
    sign_in(&home, &["login", "old"]);
    env(&home, "old").succeeds();
    let mode = std::os::unix::fs::PermissionsExt::mode(&token_file(&home).metadata().expect("there").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_hundred_profiles_need_one_token_and_the_call_that_is_asked_for() {
    let home = home();
    for number in 0..100 {
        home.append(
            ".aws/config",
            &format!("[profile many{number}]\nsso_session = corp\nsso_account_id = 444444444444\nsso_role_name = ReadOnly\n"),
        );
    }
    sign_in(&home, &["sso", "login"]);
    env(&home, "many7").succeeds();
    env(&home, "many70").succeeds();
    assert_eq!(home.aws.actions()[3..], ["GetRoleCredentials"], "the same role is the same session");
}

#[test]
fn tokens_are_refreshed_and_ended() {
    let home = home();
    sign_in(&home, &["sso", "login", "--sso-session", "corp"]);
    expire_token(&home);
    env(&home, "sandbox").succeeds();
    assert_eq!(home.aws.actions()[3..], ["CreateToken", "GetRoleCredentials"], "refreshed");
    // In the middle: the token is revoked before its time, and refreshed once.
    home.aws.world().identity_center.revoke_tokens();
    env(&home, "data").succeeds();
    assert_eq!(home.aws.actions()[5..], ["GetRoleCredentials", "CreateToken", "GetRoleCredentials"]);
    home.run(&home.root, &["logout", "--all"]).succeeds();
    home.aws.world().identity_center.revoke_tokens();
    home.aws.world().identity_center.revoke_refresh_tokens();
    env(&home, "data").fails(
        3,
        &["not signed in to corp: the sign-in at IAM Identity Center is missing or has expired", "hint: awsenv sso login"],
    );
    // Ten processes at once refresh once.
    sign_in(&home, &["sso", "login"]);
    expire_token(&home);
    let before = home.aws.actions().len();
    let children: Vec<_> = (0..10).map(|_| start(&home, &["env", "--profile", "data", "--format", "json"], &[])).collect();
    for child in children {
        end(child).succeeds();
    }
    assert_eq!(home.aws.actions()[before..], ["CreateToken", "GetRoleCredentials"]);
    // The network is down, and the token still lives for two minutes: it serves.
    home.run(&home.root, &["logout", "--all"]).succeeds();
    let soon = awsenv::exports::rfc3339(i64::try_from(home.aws.world().now()).expect("in range") + 120).expect("a date");
    edit_token(&home, |token| token["expiresAt"] = soon.into());
    home.run_with(
        &home.root,
        &["env", "--profile", "data", "--format", "json"],
        &[("AWS_ENDPOINT_URL_SSO_OIDC", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")],
        "",
    )
    .succeeds();
}

#[test]
fn what_the_browser_brings_must_be_ours() {
    let home = home();
    let child = start(&home, &["sso", "login"], &[("BROWSER", &browser(&home))]);
    let page = page(&home);
    let back = page.split("redirect_uri=").nth(1).and_then(|rest| rest.split('&').next()).expect("a way back");
    let back = back.replace("%3A", ":").replace("%2F", "/");
    assert!(get(&format!("{back}?code=evil&state=guessed")).expect("an answer").starts_with("HTTP/1.1 404"));
    assert!(get(&format!("{back}?code=evil")).expect("an answer").starts_with("HTTP/1.1 404"));
    // An open connection that says nothing holds up nobody.
    let _idle = TcpStream::connect(back.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("a host"))
        .expect("it listens");
    assert!(follow(&page).expect("an answer").contains("You are signed in"));
    end(child).succeeds();
    home.aws.world().identity_center.denies = true;
    let child = start(&home, &["sso", "login"], &[("BROWSER", &browser(&home))]);
    assert!(follow(&self::page(&home)).expect("an answer").contains("The sign-in failed"));
    end(child).fails(3, &["cannot sign in: the browser came back with an error: no", "hint: awsenv sso login"]);
}

#[test]
fn a_device_code_over_ssh_or_on_demand() {
    let home = home();
    home.aws.world().identity_center.device_polls = 2;
    let run = home.run_with(&home.root, &["sso", "login"], &[("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")], "").succeeds();
    assert!(
        run.stderr.contains(
            "open https://device.sso.eu-west-1.amazonaws.com/?user_code=ABCD-EFGH and check that it shows the code ABCD-EFGH"
        ),
        "{}",
        run.stderr
    );
    assert_eq!(home.aws.actions(), ["RegisterClient", "StartDeviceAuthorization", "CreateToken", "CreateToken", "CreateToken"]);
    env(&home, "sandbox").succeeds();
    home.aws.world().identity_center.device_polls = 0;
    let child = start(&home, &["sso", "login", "--device-code"], &[("BROWSER", &browser(&home))]);
    assert!(page(&home).contains("user_code=ABCD-EFGH"));
    end(child).succeeds();
    home.aws.world().identity_center.denies = true;
    home.run(&home.root, &["sso", "login", "--device-code"]).fails(5, &["the request was denied in the browser"]);
}

#[test]
fn sessions_that_are_not_there() {
    let home = home();
    home.append(".aws/config", "[sso-session other]\nsso_start_url = https://other.awsapps.com/start\n[profile lost]\nsso_session = crop\n[profile norole]\nsso_session = corp\nsso_account_id = 444444444444\n[profile digits]\nsso_session = corp\nsso_account_id = 4444\nsso_role_name = x\n[profile differs]\nsso_session = corp\nsso_region = us-east-1\nsso_account_id = 444444444444\nsso_role_name = x\n");
    home.run(&home.root, &["sso", "login"])
        .fails(2, &["there are several sessions: corp, other", "hint: awsenv sso login --sso-session corp"]);
    home.run(&home.root, &["sso", "login", "--sso-session", "other"])
        .fails(1, &["cannot use [sso-session other]: it has no sso_region"]);
    home.run(&home.root, &["sso", "login", "security"]).fails(1, &["profile `security` does not sign in by IAM Identity Center"]);
    env(&home, "lost").fails(1, &["there is no [sso-session crop] in", "hint: one of `corp`, `other`"]);
    env(&home, "norole").fails(1, &["it signs in by IAM Identity Center, but has no sso_role_name"]);
    env(&home, "digits").fails(1, &["`sso_account_id = 4444` is not an account id"]);
    env(&home, "differs").fails(1, &["its sso_region is not that of its sso_session `corp`"]);
}

#[test]
fn the_hook_says_what_to_run_and_opens_no_browser() {
    let home = home();
    let project = home.project("sandbox", "sandbox\n");
    home.run(&project, &["allow"]).succeeds();
    let browser = browser(&home);
    let mut environment = home.environment();
    environment.insert("BROWSER".into(), browser);
    let (after, run) = home.export(&project, &environment);
    assert!(
        run.stderr.contains("awsenv: not signed in to corp") && run.stderr.contains("awsenv sso login --sso-session corp"),
        "{}",
        run.stderr
    );
    assert!(!after.contains_key("AWS_ACCESS_KEY_ID") && !home.path("page").exists());
    sign_in(&home, &["sso", "login"]);
    let (after, _) = home.export(&project, &after);
    assert_eq!(after["AWSENV_ACCOUNT_ID"], "444444444444");
}

#[test]
fn auto_login_opens_the_browser_on_entering() {
    let home = home();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n[sso]\nauto_login = true\n");
    let project = home.project("sandbox", "sandbox\n");
    let browser = browser(&home);
    for kind in EVERY_SHELL {
        home.run(&home.root, &["logout", "--all"]).succeeds();
        let _none_yet = std::fs::remove_file(token_file(&home));
        let shell = Shell::start_with(&home, kind, "", "", &[("BROWSER", &browser)]);
        shell.line(&format!("cd {}", project.display()));
        assert!(follow(&page(&home)).expect("an answer").contains("You are signed in"));
        let mut shell = shell;
        assert_eq!(shell.environment()["AWSENV_ACCOUNT_ID"], "444444444444", "{}", kind.name());
    }
}

fn aws(home: &Home, arguments: &[&str]) -> serde_json::Value {
    let mut command = std::process::Command::new(python("aws"));
    command
        .args(arguments)
        .args(["--output", "json"])
        .env_clear()
        .envs(home.environment())
        .env("AWS_ENDPOINT_URL", &home.aws.url)
        .env("AWS_DEFAULT_REGION", "eu-west-1");
    let output = command.output().expect("the AWS CLI is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn the_aws_cli_and_awsenv_share_a_sign_in() {
    let home = home();
    sign_in(&home, &["sso", "login"]);
    let identity = aws(&home, &["sts", "get-caller-identity", "--profile", "sandbox"]);
    assert_eq!(identity["Account"], "444444444444");
    // An expired token is refreshed by the AWS CLI with what awsenv registered, and serves awsenv.
    expire_token(&home);
    aws(&home, &["sts", "get-caller-identity", "--profile", "data"]);
    let before = home.aws.actions().len();
    env(&home, "data").succeeds();
    assert_eq!(home.aws.actions()[before..], ["GetRoleCredentials"]);
    // And the other way round: awsenv refreshes what the AWS CLI wrote.
    expire_token(&home);
    let before = home.aws.actions().len();
    env(&home, "sandbox").succeeds();
    assert_eq!(home.aws.actions()[before..], ["CreateToken", "GetRoleCredentials"]);
    aws(&home, &["sts", "get-caller-identity", "--profile", "sandbox"]);
}

#[test]
fn populate_edits_its_own_block_only() {
    let home = home();
    let before = std::fs::read_to_string(home.path(".aws/config")).expect("there");
    let populate = |more: &[&str]| home.run(&home.root, &[&["sso", "populate"], more].concat());
    populate(&["--dry-run"]).fails(3, &["not signed in to corp"]);
    sign_in(&home, &["sso", "login"]);
    let run = populate(&["--dry-run", "--region", "eu-west-1"]).succeeds();
    assert!(
        run.stdout.contains("+[profile Acme-Sandbox-Admin]") && run.stdout.contains("+sso_role_name = ReadOnly"),
        "{}",
        run.stdout
    );
    assert_eq!(std::fs::read_to_string(home.path(".aws/config")).expect("there"), before);
    populate(&[]).fails(2, &["cannot ask whether to make this change", "hint: --yes makes it"]);
    // The file is a link into the user's dotfiles, and has a mode of its own.
    std::fs::rename(home.path(".aws/config"), home.path("dotfiles-config")).expect("moved");
    std::os::unix::fs::symlink(home.path("dotfiles-config"), home.path(".aws/config")).expect("linked");
    let run = populate(&["--yes", "--region", "eu-west-1"]).succeeds();
    assert!(run.stderr.contains("3 profiles of corp; the old text is in"), "{}", run.stderr);
    assert!(home.path(".aws/config").is_symlink());
    let after = std::fs::read_to_string(home.path(".aws/config")).expect("there");
    assert!(after.starts_with(&before));
    let backup = std::fs::read_dir(&home.root)
        .expect("there")
        .flatten()
        .map(|entry| entry.path())
        .find(|path| is_backup(path))
        .expect("kept");
    assert_eq!(std::fs::read_to_string(backup).expect("read"), before);
    assert!(populate(&["--yes", "--region", "eu-west-1"]).succeeds().stderr.contains("nothing to change: 3 profiles"));
    let identity = aws(&home, &["sts", "get-caller-identity", "--profile", "Acme-Sandbox-ReadOnly"]);
    assert_eq!(identity["Account"], "444444444444");
    env(&home, "acme-data-ReadOnly").succeeds();
    home.aws.world().identity_center.accounts.pop();
    assert!(
        populate(&["--yes", "--region", "eu-west-1"])
            .succeeds()
            .stderr
            .contains("not assigned to you any more: acme-data-ReadOnly (--prune removes them)")
    );
    populate(&["--yes", "--prune", "--region", "eu-west-1"]).succeeds();
    assert!(!std::fs::read_to_string(home.path(".aws/config")).expect("there").contains("acme-data"));
    populate(&["--template", "{acount}"]).fails(1, &["there is no field `{acount}`"]);
}

fn is_backup(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("dotfiles-config.awsenv-"))
}
