//! Owns what a failed call means: AWS's code and message, or the network's, turned into cause and hint; for STS, by what
//! the request carried.

use std::error::Error as StdError;
use std::time::SystemTime;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::http::{causes, root_cause};
use crate::account;
use crate::credentials::{AssumeRole, SessionCredentials, SessionToken};
use crate::error::{Error, Kind};
use crate::profile::{ServiceTarget, WebIdentity};
use crate::settings::NetworkSettings;

/// Whose credentials sign a call.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    pub credentials: &'a SessionCredentials,
    /// Whether they were had with an MFA code, which a role's session never carries on.
    pub carries_mfa: bool,
}

/// What was asked, for the message.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    SessionToken(&'a SessionToken, &'a SessionCredentials),
    AssumeRole(&'a AssumeRole, Caller<'a>),
    WebIdentity(&'a WebIdentity),
    FederationToken(&'a SessionCredentials),
    CallerIdentity(&'a SessionCredentials),
}

/// A failed call. Those that another one-time code would mend are told apart.
#[derive(Debug)]
pub enum StsError {
    /// AWS did not take the code.
    WrongCode(Error),
    /// The code may be used up, but nothing is wrong with it: AWS was busy, or broke down.
    CodeSpent(Error),
    Other(Error),
}

impl From<StsError> for Error {
    fn from(error: StsError) -> Self {
        match error {
            StsError::WrongCode(error) | StsError::CodeSpent(error) | StsError::Other(error) => error,
        }
    }
}

/// What the SDK's error amounts to.
pub(super) enum Failure {
    /// AWS answered with an error.
    Answered { status: u16, code: String, message: String, skew_seconds: i64 },
    /// Nothing that makes sense came back.
    Unreachable(String),
}

impl Failure {
    pub(super) fn of<E>(error: &SdkError<E, Response>, limits: NetworkSettings) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let timed_out = || Failure::Unreachable(format!("no answer within {} s", limits.timeout.as_secs()));
        match error {
            SdkError::ServiceError(refused) if refused.err().code().is_some() => Failure::Answered {
                status: refused.raw().status().as_u16(),
                code: refused.err().code().unwrap_or_default().to_owned(),
                message: refused.err().message().unwrap_or_default().to_owned(),
                skew_seconds: skew_seconds(refused.raw()),
            },
            SdkError::ServiceError(refused) if refused.raw().status().is_server_error() => Failure::Answered {
                status: refused.raw().status().as_u16(),
                code: "ServiceUnavailable".into(),
                message: String::new(),
                skew_seconds: 0,
            },
            SdkError::ServiceError(refused) => Failure::Unreachable(format!(
                "the answer (status {}) is not one of AWS; is a proxy or a sign-in page in between?",
                refused.raw().status().as_u16()
            )),
            SdkError::TimeoutError(_) => timed_out(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() && is_connect(error) => {
                Failure::Unreachable(format!("no connection within {} s", limits.connect_timeout.as_secs()))
            }
            SdkError::DispatchFailure(failure) if failure.is_timeout() => timed_out(),
            SdkError::ResponseError(_) => Failure::Unreachable(format!("the answer makes no sense ({})", root_cause(error))),
            _ => Failure::Unreachable(root_cause(error)),
        }
    }
}

fn is_connect(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| cause.to_string().contains("connect"))
}

/// How far this machine's clock is ahead of AWS's (negative: behind), by the answer's `Date`.
fn skew_seconds(response: &Response) -> i64 {
    let date = response.headers().get("date").and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
    let now = DateTime::from(SystemTime::now());
    date.map_or(0, |date| now.secs() - date.secs())
}

/// An answer without credentials in it.
pub(super) fn incomplete(request: &Request<'_>) -> StsError {
    StsError::Other(Error::new(Kind::Unreachable, request.what(), "AWS's answer has no credentials in it"))
}

/// The error for a failed request.
pub(super) fn explain(request: &Request<'_>, target: &ServiceTarget, failure: &Failure) -> StsError {
    match failure {
        Failure::Unreachable(why) => StsError::Other(unreachable(request.what(), "STS", target, why)),
        Failure::Answered { status, code, message, skew_seconds } => {
            let refused = |why: String| Error::new(Kind::Refused, request.what(), why);
            let said = said(code, message);
            if let Some(error) = busy(&request.what(), *status, code, &said) {
                return StsError::CodeSpent(error);
            }
            match code.as_str() {
                _ if is_skew(code, message) => StsError::Other(skewed(refused, *skew_seconds, &said)),
                "AccessDenied" if message.contains("invalid MFA one time pass code") => {
                    StsError::WrongCode(refused("AWS did not accept the MFA code".into()).hint(
                        "enter the code that the device shows now; if it is always refused, check the device's clock and that it is the one named",
                    ))
                }
                "AccessDenied" if message.contains("unable to validate MFA code") => StsError::Other(unknown_device(request, refused)),
                _ => StsError::Other(request.refused(code, message, &said)),
            }
        }
    }
}

/// AWS's own words.
pub(super) fn said(code: &str, message: &str) -> String {
    if message.is_empty() { code.to_owned() } else { format!("{code}: {}", message.trim().trim_end_matches('.')) }
}

/// The error for an answer that another try may mend.
pub(super) fn busy(what: &str, status: u16, code: &str, said: &str) -> Option<Error> {
    let throttled = ["Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"].contains(&code);
    let error = match status {
        500.. => Error::new(Kind::Unreachable, what, format!("AWS has a fault of its own ({status} {said})")),
        _ if throttled => Error::new(Kind::Refused, what, format!("AWS is asked too often ({said})")),
        _ => return None,
    };
    Some(error.hint("try again in a minute: awsenv login"))
}

fn is_skew(code: &str, message: &str) -> bool {
    matches!(code, "RequestTimeTooSkewed" | "RequestExpired")
        || message.contains("Signature expired")
        || message.contains("Signature not yet current")
}

fn skewed(refused: impl Fn(String) -> Error, ahead_seconds: i64, said: &str) -> Error {
    let direction = if ahead_seconds >= 0 { "ahead of" } else { "behind" };
    let amount = match ahead_seconds.unsigned_abs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7_199 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    };
    refused(format!("this machine's clock is {amount} {direction} AWS's, which allows 5 min ({said})"))
        .hint("set the clock: sudo timedatectl set-ntp true")
}

/// The error where nothing that makes sense came back from a service.
pub(super) fn unreachable(what: String, service: &str, target: &ServiceTarget, why: &str) -> Error {
    let (place, hint) = match &target.endpoint_url {
        Some(url) => {
            let variable = service.to_ascii_uppercase().replace(' ', "_");
            let hint = format!(
                "check that endpoint (AWS_ENDPOINT_URL_{variable}, AWS_ENDPOINT_URL or endpoint_url), the network and HTTPS_PROXY"
            );
            (url.clone(), hint)
        }
        None => (
            format!("{service} in {}", target.region),
            "check the network, HTTPS_PROXY and AWS_CA_BUNDLE, and that the region exists; then: awsenv login".to_owned(),
        ),
    };
    Error::new(Kind::Unreachable, what, format!("cannot reach {place}: {why}")).hint(hint)
}

fn unknown_device(request: &Request<'_>, refused: impl Fn(String) -> Error) -> Error {
    let serial = match request {
        Request::SessionToken(step, _) => step.mfa_serial.as_str(),
        Request::AssumeRole(step, _) => step.mfa_serial.as_deref().unwrap_or_default(),
        Request::WebIdentity(_) | Request::FederationToken(_) | Request::CallerIdentity(_) => "",
    };
    refused(format!("AWS knows no MFA device {serial} for these keys"))
        .hint("list yours and correct mfa_serial in ~/.aws/config: aws iam list-mfa-devices --profile PROFILE")
}

impl Request<'_> {
    fn what(&self) -> String {
        match self {
            Request::SessionToken(step, _) => format!("cannot sign in with the keys of profile `{}`", step.profile),
            Request::AssumeRole(step, _) => format!("cannot assume {} (profile `{}`)", step.role_arn, step.profile),
            Request::WebIdentity(role) => format!("cannot assume {} with a web identity", role.role_arn),
            Request::FederationToken(_) => "cannot sign in to the console with an IAM user's keys".to_owned(),
            Request::CallerIdentity(_) => "cannot check the keys".to_owned(),
        }
    }

    fn key_id(&self) -> &str {
        match self {
            Request::AssumeRole(_, caller) => &caller.credentials.access_key_id,
            Request::SessionToken(_, from) | Request::FederationToken(from) | Request::CallerIdentity(from) => {
                &from.access_key_id
            }
            Request::WebIdentity(_) => "",
        }
    }

    fn refused(&self, code: &str, message: &str, said: &str) -> Error {
        let error = |why: String| Error::new(Kind::Refused, self.what(), why);
        match (code, self) {
            (_, Request::WebIdentity(role)) => {
                let (why, hint) = web_identity_refused(role, code, said);
                error(why).hint(hint)
            }
            ("InvalidClientTokenId", _) => {
                let id = self.key_id();
                error(format!("AWS does not know the access key {id}: it is deleted, switched off, or of another partition"))
                    .hint("list the keys in the IAM console and put a valid one into ~/.aws/credentials: aws configure --profile PROFILE")
            }
            ("SignatureDoesNotMatch", _) => error("the secret access key does not belong to the access key id".into())
                .hint("correct aws_secret_access_key in ~/.aws/credentials: aws configure --profile PROFILE"),
            ("ExpiredToken" | "ExpiredTokenException", _) => {
                error("the session that was used has expired".into()).hint("awsenv login")
            }
            ("ValidationError", Request::AssumeRole(step, _)) if message.contains("MaxSessionDuration") => error(format!(
                "duration_seconds = {} is more than the role allows",
                step.duration_seconds
            ))
            .hint(format!("lower duration_seconds in profile `{}`, or raise the role's maximum session duration", step.profile)),
            ("ValidationError", Request::AssumeRole(step, _)) if message.contains("role chaining") => {
                error("a role that is assumed from another role's session lasts at most 1 hour".into())
                    .hint(format!("duration_seconds = 3600 in profile `{}`", step.profile))
            }
            ("AccessDenied", Request::AssumeRole(step, caller)) => {
                error(format!("AccessDenied. {}", may_be(step, *caller))).hint(role_hint(step, *caller))
            }
            ("AccessDenied", Request::SessionToken(..)) if message.contains("session credentials") => {
                error("these keys are a session already, which cannot start another".into())
                    .hint("put long-lived keys (AKIA…) into the source profile")
            }
            ("AccessDenied", Request::FederationToken(_)) => error(said.to_owned())
                .hint("the user needs sts:GetFederationToken; or use a role: awsenv console --profile ROLE-PROFILE"),
            ("RegionDisabledException", _) => {
                error(said.to_owned()).hint("choose another region for STS, or enable this one in the account")
            }
            _ => error(said.to_owned()).hint("AWSENV_LOG=debug awsenv login shows each step"),
        }
    }
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>
fn web_identity_refused(role: &WebIdentity, code: &str, said: &str) -> (String, String) {
    let file = role.token_file.display();
    match code {
        "ExpiredTokenException" | "ExpiredToken" => (
            format!("the token in {file} has expired"),
            "whoever writes the file must renew it (in EKS the kubelet does, for a projected service account token)".into(),
        ),
        "InvalidIdentityToken" => (
            format!("AWS does not accept the token in {file} ({said})"),
            "create the identity provider of the token's issuer in IAM, in the role's account, and check that the file is the one named".into(),
        ),
        "AccessDenied" => (
            "the role does not exist, or its trust policy does not allow this token's issuer, subject or audience".into(),
            format!(
                "compare the token's `iss`, `sub` and `aud` with the trust policy: aws iam get-role --role-name {}",
                account::role_name(&role.role_arn).unwrap_or("NAME")
            ),
        ),
        _ => (said.to_owned(), "AWSENV_LOG=debug awsenv login shows each step".into()),
    }
}

/// AWS does not say which check failed, so this lists what can have, given what the request carried.
fn may_be(step: &AssumeRole, caller: Caller<'_>) -> String {
    let from = caller.credentials;
    let named = account::of_access_key_id(&from.access_key_id)
        .map_or_else(|| from.access_key_id.clone(), |account| format!("{} (account {account})", from.access_key_id));
    let mut reasons = vec![format!("the role does not exist, or its trust policy does not name the caller {named}")];
    if step.mfa_serial.is_none() && !caller.carries_mfa {
        reasons.push("its trust policy demands MFA, and no mfa_serial was given".into());
    }
    match &step.external_id {
        None => reasons.push("its trust policy demands an external id, and none was given".into()),
        Some(id) => reasons.push(format!("its trust policy demands another external id than `{id}`")),
    }
    if !step.session_tags.is_empty() {
        reasons.push("its trust policy does not allow sts:TagSession".into());
    }
    if step.source_identity.is_some() {
        reasons.push("its trust policy does not allow sts:SetSourceIdentity".into());
    }
    reasons.push("the caller has no permission for sts:AssumeRole on it".into());
    let numbered: Vec<_> = reasons.iter().enumerate().map(|(index, reason)| format!("({}) {reason}", index + 1)).collect();
    format!("It can be: {}", numbered.join("; "))
}

fn role_hint(step: &AssumeRole, caller: Caller<'_>) -> String {
    let mut lines = Vec::new();
    if step.mfa_serial.is_none() && !caller.carries_mfa {
        lines.push("mfa_serial");
    }
    if step.external_id.is_none() {
        lines.push("external_id");
    }
    let missing = if lines.is_empty() { String::new() } else { format!(", and whether it lacks {}", lines.join(" or ")) };
    format!(
        "check role_arn{missing} below [profile {}] in ~/.aws/config; the role's owner can see the trust policy: aws iam get-role --role-name {}",
        step.profile,
        account::role_name(&step.role_arn).unwrap_or("NAME")
    )
}
