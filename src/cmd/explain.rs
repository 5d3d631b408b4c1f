//! `awsenv explain`: the chain that a profile resolves to, step by step, with where each value was read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::credentials::Step;
use crate::directory::Choice;
use crate::error::{Result, printable};
use crate::exports;
use crate::profile::CredentialSource;
use crate::prompt;
use crate::report::{Explained, Explanation, SessionState, Setting, WouldAsk, target};
use crate::session::Freshness;
use crate::settings::Settings;

pub(super) fn run(context: &Context, profile: Option<&str>, as_json: bool) -> Result<()> {
    let explanation = explanation(context, profile)?;
    super::print(&if as_json { format!("{}\n", explanation_json(&explanation)) } else { text(&explanation, context.now()) })
}

/// A profile, explained as `--json` shows it.
///
/// # Errors
/// When it cannot be used.
pub fn json(context: &Context, profile: Option<&str>) -> Result<Value> {
    Ok(explanation_json(&explanation(context, profile)?))
}

fn explanation(context: &Context, profile: Option<&str>) -> Result<Explanation> {
    let settings = Settings::load(context)?;
    let choice = Choice::new(context, &settings, profile)?;
    let request = choice.request(Freshness::Cached)?;
    Explanation::new(context, &settings, request.profile, request.at_most)
}

fn explanation_json(explanation: &Explanation) -> Value {
    let steps: Vec<_> = explanation.steps.iter().map(step_json).collect();
    json!({
        "profile": explanation.profile,
        "account_id": explanation.account_id,
        "region": explanation.region,
        "settings": settings_json(&explanation.settings),
        "steps": steps,
        "would_ask": match &explanation.would_ask {
            WouldAsk::Nothing => Value::Null,
            WouldAsk::MfaCode(serial) => json!({"mfa_serial": serial}),
            WouldAsk::SsoSignIn(command) => json!({"command": command}),
        },
    })
}

fn settings_json(settings: &BTreeMap<String, Setting>) -> Value {
    let setting = |(key, setting): (&String, &Setting)| {
        let place = setting.origin.as_ref();
        let value = json!({
            "value": setting.value,
            "file": place.map(|origin| origin.file.display().to_string()),
            "line": place.map(|origin| origin.line),
        });
        (key.clone(), value)
    };
    Value::Object(settings.iter().map(setting).collect::<Map<_, _>>())
}

fn step_json(explained: &Explained) -> Value {
    let step = &explained.step;
    let called = target(step);
    json!({
        "type": step.kind(),
        "profile": step.profile(),
        "role_arn": step.role_arn(),
        "mfa_serial": step.mfa_serial(),
        "duration_seconds": step.duration_seconds(),
        "region": called.map(|(_, target)| &target.region),
        "endpoint_url": called.and_then(|(_, target)| target.endpoint_url.as_ref()),
        "session": super::session_json(explained.session),
        "settings": settings_json(&explained.settings),
    })
}

fn text(explanation: &Explanation, now: i64) -> String {
    let mut out = format!("profile {}", explanation.profile);
    out.extend(explanation.account_id.iter().map(|account| format!(", account {account}")));
    out.extend(explanation.region.iter().map(|region| format!(", region {region}")));
    out.push('\n');
    for (index, explained) in explanation.steps.iter().enumerate() {
        let last = index + 1 == explanation.steps.len();
        let (branch, below) = if last { ("└─", "   ") } else { ("├─", "│  ") };
        line(&mut out, branch, &describe(&explained.step));
        for (key, setting) in &explained.settings {
            let place = setting.origin.as_ref().map(|origin| format!("  {}:{}", origin.file.display(), origin.line));
            line(&mut out, below, &format!("  {key} = {}{}", setting.value, place.unwrap_or_default()));
        }
        if let Some((service, target)) = target(&explained.step) {
            let at = target.endpoint_url.as_ref().map(|url| format!(" at {url}")).unwrap_or_default();
            line(&mut out, below, &format!("  asks {service} in {}{at}", target.region));
        }
        if let Some(state) = state(explained.session, now) {
            line(&mut out, below, &format!("  {state}"));
        }
    }
    let asks = match &explanation.would_ask {
        WouldAsk::Nothing => "signing in asks nothing".to_owned(),
        WouldAsk::MfaCode(serial) => format!("signing in asks for an MFA code of {serial}"),
        WouldAsk::SsoSignIn(command) => format!("signing in needs the browser first: {command}"),
    };
    line(&mut out, "", &asks);
    out
}

fn line(out: &mut String, margin: &str, text: &str) {
    let space = if margin.is_empty() { "" } else { " " };
    let _infallible = writeln!(out, "{margin}{space}{}", printable(text));
}

fn state(session: SessionState, now: i64) -> Option<String> {
    match session {
        SessionState::None => None,
        SessionState::Valid(at) => {
            Some(format!("cached until {} ({})", exports::rfc3339(at).unwrap_or_default(), prompt::remaining_text(at - now)))
        }
        SessionState::Expired(at) => Some(format!("cached, but expired at {}", exports::rfc3339(at).unwrap_or_default())),
    }
}

fn describe(step: &Step) -> String {
    let hours = |seconds: u32| prompt::remaining_text(seconds.into());
    match step {
        Step::SessionToken(step) => {
            format!("MFA session (GetSessionToken) with a code of {}, for {}", step.mfa_serial, hours(step.duration_seconds))
        }
        Step::AssumeRole(step) => {
            let code = step.mfa_serial.as_ref().map(|serial| {
                format!(", with a code of {serial} on the call: a session over 1h is asked again at each renewal, where shorter ones share an MFA session")
            });
            format!("role {} (AssumeRole) for {}{}", step.role_arn, hours(step.duration_seconds), code.unwrap_or_default())
        }
        Step::Source { profile, source, .. } => match source {
            CredentialSource::Keys(keys) => format!("access key {} of profile {profile}", keys.access_key_id),
            CredentialSource::Environment(keys) => format!("access key {} of the environment", keys.access_key_id),
            CredentialSource::WebIdentity(role) => {
                format!("role {} (AssumeRoleWithWebIdentity) with the token in {}", role.role_arn, role.token_file.display())
            }
            CredentialSource::Sso(role) => {
                format!(
                    "role {} of account {} in IAM Identity Center, {}",
                    role.role_name, role.account_id, role.session.start_url
                )
            }
            CredentialSource::Process(_) => format!("credential_process of profile {profile}"),
            CredentialSource::InstanceMetadata(metadata) => format!("metadata of this EC2 instance, {}", metadata.endpoint_url),
            CredentialSource::Container(endpoint) => format!("role of this container, {}", endpoint.url),
            CredentialSource::Login(login) => format!("session of `aws login`, {}", login.session_arn),
        },
    }
}
