//! `awsenv credential-process`: a profile's credentials in the form that the AWS CLI and the SDKs take from a
//! `credential_process`.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use serde_json::json;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::directory::Choice;
use crate::error::{Error, Result};
use crate::exports::rfc3339;
use crate::secret::Secret;
use crate::settings::Settings;

/// # Errors
/// When there are no credentials. The reason is one line: the AWS CLI shows what is on standard error.
pub fn run(context: &Context, profile: Option<&str>) -> Result<()> {
    print(context, profile).map_err(|error| {
        if !error.is_reported() {
            eprintln!("awsenv: {}", error.in_one_line());
        }
        error.reported()
    })
}

fn print(context: &Context, profile: Option<&str>) -> Result<()> {
    let settings = Settings::load(context)?;
    let choice = Choice::new(context, &settings, profile)?;
    let obtained = super::obtain_lasting(context, &settings, &choice)?;
    let credentials = &obtained.credentials;
    let mut document = json!({
        "Version": 1,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key.expose(),
    });
    let optional = [
        ("SessionToken", credentials.session_token.as_ref().map(|token| Secret::expose(token).to_owned())),
        ("Expiration", credentials.expires_at.and_then(rfc3339)),
        ("AccountId", obtained.account_id()),
    ];
    for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        document[name] = value.into();
    }
    let text = serde_json::to_string(&document).map_err(|error| Error::failed("cannot print the credentials", error))?;
    super::print(&Zeroizing::new(text + "\n"))
}
