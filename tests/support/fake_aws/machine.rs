//! What a machine of AWS offers to the programs on it: an instance's metadata (version 2 alone) and a container's agent.

use std::collections::HashSet;

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::Answer;
use super::world::{Principal, World};

#[derive(Default)]
pub struct Machine {
    /// The role of the instance, and of the container.
    pub role_arn: Option<String>,
    pub metadata_disabled: bool,
    /// What a container must prove itself with.
    pub authorization: Option<String>,
    /// Instead of credentials, the reason why there are none.
    pub role_code: Option<&'static str>,
    tokens: HashSet<String>,
}

pub fn metadata(world: &mut World, method: &str, path: &str, header: impl Fn(&str) -> Option<String>) -> Answer {
    if world.machine.metadata_disabled {
        return Answer::text(403, "");
    }
    if path == "/latest/api/token" {
        let seconds: Option<u32> = header("x-aws-ec2-metadata-token-ttl-seconds").and_then(|text| text.parse().ok());
        if method != "PUT" || seconds.is_none_or(|seconds| !(1..=21_600).contains(&seconds)) {
            return Answer::text(400, "");
        }
        let token = format!("metadata-token-{}", world.machine.tokens.len());
        world.machine.tokens.insert(token.clone());
        return Answer::text(200, token);
    }
    let token = header("x-aws-ec2-metadata-token").unwrap_or_default();
    if method != "GET" || !world.machine.tokens.contains(&token) {
        return Answer::text(401, "");
    }
    let Some(role) = world.machine.role_arn.clone() else { return Answer::text(404, "") };
    let name = role.rsplit('/').next().unwrap_or_default().to_owned();
    match path.strip_prefix("/latest/meta-data/iam/security-credentials/") {
        Some("") => Answer::text(200, name),
        Some(asked) if asked == name => credentials(world, &role),
        _ => Answer::text(404, ""),
    }
}

pub fn container(world: &mut World, authorization: Option<&str>) -> Answer {
    if world.machine.authorization.as_deref() != authorization {
        return Answer::text(403, "{}");
    }
    match world.machine.role_arn.clone() {
        Some(role) => credentials(world, &role),
        None => Answer::text(404, "{}"),
    }
}

fn credentials(world: &mut World, role_arn: &str) -> Answer {
    if let Some(code) = world.machine.role_code {
        return Answer::json(&json!({"Code": code, "Message": "EC2 cannot assume the role"}));
    }
    let account = role_arn.split(':').nth(4).unwrap_or_default().to_owned();
    let name = format!("arn:aws:sts::{account}:assumed-role/{}/i-0123", role_arn.rsplit('/').next().unwrap_or_default());
    let principal =
        Principal { arn: role_arn.to_owned(), account, assumed_role_session: Some(name), mfa: false, long_lived: false };
    let (id, session) = world.open_session(principal, 21_600);
    let expires =
        OffsetDateTime::from_unix_timestamp(session.expires.cast_signed()).expect("in range").format(&Rfc3339).expect("formats");
    Answer::json(&json!({"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": id, "SecretAccessKey": session.secret,
        "Token": session.token, "Expiration": expires, "RoleArn": role_arn}))
}
