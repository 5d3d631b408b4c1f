//! `awsenv profiles` and `awsenv explain`: what they tell, without signing in.

use pty_process::blocking::Command;

use crate::pty::Terminal;
use crate::support::fake_aws::START_URL;
use crate::support::home::{DEV_ROLE, DEVICE, Home};

fn home() -> Home {
    let home = Home::new();
    home.append(
        ".aws/config",
        &format!(
            "[sso-session corp]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\n\
             [profile sandbox]\nsso_session = corp\nsso_account_id = 444444444444\nsso_role_name = Admin\n\
             [profile proc]\ncredential_process = x\n[profile lost]\nrole_arn = {DEV_ROLE}\nsource_profile = gone\nregion = eu-west-3\n"
        ),
    );
    home.write(".config/awsenv/config.ini", "[accounts]\n222222222222 = acme-dev\n");
    home
}

#[test]
fn every_profile_is_listed() {
    let home = home();
    home.login("dev").succeeds();
    let list = home.run(&home.root, &["profiles", "--json"]).succeeds().json();
    let of = |name: &str| list.as_array().expect("a list").iter().find(|row| row["name"] == name).expect("listed").clone();
    let dev = of("dev");
    assert_eq!(dev["kind"], "assume_role");
    assert_eq!((&dev["account_id"], &dev["region"]), (&"222222222222".into(), &"eu-west-1".into()));
    assert_eq!((&dev["role_arn"], &dev["mfa_serial"]), (&DEV_ROLE.into(), &DEVICE.into()));
    assert_eq!(dev["session"]["state"], "valid");
    assert!(dev["session"]["expires_at"].as_str().is_some_and(|at| at.ends_with('Z')));
    assert_eq!(of("prod")["session"], serde_json::json!({"state": "none", "expires_at": null}));
    assert_eq!((&of("sandbox")["kind"], &of("sandbox")["account_id"]), (&"sso".into(), &"444444444444".into()));
    assert_eq!((&of("proc")["kind"], &of("security")["kind"]), (&"process".into(), &"session_token".into()));
    let lost = of("lost");
    assert!(
        lost["kind"].is_null()
            && lost["reason"].as_str().is_some_and(|reason| reason.contains("source_profile `gone` is not in"))
    );
    assert!(home.aws.actions().len() == 2, "nobody was asked");

    let text = home.run(&home.root, &["profiles"]).succeeds().stdout;
    let line = text.lines().find(|line| line.starts_with("dev\t")).expect("a line");
    assert!(line.starts_with("dev\tassume_role\t222222222222 acme-dev\teu-west-1\tdev\tyes\t"), "{line}");
    assert!(text.contains("lost\t-\t-\teu-west-3\tdev\t-\tcannot be used: its source_profile"), "{text}");
    home.aws.world().session_seconds = Some(1);
    home.login_cached("prod");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let list = home.run(&home.root, &["profiles", "--json"]).succeeds().json();
    let prod = list.as_array().expect("a list").iter().find(|row| row["name"] == "prod").expect("listed");
    assert_eq!(prod["session"]["state"], "expired");
}

#[test]
fn on_a_terminal_the_columns_are_aligned() {
    let home = home();
    let terminal = Terminal::start("awsenv", || {
        Command::new(env!("CARGO_BIN_EXE_awsenv")).arg("profiles").env_clear().envs(home.environment()).current_dir(&home.root)
    });
    terminal.wait_for("PROFILE ");
    terminal.wait_for("security");
    let screen = terminal.screen();
    let column = |word: &str| screen.lines().find_map(|line| line.find(word)).unwrap_or_else(|| panic!("{screen}"));
    assert_eq!(column("KIND"), column("session_token"));
    assert_eq!(column("ACCOUNT"), column("222222222222 acme-dev"));
}

#[test]
fn a_chain_is_explained_with_file_and_line() {
    let home = home();
    let config = home.path(".aws/config").display().to_string();
    let json = home.run(&home.root, &["explain", "dev", "--json"]).succeeds().json();
    assert_eq!(json["profile"], "dev");
    assert_eq!(json["settings"]["role_arn"], serde_json::json!({"value": DEV_ROLE, "file": config, "line": 6}));
    let steps = json["steps"].as_array().expect("steps");
    let types: Vec<_> =
        steps.iter().map(|step| (step["type"].as_str().expect("a type"), step["profile"].as_str().expect("a profile"))).collect();
    assert_eq!(types, [("static_keys", "security"), ("session_token", "security"), ("assume_role", "dev")]);
    assert_eq!((&steps[1]["mfa_serial"], &steps[1]["duration_seconds"]), (&DEVICE.into(), &43_200.into()));
    assert_eq!((&steps[2]["role_arn"], &steps[2]["duration_seconds"]), (&DEV_ROLE.into(), &3_600.into()));
    let secret = &steps[0]["settings"]["aws_secret_access_key"];
    assert_eq!((&secret["value"], &secret["line"]), (&"[redacted]".into(), &3.into()));
    assert!(secret["file"].as_str().is_some_and(|file| file.ends_with(".aws/credentials")));
    assert_eq!(json["would_ask"], serde_json::json!({"mfa_serial": DEVICE}));
    let key = home.aws.world().users[0].keys[0].clone();
    let text = home.run(&home.root, &["explain", "dev"]).succeeds().stdout;
    assert!(!text.contains(&key.secret));
    for part in [
        "profile dev, account 222222222222, region eu-west-1",
        &format!("├─ access key {} of profile security", key.id),
        &format!("├─ MFA session (GetSessionToken) with a code of {DEVICE}, for 12h"),
        &format!("└─ role {DEV_ROLE} (AssumeRole) for 1h"),
        &format!("role_arn = {DEV_ROLE}  {config}:6"),
        "asks STS in eu-west-1 at http://127.0.0.1:",
        &format!("signing in asks for an MFA code of {DEVICE}"),
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    home.login("dev").succeeds();
    let text = home.run(&home.root, &["explain", "dev"]).succeeds().stdout;
    assert!(text.contains("cached until 20") && text.ends_with("signing in asks nothing\n"), "{text}");
    // From the MFA session that is there, another role asks nothing either.
    assert!(home.run(&home.root, &["explain", "prod"]).succeeds().stdout.ends_with("signing in asks nothing\n"));
    let sso = home.run(&home.root, &["explain", "sandbox"]).succeeds().stdout;
    assert!(
        sso.contains(&format!("sso_start_url = {START_URL}  {config}:"))
            && sso.ends_with("signing in needs the browser first: awsenv sso login --sso-session corp\n"),
        "{sso}"
    );
    home.run(&home.root, &["explain", "lost"]).fails(1, &["its source_profile `gone`"]);
    // Without a name it is the directory's profile, and there trust counts.
    let project = home.project("x", "dev\n");
    home.run(&project, &["explain"]).fails(4, &["is not trusted"]);
}
