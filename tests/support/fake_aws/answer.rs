//! What the fake answers, in the forms of its services.

use serde_json::{Value, json};

pub struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub fn xml(status: u16, body: String) -> Self {
        Answer { status, content_type: "text/xml", headers: vec![], body }
    }

    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Answer { status, content_type: "text/plain", headers: vec![], body: body.into() }
    }

    pub fn json(body: &Value) -> Self {
        Answer { status: 200, content_type: "application/json", headers: vec![], body: body.to_string() }
    }

    /// An error of a service that speaks JSON: `code` is the exception's name.
    pub fn refusal(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"message": message, "error": oauth_word(code), "error_description": message});
        Answer { status, headers: vec![("x-amzn-errortype", code.to_owned())], ..Answer::json(&body) }
    }
}

/// `AuthorizationPendingException` as OAuth writes it: `authorization_pending`.
fn oauth_word(code: &str) -> String {
    let mut word = String::new();
    for c in code.trim_end_matches("Exception").chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(c.to_lowercase());
    }
    word
}
