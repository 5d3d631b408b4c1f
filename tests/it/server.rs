//! The credential server: who may ask it, what it answers, and when it ends.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::moto::python;
use crate::pty::{EVERY_SHELL, Shell};
use crate::support::fake_aws::Fault;
use crate::support::home::{DEVICE, Home};

const DEV_SESSION: &str = "arn:aws:sts::222222222222:assumed-role/dev/awsenv-jane";

/// A home whose server ends with it.
struct Served(Home);

impl std::ops::Deref for Served {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.0
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.command(&self.root, &["server", "stop"]).stderr(Stdio::null()).status();
    }
}

fn home() -> Served {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    home.login("dev").succeeds();
    Served(home)
}

/// Where `exec --server` says that the credentials are.
struct Place {
    url: String,
    token: String,
}

impl Place {
    fn of(home: &Home, profile: &str) -> Self {
        let script = "echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\"; echo \"$AWS_CONTAINER_AUTHORIZATION_TOKEN\"";
        let out = home.run(&home.root, &["exec", "--server", "--profile", profile, "--", "sh", "-c", script]).succeeds().stdout;
        let (url, token) = out.trim().split_once('\n').expect("two lines");
        Place { url: url.to_owned(), token: token.to_owned() }
    }

    fn address(&self) -> &str {
        self.url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("an address")
    }

    fn path(&self) -> &str {
        &self.url[7 + self.address().len()..]
    }

    /// The status, and the body as JSON.
    fn ask(&self, method: &str, host: &str, token: &str) -> (u16, serde_json::Value) {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        write!(
            stream,
            "{method} {} HTTP/1.1\r\nhost: {host}\r\nauthorization: {token}\r\nconnection: close\r\n\r\n",
            self.path()
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{answer}"));
        (status, serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap_or_default()).unwrap_or_default())
    }

    fn get(&self) -> (u16, serde_json::Value) {
        self.ask("GET", self.address(), &self.token)
    }
}

#[test]
fn the_aws_cli_and_boto3_take_credentials_from_it() {
    let home = home();
    let aws = python("aws").display().to_string();
    let run = |command: &[&str]| {
        home.run(&home.root, &[&["exec", "--server", "--profile", "dev", "--"], command].concat()).succeeds().stdout
    };
    assert_eq!(run(&[&aws, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"]).trim(), DEV_SESSION);
    let script =
        "import boto3; s = boto3.Session(); print(s.client('sts').get_caller_identity()['Arn'], s.get_credentials().method)";
    let boto3 = python("python").display().to_string();
    assert_eq!(run(&[&boto3, "-c", script]).trim(), format!("{DEV_SESSION} container-role"));
    let variables = run(&["env"]);
    assert!(!variables.contains("AWS_ACCESS_KEY_ID=") && variables.contains("AWS_REGION=eu-west-1"), "{variables}");
    // A command that outlives its session: the server renews it, and the command asks again.
    let place = Place::of(&home, "dev");
    let first = place.get().1["AccessKeyId"].clone();
    home.aws.world().sessions.clear();
    home.run(&home.root, &["logout", "dev"]).succeeds();
    std::fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
    home.aws.forget_codes(DEVICE);
    home.login("security").succeeds();
    let (status, second) = place.get();
    assert_eq!(status, 200, "{second}");
    assert_ne!(second["AccessKeyId"], first, "what was logged out of is not served from memory");
}

#[test]
fn export_server_loads_where_to_ask_in_every_shell() {
    for kind in EVERY_SHELL {
        let home = home();
        home.project("dev", "profile = dev\nexport = server\n");
        let mut shell = Shell::start(&home, kind);
        let loaded = shell.run("cd work/dev");
        assert!(loaded["AWS_CONTAINER_CREDENTIALS_FULL_URI"].starts_with("http://127.0.0.1:"), "{}", kind.name());
        assert!(!loaded.contains_key("AWS_ACCESS_KEY_ID") && loaded["AWSENV_ACCOUNT_ID"] == "222222222222");
        assert_eq!(loaded["AWS_REGION"], "eu-west-1");
        // It was ended: the next prompt after a change finds another one.
        home.run(&home.root, &["server", "stop"]).succeeds();
        home.touch_generation();
        let again = shell.run("true");
        assert_ne!(again["AWS_CONTAINER_CREDENTIALS_FULL_URI"], loaded["AWS_CONTAINER_CREDENTIALS_FULL_URI"]);
        let left = shell.run("cd");
        assert!(
            !left.contains_key("AWS_CONTAINER_CREDENTIALS_FULL_URI") && !left.contains_key("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        );
    }
}

#[test]
fn only_this_user_with_this_token_by_this_name() {
    let home = home();
    home.login_cached("prod");
    let (dev, prod) = (Place::of(&home, "dev"), Place::of(&home, "prod"));
    assert_eq!(dev.address(), prod.address(), "one server");
    let (status, json) = dev.get();
    assert_eq!((status, json["Token"].is_string(), json["Expiration"].is_string()), (200, true, true));
    assert_eq!(dev.ask("GET", &dev.address().replace("127.0.0.1", "localhost"), &dev.token).0, 200);
    for token in ["", "x", prod.token.as_str()] {
        let (status, json) = dev.ask("GET", dev.address(), token);
        assert_eq!((status, json.get("AccessKeyId")), (403, None), "{token}");
    }
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", &dev.address().replace("127.0.0.1", "evil.example")] {
        assert_eq!(dev.ask("GET", host, &dev.token).0, 403, "{host}");
    }
    assert_eq!(dev.ask("POST", dev.address(), &dev.token).0, 405);
    let wrong = Place { url: dev.url.replace(dev.path(), "/x/y"), token: dev.token.clone() };
    assert_eq!(wrong.get().0, 403);
    let port = dev.address().rsplit(':').next().expect("a port");
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET {} HTTP/1.1\\r\\nhost: {}\\r\\nauthorization: {}\\r\\nconnection: close\\r\\n\\r\\n' >&3; head -n 1 <&3",
        dev.path(),
        dev.address(),
        dev.token
    );
    let of_user = |uid: u32| {
        let output = Command::new("bash").args(["-c", &script]).uid(uid).gid(uid).output().expect("bash is there");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(of_user(0).contains(" 200 "));
    assert!(of_user(65_534).contains(" 403 "), "another user with the right token");
    // The token is on no command line, and in no log.
    let log = std::fs::read_dir(home.path("run/awsenv"))
        .expect("there")
        .flatten()
        .find(|entry| entry.path().extension().is_some_and(|end| end == "log"));
    assert!(!std::fs::read_to_string(log.expect("a log").path()).expect("read").contains(&dev.token));
    let mode = |path: std::path::PathBuf| {
        std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("there").permissions()) & 0o777
    };
    for entry in std::fs::read_dir(home.path("run/awsenv")).expect("there").flatten().filter(|entry| entry.path().is_file()) {
        assert_eq!(mode(entry.path()), 0o600, "{}", entry.path().display());
    }
}

#[test]
fn two_hundred_requests_on_an_expired_role_are_one_call() {
    let home = home();
    let place = Place::of(&home, "dev");
    home.aws.world().session_seconds = Some(1);
    home.run(&home.root, &["login", "prod"]);
    let prod = Place::of(&home, "prod");
    std::thread::sleep(Duration::from_millis(1_200));
    home.aws.world().session_seconds = None;
    home.aws.world().delay_ms = 300;
    let before = home.aws.actions().len();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..200).map(|_| scope.spawn(|| prod.get())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(
        answers.iter().all(|(status, json)| *status == 200 && json["AccessKeyId"] == answers[0].1["AccessKeyId"]),
        "{answers:?}"
    );
    assert_eq!(home.aws.actions()[before..], ["AssumeRole"]);
    assert_eq!(place.get().0, 200);
}

#[test]
fn it_answers_in_time_and_asks_nobody() {
    let home = home();
    // Valid still, and slow to renew: the valid ones, at once.
    home.aws.world().session_seconds = Some(12);
    home.login_cached("prod");
    let prod = Place::of(&home, "prod");
    let first = prod.get().1["AccessKeyId"].clone();
    std::thread::sleep(Duration::from_secs(9));
    home.aws.world().session_seconds = None;
    home.aws.world().delay_ms = 1_000;
    home.run(&home.root, &["server", "stop"]).succeeds();
    let prod = Place::of(&home, "prod");
    let start = Instant::now();
    let (status, json) = prod.get();
    assert!(status == 200 && start.elapsed() < Duration::from_millis(1_900), "{json} {:?}", start.elapsed());
    assert_eq!(json["AccessKeyId"].as_str().is_some(), first.as_str().is_some());
    // Nothing valid, and slower than an SDK waits: a refusal in time, and the next request has it.
    home.run(&home.root, &["server", "stop"]).succeeds();
    home.run(&home.root, &["logout", "--all"]).succeeds();
    std::fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
    home.aws.forget_codes(DEVICE);
    home.aws.world().delay_ms = 0;
    home.login("security").succeeds();
    home.login_cached("dev");
    let dev = Place::of(&home, "dev");
    home.aws.world().sessions.clear();
    home.run(&home.root, &["logout", "dev"]).succeeds();
    let (status, json) = dev.get();
    assert_eq!(status, 400, "{json}");
    let says = json["message"].as_str().unwrap_or_default();
    assert!(says.contains("an MFA code for") && says.contains("awsenv login"), "{says}");
    let calls = home.aws.actions().len();
    dev.get();
    assert_eq!(home.aws.actions().len(), calls, "an SDK that asks three times asks once");
}

#[test]
fn a_slow_sign_in_is_refused_in_time_and_had_by_the_next_request() {
    let home = home();
    home.aws.world().session_seconds = Some(1);
    let prod = Place::of(&home, "prod");
    std::thread::sleep(Duration::from_millis(1_300));
    home.aws.world().session_seconds = None;
    home.aws.world().delay_ms = 2_500;
    let start = Instant::now();
    let (status, json) = prod.get();
    assert_eq!(status, 503, "{json}");
    assert!(start.elapsed() < Duration::from_millis(1_990), "{:?}", start.elapsed());
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(prod.get().0, 200);
}

#[test]
fn starting_stopping_and_what_stands_in_the_way() {
    let home = home();
    let server = |arguments: &[&str]| home.run(&home.root, &[&["server"], arguments].concat());
    assert!(server(&["status"]).succeeds().stdout.starts_with("does not run"));
    assert!(server(&["stop"]).succeeds().stderr.contains("no credential server runs"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port().to_string();
    server(&["start", "--port", &port]).fails(
        1,
        &["cannot start the credential server", "Address already in use", "hint: another port: awsenv server start --port PORT"],
    );
    drop(taken);
    assert!(server(&["start", "--port", &port]).succeeds().stderr.contains(&format!("at http://127.0.0.1:{port}")));
    assert!(server(&["start"]).succeeds().stderr.contains("runs already"));
    server(&["start", "--port", "1"]).fails(1, &["one runs already", "hint: awsenv server stop"]);
    let status = server(&["status", "--json"]).succeeds().json();
    assert_eq!(status["url"], format!("http://127.0.0.1:{port}"));
    // Killed, it leaves its file: that counts for nothing.
    let pid = status["pid"].as_i64().expect("a pid").to_string();
    Command::new("kill").args(["-9", &pid]).status().expect("kill is there");
    std::thread::sleep(Duration::from_millis(200));
    assert!(server(&["status"]).succeeds().stdout.starts_with("does not run"));
    let place = Place::of(&home, "dev");
    assert_eq!(place.get().0, 200);
    // Ten that start at once are one.
    server(&["stop"]).succeeds();
    let urls: std::collections::BTreeSet<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(|| Place::of(&home, "dev").url)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(urls.len(), 1, "{urls:?}");
    // Another region in the environment is another reading of the profiles, so another server; they are ended together.
    home.run_with(&home.root, &["server", "start"], &[("AWS_REGION", "eu-north-1")], "").succeeds();
    assert_eq!(server(&["status"]).succeeds().stdout.lines().count(), 2);
    assert_eq!(
        server(&["status", "--json"]).succeeds().json()["url"].as_str().map(|url| Place::of(&home, "dev").url.starts_with(url)),
        Some(true)
    );
    server(&["stop"]).succeeds();
    assert!(server(&["status"]).succeeds().stdout.starts_with("does not run"));
    // A client that hangs up, and one that says nothing, are nobody else's business.
    let place = Place::of(&home, "dev");
    let mut rude = TcpStream::connect(place.address()).expect("it listens");
    rude.write_all(b"GET / HT").expect("sent");
    let silent = TcpStream::connect(place.address()).expect("it listens");
    drop(rude);
    assert_eq!(place.get().0, 200);
    drop(silent);
    // A whole machine's sessions forgotten: the server goes too.
    home.run(&home.root, &["logout", "--all"]).succeeds();
    assert!(server(&["status"]).succeeds().stdout.starts_with("does not run"));
}

#[test]
fn it_ends_when_nobody_needs_it() {
    let home = home();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n[server]\nidle = 2\n");
    home.run(&home.root, &["server", "start"]).succeeds();
    let runs = || home.run(&home.root, &["server", "status", "--json"]).succeeds().json()["running"] == true;
    assert!(runs());
    let ended = |limit: u64| {
        let start = Instant::now();
        while runs() && start.elapsed() < Duration::from_secs(limit) {
            std::thread::sleep(Duration::from_millis(100));
        }
        !runs()
    };
    assert!(ended(8));
    // What it handed out keeps it: whoever has that comes back before it ends.
    let place = Place::of(&home, "dev");
    place.get();
    assert!(!ended(5));
    // After the user has logged out of the system its files are gone.
    std::fs::remove_dir_all(home.path("run/awsenv")).expect("there");
    let start = Instant::now();
    while TcpStream::connect(place.address()).is_ok() && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(TcpStream::connect(place.address()).is_err());
}

#[test]
fn it_listens_for_containers_where_it_is_told_to() {
    let home = home();
    home.run(&home.root, &["server", "start", "--bind", "127.0.0.2"]).succeeds();
    let place = Place::of(&home, "dev");
    assert!(place.address().starts_with("127.0.0.2:"), "{}", place.url);
    assert_eq!(place.get().0, 200);
    assert_eq!(place.ask("GET", place.address(), "").0, 403);
    home.run(&home.root, &["server", "stop"]).succeeds();
    home.run(&home.root, &["server", "start", "--bind", "192.0.2.1"])
        .fails(1, &["cannot listen at 192.0.2.1", "Cannot assign requested address"]);
    home.run(&home.root, &["server", "start", "--bind", "here"]).fails(2, &["invalid value 'here'"]);
}

#[test]
fn memory_stays_under_fifteen_mebibytes() {
    let home = home();
    let place = Place::of(&home, "dev");
    for _ in 0..200 {
        assert_eq!(place.get().0, 200);
    }
    home.aws.world().faults.push_back(Fault::Throttle);
    let pid = home.run(&home.root, &["server", "status", "--json"]).succeeds().json()["pid"].as_i64().expect("a pid");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let fields: BTreeMap<_, _> = status.lines().filter_map(|line| line.split_once(':')).collect();
    let peak: u64 = fields["VmHWM"].trim().trim_end_matches(" kB").parse().expect("a number");
    let limit = 15 * 1024 * if cfg!(debug_assertions) { 3 } else { 1 };
    assert!(peak < limit, "{peak} KiB");
}
