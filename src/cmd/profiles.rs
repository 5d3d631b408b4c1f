//! `awsenv profiles`: every profile with its kind, account, region and session state.

use serde_json::{Value, json};

use crate::account;
use crate::context::Context;
use crate::error::{Error, Result, printable};
use crate::prompt;
use crate::report::{self, ProfileRow, SessionState};
use crate::settings::Settings;

const COLUMNS: [&str; 7] = ["PROFILE", "KIND", "ACCOUNT", "REGION", "ROLE", "MFA", "SESSION"];

pub(super) fn run(context: &Context, as_json: bool) -> Result<()> {
    if as_json {
        return super::print(&format!("{}\n", json(context)?));
    }
    let settings = Settings::load(context)?;
    let rows = report::profiles(context, &settings)?;
    let cells: Vec<_> = rows.iter().map(|row| cells(row, &settings, context.now())).collect();
    if context.stdout_is_terminal() { super::print(&table(&cells)) } else { super::print(&lines(&cells)) }
}

/// All profiles, as `--json` shows them.
///
/// # Errors
/// When the settings or the AWS files cannot be read.
pub fn json(context: &Context) -> Result<Value> {
    let settings = Settings::load(context)?;
    Ok(Value::Array(report::profiles(context, &settings)?.iter().map(row_json).collect()))
}

fn row_json(row: &ProfileRow) -> Value {
    json!({
        "name": row.name,
        "kind": row.kind,
        "account_id": row.account_id,
        "region": row.region,
        "role_arn": row.role_arn,
        "mfa_serial": row.mfa_serial,
        "session": super::session_json(row.session),
        "reason": row.reason.as_ref().map(Error::summary),
        "hint": row.reason.as_ref().and_then(Error::hint_text),
    })
}

fn cells(row: &ProfileRow, settings: &Settings, now: i64) -> [String; 7] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let account = row.account_id.as_ref().map(|id| match settings.accounts.get(id) {
        Some(name) => format!("{id} {name}"),
        None => id.clone(),
    });
    let role = row.role_arn.as_deref().and_then(account::role_name).map(str::to_owned);
    let session = match (&row.reason, row.session) {
        (Some(error), _) => format!("cannot be used: {}", error.why()),
        (None, SessionState::Valid(at)) => prompt::remaining_text(at - now),
        (None, SessionState::Expired(_)) => "expired".to_owned(),
        (None, SessionState::None) => "-".to_owned(),
    };
    let mfa = if row.mfa_serial.is_some() { "yes" } else { "-" };
    let cells = [
        row.name.clone(),
        or_dash(row.kind.map(str::to_owned)),
        or_dash(account),
        or_dash(row.region.clone()),
        or_dash(role),
        mfa.to_owned(),
        session,
    ];
    cells.map(|cell| printable(&cell))
}

/// Columns as wide as their widest cell.
fn table(rows: &[[String; 7]]) -> String {
    let titles = COLUMNS.map(str::to_owned);
    let all = || std::iter::once(&titles).chain(rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..COLUMNS.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>();
        format!("{}\n", cells.join("  ").trim_end())
    };
    all().map(line).collect()
}

/// For other programs: no titles, and tabs between the columns.
fn lines(rows: &[[String; 7]]) -> String {
    rows.iter().map(|row| row.join("\t") + "\n").collect()
}
