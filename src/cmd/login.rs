//! `awsenv login`: signs in now, whatever is cached, and tells the open shells.

use std::io::Read;

use zeroize::Zeroizing;

use crate::context::Context;
use crate::directory::Choice;
use crate::error::{Error, Kind, Result, say};
use crate::exports;
use crate::generation::Generation;
use crate::secret::Secret;
use crate::session::{Freshness, Obtained, Sessions, TokenCodes};
use crate::settings::Settings;
use crate::sso::SignIn;
use crate::terminal::{AskedCodes, GivenCode};

/// # Errors
/// What the command reports.
pub fn run(context: &Context, profile: Option<&str>, mfa_code: Option<&str>) -> Result<()> {
    let settings = Settings::load(context)?;
    let choice = Choice::new(context, &settings, profile)?;
    let request = choice.request(Freshness::SignIn)?;
    let (mut asked, mut given);
    let codes: &mut dyn TokenCodes = match mfa_code {
        Some(code) => {
            given = GivenCode::new(code_from(code)?);
            &mut given
        }
        None => {
            asked = AskedCodes::new();
            &mut asked
        }
    };
    let mut sessions = Sessions::new(context, &settings, codes);
    sessions.sso_sign_in = Some(SignIn::of_terminal(context));
    let obtained = sessions.obtain(request)?;
    let described = describe(&mut sessions, request.profile, &obtained)?;
    for notice in &sessions.notices {
        eprintln!("{notice}");
    }
    Generation::new(&context.data_dir()?).bump()?;
    say(&format!("signed in: {described}"));
    Ok(())
}

fn describe(sessions: &mut Sessions<'_>, profile: Option<&str>, obtained: &Obtained) -> Result<String> {
    let name = profile.unwrap_or("default");
    let Some(expires_at) = obtained.credentials.expires_at else {
        let (account, arn) = sessions.verify(profile, &obtained.credentials)?;
        return Ok(format!("{name}, account {account}, {arn}; the keys do not expire"));
    };
    let account = obtained.account_id().map(|account| format!(", account {account}")).unwrap_or_default();
    Ok(format!("{name}{account}, until {}", exports::rfc3339(expires_at).unwrap_or_default()))
}

fn code_from(argument: &str) -> Result<Secret> {
    if argument != "-" {
        return Ok(Secret::new(argument));
    }
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().take(64).read_to_string(&mut text);
    read.map_err(|error| {
        Error::new(Kind::Failed, "cannot read the MFA code from standard input", error.to_string())
            .hint("awsenv login --mfa-code CODE")
    })?;
    Ok(Secret::new(text.trim()))
}
