//! Owns the inert grammar of `.awsprofile`: one profile, in either of two forms, and nothing that could do anything.

use std::fmt;

use ini::{Ini, ParseOption};

use super::{Directive, Export};

/// What `duration` may ask for, in seconds: AWS's own bounds for a role session.
const DURATION_SECONDS: std::ops::RangeInclusive<u32> = 900..=43_200;

type Refusal = (String, String);

/// Why a content is not a valid `.awsprofile`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, counted from 1, where one line is to blame.
    pub line: Option<usize>,
    pub why: String,
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

const FORM: &str = "write one line with the name of a profile, or `profile = NAME`";

/// Parses the content of a `.awsprofile`.
///
/// # Errors
/// When it is neither of the two forms, with the line that is wrong.
pub fn parse(content: &str) -> Result<Directive, Problem> {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let lines: Vec<&str> = content.lines().map(without_comment).collect();
    let mut filled = lines.iter().enumerate().filter(|(_, line)| !line.is_empty());
    let (first, second) = (filled.next(), filled.next());
    match (first, second) {
        (None, _) => Err(Problem { line: None, why: "it names no profile".into(), hint: FORM.into() }),
        (Some((index, name)), None) if !name.contains('=') && !name.starts_with('[') => {
            Directive::for_profile(name).map_err(|why| Problem { line: Some(index + 1), why, hint: FORM.into() })
        }
        _ => parse_keys(&lines),
    }
}

/// No value can contain `#` or `;`, so what follows one is a comment.
fn without_comment(line: &str) -> &str {
    line.split(['#', ';']).next().unwrap_or_default().trim()
}

fn parse_keys(lines: &[&str]) -> Result<Directive, Problem> {
    let at = |line: usize, why: String, hint: &str| Problem { line: Some(line), why, hint: hint.to_owned() };
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with('[') {
            return Err(at(
                index + 1,
                "sections have no place here".into(),
                "sections and all other settings belong in ~/.aws/config",
            ));
        }
        if !line.is_empty() && !line.contains('=') {
            return Err(at(index + 1, format!("`{line}` is not `key = value`"), FORM));
        }
    }
    let options = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    let ini = Ini::load_from_str_opt(&lines.join("\n"), options).map_err(|error| at(error.line, error.msg.to_string(), FORM))?;
    let mut directive = Directive { profile: None, region: None, account_id: None, duration: None, export: Export::Env };
    let mut seen: Vec<&str> = Vec::new();
    for (key, value) in ini.general_section() {
        let line = line_of(lines, key, seen.contains(&key));
        if seen.contains(&key) {
            return Err(at(line, format!("`{key}` stands here twice"), "remove one of the two lines"));
        }
        seen.push(key);
        set_key(&mut directive, key, value).map_err(|(why, hint)| at(line, why, &hint))?;
    }
    if seen.contains(&"profile") {
        Ok(directive)
    } else {
        Err(Problem { line: None, why: "it names no profile".into(), hint: FORM.into() })
    }
}

fn line_of(lines: &[&str], key: &str, last: bool) -> usize {
    let matches = |line: &&str| line.split('=').next().is_some_and(|name| name.trim() == key);
    let found = if last { lines.iter().rposition(matches) } else { lines.iter().position(matches) };
    found.map_or(1, |index| index + 1)
}

fn set_key(directive: &mut Directive, key: &str, value: &str) -> Result<(), Refusal> {
    match key {
        "profile" => directive.profile = profile_value(value).map_err(|why| (why, FORM.to_owned()))?,
        "region" => directive.region = Some(region_value(value)?),
        "account_id" => directive.account_id = Some(account_value(value)?),
        "duration" => directive.duration = Some(duration_value(value)?),
        "export" => {
            directive.export = match value {
                "env" => Export::Env,
                "profile" => Export::Profile,
                "server" => Export::Server,
                _ => return Err((format!("`{value}` is no way to export"), "export = env, profile or server".into())),
            };
        }
        _ => {
            return Err((
                format!("unknown key `{key}`"),
                format!("a .awsprofile takes profile, region, account_id, duration and export; `{key}` belongs in ~/.aws/config"),
            ));
        }
    }
    Ok(())
}

/// Whether a text can be the name of a profile here: 1 to 128 of `A-Z a-z 0-9 _ . @ / + = , : -` and spaces.
#[must_use]
pub fn is_profile_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.@/+=,:- ".contains(c);
    (1..=128).contains(&name.len()) && name.chars().all(allowed) && name.trim() == name
}

pub(super) fn profile_value(name: &str) -> Result<Option<String>, String> {
    if !is_profile_name(name) {
        return Err(format!("`{name}` cannot be the name of a profile"));
    }
    Ok((name != "none").then(|| name.to_owned()))
}

fn region_value(region: &str) -> Result<String, Refusal> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=32).contains(&region.len()) && region.chars().all(allowed) {
        Ok(region.to_owned())
    } else {
        Err((format!("`{region}` cannot be a region"), "write it like `region = eu-west-1`".into()))
    }
}

fn account_value(account: &str) -> Result<String, Refusal> {
    if crate::account::is_id(account) {
        Ok(account.to_owned())
    } else {
        Err((format!("`{account}` is not an account id"), "an account id has 12 digits, without dashes".into()))
    }
}

fn duration_value(text: &str) -> Result<u32, Refusal> {
    parse_duration(text).filter(|seconds| DURATION_SECONDS.contains(seconds)).ok_or_else(|| {
        (format!("`{text}` is not a duration from 15m to 12h"), "write it like `duration = 1h` or `duration = 90m`".into())
    })
}

/// `1h`, `90m`, `1h30m`, `3600s` or plain seconds, in seconds.
#[must_use]
pub fn parse_duration(text: &str) -> Option<u32> {
    let (mut total, mut digits) = (0u32, String::new());
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        total = digits.parse::<u32>().ok()?.checked_mul(unit)?.checked_add(total)?;
        digits.clear();
    }
    if digits.is_empty() { (!text.is_empty()).then_some(total) } else { digits.parse::<u32>().ok()?.checked_add(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directive(content: &str) -> Directive {
        parse(content).expect("it parses")
    }

    fn problem(content: &str) -> String {
        parse(content).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_bare_name() {
        for content in ["acme-dev", "acme-dev\n", "# mine\r\n\r\nacme-dev ; yes\r\n", "\u{feff}acme-dev\n", "  acme-dev  "] {
            assert_eq!(directive(content).profile.as_deref(), Some("acme-dev"), "{content:?}");
        }
        assert_eq!(directive("my profile: x/y@z+w,v").profile.as_deref(), Some("my profile: x/y@z+w,v"));
        assert_eq!(directive("none").profile, None);
    }

    #[test]
    fn every_key() {
        let found = directive(
            "profile = acme=dev  # the profile\nregion = eu-west-1\naccount_id=222222222222\nduration = 1h30m\nexport = server\n",
        );
        assert_eq!(found.profile.as_deref(), Some("acme=dev"));
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        assert_eq!(found.account_id.as_deref(), Some("222222222222"));
        assert_eq!(found.duration, Some(5400));
        assert_eq!(found.export, Export::Server);
    }

    #[test]
    fn the_canonical_text_means_the_same() {
        let found = directive("export = profile\nprofile = a b\nduration = 15m\nregion = eu-west-1\n");
        assert_eq!(directive(&found.to_string()), found);
    }

    #[test]
    fn each_mistake_names_its_line() {
        assert_eq!(problem(""), "it names no profile");
        assert_eq!(problem("region = eu-west-1\n"), "it names no profile");
        assert_eq!(problem("profile = a\nendpoint_url = http://evil\n"), "line 2: unknown key `endpoint_url`");
        assert_eq!(problem("[default]\nprofile = a\n"), "line 1: sections have no place here");
        assert_eq!(problem("[default]\n"), "line 1: sections have no place here");
        assert_eq!(problem("a\nb\n"), "line 1: `a` is not `key = value`");
        assert_eq!(problem("profile = a\n\nprofile = b\n"), "line 3: `profile` stands here twice");
        assert_eq!(problem("profile = a\nregion = evil.example.com/\n"), "line 2: `evil.example.com/` cannot be a region");
        assert_eq!(problem("profile = a\naccount_id = 12\n"), "line 2: `12` is not an account id");
        assert_eq!(problem("profile = a\nduration = 13h\n"), "line 2: `13h` is not a duration from 15m to 12h");
        assert_eq!(problem("profile = a\nexport = all\n"), "line 2: `all` is no way to export");
        for name in ["$(id)", "`id`", "a'b", "a\"b", "a%b", "a\\b", "é"] {
            assert_eq!(problem(name), format!("line 1: `{name}` cannot be the name of a profile"));
        }
        assert!(problem(&"a".repeat(129)).ends_with("cannot be the name of a profile"));
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("1h"), Some(3600));
        assert_eq!(parse_duration("90m"), Some(5400));
        assert_eq!(parse_duration("1h30m"), Some(5400));
        assert_eq!(parse_duration("3600"), Some(3600));
        assert_eq!(parse_duration(""), None);
        assert_eq!(parse_duration("h"), None);
        assert_eq!(parse_duration("99999999999h"), None);
    }
}
