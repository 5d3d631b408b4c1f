//! `awsenv console`: the AWS web console, signed in as a profile.

use std::time::Duration;

use crate::account;
use crate::browser::Browser;
use crate::context::Context;
use crate::credentials::SessionCredentials;
use crate::directory::Choice;
use crate::error::{Error, Kind, Result, say};
use crate::profile::{CredentialSource, ResolvedProfile};
use crate::provider::aws_files;
use crate::provider::connection::{Connection, Network};
use crate::provider::federation::Console;
use crate::provider::loopback::Loopback;
use crate::provider::sts::Sts;
use crate::secret::Secret;
use crate::session::{Freshness, Obtained};
use crate::settings::Settings;

/// How long the browser may take to come.
const BROWSER_LIMIT: Duration = Duration::from_secs(60);

pub(super) fn run(
    context: &Context,
    profile: Option<&str>,
    service: Option<&str>,
    region: Option<&str>,
    print: bool,
) -> Result<()> {
    check(service, "service", |c| c.is_ascii_alphanumeric() || "-/".contains(c))?;
    check(region, "region", |c| c.is_ascii_alphanumeric() || c == '-')?;
    let browser = if print { None } else { Some(Browser::find(context).ok_or_else(no_browser)?) };
    let settings = Settings::load(context)?;
    let choice = Choice::new(context, &settings, profile)?;
    let obtained = super::obtain(context, &settings, &choice)?;
    let request = choice.request(Freshness::Cached)?;
    let resolved = aws_files::of_user(context)?.resolve_chosen(request.profile, context)?;
    let connection = Connection::new(Network::new(settings.network, resolved.max_attempts), resolved.ca_bundle.as_deref())?;
    let target = &resolved.source.sts;
    let region = region.or(choice.directive().region.as_deref()).or(resolved.region.as_deref()).unwrap_or(&target.region);
    let session = session(context, &connection, &resolved, &obtained)?;
    let arn = obtained.summary.role_arn.as_deref().and_then(account::partition_of_arn);
    let partition = arn.unwrap_or_else(|| account::partition_of_region(region));
    let console = Console::of(partition, context.user_var("AWS_ENDPOINT_URL_SIGNIN"));
    let url = console.sign_in(&connection, &session, &console.page(service, region))?;
    match browser {
        None => super::print(&format!("{}\n", url.expose())),
        Some(browser) => open(&connection, &browser, &url),
    }
}

fn no_browser() -> Error {
    Error::failed("cannot open the console", "there is no browser here").hint("awsenv console --print, or BROWSER=PROGRAM")
}

/// What becomes part of an address.
fn check(text: Option<&str>, what: &str, allowed: impl Fn(char) -> bool) -> Result<()> {
    match text.filter(|text| text.is_empty() || !text.chars().all(allowed)) {
        None => Ok(()),
        Some(text) => Err(Error::new(Kind::Usage, "cannot open the console", format!("`{text}` is not a {what}"))
            .hint("awsenv console --service s3 --region eu-west-1")),
    }
}

/// A session that the federation endpoint takes: that of a role; or, of an IAM user's keys, one of GetFederationToken.
fn session(
    context: &Context,
    connection: &Connection,
    resolved: &ResolvedProfile,
    obtained: &Obtained,
) -> Result<SessionCredentials> {
    let credentials = &obtained.credentials;
    let keys = match &resolved.source.credentials {
        _ if !resolved.roles.is_empty() => return Ok(credentials.clone()),
        _ if credentials.session_token.is_none() => credentials.clone(),
        CredentialSource::Keys(keys) | CredentialSource::Environment(keys) if keys.session_token.is_none() => {
            SessionCredentials { account_id: credentials.account_id.clone(), ..SessionCredentials::from(keys) }
        }
        _ => return Ok(credentials.clone()),
    };
    say(
        "signing in as an IAM user, by GetFederationToken: for 12 h at most, and without MFA, so that what your policies allow only with MFA stays closed; a role has neither limit",
    );
    let user = context.user_var("USER").unwrap_or("awsenv");
    let name: String = user.chars().filter(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c)).take(32).collect();
    Ok(Sts(connection).federation_token(&resolved.source.sts, &keys, if name.len() < 2 { "awsenv" } else { &name })?)
}

/// The browser is given an address on loopback, and sent on from there: the one that signs in is on no command line.
fn open(connection: &Connection, browser: &Browser, url: &Secret) -> Result<()> {
    let loopback = Loopback::listen(connection)?;
    let path = format!("/{}", crate::secret::random()?.expose());
    if !browser.open(&loopback.url(&path)) {
        return Err(no_browser());
    }
    if loopback.send_on(&path, url.expose(), BROWSER_LIMIT) {
        Ok(())
    } else {
        Err(Error::failed("cannot open the console", format!("the browser did not come within {} s", BROWSER_LIMIT.as_secs()))
            .hint("awsenv console --print"))
    }
}
