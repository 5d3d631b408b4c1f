//! How STS is reached: endpoints, regions, proxies, certificates.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::fake_aws::RoleSpec;
use crate::support::home::{Home, JANE};

const PLAIN: &str = "arn:aws:iam::555555555555:role/plain";

/// A home whose profile `plain` is a role that needs no MFA.
fn home(of_profile: &str) -> Home {
    let home = Home::new();
    home.write(
        ".aws/config",
        &format!("[profile security]\n[profile plain]\nrole_arn = {PLAIN}\nsource_profile = security\n{of_profile}"),
    );
    home.aws.world().roles.push(RoleSpec::new(PLAIN, JANE));
    home
}

#[test]
fn the_endpoint_comes_from_where_the_sdks_take_it() {
    let elsewhere = "http://127.0.0.1:9";
    let plain = home("");
    let url = plain.aws.url.clone();
    plain.run_with(&plain.root, &["login", "plain"], &[("AWS_ENDPOINT_URL_STS", ""), ("AWS_ENDPOINT_URL", &url)], "").succeeds();
    plain.run_with(&plain.root, &["login", "plain"], &[("AWS_ENDPOINT_URL", elsewhere)], "").succeeds();

    let of_profile = home(&format!("endpoint_url = {url}\n"));
    of_profile
        .run_with(&of_profile.root, &["login", "plain"], &[("AWS_ENDPOINT_URL_STS", elsewhere), ("AWS_MAX_ATTEMPTS", "1")], "")
        .fails(6, &[elsewhere]);
    let own = of_profile.aws.url.clone();
    of_profile.write(
        ".aws/config",
        &format!("[profile security]\n[profile plain]\nrole_arn = {PLAIN}\nsource_profile = security\nendpoint_url = {own}\n"),
    );
    let unset = [("AWS_ENDPOINT_URL_STS", "")];
    of_profile.run_with(&of_profile.root, &["login", "plain"], &unset, "").succeeds();

    of_profile.write(
        ".aws/config",
        &format!("[profile security]\n[profile plain]\nrole_arn = {PLAIN}\nsource_profile = security\nendpoint_url = {elsewhere}\nservices = local\n[services local]\nsts =\n  endpoint_url = {own}\n"),
    );
    of_profile.run_with(&of_profile.root, &["login", "plain"], &unset, "").succeeds();
    of_profile
        .run_with(&of_profile.root, &["login", "plain"], &[("AWS_USE_FIPS_ENDPOINT", "perhaps")], "")
        .fails(1, &["`perhaps` is neither true nor false"]);
}

#[test]
fn the_region_is_the_profiles_else_the_environments_else_the_partitions() {
    let home = home("region = eu-north-1\n");
    home.run(&home.root, &["login", "plain"]).succeeds();
    home.write(".aws/config", &format!("[profile security]\n[profile plain]\nrole_arn = {PLAIN}\nsource_profile = security\n"));
    home.run_with(&home.root, &["login", "plain"], &[("AWS_REGION", "ap-south-1")], "").succeeds();
    home.run(&home.root, &["login", "plain"]).succeeds();
    let china = "arn:aws-cn:iam::555555555555:role/plain";
    home.aws.world().roles.push(RoleSpec::new(china, JANE));
    home.write(".aws/config", &format!("[profile security]\n[profile plain]\nrole_arn = {china}\nsource_profile = security\n"));
    home.run(&home.root, &["login", "plain"]).succeeds();
    let regions: Vec<_> = home.aws.world().log.iter().map(|request| request.region.clone()).collect();
    assert_eq!(regions, ["eu-north-1", "ap-south-1", "us-east-1", "cn-north-1"]);
}

/// A proxy that lets nobody through, and the one host that it was asked for.
fn proxy() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let request = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut bytes = [0; 512];
        let count = stream.read(&mut bytes).expect("a request");
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").expect("answered");
        String::from_utf8_lossy(&bytes[..count]).lines().next().unwrap_or_default().to_owned()
    });
    (address, request)
}

/// The host that a sign-in asks for, and what it says of the failure.
fn host(home: &Home, arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let (address, request) = proxy();
    let unset = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"].map(|name| (name, ""));
    let proxied = [("HTTPS_PROXY", address.as_str()), ("AWS_MAX_ATTEMPTS", "1")];
    let all = [&unset[..], &proxied, environment].concat();
    home.run_with(&home.root, arguments, &all, "").fails(6, &["cannot reach", "hint: check the network, HTTPS_PROXY"]);
    request.join().expect("no panic")
}

#[test]
fn calls_go_through_the_proxy_that_the_environment_names() {
    let home = home("region = eu-west-3\n");
    assert!(host(&home, &["login", "plain"], &[]).starts_with("CONNECT sts.eu-west-3.amazonaws.com:443 "));
}

/// <https://docs.aws.amazon.com/general/latest/gr/sts.html>
#[test]
fn partitions_fips_and_dual_stack_have_hosts_of_their_own() {
    let start = "https://corp.awsapps.com/start";
    for (of_profile, environment, expected) in [
        ("region = cn-north-1\n", None, "sts.cn-north-1.amazonaws.com.cn"),
        ("region = us-gov-west-1\n", None, "sts.us-gov-west-1.amazonaws.com"),
        ("region = eusc-de-east-1\n", None, "sts.eusc-de-east-1.amazonaws.eu"),
        ("region = us-east-2\nuse_fips_endpoint = true\n", None, "sts-fips.us-east-2.amazonaws.com"),
        ("region = us-east-2\nuse_dualstack_endpoint = true\n", None, "sts.us-east-2.api.aws"),
        ("region = us-east-2\n", Some(("AWS_USE_FIPS_ENDPOINT", "true")), "sts-fips.us-east-2.amazonaws.com"),
        (
            "region = us-east-2\nuse_fips_endpoint = true\n",
            Some(("AWS_USE_FIPS_ENDPOINT", "false")),
            "sts.us-east-2.amazonaws.com",
        ),
        (
            "region = us-east-2\nendpoint_url = http://127.0.0.1:9\nignore_configured_endpoint_urls = true\n",
            None,
            "sts.us-east-2.amazonaws.com",
        ),
    ] {
        let home = home(of_profile);
        let line = host(&home, &["login", "plain"], &environment.into_iter().collect::<Vec<_>>());
        assert!(line.starts_with(&format!("CONNECT {expected}:443 ")), "{of_profile}: {line}");
    }
    for (of_session, expected) in
        [("eu-west-1", "oidc.eu-west-1.amazonaws.com"), ("cn-north-1", "oidc.cn-north-1.amazonaws.com.cn")]
    {
        let home = home("");
        home.append(".aws/config", &format!("[sso-session corp]\nsso_start_url = {start}\nsso_region = {of_session}\n"));
        let line = host(&home, &["sso", "login", "--sso-session", "corp", "--device-code"], &[]);
        assert!(line.starts_with(&format!("CONNECT {expected}:443 ")), "{line}");
    }
}

#[test]
fn a_ca_bundle_that_cannot_be_used_is_an_error_and_no_panic() {
    let home = home("");
    home.write("empty.pem", "nothing here\n");
    for (file, says) in [("empty.pem", "there is no PEM certificate in it"), ("none.pem", "No such file")] {
        let path = home.path(file).display().to_string();
        home.run_with(&home.root, &["login", "plain"], &[("AWS_CA_BUNDLE", &path)], "")
            .fails(1, &["cannot use the CA bundle", says, "hint:"]);
    }
}
