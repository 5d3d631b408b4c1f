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

#[test]
fn calls_go_through_the_proxy_that_the_environment_names() {
    let home = home("region = eu-west-3\n");
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", proxy.local_addr().expect("bound"));
    let request = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().expect("a connection");
        let mut bytes = [0; 512];
        let count = stream.read(&mut bytes).expect("a request");
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").expect("answered");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    });
    let environment = [("AWS_ENDPOINT_URL_STS", ""), ("HTTPS_PROXY", address.as_str()), ("AWS_MAX_ATTEMPTS", "1")];
    home.run_with(&home.root, &["login", "plain"], &environment, "")
        .fails(6, &["cannot reach STS in eu-west-3", "hint: check the network, HTTPS_PROXY"]);
    let request = request.join().expect("no panic");
    assert!(request.starts_with("CONNECT sts.eu-west-3.amazonaws.com:443 "), "{request}");
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
