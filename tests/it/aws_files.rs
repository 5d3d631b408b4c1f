//! The AWS files, measured with the public test cases of the AWS SDKs, which come with the SDK's own parser; and chains.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use awsenv::context::{Context, Environment};
use awsenv::profile::{AwsFiles, Section};
use awsenv::provider::aws_files;
use serde_json::Value;

/// A file of test cases in the source of the crate that has the parser, in the version that is built in.
fn cases(name: &str) -> Vec<Value> {
    let rustc = std::process::Command::new("rustc").arg("-vV").output().expect("rustc is there");
    let about = String::from_utf8(rustc.stdout).expect("UTF-8");
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    // Crates of other platforms are not there.
    let metadata = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo is there");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let runtime = packages.iter().find(|package| package["name"] == "aws-runtime").expect("a dependency");
    let manifest = PathBuf::from(runtime["manifest_path"].as_str().expect("a path"));
    let text = std::fs::read(manifest.with_file_name("test-data").join(name)).expect("the crate brings its test cases");
    let file: Value = serde_json::from_slice(&text).expect("JSON");
    file["tests"].as_array().expect("a list").clone()
}

fn sections(of: &Value) -> std::collections::BTreeMap<String, Section> {
    let Some(sections) = of.as_object() else { return std::collections::BTreeMap::default() };
    let section = |section: &Value| {
        section
            .as_object()
            .expect("keys")
            .iter()
            .map(|(key, value)| (known(key), value.as_str().expect("text").to_owned()))
            .collect()
    };
    sections.iter().map(|(name, keys)| (name.clone(), section(keys))).collect()
}

/// A key for as long as the test runs.
fn known(key: &str) -> &'static str {
    Box::leak(key.to_owned().into_boxed_str())
}

fn parse(config: &str, credentials: &str, keys: &[&'static str]) -> awsenv::error::Result<AwsFiles> {
    aws_files::parse_texts((Path::new("config"), config), (Path::new("credentials"), credentials), keys, keys)
}

#[test]
fn profiles_are_parsed_as_the_sdks_parse_them() {
    let cases = cases("profile-parser-tests.json");
    assert!(cases.len() >= 65);
    let mut wrong = Vec::new();
    for case in &cases {
        let text = |name: &str| case["input"][name].as_str().unwrap_or_default();
        let output = &case["output"];
        let (profiles, sessions) = (sections(&output["config"]["profiles"]), sections(&output["config"]["sso_sessions"]));
        let keys: BTreeSet<&'static str> =
            profiles.values().chain(sessions.values()).flat_map(|keys| keys.keys().copied()).collect();
        let keys: Vec<&'static str> = keys.into_iter().collect();
        let parsed = parse(text("configFile"), text("credentialsFile"), &keys);
        let right = match (&parsed, output["errorContaining"].as_str()) {
            (Err(error), Some(says)) => error.summary().contains(says),
            (Ok(files), None) => files.profiles == profiles && files.sso_sessions == sessions,
            _ => false,
        };
        if !right {
            wrong.push(format!("{}: {parsed:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn files_are_where_the_sdks_look_for_them() {
    let cases = cases("file-location-tests.json");
    let ours: Vec<_> = cases.iter().filter(|case| case["platform"] == "linux").collect();
    assert!(ours.len() >= 4);
    for case in ours {
        let variables = case["environment"].as_object().expect("variables");
        let env: Environment =
            variables.iter().map(|(name, value)| (name.clone(), value.as_str().expect("text").into())).collect();
        let home = variables.get("HOME").and_then(Value::as_str).map(PathBuf::from);
        let context = Context::new(env, "/".into(), 0, home);
        let text = |path: awsenv::error::Result<PathBuf>| path.expect("a path").display().to_string();
        assert_eq!(case["configLocation"], text(context.aws_config_file()), "{}", case["name"]);
        assert_eq!(case["credentialsLocation"], text(context.aws_credentials_file()), "{}", case["name"]);
        if let Some(profile) = case["profile"].as_str() {
            assert_eq!(context.user_var("AWS_PROFILE").unwrap_or("default"), profile, "{}", case["name"]);
        }
    }
}

const ROLE: &str = "arn:aws:iam::123456789012:role/";

/// The chain of profile `a`, in one line; `NAME` is a role of that name.
fn chain(config: &str) -> String {
    let keys = [
        "role_arn",
        "source_profile",
        "credential_source",
        "web_identity_token_file",
        "role_session_name",
        "external_id",
        "aws_access_key_id",
        "aws_secret_access_key",
        "credential_process",
        "sso_start_url",
        "sso_region",
        "sso_account_id",
        "sso_role_name",
        "sso_session",
        "login_session",
        "region",
    ];
    let config = config.replace("role:", ROLE).replace("; ", "\n");
    let files = parse(&config, "", &keys).expect("valid");
    let context = Context::new(Environment::new(), "/".into(), 0, None);
    match files.resolve("a", &context) {
        Err(error) => format!("error: {}", error.why()),
        Ok(resolved) => {
            let id = match &resolved.source.credentials {
                awsenv::profile::CredentialSource::Keys(keys) => format!("({})", keys.access_key_id),
                awsenv::profile::CredentialSource::WebIdentity(role) => {
                    format!("({} {:?})", role.role_arn.replace(ROLE, ""), role.role_session_name)
                }
                _ => String::new(),
            };
            let roles = resolved.roles.iter().map(|role| {
                let extras = [&role.role_session_name, &role.external_id].into_iter().flatten().map(|extra| format!(" {extra}"));
                format!(" → {}{}", role.role_arn.replace(ROLE, ""), extras.collect::<String>())
            });
            format!("{}{id}{}", resolved.source.credentials.kind(), roles.collect::<String>())
        }
    }
}

/// What the SDKs' public cases of role chains ask for, in a notation of our own.
#[test]
fn chains_are_resolved_as_the_sdks_resolve_them() {
    let keys = |id: &str| format!("aws_access_key_id = {id}; aws_secret_access_key = s");
    let (b, c) = (format!("[profile b]; {}", keys("b")), format!("[profile c]; {}", keys("c")));
    let own = keys("a");
    for (config, expected) in [
        (format!("[profile a]; role_arn = role:A; source_profile = b; {b}"), "static_keys(b) → A"),
        (format!("[profile a]; {own}; role_arn = role:A; source_profile = b; {b}"), "static_keys(b) → A"),
        (format!("[profile a]; role_arn = role:A; role_session_name = me; external_id = x; source_profile = b; {b}"), "static_keys(b) → A me x"),
        (format!("[profile a]; {own}; role_arn = role:A; source_profile = a"), "static_keys(a) → A"),
        ("[profile a]; role_arn = role:A; credential_source = Ec2InstanceMetadata".into(), "imds → A"),
        ("[profile a]; role_arn = role:A".into(), "error: it has a role_arn, but no source_profile to assume the role from"),
        (format!("[profile a]; role_arn = role:A; credential_source = Environment; source_profile = b; {b}"), "error: it has both source_profile and credential_source"),
        ("[profile a]; role_arn = role:A; source_profile = b; [profile b]; aws_access_key_id = b".into(), "error: it has an aws_access_key_id, but no aws_secret_access_key"),
        ("[profile a]; role_arn = role:A; source_profile = b; [profile b]; aws_secret_access_key = b".into(), "error: it has an aws_secret_access_key, but no aws_access_key_id"),
        ("[profile a]; role_arn = role:A; source_profile = b; [profile b]; region = x".into(), "error: it has neither keys nor a role, nor another way to sign in"),
        ("[profile a]; role_arn = role:A; source_profile = b".into(), "error: its source_profile `b` is not in config or credentials"),
        (String::new(), "error: there are no profiles in config or credentials"),
        (format!("[profile a]; role_arn = role:A; source_profile = b; [profile b]; role_arn = role:B; source_profile = c; {c}"), "static_keys(c) → B → A"),
        (format!("[profile a]; {own}; role_arn = role:A; source_profile = b; [profile b]; role_arn = role:B; source_profile = c; {}; {c}", keys("b")), "static_keys(b) → A"),
        ("[profile a]; role_arn = role:A; source_profile = b; [profile b]; role_arn = role:B; source_profile = a".into(), "error: source_profile goes in a circle: a → b → a"),
        (format!("[profile a]; {own}; role_arn = role:A; source_profile = b; [profile b]; role_arn = role:B; source_profile = a"), "error: source_profile goes in a circle: a → b → a"),
        ("[profile a]; role_arn = role:A; web_identity_token_file = /t".into(), "web_identity(A None)"),
        ("[profile a]; role_arn = role:A; web_identity_token_file = /t; role_session_name = s".into(), "web_identity(A Some(\"s\"))"),
        ("[profile a]; web_identity_token_file = /t".into(), "error: it has a web_identity_token_file, but no role_arn to assume with the token"),
        ("[profile a]; role_arn = role:A; source_profile = b; [profile b]; role_arn = role:B; web_identity_token_file = /t; role_session_name = s".into(), "web_identity(B Some(\"s\")) → A"),
        ("[profile a]; role_arn = role:A; source_profile = b; [profile b]; sso_start_url = https://x; sso_region = eu-west-1; sso_account_id = 444444444444; sso_role_name = R".into(), "sso → A"),
        ("[profile a]; role_arn = role:A; source_profile = b; [profile b]; credential_process = p".into(), "process → A"),
        ("[profile a]; role_arn = role:A; source_profile = a; credential_process = p".into(), "process → A"),
        (format!("[profile a]; credential_process = p; {own}"), "process"),
        ("[profile a]; login_session = arn:aws:iam::123456789012:user/x; region = eu-west-1".into(), "login"),
    ] {
        assert_eq!(chain(&config), expected, "{config}");
    }
}
