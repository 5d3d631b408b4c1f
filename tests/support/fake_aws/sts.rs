//! STS: GetSessionToken, AssumeRole and GetCallerIdentity, refused wherever AWS refuses them.

use std::collections::HashMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::Answer;
use super::world::{LoggedRequest, Principal, World};

/// Status, code, message.
type Refusal = (u16, &'static str, String);
type Parameters = HashMap<String, String>;

pub fn answer(world: &mut World, principal: &Principal, request: LoggedRequest) -> Answer {
    let (action, parameters) = (request.action.clone(), request.parameters.clone());
    world.log.push(request);
    let result = match action.as_str() {
        "GetSessionToken" => session_token(world, principal, &parameters),
        "GetFederationToken" => federation_token(world, principal, &parameters),
        "AssumeRole" => assume_role(world, principal, &parameters),
        "GetCallerIdentity" => Ok(caller_identity(principal)),
        _ => Err((400, "InvalidAction", format!("Could not find operation {action} for version 2011-06-15"))),
    };
    match result {
        Ok(body) => granted(&action, &body),
        Err((status, code, message)) => refuse(status, code, &message),
    }
}

fn granted(action: &str, body: &str) -> Answer {
    Answer::xml(
        200,
        format!(
            "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{body}</{action}Result></{action}Response>"
        ),
    )
}

/// The one call that nothing signs: the token is the proof.
pub fn web_identity(world: &mut World, request: LoggedRequest) -> Answer {
    let parameters = request.parameters.clone();
    world.log.push(request);
    let get = |name: &str| parameters.get(name).cloned().unwrap_or_default();
    let arn = get("RoleArn");
    let subject = match world.web_identities.get(&get("WebIdentityToken")) {
        None => {
            return refuse(
                400,
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for https://example.com",
            );
        }
        Some(None) => {
            return refuse(
                400,
                "ExpiredTokenException",
                "Token expired: current date/time must be before the expiration date/time",
            );
        }
        Some(Some(subject)) => subject.clone(),
    };
    let role = world.roles.iter().find(|role| role.arn == arn && role.trusts.contains(&subject)).cloned();
    let Some(role) = role else {
        return refuse(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity");
    };
    match duration(&parameters, 3_600, role.max_seconds) {
        Ok(seconds) => granted("AssumeRoleWithWebIdentity", &role_session(world, arn, &get("RoleSessionName"), seconds)),
        Err((status, code, message)) => refuse(status, code, &message),
    }
}

pub fn refuse(status: u16, code: &str, message: &str) -> Answer {
    let kind = if status < 500 { "Sender" } else { "Receiver" };
    Answer::xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>0</RequestId></ErrorResponse>"
        ),
    )
}

fn duration(parameters: &Parameters, default: u64, max: u64) -> Result<u64, Refusal> {
    let Some(text) = parameters.get("DurationSeconds") else { return Ok(default) };
    let seconds: u64 = text.parse().map_err(|_| (400, "MalformedInput", "DurationSeconds".to_owned()))?;
    let bound = |word: &str, limit: u64| {
        format!(
            "1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value {word} than or equal to {limit}"
        )
    };
    match seconds {
        0..900 => Err((400, "ValidationError", bound("greater", 900))),
        _ if seconds > max => Err((400, "ValidationError", bound("less", max))),
        _ => Ok(seconds),
    }
}

/// Checks `SerialNumber` and `TokenCode`, if they are there; says whether MFA was proved.
fn mfa(world: &mut World, principal: &Principal, parameters: &Parameters) -> Result<bool, Refusal> {
    let denied = |message: &str| Err((403, "AccessDenied", message.to_owned()));
    let (Some(serial), Some(code)) = (parameters.get("SerialNumber"), parameters.get("TokenCode")) else { return Ok(false) };
    let now = world.now();
    let owner = world.users.iter_mut().find(|user| user.arn() == principal.arn && principal.long_lived);
    let Some(device) = owner.and_then(|user| user.device.as_mut()).filter(|device| device.serial == *serial) else {
        return denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
        );
    };
    if device.take(code, now) {
        Ok(true)
    } else {
        denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ")
    }
}

fn session_token(world: &mut World, principal: &Principal, parameters: &Parameters) -> Result<String, Refusal> {
    if !principal.long_lived {
        return Err((403, "AccessDenied", "Cannot call GetSessionToken with session credentials".into()));
    }
    let seconds = duration(parameters, 43_200, 129_600)?;
    let mfa = mfa(world, principal, parameters)?;
    let session = Principal { mfa, long_lived: false, ..principal.clone() };
    Ok(credentials(world, session, seconds))
}

fn federation_token(world: &mut World, principal: &Principal, parameters: &Parameters) -> Result<String, Refusal> {
    if !principal.long_lived {
        return Err((403, "AccessDenied", "Cannot call GetFederationToken with session credentials".into()));
    }
    let name = parameters.get("Name").cloned().unwrap_or_default();
    // Without a policy of its own such a session may do nothing.
    if !(2..=32).contains(&name.len()) || !parameters.contains_key("Policy") {
        return Err((400, "ValidationError", "Name or Policy".into()));
    }
    let seconds = duration(parameters, 43_200, 129_600)?;
    let session = format!("arn:aws:sts::{}:federated-user/{name}", principal.account);
    let federated = Principal { assumed_role_session: Some(session), mfa: false, long_lived: false, ..principal.clone() };
    Ok(credentials(world, federated, seconds))
}

fn assume_role(world: &mut World, principal: &Principal, parameters: &Parameters) -> Result<String, Refusal> {
    let arn = parameters.get("RoleArn").cloned().unwrap_or_default();
    let name = parameters.get("RoleSessionName").cloned().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&name.len()) || !name.chars().all(allowed) {
        return Err((
            400,
            "ValidationError",
            format!("1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint"),
        ));
    }
    let seconds = duration(parameters, 3_600, 43_200)?;
    let proved = mfa(world, principal, parameters)? || principal.mfa;
    let caller = principal.assumed_role_session.clone().unwrap_or_else(|| principal.arn.clone());
    let denied = (403, "AccessDenied", format!("User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"));
    let Some(role) = world.roles.iter().find(|role| role.arn == arn).cloned() else { return Err(denied) };
    let root = format!("arn:aws:iam::{}:root", principal.account);
    let trusted = role.trusts.iter().any(|trusted| *trusted == principal.arn || *trusted == root);
    let permitted = may_assume(world, principal).iter().any(|role| *role == arn || role == "*");
    let external_id = role.external_id.is_none() || role.external_id.as_ref() == parameters.get("ExternalId");
    if !trusted || !permitted || !external_id || (role.requires_mfa && !proved) {
        return Err(denied);
    }
    if principal.assumed_role_session.is_some() && seconds > 3_600 {
        return Err((
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.".into(),
        ));
    }
    if seconds > role.max_seconds {
        return Err((
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.".into(),
        ));
    }
    Ok(role_session(world, arn, &name, seconds))
}

fn role_session(world: &mut World, arn: String, name: &str, seconds: u64) -> String {
    let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
    let session_arn = format!("arn:aws:sts::{account}:assumed-role/{}/{name}", arn.rsplit('/').next().unwrap_or_default());
    let session = Principal { arn, account, assumed_role_session: Some(session_arn.clone()), mfa: false, long_lived: false };
    let user =
        format!("<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:{name}</AssumedRoleId><Arn>{session_arn}</Arn></AssumedRoleUser>");
    credentials(world, session, seconds) + &user
}

fn may_assume(world: &World, principal: &Principal) -> Vec<String> {
    let of_user = world.users.iter().find(|user| user.arn() == principal.arn).map(|user| user.may_assume.clone());
    of_user
        .or_else(|| world.roles.iter().find(|role| role.arn == principal.arn).map(|role| role.may_assume.clone()))
        .unwrap_or_default()
}

fn caller_identity(principal: &Principal) -> String {
    let arn = principal.assumed_role_session.as_ref().unwrap_or(&principal.arn);
    format!("<Arn>{arn}</Arn><UserId>AIDAEXAMPLE</UserId><Account>{}</Account>", principal.account)
}

fn credentials(world: &mut World, principal: Principal, seconds: u64) -> String {
    let (id, session) = world.open_session(principal, seconds);
    let expires =
        OffsetDateTime::from_unix_timestamp(session.expires.cast_signed()).expect("in range").format(&Rfc3339).expect("formats");
    format!(
        "<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken><Expiration>{expires}</Expiration></Credentials>",
        session.secret, session.token
    )
}
