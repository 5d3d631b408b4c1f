//! Owns the prompt segment: its fields, its format, the text for the remaining time, and how each shell must quote it.
//! Never looks at files or sessions: it is given what is loaded.

use time::{OffsetDateTime, UtcOffset};

use crate::account;
use crate::env_diff::Loaded;
use crate::settings::Settings;

/// Stands for the remaining time in a template that a shell fills in by itself. No value can contain it.
pub const REMAINING_MARKER: char = '\u{1}';
/// Seconds left from which the segment warns.
const WARN_SECONDS: i64 = 900;
/// Seconds left from which it is urgent.
const URGENT_SECONDS: i64 = 300;

/// What `{remaining}` becomes.
#[derive(Clone, Copy, Debug)]
pub enum Remaining {
    /// The time left, seen from this moment (seconds since the epoch).
    From(i64),
    /// The marker, for a shell that has a clock.
    Marker,
    /// The time of day at which it ends, for a shell that has none.
    Until,
}

/// The segment of what is loaded, without colour.
#[must_use]
pub fn segment(format: &str, loaded: &Loaded, settings: &Settings, remaining: Remaining) -> String {
    let account = loaded.account_id.as_deref().unwrap_or_default();
    let alias = settings.accounts.get(account).map(String::as_str);
    let role = loaded.role_arn.as_deref().and_then(account::role_name);
    let left = match (loaded.expires_at, remaining) {
        (None, _) => String::new(),
        (Some(_), Remaining::Marker) => REMAINING_MARKER.to_string(),
        (Some(at), Remaining::From(now)) => remaining_text(at - now),
        (Some(at), Remaining::Until) => format!("until {}", clock_time(at)),
    };
    if !loaded.signed_in {
        return tidy(&[&loaded.profile, " (awsenv login)"].concat());
    }
    let value = |field: &str| match field {
        "profile" => Some(loaded.profile.clone()),
        "account" => Some(account.to_owned()),
        "alias" => Some(alias.unwrap_or(account).to_owned()),
        "region" => Some(loaded.region.clone().unwrap_or_default()),
        "role" => Some(role.unwrap_or_default().to_owned()),
        "expires_at" => Some(loaded.expires_at.map(clock_time).unwrap_or_default()),
        "remaining" => Some(left.clone()),
        _ => None,
    };
    let (mut text, mut rest) = (String::new(), format);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}').and_then(|(field, after)| Some((value(field)?, after))) {
            Some((value, after)) => {
                text.push_str(&value);
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    tidy(&text)
}

/// Control characters have no place in a prompt, nor have the gaps that empty fields leave.
fn tidy(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !c.is_control() || *c == REMAINING_MARKER).collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `11h59m`, `59m`, `<1m` or `expired`. The hooks compute the same by shell arithmetic.
#[must_use]
pub fn remaining_text(seconds: i64) -> String {
    match seconds {
        ..=0 => "expired".to_owned(),
        1..=59 => "<1m".to_owned(),
        60..=3599 => format!("{}m", seconds / 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// The time of day of a moment, in the local time zone where it can be told, else UTC with a `Z`.
fn clock_time(epoch: i64) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(epoch) else { return String::new() };
    match UtcOffset::local_offset_at(moment) {
        Ok(offset) => {
            let local = moment.to_offset(offset);
            format!("{:02}:{:02}", local.hour(), local.minute())
        }
        Err(_) => format!("{:02}:{:02}Z", moment.hour(), moment.minute()),
    }
}

/// How urgent the segment looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Calm,
    Soon,
    Urgent,
    Production,
}

impl Style {
    #[must_use]
    pub fn of(loaded: &Loaded, settings: &Settings, now: i64) -> Self {
        let left = loaded.expires_at.map_or(i64::MAX, |at| at - now);
        if settings.production.matches(&loaded.profile) {
            Style::Production
        } else if left <= URGENT_SECONDS {
            Style::Urgent
        } else if left <= WARN_SECONDS {
            Style::Soon
        } else {
            Style::Calm
        }
    }

    /// The SGR parameters: green, yellow, red, white on red (ECMA-48, 8.3.117).
    fn sgr(self) -> &'static str {
        match self {
            Style::Calm => "32",
            Style::Soon => "33",
            Style::Urgent => "31",
            Style::Production => "97;41",
        }
    }
}

/// Who reads the segment, which decides what must be escaped and how colour is marked as taking no space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// bash's `PS1='$(…)'`: nothing is expanded again; readline wants `\x01…\x02` around colour.
    Bash,
    /// zsh's `PROMPT` with `prompt_subst`: `%` is special in what comes of a substitution.
    Zsh,
    /// Text that nothing expands: fish, nu, starship, tmux, a terminal.
    Plain,
}

/// The segment as a reader needs it, coloured if there is a style.
#[must_use]
pub fn for_reader(segment: &str, reader: Reader, style: Option<Style>) -> String {
    let text = if reader == Reader::Zsh { segment.replace('%', "%%") } else { segment.to_owned() };
    let Some(style) = style.filter(|_| !text.is_empty()) else { return text };
    let (open, close) = match reader {
        Reader::Bash => ("\u{1}", "\u{2}"),
        Reader::Zsh => ("%{", "%}"),
        Reader::Plain => ("", ""),
    };
    format!("{open}\u{1b}[{}m{close}{text}{open}\u{1b}[0m{close}", style.sgr())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded() -> Loaded {
        Loaded {
            profile: "acme-dev".into(),
            account_id: Some("222222222222".into()),
            role_arn: Some("arn:aws:iam::222222222222:role/x/admin".into()),
            region: Some("eu-west-1".into()),
            expires_at: Some(4000),
            signed_in: true,
            ..Loaded::default()
        }
    }

    #[test]
    fn every_field() {
        let mut settings = Settings::default();
        let all = |settings: &Settings| {
            segment("{profile}|{account}|{alias}|{region}|{role}|{remaining}", &loaded(), settings, Remaining::From(400))
        };
        assert_eq!(all(&settings), "acme-dev|222222222222|222222222222|eu-west-1|admin|1h00m");
        settings.accounts.insert("222222222222".into(), "acme\u{1b}[31m 100%".into());
        assert_eq!(all(&settings), "acme-dev|222222222222|acme[31m 100%|eu-west-1|admin|1h00m");
    }

    #[test]
    fn empty_fields_leave_no_gap() {
        let none = Loaded { profile: "p".into(), signed_in: true, ..Loaded::default() };
        let settings = Settings::default();
        assert_eq!(segment(&settings.prompt_format, &none, &settings, Remaining::From(0)), "p");
        let pending = Loaded { signed_in: false, ..none };
        assert_eq!(segment(&settings.prompt_format, &pending, &settings, Remaining::From(0)), "p (awsenv login)");
    }

    #[test]
    fn remaining_times() {
        let texts = [
            (-5, "expired"),
            (0, "expired"),
            (1, "<1m"),
            (59, "<1m"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h00m"),
            (43_199, "11h59m"),
        ];
        for (seconds, text) in texts {
            assert_eq!(remaining_text(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn style_follows_the_time_left_and_the_settings() {
        let mut settings = Settings::default();
        let style = |settings: &Settings, now| Style::of(&loaded(), settings, now);
        assert_eq!(
            [style(&settings, 0), style(&settings, 3100), style(&settings, 3700)],
            [Style::Calm, Style::Soon, Style::Urgent]
        );
        settings.production = crate::settings::Globs::new(["acme-*"]);
        assert_eq!(style(&settings, 0), Style::Production);
    }

    #[test]
    fn each_reader_gets_it_as_it_needs() {
        assert_eq!(for_reader("100%", Reader::Zsh, None), "100%%");
        assert_eq!(for_reader("100%", Reader::Bash, None), "100%");
        assert_eq!(for_reader("a", Reader::Zsh, Some(Style::Calm)), "%{\u{1b}[32m%}a%{\u{1b}[0m%}");
        assert_eq!(for_reader("a", Reader::Bash, Some(Style::Soon)), "\u{1}\u{1b}[33m\u{2}a\u{1}\u{1b}[0m\u{2}");
        assert_eq!(for_reader("", Reader::Plain, Some(Style::Calm)), "");
    }
}
