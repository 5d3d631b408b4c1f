//! Every source of credentials but IAM Identity Center: what each gives, and what each says when it cannot.

use std::time::{Duration, Instant};

use crate::run::Run;
use crate::support::fake_aws::{RoleSpec, SignInSession};
use crate::support::home::{DEV_ROLE, DEVICE, Home, JANE};

const MACHINE_ROLE: &str = "arn:aws:iam::777777777777:role/machine";
const OPEN_ROLE: &str = "arn:aws:iam::555555555555:role/open";

/// A home with more profiles; the role `machine` may assume the role `open`, and so may Jane.
fn home(config: &str) -> Home {
    let home = Home::new();
    home.append(".aws/config", config);
    let key = home.aws.world().users[0].keys[0].clone();
    home.append(
        ".aws/credentials",
        &format!("[plain]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret),
    );
    {
        let mut world = home.aws.world();
        world.machine.role_arn = Some(MACHINE_ROLE.into());
        world.roles.push(RoleSpec::new(MACHINE_ROLE, "ec2").may_assume(OPEN_ROLE));
        let mut open = RoleSpec::new(OPEN_ROLE, "arn:aws:iam::777777777777:root");
        open.trusts.extend([JANE.to_owned(), "system:serviceaccount:web".to_owned()]);
        world.roles.push(open);
    }
    home
}

fn env(home: &Home, profile: &str, environment: &[(&str, &str)]) -> Run {
    home.run_with(&home.root, &["env", "--profile", profile, "--format", "json"], environment, "")
}

/// The keys that a profile gives, which the fake knows.
#[track_caller]
fn identity(home: &Home, run: Run) -> String {
    let json = run.succeeds().json();
    let id = json["AWS_ACCESS_KEY_ID"].as_str().expect("an id").to_owned();
    let world = home.aws.world();
    let (secret, principal) = world.signer(&id, json["AWS_SESSION_TOKEN"].as_str()).expect("known to AWS");
    assert_eq!(json["AWS_SECRET_ACCESS_KEY"], secret.as_str());
    assert_eq!(json.get("AWS_CREDENTIAL_EXPIRATION").is_some(), json.get("AWS_SESSION_TOKEN").is_some());
    principal.arn
}

fn source(home: &Home, profile: &str, environment: &[(&str, &str)]) -> String {
    let directory = home.project(profile, &format!("{profile}\n"));
    home.run(&directory, &["allow"]).succeeds();
    let mut all = home.environment();
    all.extend(environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let (after, _) = home.export(&directory, &all);
    let pairs: Vec<_> = after.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    home.run_with(&directory, &["status", "--json"], &pairs, "").json()["source"].as_str().expect("a source").to_owned()
}

#[test]
fn the_instance_and_a_role_over_it() {
    let home = home(&format!(
        "[profile machine]\ncredential_source = Ec2InstanceMetadata\n[profile over]\nrole_arn = {OPEN_ROLE}\ncredential_source = Ec2InstanceMetadata\n"
    ));
    assert_eq!(identity(&home, env(&home, "machine", &[])), MACHINE_ROLE);
    assert_eq!(identity(&home, env(&home, "over", &[])), OPEN_ROLE);
    assert_eq!(home.aws.actions(), ["Metadata", "Metadata", "Metadata", "AssumeRole"], "the instance's session is cached");
    identity(&home, env(&home, "over", &[]));
    assert_eq!(home.aws.actions().len(), 4);
    assert_eq!(source(&home, "machine", &[]), "imds");
    assert_eq!(source(&home, "over", &[]), "assume_role");
}

#[test]
fn where_there_is_no_instance_it_is_known_within_a_second() {
    let home = home("[profile machine]\ncredential_source = Ec2InstanceMetadata\n");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("bound"));
    let start = Instant::now();
    env(&home, "machine", &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &silent)]).fails(
        6,
        &["cannot get the instance's credentials: no metadata service answers at", "hint: this works on an EC2 instance alone"],
    );
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    env(&home, "machine", &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")])
        .fails(6, &["no metadata service answers"]);
    env(&home, "machine", &[("AWS_EC2_METADATA_DISABLED", "true")])
        .fails(1, &["AWS_EC2_METADATA_DISABLED is set", "hint: unset AWS_EC2_METADATA_DISABLED"]);
    env(&home, "machine", &[("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "v6")]).fails(1, &["there is no endpoint mode `v6`"]);
    home.aws.world().machine.metadata_disabled = true;
    env(&home, "machine", &[]).fails(1, &["is switched off (403)", "hint: aws ec2 modify-instance-metadata-options"]);
    home.aws.world().machine.metadata_disabled = false;
    home.aws.world().machine.role_code = Some("AssumeRoleUnauthorizedAccess");
    env(&home, "machine", &[])
        .fails(1, &["AssumeRoleUnauthorizedAccess: EC2 cannot assume the role", "trusts ec2.amazonaws.com"]);
    home.aws.world().machine.role_arn = None;
    env(&home, "machine", &[]).fails(1, &["this instance has no role", "hint: aws ec2 associate-iam-instance-profile"]);
    // What is asked on loopback goes past the proxy.
    home.aws.world().machine.role_code = None;
    home.aws.world().machine.role_arn = Some(MACHINE_ROLE.into());
    let proxy = [("HTTP_PROXY", "http://127.0.0.1:9"), ("http_proxy", "http://127.0.0.1:9")];
    assert_eq!(identity(&home, env(&home, "machine", &proxy)), MACHINE_ROLE);
}

#[test]
fn a_container_and_a_role_over_it() {
    let home = home(&format!(
        "[profile task]\ncredential_source = EcsContainer\n[profile over]\nrole_arn = {OPEN_ROLE}\ncredential_source = EcsContainer\n"
    ));
    let url = format!("{}/container/credentials", home.aws.url);
    let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str());
    assert_eq!(identity(&home, env(&home, "over", &[full])), OPEN_ROLE);
    assert_eq!(source(&home, "task", &[full]), "container");
    home.run(&home.root, &["logout", "--all"]).succeeds();
    home.aws.world().machine.authorization = Some("Bearer xyz".into());
    env(&home, "task", &[full]).fails(5, &["refuses the token (status 403)", "hint: check AWS_CONTAINER_AUTHORIZATION_TOKEN"]);
    identity(&home, env(&home, "task", &[full, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer xyz")]));
    home.run(&home.root, &["logout", "--all"]).succeeds();
    let file = home.write("token", "Bearer xyz\n").display().to_string();
    let of_file = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.as_str());
    identity(&home, env(&home, "task", &[full, of_file, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong")]));
    home.run(&home.root, &["logout", "--all"]).succeeds();
    home.write("token", " \n");
    env(&home, "task", &[full, of_file]).fails(1, &["the file is empty", "hint: check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]);
    let missing = ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nonexistent/token");
    env(&home, "task", &[full, missing]).fails(1, &["cannot use the token in /nonexistent/token: No such file"]);
    env(&home, "task", &[]).fails(1, &["neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor"]);
    let elsewhere = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/x");
    env(&home, "task", &[elsewhere]).fails(1, &["AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor on this machine"]);
    env(&home, "task", &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "x")]).fails(1, &["does not begin with `/`"]);
    env(&home, "task", &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/x")])
        .fails(6, &["nothing answers at http://127.0.0.1:9/x"]);
}

#[test]
fn a_web_identity_of_a_profile_and_of_the_environment() {
    let home = home("");
    let file = home.write("web-token", "token-of-web").display().to_string();
    home.append(".aws/config", &format!("[profile web]\nrole_arn = {OPEN_ROLE}\nweb_identity_token_file = {file}\n[profile norole]\nweb_identity_token_file = {file}\n[profile over]\nrole_arn = {DEV_ROLE}\nsource_profile = web\n"));
    home.aws.world().web_identities.insert("token-of-web".into(), Some("system:serviceaccount:web".into()));
    assert_eq!(identity(&home, env(&home, "web", &[])), OPEN_ROLE);
    identity(&home, env(&home, "web", &[]));
    assert_eq!(home.aws.actions(), ["AssumeRoleWithWebIdentity"], "cached");
    assert_eq!(source(&home, "web", &[]), "web_identity");
    env(&home, "over", &[]).fails(5, &["cannot assume arn:aws:iam::222222222222:role/dev"]);
    let variables =
        [("AWS_ROLE_ARN", OPEN_ROLE), ("AWS_WEB_IDENTITY_TOKEN_FILE", file.as_str()), ("AWS_ROLE_SESSION_NAME", "pod-7")];
    assert_eq!(identity(&home, home.run_with(&home.root, &["env", "--format", "json"], &variables, "")), OPEN_ROLE);
    assert_eq!(home.aws.world().log.last().expect("a call").parameters["RoleSessionName"], "pod-7");
    home.run(&home.root, &["logout", "--all"]).succeeds();
    env(&home, "norole", &[]).fails(1, &["no role_arn to assume with the token"]);
    home.aws.world().web_identities.insert("token-of-web".into(), Some("system:serviceaccount:other".into()));
    env(&home, "web", &[])
        .fails(5, &["its trust policy does not allow this token's issuer, subject or audience", "hint: compare the token's"]);
    home.aws.world().web_identities.insert("token-of-web".into(), None);
    env(&home, "web", &[]).fails(5, &["the token in", "has expired", "hint: whoever writes the file must renew it"]);
    home.aws.world().web_identities.clear();
    env(&home, "web", &[]).fails(5, &["AWS does not accept the token in", "InvalidIdentityToken"]);
    home.write("web-token", "");
    env(&home, "web", &[]).fails(1, &["the file is empty", "hint: check web_identity_token_file"]);
    std::fs::remove_file(&file).expect("there");
    env(&home, "web", &[]).fails(1, &["No such file"]);
}

#[test]
fn the_environment_as_the_user_made_it() {
    let home = home(&format!(
        "[profile over]\nrole_arn = {OPEN_ROLE}\ncredential_source = Environment\n[profile mfa]\nrole_arn = {DEV_ROLE}\ncredential_source = Environment\nmfa_serial = {DEVICE}\n"
    ));
    let key = home.aws.world().users[0].keys[0].clone();
    let keys = [("AWS_ACCESS_KEY_ID", key.id.as_str()), ("AWS_SECRET_ACCESS_KEY", key.secret.as_str())];
    assert_eq!(identity(&home, env(&home, "over", &keys)), OPEN_ROLE);
    env(&home, "mfa", &keys).fails(3, &["an MFA code for"]);
    let code = home.aws.fresh_code(DEVICE);
    home.run_with(&home.root, &["login", "mfa", "--mfa-code", &code], &keys, "").succeeds();
    assert_eq!(identity(&home, env(&home, "mfa", &keys)), DEV_ROLE);
    home.run(&home.root, &["logout", "--all"]).succeeds();
    env(&home, "over", &[]).fails(1, &["its credential_source is Environment, and AWS_ACCESS_KEY_ID is not set"]);
    env(&home, "over", &keys[..1]).fails(1, &["AWS_SECRET_ACCESS_KEY is not"]);
    // In the directory of `over` its keys are loaded; the source is still what the user had before.
    let directory = home.project("over", "over\n");
    home.run(&directory, &["allow"]).succeeds();
    let mut all = home.environment();
    all.extend(keys.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let (after, _) = home.export(&directory, &all);
    assert!(after["AWS_ACCESS_KEY_ID"].starts_with("ASIA"));
    home.run(&home.root, &["logout", "--all"]).succeeds();
    let (again, run) = home.export(&directory, &after);
    assert!(
        run.stderr.is_empty()
            && again["AWS_ACCESS_KEY_ID"].starts_with("ASIA")
            && again["AWS_ACCESS_KEY_ID"] != after["AWS_ACCESS_KEY_ID"],
        "{}",
        run.stderr
    );
}

#[test]
fn where_nobody_names_a_profile_the_sdks_chain_counts() {
    let home = home("");
    let run = |environment: &[(&str, &str)]| home.run_with(&home.root, &["env", "--format", "json"], environment, "");
    let key = home.aws.world().users[0].keys[0].clone();
    let keys = [("AWS_ACCESS_KEY_ID", key.id.as_str()), ("AWS_SECRET_ACCESS_KEY", key.secret.as_str())];
    assert_eq!(identity(&home, run(&keys)), JANE);
    let url = format!("{}/container/credentials", home.aws.url);
    assert_eq!(identity(&home, run(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)])), MACHINE_ROLE);
    assert_eq!(home.aws.actions(), ["Container"]);
    assert_eq!(identity(&home, run(&[])), MACHINE_ROLE);
    home.run(&home.root, &["logout", "--all"]).succeeds();
    run(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")])
        .fails(1, &["no credentials found: no profile was named", "hint: awsenv profiles"]);
    home.append(".aws/config", &format!("[default]\nrole_arn = {OPEN_ROLE}\nsource_profile = plain\n"));
    assert_eq!(identity(&home, run(&[])), OPEN_ROLE);
    // A profile that is named is that profile, whatever the environment has.
    assert_eq!(identity(&home, env(&home, "default", &keys)), OPEN_ROLE);
}

/// A home whose profile `proc` runs a script.
fn of_process(script: &str) -> Home {
    let home = home("");
    let path = home.write("bin/get keys", &format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("changed");
    home.append(".aws/config", &format!("[profile proc]\ncredential_process = \"{}\" --for 'a b'\n[profile over]\nrole_arn = {OPEN_ROLE}\nsource_profile = proc\n[profile mfa]\nrole_arn = {DEV_ROLE}\nsource_profile = proc\nmfa_serial = {DEVICE}\n", path.display()));
    home
}

fn runs(home: &Home) -> usize {
    std::fs::read_to_string(home.path("runs")).unwrap_or_default().lines().count()
}

#[test]
fn a_process_that_gives_long_lived_keys() {
    let home = of_process("echo \"$2\" >> \"$HOME/runs\"; cat \"$HOME/keys.json\"");
    let key = home.aws.world().users[0].keys[0].clone();
    home.write("keys.json", &format!(r#"{{"Version": 1, "AccessKeyId": "{}", "SecretAccessKey": "{}"}}"#, key.id, key.secret));
    assert_eq!(identity(&home, env(&home, "proc", &[])), JANE);
    assert_eq!(std::fs::read_to_string(home.path("runs")).expect("it ran"), "a b\n");
    assert_eq!(identity(&home, env(&home, "over", &[])), OPEN_ROLE);
    env(&home, "mfa", &[]).fails(3, &["an MFA code for arn:aws:iam::111111111111:mfa/jane is needed"]);
    let code = home.aws.fresh_code(DEVICE);
    home.run(&home.root, &["login", "mfa", "--mfa-code", &code]).succeeds();
    assert_eq!(identity(&home, env(&home, "mfa", &[])), DEV_ROLE);
    assert_eq!(home.aws.actions(), ["AssumeRole", "GetSessionToken", "AssumeRole"]);
    // Only the process knows whether such keys are still the ones: they are in no file of the cache.
    let before = runs(&home);
    identity(&home, env(&home, "proc", &[]));
    assert_eq!(runs(&home), before + 1);
}

#[test]
fn a_process_that_gives_sessions_is_asked_once_while_they_live() {
    let home = of_process(
        "echo x >> \"$HOME/runs\"; echo asked >&2; printenv AWS_ACCESS_KEY_ID >> \"$HOME/seen\"; cat \"$HOME/keys.json\"",
    );
    home.append(".aws/config", "[profile inst]\ncredential_source = Ec2InstanceMetadata\n");
    let session = env(&home, "inst", &[]).succeeds().json();
    let get = |name: &str| session[name].as_str().expect("there").to_owned();
    let write = |version: &str, expiration: &str| {
        home.write("keys.json", &format!(
            r#"{{"Version": {version}, "AccessKeyId": "{}", "SecretAccessKey": "{}", "SessionToken": "{}", "Expiration": "{expiration}"}}"#,
            get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY"), get("AWS_SESSION_TOKEN")
        ));
    };
    write("1", &get("AWS_CREDENTIAL_EXPIRATION"));
    let run = env(&home, "proc", &[]);
    assert_eq!(run.stderr, "asked\n", "what it says is passed on");
    identity(&home, run);
    identity(&home, env(&home, "proc", &[]));
    identity(&home, env(&home, "over", &[]));
    assert_eq!(runs(&home), 1, "cached until it expires");
    // With a session no code can go, so none is asked for.
    home.aws.world().roles.iter_mut().find(|role| role.arn == DEV_ROLE).expect("there").trusts.push(MACHINE_ROLE.into());
    env(&home, "mfa", &[]).fails(5, &["AccessDenied"]);
    assert_eq!(source(&home, "proc", &[]), "process");

    home.run(&home.root, &["logout", "--all"]).succeeds();
    let directory = home.project("inst", "inst\n");
    home.run(&directory, &["allow"]).succeeds();
    let (loaded, _) = home.export(&directory, &home.environment());
    let pairs: Vec<_> = loaded.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    identity(&home, env(&home, "proc", &pairs));
    assert_eq!(std::fs::read_to_string(home.path("seen")).expect("it ran"), "", "it does not see what awsenv loaded");

    home.run(&home.root, &["logout", "--all"]).succeeds();
    write("1", "2020-01-01T00:00:00Z");
    env(&home, "proc", &[]).fails(1, &["printed credentials that have expired", "hint: run it by hand"]);
    write("1", "tomorrow");
    env(&home, "proc", &[]).fails(1, &["its Expiration is not a date"]);
    write("2", &get("AWS_CREDENTIAL_EXPIRATION"));
    env(&home, "proc", &[]).fails(1, &["it is of Version 2, and only 1 is known"]);
}

#[test]
fn a_process_that_does_not_do_its_work() {
    for (script, says) in [
        ("exit 7", "its credential_process failed (exit status: 7)"),
        ("kill -9 $$", "its credential_process failed (signal: 9"),
        ("echo 'secret rubbish'", "it is not the JSON of credentials"),
        ("echo '{\"Version\": 1, \"AccessKeyId\": \"x\"}'", "there is no SecretAccessKey in it"),
        ("echo '{\"AccessKeyId\": \"secret\"}'", "there is no Version in it"),
        ("printf '\\377\\376'", "prints something that is not text"),
    ] {
        let run = env(&of_process(script), "proc", &[("AWSENV_LOG", "debug")]).fails(1, &[says, "hint: run it by hand: sh -c"]);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    }
    let home = of_process("exec sleep 60");
    home.write(".config/awsenv/config.ini", "[process]\ntimeout = 1\n");
    let start = Instant::now();
    env(&home, "proc", &[]).fails(1, &["did not end within 1 s", "hint: make it faster, or raise `timeout` below [process]"]);
    assert!(start.elapsed() < Duration::from_secs(3));
    home.write(
        ".aws/config",
        "[profile proc]\ncredential_process = /nonexistent/tool x\n[profile quote]\ncredential_process = a 'b\n",
    );
    env(&home, "proc", &[]).fails(1, &["names a program that is not there: /nonexistent/tool"]);
    env(&home, "quote", &[]).fails(1, &["has a quote that is not closed"]);
}

#[test]
fn our_own_process_does_not_ask_itself() {
    let home = home(&format!(
        "[profile self]\ncredential_process = awsenv credential-process --profile self\n\
         [profile role]\nrole_arn = {OPEN_ROLE}\nsource_profile = plain\ncredential_process = awsenv credential-process --profile role\n\
         [profile other]\ncredential_process = /usr/bin/awsenv credential-process --profile role\n\
         [profile a]\ncredential_process = awsenv credential-process --profile b\n[profile b]\ncredential_process = awsenv credential-process --profile a\n"
    ));
    env(&home, "self", &[])
        .fails(1, &["its credential_process is awsenv for this same profile", "hint: give [profile self] keys"]);
    assert_eq!(identity(&home, env(&home, "role", &[])), OPEN_ROLE);
    assert_eq!(identity(&home, env(&home, "other", &[])), OPEN_ROLE);
    env(&home, "a", &[]).fails(1, &["goes in a circle: a → b → a"]);
}

#[cfg(feature = "login")]
/// A key of nobody's, in the form that the AWS CLI writes.
const PROOF_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIJQz50HzHnl/NgpoC0b7wQeEC0LGMEnrQN6xAP5HSdG5oAoGCCqGSM49\\nAwEHoUQDQgAEX1QVPtSiOd3nHCbvzE6JoZ0695IqEarWMaiJZfLYIaVCEy0P3pfi\\n5ckvF4VmmWvcJm0/32iYcuy42g0qH3lWAA==\\n-----END EC PRIVATE KEY-----\\n";

#[cfg(feature = "login")]
#[test]
fn a_session_of_aws_login_is_read_and_refreshed() {
    let home = home(&format!("[profile console]\nlogin_session = {JANE}\nregion = eu-west-1\n"));
    env(&home, "console", &[]).fails(
        3,
        &["profile `console` is not signed in: there is no session of `aws login` for it", "hint: aws login --profile console"],
    );
    // sha256 of the ARN names the file, as the AWS CLI has it.
    let name = data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(JANE));
    let file = format!(".aws/login/cache/{name}.json");
    home.write(&file, &format!(
        r#"{{"accessToken": {{"accessKeyId": "ASIAOLD", "secretAccessKey": "s", "sessionToken": "t", "accountId": "111111111111", "expiresAt": "2020-01-01T00:00:00Z"}},
            "tokenType": "aws_sigv4", "refreshToken": "first", "idToken": "x", "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": "{PROOF_KEY}"}}"#
    ));
    env(&home, "console", &[]).fails(3, &["has ended", "hint: aws login --profile console"]);
    home.aws.world().sign_in = Some(SignInSession { arn: JANE.into(), refresh_token: "first".into() });
    assert_eq!(identity(&home, env(&home, "console", &[])), JANE);
    let before = home.aws.actions().len();
    identity(&home, env(&home, "console", &[]));
    assert_eq!(home.aws.actions().len(), before, "cached");
    assert!(
        std::fs::read_to_string(home.path(&file)).expect("there").contains("refresh-"),
        "the AWS CLI finds what awsenv refreshed"
    );
    home.run(&home.root, &["logout", "--all"]).succeeds();
    home.write(
        &file,
        &std::fs::read_to_string(home.path(&file)).expect("there").replace("\"expiresAt\":\"20", "\"expiresAt\":\"19"),
    );
    env(&home, "console", &[("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")])
        .fails(6, &["cannot be refreshed"]);
}

#[test]
fn what_contradicts_itself() {
    let home = home(&format!(
        "[profile both]\nrole_arn = {OPEN_ROLE}\nsource_profile = plain\ncredential_source = Environment\n\
         [profile what]\nrole_arn = {OPEN_ROLE}\ncredential_source = Elsewhere\n[profile arn]\nrole_arn = arn:aws:iam::1:role/x\nweb_identity_token_file = x\n\
         [profile region]\nrole_arn = {OPEN_ROLE}\nsource_profile = plain\nregion = eu-west\n"
    ));
    env(&home, "both", &[]).fails(1, &["it has both source_profile and credential_source", "hint: keep one of the two"]);
    env(&home, "what", &[]).fails(
        1,
        &[
            "there is no credential_source `Elsewhere`",
            "hint: credential_source = Environment, Ec2InstanceMetadata or EcsContainer",
        ],
    );
    env(&home, "arn", &[]).fails(1, &["`arn:aws:iam::1:role/x` is not the ARN of a role"]);
    env(&home, "region", &[("AWS_ENDPOINT_URL_STS", "")])
        .fails(1, &["`eu-west` is not a region of AWS", "hint: write it like `region = eu-west-1`"]);
}
