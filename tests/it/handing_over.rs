//! Handing credentials to programs: exec, `credential_process`, formats, the console; with the AWS CLI and boto3 as the
//! programs.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use pty_process::blocking::Command as PtyCommand;

use crate::moto::python;
use crate::pty::{Kind, Shell, Terminal};
use crate::support::browser::get;
use crate::support::fake_aws::RoleSpec;
use crate::support::home::{DEV_ROLE, DEVICE, Home, JANE};

const DEV_SESSION: &str = "arn:aws:sts::222222222222:assumed-role/dev/awsenv-jane";

/// Signed in, with the AWS CLI in the path.
fn home() -> Home {
    let home = Home::new();
    home.login("dev").succeeds();
    std::fs::create_dir_all(home.path("bin")).expect("made");
    std::os::unix::fs::symlink(python("aws"), home.path("bin/aws")).expect("linked");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_awsenv"), home.path("bin/awsenv")).expect("linked");
    home
}

fn exec(home: &Home, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = home.command(&home.root, &[&["exec"], arguments].concat());
    command.envs(environment.iter().copied()).stdin(Stdio::null()).output().expect("it starts")
}

#[track_caller]
fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const IDENTITY: [&str; 7] = ["--", "aws", "sts", "get-caller-identity", "--query", "Arn", "--output=text"];

#[test]
fn a_command_sees_the_credentials_and_nothing_beside_them() {
    let home = home();
    let dirty = [
        ("AWS_PROFILE", "mine"),
        ("AWS_SECURITY_TOKEN", "old"),
        ("AWS_SESSION_TOKEN", "old"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/x"),
    ];
    let text = stdout(&exec(&home, &["--profile", "dev", "--", "env"], &dirty));
    let get = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    assert!(get("AWS_ACCESS_KEY_ID").is_some_and(|id| id.starts_with("ASIA")));
    assert_eq!(
        (get("AWS_REGION"), get("AWSENV_PROFILE"), get("AWSENV_ACCOUNT_ID")),
        (Some("eu-west-1"), Some("dev"), Some("222222222222"))
    );
    assert_eq!((get("AWS_PROFILE"), get("AWS_SECURITY_TOKEN")), (None, None));
    assert_eq!(stdout(&exec(&home, &[&["--profile", "dev"], &IDENTITY[..]].concat(), &dirty)).trim(), DEV_SESSION);
    let words = stdout(&exec(&home, &["--profile", "dev", "--", "printf", "%s|", "a b", "--", "-x", ""], &[]));
    assert_eq!(words, "a b|--|-x||");
    // Without a profile it is the directory's.
    let project = home.project("dev", "dev\n");
    home.run(&project, &["allow"]).succeeds();
    assert_eq!(home.run(&project, &["exec", "--", "sh", "-c", "echo $AWSENV_PROFILE"]).succeeds().stdout, "dev\n");
}

#[test]
fn the_command_takes_the_place_of_awsenv() {
    let home = home();
    let of = |script: &str| exec(&home, &["--profile", "dev", "--", "sh", "-c", script], &[]).status;
    assert_eq!(of("exit 7").code(), Some(7));
    assert_eq!(of("kill -TERM $$").signal(), Some(15));
    let mut command = home.command(&home.root, &["exec", "--profile", "dev", "--", "sh", "-c", "echo $$"]);
    let child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let pid = child.id().to_string();
    assert_eq!(String::from_utf8_lossy(&child.wait_with_output().expect("it ends").stdout).trim(), pid);
    // A reader that goes away ends the command as it would without awsenv.
    let piped = exec(&home, &["--profile", "dev", "--", "bash", "-c", "yes | head -n 1; echo ${PIPESTATUS[0]}"], &[]);
    assert_eq!(stdout(&piped), "y\n141\n");
    home.write("bin/plain", "not a program");
    let run = |command: &str| home.run(&home.root, &["exec", "--profile", "dev", "--", command]);
    run("no-such-command").fails(127, &["cannot run no-such-command: there is no such command", "hint: "]);
    run("plain").fails(126, &["cannot run plain", "hint: chmod +x"]);
    home.run(&home.root, &["exec", "--profile", "nobody", "--", "true"]).fails(1, &["no profile `nobody`"]);
    home.run(&home.root, &["logout", "--all"]).succeeds();
    home.run(&home.root, &["exec", "--profile", "dev", "--", "true"]).fails(3, &["an MFA code for"]);
}

#[test]
fn without_a_command_it_is_the_users_shell_and_may_be_nested() {
    let home = home();
    home.login_cached("prod");
    home.project("dev", "dev\n");
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    for kind in [Kind::Bash, Kind::Zsh] {
        let mut shell = Shell::start(&home, kind);
        let program = kind.name();
        assert_eq!(shell.run("cd work/dev")["AWSENV_PROFILE"], "dev");
        shell.line(&format!("SHELL=$(command -v {program}) awsenv exec --profile prod"));
        // The hook in there keeps to the profile that was named, wherever one goes.
        assert_eq!(shell.run(&format!("eval \"$(awsenv hook {program})\""))["AWSENV_PROFILE"], "prod", "{program}");
        assert_eq!(shell.run("cd ..")["AWSENV_PROFILE"], "prod");
        shell.line("awsenv exec --profile dev");
        assert_eq!(shell.environment()["AWSENV_PROFILE"], "dev");
        shell.line("exit");
        assert_eq!(shell.environment()["AWSENV_PROFILE"], "prod");
        shell.line("exit");
        assert_eq!(shell.environment()["AWSENV_PROFILE"], "dev");
    }
}

#[test]
fn sdks_take_it_as_their_credential_process() {
    let home = home();
    home.append(
        ".aws/config",
        "\n[profile via]\ncredential_process = awsenv credential-process --profile dev\nregion = eu-west-1\n",
    );
    let aws = |arguments: &[&str]| {
        let mut command = Command::new(python("aws"));
        command.args(arguments).env_clear().envs(home.environment()).output().expect("the AWS CLI is installed")
    };
    let identity = ["sts", "get-caller-identity", "--profile", "via", "--query", "Arn", "--output=text"];
    assert_eq!(stdout(&aws(&identity)).trim(), DEV_SESSION);
    let script = "import boto3; s = boto3.Session(profile_name='via'); c = s.get_credentials(); f = c.get_frozen_credentials(); print(s.client('sts').get_caller_identity()['Arn'], c.method)";
    let boto3 = Command::new(python("python")).args(["-c", script]).env_clear().envs(home.environment()).output();
    assert_eq!(stdout(&boto3.expect("boto3 is installed")).trim(), format!("{DEV_SESSION} custom-process"));
    let json = home.run(&home.root, &["credential-process", "--profile", "dev"]).succeeds().json();
    assert_eq!((&json["Version"], &json["AccountId"]), (&1.into(), &"222222222222".into()));
    assert!(json["Expiration"].as_str().is_some_and(|at| at.ends_with('Z')));
    home.run(&home.root, &["logout", "--all"]).succeeds();
    let run = home.run(&home.root, &["credential-process", "--profile", "dev"]).fails(3, &["an MFA code for"]);
    assert_eq!(run.stderr.lines().count(), 1, "one line: {}", run.stderr);
    let refused = aws(&identity);
    let says = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        says.contains("an MFA code for arn:aws:iam::111111111111:mfa/jane is needed") && says.contains("awsenv login"),
        "{says}"
    );
    home.aws.forget_codes(DEVICE);
    std::fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
    // On a terminal it asks, and the answer is on standard output alone.
    let terminal = Terminal::start("awsenv", || {
        PtyCommand::new("sh")
            .args(["-c", "awsenv credential-process --profile dev > \"$HOME/out\""])
            .env_clear()
            .envs(home.environment())
            .current_dir(&home.root)
    });
    terminal.wait_for("awsenv: MFA code for");
    terminal.answer(&home.aws.fresh_code(DEVICE));
    terminal
        .until("credentials", || std::fs::read_to_string(home.path("out")).is_ok_and(|text| text.contains("SecretAccessKey")));
}

#[test]
fn callers_at_once_sign_in_once() {
    let home = home();
    home.run(&home.root, &["logout", "--all"]).succeeds();
    std::fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
    home.aws.forget_codes(DEVICE);
    home.login("security").succeeds();
    home.aws.world().delay_ms = 300;
    let before = home.aws.actions().len();
    let children: Vec<_> = (0..12)
        .map(|_| {
            home.command(&home.root, &["credential-process", "--profile", "dev"])
                .stdout(Stdio::piped())
                .spawn()
                .expect("it starts")
        })
        .collect();
    let answers: std::collections::BTreeSet<_> =
        children.into_iter().map(|child| child.wait_with_output().expect("it ends").stdout).collect();
    assert_eq!((answers.len(), home.aws.actions().len() - before), (1, 1));
}

#[test]
fn programs_that_ask_again_get_what_lasts() {
    let home = home();
    home.run(&home.root, &["logout", "--all"]).succeeds();
    std::fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
    home.aws.forget_codes(DEVICE);
    home.login("security").succeeds();
    home.aws.world().session_seconds = Some(24);
    let first = home.run(&home.root, &["credential-process", "--profile", "dev"]).succeeds().json();
    std::thread::sleep(std::time::Duration::from_secs(17));
    // It ends soon, and cannot be renewed: it still serves.
    let unreachable = [("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9"), ("AWS_MAX_ATTEMPTS", "1")];
    home.aws.world().faults.extend([crate::support::fake_aws::Fault::Reset; 3]);
    let same = home.run_with(&home.root, &["credential-process", "--profile", "dev"], &unreachable[1..], "").succeeds().json();
    assert_eq!(same["AccessKeyId"], first["AccessKeyId"]);
    home.aws.world().faults.clear();
    home.aws.world().session_seconds = None;
    let renewed = home.run(&home.root, &["credential-process", "--profile", "dev"]).succeeds().json();
    assert_ne!(renewed["AccessKeyId"], first["AccessKeyId"]);
}

#[test]
fn formats_are_read_by_their_readers() {
    let home = home();
    let print = |format: &str| home.run(&home.root, &["env", "--profile", "dev", "--format", format]).succeeds().stdout;
    let identity = |environment: &[(String, String)]| {
        let mut command = Command::new(python("aws"));
        command.args(&IDENTITY[2..]).env_clear().envs(home.environment()).envs(environment.iter().cloned());
        stdout(&command.output().expect("the AWS CLI is installed")).trim().to_owned()
    };
    home.write("aws.ini", &print("ini"));
    let file = home.path("aws.ini").display().to_string();
    assert_eq!(
        identity(&[
            ("AWS_SHARED_CREDENTIALS_FILE".into(), file),
            ("AWS_CONFIG_FILE".into(), "/dev/null".into()),
            ("AWS_PROFILE".into(), "dev".into())
        ]),
        DEV_SESSION
    );
    let pairs: Vec<_> = print("docker")
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(identity(&pairs), DEV_SESSION);
    home.write(".env", &print("dotenv"));
    let script =
        format!("set -a; . \"$HOME/.env\"; exec {} sts get-caller-identity --query Arn --output text", python("aws").display());
    let sourced = Command::new("sh").args(["-c", &script]).env_clear().envs(home.environment()).output().expect("sh is there");
    assert_eq!(stdout(&sourced).trim(), DEV_SESSION);
    assert!(print("powershell").lines().any(|line| line == "$env:AWS_REGION = 'eu-west-1'"));
    home.run(&home.root, &["env", "--format", "toml"]).fails(2, &["invalid value 'toml'"]);
}

#[test]
fn the_console_is_signed_in_and_its_address_is_on_no_command_line() {
    let home = home();
    let print = |arguments: &[&str]| home.run(&home.root, &[&["console", "--print"], arguments].concat());
    let address = print(&["--profile", "dev", "--service", "s3"]).succeeds().stdout;
    let answer = get(address.trim()).expect("an answer");
    assert!(answer.contains("location: https://console.aws.amazon.com/s3/home?region=eu-west-1"), "{answer}");
    assert_eq!(home.aws.world().console_tokens.values().collect::<Vec<_>>(), [DEV_SESSION]);
    // An IAM user with an MFA session: the session cannot sign in, so the keys themselves ask for a federated one.
    let run = print(&["--profile", "security", "--region", "us-gov-west-1"]).succeeds();
    assert!(run.stderr.contains("by GetFederationToken: for 12 h at most, and without MFA"), "{}", run.stderr);
    assert!(
        get(run.stdout.trim())
            .expect("an answer")
            .contains("location: https://console.amazonaws-us-gov.com/console/home?region=us-gov-west-1")
    );
    assert!(home.aws.world().console_tokens.values().any(|who| who == "arn:aws:sts::111111111111:federated-user/jane"));

    let script = "#!/bin/sh\nprintf '%s' \"$*\" > \"$HOME/given\"\nexec \"$PYTHON\" -c 'import sys, urllib.request as u\nclass N(u.HTTPRedirectHandler):\n def redirect_request(self, *a): return None\ntry: u.build_opener(N).open(sys.argv[1])\nexcept Exception as e: open(sys.argv[2], \"w\").write(e.headers[\"location\"])' \"$1\" \"$HOME/seen\"\n";
    let browser = home.write("bin/browser", script);
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("changed");
    let python = python("python").display().to_string();
    let environment = [("BROWSER", browser.to_str().expect("text")), ("PYTHON", &python), ("AWSENV_LOG", "debug")];
    let run = home.run_with(&home.root, &["console", "--profile", "dev"], &environment, "").succeeds();
    let given = std::fs::read_to_string(home.path("given")).expect("called");
    assert!(given.starts_with("http://127.0.0.1:") && !given.contains("Token"), "{given}");
    for _ in 0..100 {
        if home.path("seen").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let seen = std::fs::read_to_string(home.path("seen")).expect("sent on");
    assert!(seen.contains("Action=login") && seen.contains("SigninToken=signin-token-"), "{seen}");
    assert!(!run.stderr.contains("signin-token"), "{}", run.stderr);

    home.run(&home.root, &["console", "--profile", "dev"])
        .fails(1, &["there is no browser here", "hint: awsenv console --print"]);
    print(&["--profile", "dev", "--service", "s3?x=1"]).fails(2, &["`s3?x=1` is not a service"]);
    home.aws.world().users[0].may_assume.clear();
    home.aws.world().sessions.clear();
    print(&["--profile", "dev"]).fails(5, &["AWS does not take the session (status 400)", "hint: awsenv login"]);
}

#[test]
fn a_role_of_another_partition_has_its_console() {
    let home = home();
    let china = "arn:aws-cn:iam::222222222222:role/dev";
    home.aws.world().roles.push(RoleSpec::new(china, JANE));
    let key = home.aws.world().users[0].keys[0].clone();
    home.append(
        ".aws/credentials",
        &format!("[plain]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret),
    );
    home.append(".aws/config", &format!("\n[profile china]\nrole_arn = {china}\nsource_profile = plain\n"));
    let address = home.run(&home.root, &["console", "--print", "--profile", "china"]).succeeds().stdout;
    assert!(address.contains("Destination=https%3A%2F%2Fconsole.amazonaws.cn%2Fconsole%2Fhome%3Fregion%3D"), "{address}");
    assert_ne!(DEV_ROLE, china);
}
