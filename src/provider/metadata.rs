//! Owns the credentials that the machine itself hands out: to an EC2 instance by its metadata service (version 2), and to
//! a container by the agent of ECS or EKS.
//! The SDK's providers are not used for them: they read the process's environment, in which awsenv may have loaded
//! something, take the proxy for plain http, and hand out expired credentials as if they were not.

use std::time::{Duration, Instant};

use super::connection::Connection;
use super::{json, token_file};
use crate::credentials::SessionCredentials;
use crate::error::{Error, Kind, Result};
use crate::profile::{ContainerAuthorization, ContainerEndpoint, InstanceMetadata};
use crate::secret::Secret;

/// How long a token of the metadata service lives, in seconds: it serves two requests.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
const TOKEN_SECONDS: &str = "60";
const ROLES_PATH: &str = "/latest/meta-data/iam/security-credentials/";
/// What a request for an instance's metadata may take at most, in all, unless the user allows more: it answers within
/// milliseconds or not at all.
const INSTANCE_LIMIT: Duration = Duration::from_millis(900);
/// What ECS's agent may take.
const CONTAINER_LIMIT: Duration = Duration::from_secs(2);

/// The credentials of the role of this EC2 instance.
///
/// # Errors
/// When this is no EC2 instance, it has no role, or its metadata service is switched off.
pub fn of_instance(connection: &Connection, metadata: &InstanceMetadata) -> Result<SessionCredentials> {
    let mut outcome = Instance { connection, metadata }.credentials();
    for _ in 1..metadata.attempts {
        if !matches!(&outcome, Err(error) if error.kind == Kind::Unreachable) {
            break;
        }
        outcome = Instance { connection, metadata }.credentials();
    }
    outcome
}

struct Instance<'a> {
    connection: &'a Connection,
    metadata: &'a InstanceMetadata,
}

impl Instance<'_> {
    fn credentials(&self) -> Result<SessionCredentials> {
        let end = Instant::now() + self.metadata.timeout.saturating_sub(Duration::from_secs(1)) + INSTANCE_LIMIT;
        let (status, token) =
            self.request("PUT", "/latest/api/token", ("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS), end)?;
        match status {
            200 => {}
            403 => {
                return Err(failed("the metadata service of this instance is switched off (403)")
                    .hint("aws ec2 modify-instance-metadata-options --http-endpoint enabled --instance-id ID"));
            }
            _ => {
                return Err(
                    failed(&format!("the metadata service gave no token (status {status})")).hint("run this on an EC2 instance")
                );
            }
        }
        let header = ("x-aws-ec2-metadata-token", token.expose());
        let (status, role) = self.request("GET", ROLES_PATH, header, end)?;
        let role = role.expose().lines().next().unwrap_or_default().trim();
        if status == 404 || role.is_empty() {
            return Err(failed("this instance has no role")
                .hint("aws ec2 associate-iam-instance-profile --iam-instance-profile Name=NAME --instance-id ID"));
        }
        let (status, body) = self.request("GET", &format!("{ROLES_PATH}{role}"), header, end)?;
        if status != 200 {
            return Err(failed(&format!("the metadata service has no credentials of role {role} (status {status})"))
                .hint("check that the role exists and trusts ec2.amazonaws.com"));
        }
        json::credentials(&body).map_err(|why| {
            failed(&format!("the credentials of role {role}: {why}"))
                .hint("check that the role exists and trusts ec2.amazonaws.com")
        })
    }

    fn request(&self, method: &str, path: &str, header: (&'static str, &str), end: Instant) -> Result<(u16, Secret)> {
        let url = format!("{}{path}", self.metadata.endpoint_url.trim_end_matches('/'));
        let left = end.saturating_duration_since(Instant::now());
        self.connection.request(method, &url, &[header], left).map_err(|why| {
            failed(&format!("no metadata service answers at {}: {why}", self.metadata.endpoint_url)).of_kind(Kind::Unreachable).hint(
                "this works on an EC2 instance alone; in a container on one, raise its hop limit: aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2 --instance-id ID",
            )
        })
    }
}

fn failed(why: &str) -> Error {
    Error::failed("cannot get the instance's credentials", why)
}

/// The credentials of this container's role.
///
/// # Errors
/// When the agent does not answer, or refuses.
pub fn of_container(connection: &Connection, endpoint: &ContainerEndpoint) -> Result<SessionCredentials> {
    let what = "cannot get the container's credentials";
    let hint = "check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI and the task's role";
    let token = match &endpoint.authorization {
        None => None,
        Some(ContainerAuthorization::Token(token)) => Some(token.clone()),
        Some(ContainerAuthorization::TokenFile(path)) => Some(token_file::read(path, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")?),
    };
    let header: Vec<_> = token.iter().map(|token| ("authorization", token.expose())).collect();
    let (status, body) = connection
        .request("GET", &endpoint.url, &header, CONTAINER_LIMIT)
        .map_err(|why| Error::new(Kind::Unreachable, what, format!("nothing answers at {}: {why}", endpoint.url)).hint(hint))?;
    match status {
        200 => json::credentials(&body).map_err(|why| Error::failed(what, format!("{}: {why}", endpoint.url)).hint(hint)),
        401 | 403 => Err(Error::new(Kind::Refused, what, format!("{} refuses the token (status {status})", endpoint.url))
            .hint("check AWS_CONTAINER_AUTHORIZATION_TOKEN or AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")),
        _ => Err(Error::failed(what, format!("{} answers with status {status}", endpoint.url)).hint(hint)),
    }
}
