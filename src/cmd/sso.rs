//! `awsenv sso`: signing in to IAM Identity Center, and profiles for all that is assigned there.

use crate::cli::SsoCommand;
use crate::context::Context;
use crate::directory::Choice;
use crate::edit::Edit;
use crate::error::{Error, Kind, Result, say};
use crate::exports;
use crate::generation::Generation;
use crate::profile::{AwsFiles, CredentialSource, SsoSession};
use crate::provider::aws_files;
use crate::provider::connection::{Connection, Network};
use crate::provider::portal::Portal;
use crate::session::{Freshness, SIGN_IN_PATIENCE};
use crate::settings::Settings;
use crate::sso::populate::{Populated, Population};
use crate::sso::{SignIn, Tokens};
use crate::terminal::{Answer, Terminal};

pub(super) fn run(context: &Context, command: SsoCommand) -> Result<()> {
    let settings = Settings::load(context)?;
    let files = aws_files::of_user(context)?;
    let connection = Connection::new(Network::new(settings.network, None), context.ca_bundle(None).as_deref())?;
    match command {
        SsoCommand::Login { profile, sso_session, device_code } => {
            let session = session(context, &settings, &files, sso_session.as_deref(), profile.as_deref())?;
            let way = if device_code { SignIn::DeviceCode } else { SignIn::of_terminal(context) };
            let tokens = tokens(context, &connection, &session, None);
            let token = tokens.renew(way)?;
            Generation::new(&context.data_dir()?).bump()?;
            say(&format!("signed in to {}, until {}", session.label(), exports::rfc3339(token.expires_at).unwrap_or_default()));
            Ok(())
        }
        SsoCommand::Populate { sso_session, template, prefix, region, dry_run, prune, yes } => {
            let session = session(context, &settings, &files, sso_session.as_deref(), None)?;
            let Some(name) = &session.name else {
                return Err(Error::failed("cannot make profiles", "this profile has no sso_session to refer to")
                    .hint("aws configure sso-session makes one"));
            };
            let way = Terminal::open().map(|_| SignIn::of_terminal(context));
            let portal = Portal { connection: &connection, session: &session };
            let accounts = tokens(context, &connection, &session, way).used_by(|token| portal.accounts(token))?;
            let population = Population {
                session: name,
                accounts: &accounts,
                template: &template,
                prefix: &prefix,
                region: region.as_deref(),
                prune,
            };
            populate(context, &files, &population, dry_run, yes)
        }
    }
}

/// The session that is named, else the profile's or the directory's, else the only one there is.
fn session(
    context: &Context,
    settings: &Settings,
    files: &AwsFiles,
    named: Option<&str>,
    profile: Option<&str>,
) -> Result<SsoSession> {
    if let Some(name) = named {
        return files.sso_session(name, context);
    }
    let choice = Choice::new(context, settings, profile)?;
    let chosen = choice.request(Freshness::Cached).ok().and_then(|request| request.profile);
    if let Some(chosen) = chosen {
        let resolved = files.resolve(chosen, context);
        match resolved.map(|resolved| resolved.source.credentials) {
            Ok(CredentialSource::Sso(role)) => return Ok(role.session),
            Err(error) if profile.is_some() => return Err(error),
            Ok(_) if profile.is_some() => {
                return Err(Error::failed(
                    "cannot sign in",
                    format!("profile `{chosen}` does not sign in by IAM Identity Center"),
                )
                .hint(format!("awsenv login {chosen}")));
            }
            _ => {}
        }
    }
    let names: Vec<_> = files.sso_sessions.keys().map(String::as_str).collect();
    match names.as_slice() {
        [only] => files.sso_session(only, context),
        [] => Err(Error::failed("cannot sign in", format!("there is no [sso-session …] in {}", files.config_path.display()))
            .hint("aws configure sso-session")),
        _ => Err(Error::new(Kind::Usage, "cannot sign in", format!("there are several sessions: {}", names.join(", ")))
            .hint(format!("awsenv sso login --sso-session {}", names[0]))),
    }
}

fn tokens<'a>(context: &'a Context, connection: &'a Connection, session: &'a SsoSession, sign_in: Option<SignIn>) -> Tokens<'a> {
    Tokens { context, connection, session, sign_in, patience: SIGN_IN_PATIENCE }
}

fn populate(context: &Context, files: &AwsFiles, population: &Population<'_>, dry_run: bool, yes: bool) -> Result<()> {
    let mut outcome = Populated::default();
    let edit = Edit::of(&files.config_path, |text| {
        outcome = population.apply(text)?;
        Ok(std::mem::take(&mut outcome.text))
    })?;
    for name in &outcome.skipped {
        say(&format!("left profile `{name}` as it is: it is your own"));
    }
    if !outcome.stale.is_empty() {
        say(&format!("not assigned to you any more: {} (--prune removes them)", outcome.stale.join(", ")));
    }
    if edit.changes_nothing() {
        say(&format!("nothing to change: {} profiles of {}", outcome.profiles, population.session));
        return Ok(());
    }
    super::print(&edit.diff())?;
    if dry_run {
        return Ok(());
    }
    if !yes && !confirmed()? {
        return Err(Error::new(Kind::Failed, "nothing was changed", "you said no")
            .hint("awsenv sso populate --dry-run shows the change alone"));
    }
    let backup = edit.apply(context.now())?.map(|path| format!("; the old text is in {}", path.display())).unwrap_or_default();
    say(&format!("{} profiles of {}{backup}", outcome.profiles, population.session));
    Ok(())
}

fn confirmed() -> Result<bool> {
    let no_terminal = || {
        Error::new(Kind::Usage, "cannot ask whether to make this change", "there is no terminal")
            .hint("--yes makes it, --dry-run only shows it")
    };
    let mut terminal = Terminal::open().ok_or_else(no_terminal)?;
    match terminal.ask("awsenv: make this change? [y/N] ") {
        Ok(Answer::Line(line)) => Ok(matches!(line.as_str(), "y" | "Y" | "yes")),
        Ok(Answer::Nothing) => Ok(false),
        Ok(Answer::Interrupt) => Err(Error::new(Kind::Interrupted, "nothing was changed", "you interrupted")),
        Err(error) => Err(Error::failed("cannot ask on the terminal", error)),
    }
}
