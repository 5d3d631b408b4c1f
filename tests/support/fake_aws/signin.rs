//! The sign-in service behind `aws login`: refreshing a session, with a proof of possession of its key (DPoP).
//! <https://www.rfc-editor.org/rfc/rfc9449>

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use super::answer::Answer;
use super::world::{Principal, World};

/// One session: whose it is, and what refreshes it.
#[derive(Clone, Debug)]
pub struct SignInSession {
    pub arn: String,
    pub refresh_token: String,
}

pub fn token(world: &mut World, proof: Option<&str>, url: &str, body: &Value) -> Answer {
    if proof.and_then(|proof| verified(proof, url, world.now())).is_none() {
        return Answer::refusal(401, "AccessDeniedException", "the proof of possession is not valid");
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let session = world.sign_in.clone().filter(|session| {
        session.refresh_token == text("refreshToken")
            && text("grantType") == "refresh_token"
            && text("clientId") == "arn:aws:signin:::devtools/same-device"
    });
    let Some(session) = session else {
        let body = json!({"error": "TOKEN_EXPIRED", "message": "the session has ended"});
        return Answer {
            status: 403,
            headers: vec![("x-amzn-errortype", "AccessDeniedException".to_owned())],
            ..Answer::json(&body)
        };
    };
    let account = session.arn.split(':').nth(4).unwrap_or_default().to_owned();
    let principal = Principal { arn: session.arn, account, assumed_role_session: None, mfa: true, long_lived: false };
    let (id, granted) = world.open_session(principal, 900);
    let next = format!("refresh-{}", world.serial);
    if let Some(session) = &mut world.sign_in {
        session.refresh_token.clone_from(&next);
    }
    Answer::json(&json!({
        "accessToken": {"accessKeyId": id, "secretAccessKey": granted.secret, "sessionToken": granted.token},
        "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": next
    }))
}

/// A JSON web token that its own key has signed, for this method and address, made now.
fn verified(proof: &str, url: &str, now: u64) -> Option<()> {
    let (message, signature) = proof.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let json = |part: &str| serde_json::from_slice::<Value>(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok();
    let (header, claims) = (json(header)?, json(claims)?);
    let coordinate = |name: &str| BASE64URL_NOPAD.decode(header["jwk"][name].as_str()?.as_bytes()).ok();
    let point = [&[4][..], &coordinate("x")?, &coordinate("y")?].concat();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), &signature).ok()?;
    let is_fresh = claims["iat"].as_u64()?.abs_diff(now) < 60;
    (header["typ"] == "dpop+jwt" && claims["htm"] == "POST" && claims["htu"] == url && is_fresh).then_some(())
}
