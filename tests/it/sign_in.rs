//! Signing in: plans carried out against the strict fake, and what AWS says no to.

use std::collections::BTreeMap;

use crate::support::fake_aws::{Fault, RoleSpec};
use crate::support::home::{DEV_ROLE, DEVICE, Home, JANE, PROD_ROLE};

#[test]
fn a_first_entry_takes_two_calls_a_second_role_one_and_a_second_shell_none() {
    let home = Home::new();
    home.login("dev").succeeds();
    assert_eq!(home.aws.actions(), ["GetSessionToken", "AssumeRole"]);
    let run = home.run(&home.root, &["env", "--profile", "prod", "--format", "json"]).succeeds();
    assert!(run.json()["AWS_SESSION_TOKEN"].is_string());
    assert_eq!(home.aws.actions(), ["GetSessionToken", "AssumeRole", "AssumeRole"]);
    home.run(&home.root, &["env", "--profile", "prod", "--format", "json"]).succeeds();
    home.run(&home.root, &["env", "--profile", "dev", "--format", "json"]).succeeds();
    home.run(&home.root, &["env", "--profile", "security", "--format", "json"]).succeeds();
    assert_eq!(home.aws.actions().len(), 3);
    let world = home.aws.world();
    assert_eq!(world.log[0].parameters["SerialNumber"], DEVICE);
    assert_eq!(world.log[0].parameters["DurationSeconds"], "43200");
    assert_eq!(world.log[1].parameters["RoleArn"], DEV_ROLE);
    assert_eq!(world.log[1].parameters["RoleSessionName"], "awsenv-jane");
    assert_eq!((world.log[0].region.as_str(), world.log[1].region.as_str()), ("eu-central-1", "eu-west-1"));
}

#[test]
fn every_key_of_a_role_reaches_aws() {
    let home = Home::new();
    home.aws
        .world()
        .roles
        .push(RoleSpec::new("arn:aws:iam::444444444444:role/x", JANE).external_id("o'neill & co").max_seconds(7200));
    home.write(
        ".aws/config",
        "[profile x]\nrole_arn = arn:aws:iam::444444444444:role/x\nsource_profile = security\nexternal_id = o'neill & co\n\
         role_session_name = jane@work\nduration_seconds = 7200\nsession_tags = team=web, stage=dev\n\
         transitive_session_tags = team\nsource_identity = jane\n",
    );
    home.run(&home.root, &["login", "x"]).succeeds();
    let world = home.aws.world();
    let expected = [
        ("RoleSessionName", "jane@work"),
        ("ExternalId", "o'neill & co"),
        ("DurationSeconds", "7200"),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.2.Value", "dev"),
        ("TransitiveTagKeys.member.1", "team"),
        ("SourceIdentity", "jane"),
    ];
    for (name, value) in expected {
        assert_eq!(world.log[0].parameters[name], value, "{name}");
    }
}

#[test]
fn a_long_role_session_takes_the_code_with_the_call() {
    let home = Home::new();
    home.append(".aws/config", "duration_seconds = 28800\n");
    let run = home.login("prod").succeeds();
    assert_eq!(home.aws.actions(), ["AssumeRole"]);
    assert_eq!(home.aws.world().log[0].parameters["SerialNumber"], DEVICE);
    assert!(run.stderr.contains("account 333333333333"), "{}", run.stderr);
}

#[test]
fn role_over_role_takes_one_code_at_the_root() {
    let home = Home::new();
    let hop = "arn:aws:iam::444444444444:role/hop";
    {
        let mut world = home.aws.world();
        world.roles[0].may_assume.push(hop.into());
        world.roles.push(RoleSpec::new(hop, DEV_ROLE).max_seconds(43_200));
    }
    home.append(".aws/config", &format!("[profile hop]\nrole_arn = {hop}\nsource_profile = dev\nduration_seconds = 14400\n"));
    home.login("hop").succeeds();
    assert_eq!(home.aws.actions(), ["GetSessionToken", "AssumeRole", "AssumeRole"]);
    assert_eq!(home.aws.world().log[2].parameters["DurationSeconds"], "3600");
}

#[test]
fn a_code_is_never_sent_twice() {
    let home = Home::new();
    let code = home.aws.fresh_code(DEVICE);
    home.run(&home.root, &["login", "dev", "--mfa-code", &code]).succeeds();
    home.run(&home.root, &["login", "dev", "--mfa-code", &code])
        .fails(3, &["used already", "hint: wait ", " s for the next code"]);
    assert_eq!(home.aws.actions().len(), 2);
}

#[test]
fn a_code_from_standard_input() {
    let home = Home::new();
    let code = home.aws.fresh_code(DEVICE);
    home.run_with(&home.root, &["login", "dev", "--mfa-code", "-"], &[], &format!("{code}\n")).succeeds();
    home.run(&home.root, &["login", "dev", "--mfa-code", "12345"]).fails(2, &["a code has six digits"]);
}

#[test]
fn wrong_and_expired_codes() {
    let home = Home::new();
    home.run(&home.root, &["login", "dev", "--mfa-code", "000000"]).fails(5, &["did not accept the MFA code", "hint:"]);
    let old = home.aws.world().device(DEVICE).expect("there").code_at(1_000_000);
    home.run(&home.root, &["login", "dev", "--mfa-code", &old]).fails(5, &["did not accept the MFA code"]);
    home.login("dev").succeeds();
}

#[test]
fn without_a_terminal_a_code_cannot_be_asked_for() {
    let home = Home::new();
    let command = home.command(&home.root, &["login", "dev"]);
    // A session of its own has no controlling terminal, whatever the tests run on.
    let output = std::process::Command::new("setsid")
        .arg("--wait")
        .arg(command.get_program())
        .args(["login", "dev"])
        .env_clear()
        .envs(home.environment())
        .output();
    let output = output.expect("setsid is part of util-linux");
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("there is no terminal to ask on") && stderr.contains("hint: awsenv login --mfa-code CODE"),
        "{stderr}"
    );
}

#[test]
fn an_unknown_device() {
    let home = Home::new();
    let config = std::fs::read_to_string(home.path(".aws/config")).expect("there").replace("mfa/jane", "mfa/old-phone");
    home.write(".aws/config", &config);
    home.run(&home.root, &["login", "dev", "--mfa-code", "123456"])
        .fails(5, &["no MFA device arn:aws:iam::111111111111:mfa/old-phone", "aws iam list-mfa-devices"]);
}

#[test]
fn wrong_keys() {
    let home = Home::new();
    let credentials = std::fs::read_to_string(home.path(".aws/credentials")).expect("there");
    home.write(".aws/credentials", &credentials.replace("forty", "sixty"));
    home.run(&home.root, &["login", "dev", "--mfa-code", "123456"])
        .fails(5, &["the secret access key does not belong", "aws_secret_access_key"]);
    home.write(".aws/credentials", &credentials);
    home.aws.world().users[0].keys[0].active = false;
    home.run(&home.root, &["login", "dev", "--mfa-code", "123457"]).fails(5, &["AWS does not know the access key AKIA", "hint:"]);
}

#[test]
fn a_role_that_may_not_be_assumed_says_what_it_can_be() {
    let home = Home::new();
    home.aws.world().roles[0].trusts = vec!["arn:aws:iam::999999999999:root".into()];
    let run = home.login("dev").fails(
        5,
        &[
            "cannot assume arn:aws:iam::222222222222:role/dev (profile `dev`)",
            "trust policy does not name the caller",
            "(account 111111111111)",
        ],
    );
    assert!(run.stderr.contains("external id, and none was given"), "{}", run.stderr);
    assert!(!run.stderr.contains("demands MFA"), "MFA was proved: {}", run.stderr);
    // Without MFA, and with an external id, the list is another one.
    home.write(".aws/config", &format!("[profile dev]\nrole_arn = {DEV_ROLE}\nsource_profile = security\nexternal_id = acme\n"));
    let run = home
        .run(&home.root, &["login", "dev"])
        .fails(5, &["demands MFA, and no mfa_serial was given", "another external id than `acme`"]);
    assert!(run.stderr.contains("hint: check role_arn, and whether it lacks mfa_serial below [profile dev]"), "{}", run.stderr);
}

#[test]
fn a_duration_over_the_roles_maximum() {
    let home = Home::new();
    home.aws.world().roles[1].max_seconds = 3600;
    home.append(".aws/config", "duration_seconds = 7200\n");
    home.login("prod")
        .fails(5, &["duration_seconds = 7200 is more than the role allows", "hint: lower duration_seconds in profile `prod`"]);
}

#[test]
fn skew_is_said_and_by_how_much() {
    for (ahead, says) in [(-1800, "30 min ahead of AWS's"), (7200, "behind AWS's")] {
        let home = Home::new();
        home.aws.world().clock_ahead = ahead;
        home.append(
            ".aws/config",
            "[profile plain]\nrole_arn = arn:aws:iam::555555555555:role/plain\nsource_profile = security-keys\n",
        );
        let credentials =
            std::fs::read_to_string(home.path(".aws/credentials")).expect("there").replace("[security]", "[security-keys]");
        home.append(".aws/credentials", &credentials);
        home.aws.world().roles.push(RoleSpec::new("arn:aws:iam::555555555555:role/plain", JANE));
        // A call that may be repeated is corrected by the SDK; one that carries a code cannot be.
        home.run(&home.root, &["login", "plain"]).succeeds();
        let code = home.aws.world().device(DEVICE).map(|device| device.code_at(home_now(ahead))).expect("there");
        home.run(&home.root, &["login", "dev", "--mfa-code", &code])
            .fails(5, &["this machine's clock is", says, "hint: set the clock"]);
    }
}

fn home_now(ahead: i64) -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    now.saturating_add_signed(ahead)
}

#[test]
fn throttling_and_faults_are_repeated_but_not_with_a_code() {
    let home = Home::new();
    home.login("dev").succeeds();
    home.aws.world().log.clear();
    home.aws.world().faults.extend([Fault::Throttle, Fault::Status(503)]);
    home.run(&home.root, &["env", "--profile", "prod", "--format", "json"]).succeeds();
    assert_eq!(home.aws.actions(), ["AssumeRole"; 3]);
    home.aws.world().log.clear();
    home.aws.forget_codes(DEVICE);
    home.aws.world().faults.extend([Fault::Throttle, Fault::Status(500)]);
    let now = home_now(0);
    let codes = [now - 30, now + 30].map(|at| home.aws.world().device(DEVICE).expect("there").code_at(at));
    home.run(&home.root, &["login", "dev", "--mfa-code", &codes[0]])
        .fails(5, &["AWS is asked too often (Throttling: Rate exceeded)"]);
    home.run(&home.root, &["login", "dev", "--mfa-code", &codes[1]]).fails(6, &["AWS has a fault of its own (500"]);
    assert_eq!(home.aws.actions().len(), 2);
}

#[test]
fn a_refusal_is_not_repeated() {
    let home = Home::new();
    home.write(".aws/config", &format!("[profile dev]\nrole_arn = {DEV_ROLE}\nsource_profile = security\n"));
    home.run(&home.root, &["login", "dev"]).fails(5, &["AccessDenied"]);
    assert_eq!(home.aws.actions(), ["AssumeRole"]);
}

#[test]
fn what_is_not_aws_answering() {
    let home = Home::new();
    home.write(".aws/config", &format!("[profile dev]\nrole_arn = {DEV_ROLE}\nsource_profile = security\n"));
    let login = || home.run_with(&home.root, &["login", "dev"], &[("AWS_MAX_ATTEMPTS", "1")], "");
    home.aws.world().faults.push_back(Fault::Garbage);
    login().fails(
        6,
        &[
            "cannot reach http://127.0.0.1:",
            "is not one of AWS; is a proxy or a sign-in page in between?",
            "hint: check that endpoint",
        ],
    );
    home.aws.world().faults.push_back(Fault::Reset);
    login().fails(6, &["cannot reach http://127.0.0.1:"]);
    home.aws.world().faults.push_back(Fault::Truncate);
    login().fails(6, &["cannot reach http://127.0.0.1:"]);
    let refused = [("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")];
    home.run_with(&home.root, &["login", "dev"], &refused, "").fails(6, &["cannot reach http://127.0.0.1:9: ", "refused"]);
}

#[test]
fn nothing_hangs_longer_than_the_settings_say() {
    let home = Home::new();
    home.write(".aws/config", &format!("[profile dev]\nrole_arn = {DEV_ROLE}\nsource_profile = security\n"));
    home.write(".config/awsenv/config.ini", "[network]\nconnect_timeout = 1\ntimeout = 2\n");
    home.aws.world().faults.push_back(Fault::Hang);
    let start = std::time::Instant::now();
    home.run(&home.root, &["login", "dev"]).fails(6, &["no answer within 2 s"]);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn a_retry_variable_that_the_sdk_would_panic_over() {
    let home = Home::new();
    home.login("dev").succeeds();
    let environment = [("AWS_MAX_ATTEMPTS", "many"), ("AWS_RETRY_MODE", "legacy")];
    home.run_with(&home.root, &["env", "--profile", "prod", "--format", "json"], &environment, "").succeeds();
}

#[test]
fn five_processes_sign_in_once() {
    let home = Home::new();
    home.append(
        ".aws/config",
        "[profile keys]\n[profile plain]\nrole_arn = arn:aws:iam::555555555555:role/plain\nsource_profile = keys\n",
    );
    let credentials = std::fs::read_to_string(home.path(".aws/credentials")).expect("there").replace("[security]", "[keys]");
    home.append(".aws/credentials", &credentials);
    home.aws.world().roles.push(RoleSpec::new("arn:aws:iam::555555555555:role/plain", JANE));
    home.aws.world().delay_ms = 300;
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| home.run(&home.root, &["env", "--profile", "plain", "--format", "env"]).succeeds());
        }
    });
    assert_eq!(home.aws.actions(), ["AssumeRole"]);
}

#[test]
fn an_edited_role_never_serves_what_the_old_one_did() {
    let home = Home::new();
    home.login("dev").succeeds();
    let first = home.run(&home.root, &["env", "--profile", "dev", "--format", "json"]).succeeds().json();
    let config = std::fs::read_to_string(home.path(".aws/config")).expect("there").replace(DEV_ROLE, PROD_ROLE);
    home.write(".aws/config", &config);
    let second = home.run(&home.root, &["env", "--profile", "dev", "--format", "json"]).succeeds().json();
    assert_ne!(first["AWS_ACCESS_KEY_ID"], second["AWS_ACCESS_KEY_ID"]);
    assert_eq!(home.aws.world().log[2].parameters["RoleArn"], PROD_ROLE);
}

#[test]
fn a_cache_that_cannot_be_kept_is_said_and_stands_in_nobodys_way() {
    let home = Home::new();
    home.append(
        ".aws/config",
        "[profile keys]\n[profile plain]\nrole_arn = arn:aws:iam::555555555555:role/plain\nsource_profile = keys\n",
    );
    let credentials = std::fs::read_to_string(home.path(".aws/credentials")).expect("there").replace("[security]", "[keys]");
    home.append(".aws/credentials", &credentials);
    home.aws.world().roles.push(RoleSpec::new("arn:aws:iam::555555555555:role/plain", JANE));
    home.write("a-file", "");
    let place = home.path("a-file/cache").display().to_string();
    for place in [place.as_str(), "/proc/nowhere"] {
        let run = home
            .run_with(&home.root, &["env", "--profile", "plain", "--format", "json"], &[("AWSENV_CACHE_DIR", place)], "")
            .succeeds();
        assert!(run.json()["AWS_SESSION_TOKEN"].is_string());
        assert!(
            run.stderr.contains(&format!("cannot keep sessions in {place}")) && run.stderr.contains("hint:"),
            "{}",
            run.stderr
        );
    }
    // A file system that is full, in a mount namespace of its own.
    let full = home.path("full");
    std::fs::create_dir(&full).expect("made");
    let command = home.command(&home.root, &[]);
    let script = "mount -t tmpfs -o size=4k,mode=0700 none \"$1\" && head -c 4096 /dev/zero > \"$1/fill\"; exec \"$2\" env --profile plain --format json";
    let mut unshare = std::process::Command::new("unshare");
    unshare
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(&full)
        .arg(command.get_program())
        .env_clear()
        .envs(home.environment());
    let output = unshare.env("AWSENV_CACHE_DIR", full.join("cache")).output().expect("unshare is part of util-linux");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && stderr.contains("cannot keep sessions in") && stderr.contains("hint: free some space"),
        "{stderr}"
    );
    home.write(".config/awsenv/config.ini", "cache = off\n");
    home.run(&home.root, &["env", "--profile", "plain", "--format", "json"]).succeeds();
    assert!(!home.path(".cache/awsenv/sessions").exists());
}

#[test]
fn no_secret_is_in_logs_messages_or_files() {
    let home = Home::new();
    let code = home.aws.fresh_code(DEVICE);
    let run = home.run_with(&home.root, &["login", "dev", "--mfa-code", &code], &[("AWSENV_LOG", "trace")], "").succeeds();
    let world = home.aws.world();
    let secrets: Vec<String> = world
        .sessions
        .values()
        .flat_map(|session| [session.secret.clone(), session.token.clone()])
        .chain([world.users[0].keys[0].secret.clone(), code])
        .collect();
    let mut files = vec![home.path(".cache"), home.path(".local"), home.path("run")];
    let mut read = vec![run.stderr, run.stdout];
    while let Some(path) = files.pop() {
        match std::fs::read_dir(&path) {
            Ok(entries) => files.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) => read.extend(std::fs::read(&path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())),
        }
    }
    assert!(read.len() > 5);
    for text in &read {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "a secret in {text:?}");
        }
    }
}

#[test]
fn an_account_assertion_is_checked_before_anybody_is_asked() {
    let home = Home::new();
    let project = home.project("acme", "profile = dev\naccount_id = 999999999999\n");
    home.run(&project, &["allow"]).succeeds();
    let (after, run) = home.export(&project, &BTreeMap::new());
    assert!(after.is_empty());
    run.fails(1, &["refused profile `dev`: it is of account 222222222222, and .awsprofile demands account_id = 999999999999"]);
    // Keys name no account, so AWS is asked, once.
    home.append(".aws/config", "[profile keys]\n");
    let credentials = std::fs::read_to_string(home.path(".aws/credentials")).expect("there").replace("[security]", "[keys]");
    home.append(".aws/credentials", &credentials);
    let keys = home.project("keys", "profile = keys\naccount_id = 111111111111\n");
    home.run(&keys, &["allow"]).succeeds();
    for _ in 0..2 {
        let (after, run) = home.export(&keys, &BTreeMap::new());
        run.succeeds();
        assert_eq!(after["AWSENV_ACCOUNT_ID"], "111111111111");
    }
    assert_eq!(home.aws.actions(), ["GetCallerIdentity"]);
}
