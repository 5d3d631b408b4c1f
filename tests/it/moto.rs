//! Against an AWS that nobody here wrote, moto, with the AWS CLI and boto3 as consumers.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::home::Home;

/// The test command puts moto and the AWS CLI where this says.
pub fn python(program: &str) -> PathBuf {
    let place = std::env::var("AWSENV_TEST_PYTHON").expect("run the tests by tests/run, which installs moto and the AWS CLI");
    PathBuf::from(place).join(program)
}

struct Moto {
    server: Child,
    url: String,
}

impl Moto {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let mut command = Command::new(python("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let moto = Moto { server: command.spawn().expect("moto is installed"), url: format!("http://127.0.0.1:{port}") };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "moto does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        moto
    }

    /// The AWS CLI with these variables and nothing else.
    fn aws(&self, home: &Home, variables: &[(String, String)], arguments: &[&str]) -> Value {
        let mut command = Command::new(python("aws"));
        command
            .args(arguments)
            .args(["--output", "json"])
            .env_clear()
            .envs(home.environment())
            .env("AWS_ENDPOINT_URL", &self.url);
        let output = command
            .env_remove("AWS_ENDPOINT_URL_STS")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .envs(variables.iter().cloned())
            .output();
        let output = output.expect("the AWS CLI is installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.server.kill();
        let _status = self.server.wait();
    }
}

#[test]
fn keys_and_roles_serve_the_aws_cli_and_boto3() {
    let home = Home::new();
    let moto = Moto::start();
    let admin = [("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned()), ("AWS_SECRET_ACCESS_KEY".to_owned(), "test".to_owned())];
    moto.aws(&home, &admin, &["iam", "create-user", "--user-name", "jane"]);
    let key = moto.aws(&home, &admin, &["iam", "create-access-key", "--user-name", "jane"]);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    let role = moto.aws(&home, &admin, &["iam", "create-role", "--role-name", "dev", "--assume-role-policy-document", policy]);
    let field = |name: &str| key["AccessKey"][name].as_str().expect("text").to_owned();
    home.write(
        ".aws/credentials",
        &format!("[jane]\naws_access_key_id = {}\naws_secret_access_key = {}\n", field("AccessKeyId"), field("SecretAccessKey")),
    );
    let arn = role["Role"]["Arn"].as_str().expect("text");
    home.write(".aws/config", &format!("[profile jane]\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\n[profile dev]\nrole_arn = {arn}\nsource_profile = jane\nregion = eu-west-1\nrole_session_name = tester\n"));

    let environment = [("AWS_ENDPOINT_URL_STS", moto.url.as_str())];
    home.run_with(&home.root, &["login", "dev", "--mfa-code", "123456"], &environment, "").succeeds();
    let run = home.run_with(&home.root, &["env", "--profile", "dev", "--format", "json"], &environment, "").succeeds();
    let variables: Vec<_> = run
        .json()
        .as_object()
        .expect("an object")
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().expect("text").to_owned()))
        .collect();
    let identity = moto.aws(&home, &variables, &["sts", "get-caller-identity"]);
    assert_eq!(identity["Arn"], "arn:aws:sts::123456789012:assumed-role/dev/tester");

    let script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])";
    let mut boto3 = Command::new(python("python"));
    boto3
        .args(["-c", script])
        .env_clear()
        .envs(home.environment())
        .envs(variables)
        .env_remove("AWS_ENDPOINT_URL_STS")
        .env("AWS_ENDPOINT_URL", &moto.url);
    let output = boto3.output().expect("boto3 is installed");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        "arn:aws:sts::123456789012:assumed-role/dev/tester",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    // The other ways to hand them over.
    let aws = python("aws").display().to_string();
    let whoami = [aws.as_str(), "sts", "get-caller-identity", "--query", "Arn", "--output", "text"];
    for more in [&["--profile", "dev", "--"][..], &["--server", "--profile", "dev", "--"]] {
        let run = home.run_with(&home.root, &[&["exec"], more, &whoami].concat(), &environment, "").succeeds();
        assert_eq!(run.stdout.trim(), "arn:aws:sts::123456789012:assumed-role/dev/tester", "{more:?}");
    }
    home.run_with(&home.root, &["server", "stop"], &environment, "").succeeds();
    let awsenv = env!("CARGO_BIN_EXE_awsenv");
    home.append(".aws/config", &format!("[profile via]\ncredential_process = {awsenv} credential-process --profile dev\n"));
    let identity = moto.aws(
        &home,
        &[("AWS_ENDPOINT_URL_STS".to_owned(), moto.url.clone())],
        &["sts", "get-caller-identity", "--profile", "via"],
    );
    assert_eq!(identity["Arn"], "arn:aws:sts::123456789012:assumed-role/dev/tester");
    let ini = home.run_with(&home.root, &["env", "--profile", "dev", "--format", "ini"], &environment, "").succeeds().stdout;
    let file = home.write("aws.ini", &ini).display().to_string();
    let of_file = [("AWS_SHARED_CREDENTIALS_FILE".to_owned(), file), ("AWS_CONFIG_FILE".to_owned(), "/dev/null".to_owned())];
    let identity = moto.aws(&home, &of_file, &["sts", "get-caller-identity", "--profile", "dev"]);
    assert_eq!(identity["Arn"], "arn:aws:sts::123456789012:assumed-role/dev/tester");
}
