//! The federation endpoint of the web console: it takes sessions of roles and of federated users, and no others.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::answer::Answer;
use super::world::World;

pub fn federation(world: &mut World, query: &HashMap<String, String>) -> Answer {
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    match get("Action") {
        "getSigninToken" => {
            let session: Value = serde_json::from_str(get("Session")).unwrap_or_default();
            let text = |name: &str| session[name].as_str().unwrap_or_default();
            let Ok((secret, principal)) = world.signer(text("sessionId"), session["sessionToken"].as_str()) else {
                return Answer::text(400, "");
            };
            if secret != text("sessionKey") || principal.assumed_role_session.is_none() {
                return Answer::text(400, "");
            }
            let token = format!("signin-token-{}", world.console_tokens.len());
            world.console_tokens.insert(token.clone(), principal.assumed_role_session.unwrap_or_default());
            Answer::json(&json!({"SigninToken": token}))
        }
        "login"
            if world.console_tokens.contains_key(get("SigninToken")) && get("Destination").starts_with("https://console.") =>
        {
            Answer { headers: vec![("location", get("Destination").to_owned())], ..Answer::text(302, "") }
        }
        _ => Answer::text(400, ""),
    }
}
