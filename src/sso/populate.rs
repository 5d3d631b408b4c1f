//! Owns the profiles for all accounts and roles of a session: their names, and the block of `~/.aws/config` between two
//! markers that holds them. Nothing outside the markers is touched.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::profile::origin::{self, AwsFile};
use crate::provider::portal::Account;

/// The name of a profile unless `--template` says otherwise.
pub const DEFAULT_TEMPLATE: &str = "{account_name}-{role_name}";

/// What is asked of the profiles.
pub struct Population<'a> {
    pub session: &'a str,
    pub accounts: &'a [Account],
    pub template: &'a str,
    pub prefix: &'a str,
    pub region: Option<&'a str>,
    /// Whether profiles of roles that are assigned no more go.
    pub prune: bool,
}

/// What became of the text.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Populated {
    pub text: String,
    pub profiles: usize,
    /// Names that the user's own part of the file has already.
    pub skipped: Vec<String>,
    /// Profiles in the block whose role is not assigned any more, and that stay.
    pub stale: Vec<String>,
}

impl Population<'_> {
    /// The text of `~/.aws/config` with the block brought up to date.
    ///
    /// # Errors
    /// When a marker is without its other, or the template makes no name.
    pub fn apply(&self, text: &str) -> Result<Populated> {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let block = self.block(text)?;
        let (before, inside, after) = match block {
            Some((start, end)) => (&text[..start], &text[start..end], &text[end..]),
            None => (text, "", ""),
        };
        let taken: BTreeSet<_> = profiles(before).chain(profiles(after)).map(|(name, _)| name).collect();
        let wanted = self.wanted(newline)?;
        let mut all: BTreeMap<_, _> = wanted.clone();
        let mut stale = Vec::new();
        for (name, chunk) in profiles(inside).filter(|(name, _)| !self.prune && !wanted.contains_key(name)) {
            stale.push(name.clone());
            all.insert(name, chunk);
        }
        let (skipped, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| taken.contains(name));
        let profiles = kept.len();
        let mut out = before.to_owned();
        if block.is_none() && !out.is_empty() {
            out += &newline.repeat(if out.ends_with('\n') { 1 } else { 2 });
        }
        if block.is_some() || profiles > 0 {
            out.extend([&self.marker(">>>"), newline]);
            out.extend(kept.into_iter().map(|(_, chunk)| chunk));
            out.extend([&self.marker("<<<"), newline]);
        }
        Ok(Populated { text: out + after, profiles, skipped: skipped.into_iter().map(|(name, _)| name).collect(), stale })
    }

    fn marker(&self, arrows: &str) -> String {
        format!("# {arrows} awsenv sso populate: {} {arrows}", self.session)
    }

    /// Where the block is, its markers included.
    fn block(&self, text: &str) -> Result<Option<(usize, usize)>> {
        let (begin, end) = (self.marker(">>>"), self.marker("<<<"));
        let (mut at, mut start, mut found) = (0, None, None);
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let broken = |what: &str| {
                Err(Error::failed("cannot tell which part of ~/.aws/config is awsenv's", format!("line {}: {what}", index + 1))
                    .hint(format!("put the line `{begin}` before awsenv's profiles and `{end}` after them, or remove both")))
            };
            match line.trim_end() {
                line if line == begin && (start.is_some() || found.is_some()) => return broken("a second beginning"),
                line if line == begin => start = Some(at),
                line if line == end => match start.take() {
                    Some(start) => found = Some((start, at + text[at..].find('\n').map_or(text.len() - at, |length| length + 1))),
                    None => return broken("an end without a beginning"),
                },
                _ => {}
            }
            at += line.len();
        }
        match start {
            Some(_) => Err(Error::failed("cannot tell which part of ~/.aws/config is awsenv's", format!("`{begin}` has no end"))
                .hint(format!("put the line `{end}` after awsenv's profiles"))),
            None => Ok(found),
        }
    }

    /// Names and sections.
    fn wanted(&self, newline: &str) -> Result<BTreeMap<String, String>> {
        let roles = || self.accounts.iter().flat_map(|account| account.roles.iter().map(move |role| (account, role)));
        let mut uses = BTreeMap::new();
        for (account, role) in roles() {
            *uses.entry(self.name(account, role)?).or_insert(0) += 1;
        }
        let mut wanted = BTreeMap::new();
        for (account, role) in roles() {
            let mut name = self.name(account, role)?;
            // Accounts may share their name, profiles may not.
            if uses[&name] > 1 {
                name = format!("{name}-{}", account.id);
            }
            let mut lines = vec![
                format!("[profile {name}]"),
                format!("sso_session = {}", self.session),
                format!("sso_account_id = {}", account.id),
                format!("sso_role_name = {role}"),
            ];
            lines.extend(self.region.map(|region| format!("region = {region}")));
            lines.push(String::new());
            wanted.insert(name, lines.join(newline) + newline);
        }
        Ok(wanted)
    }

    fn name(&self, account: &Account, role: &str) -> Result<String> {
        let fields = [
            ("{account_name}", account.name.as_str()),
            ("{account_id}", &account.id),
            ("{role_name}", role),
            ("{session}", self.session),
        ];
        let filled =
            fields.iter().fold(format!("{}{}", self.prefix, self.template), |name, (field, value)| name.replace(field, value));
        if let Some((_, rest)) = filled.split_once('{') {
            let field = rest.split('}').next().unwrap_or_default();
            return Err(Error::failed("cannot name the profiles", format!("there is no field `{{{field}}}`"))
                .hint("--template takes {account_name} {account_id} {role_name} {session}"));
        }
        // What the AWS SDKs take as a name without quotes.
        let allowed = |c: char| if c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c) { c } else { '-' };
        Ok(filled.trim().chars().map(allowed).collect())
    }
}

/// The profiles of a part of the file, each with its lines.
fn profiles(part: &str) -> impl Iterator<Item = (String, String)> {
    let mut found: Vec<(Option<String>, String)> = Vec::new();
    for line in part.split_inclusive('\n') {
        match origin::header(line) {
            Some(header) => {
                let name = origin::name(header, AwsFile::Config).filter(|(kind, _)| kind == "profile").map(|(_, name)| name);
                found.push((name, line.to_owned()));
            }
            None if line.starts_with("# <<<") => {}
            None => {
                if let Some((_, chunk)) = found.last_mut() {
                    chunk.push_str(line);
                }
            }
        }
    }
    found.into_iter().filter_map(|(name, chunk)| Some((name?, chunk)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Vec<Account> {
        let account = |id: &str, name: &str, roles: &[&str]| Account {
            id: id.into(),
            name: name.into(),
            roles: roles.iter().map(|role| (*role).into()).collect(),
        };
        vec![account("444444444444", "Acme Dev", &["Admin", "Read"]), account("555555555555", "data", &["Read"])]
    }

    fn population(accounts: &[Account], prune: bool) -> Population<'_> {
        Population { session: "corp", accounts, template: DEFAULT_TEMPLATE, prefix: "", region: Some("eu-west-1"), prune }
    }

    const MINE: &str = "# my own\n[profile data-Read]\nregion = x\n\n[default]\nregion=  y # kept";

    #[test]
    fn what_is_not_ours_keeps_every_byte() {
        let accounts = accounts();
        let first = population(&accounts, false).apply(MINE).expect("applied");
        assert!(first.text.starts_with(MINE));
        assert_eq!((first.profiles, first.skipped.as_slice()), (2, &["data-Read".to_owned()][..]));
        let block = &first.text[MINE.len()..];
        assert_eq!(
            block,
            "\n\n# >>> awsenv sso populate: corp >>>\n[profile Acme-Dev-Admin]\nsso_session = corp\nsso_account_id = 444444444444\n\
             sso_role_name = Admin\nregion = eu-west-1\n\n[profile Acme-Dev-Read]\nsso_session = corp\nsso_account_id = 444444444444\n\
             sso_role_name = Read\nregion = eu-west-1\n\n# <<< awsenv sso populate: corp <<<\n"
        );
        let more = format!("{}\n[profile later]\nregion = z\n", first.text);
        assert_eq!(population(&accounts, true).apply(&more).expect("applied").text, more, "twice is once");
        let fewer = &accounts[..0];
        let kept = population(fewer, false).apply(&more).expect("applied");
        assert_eq!((kept.text.as_str(), kept.stale.len()), (more.as_str(), 2));
        let pruned = population(fewer, true).apply(&more).expect("applied").text;
        assert!(pruned.starts_with(MINE) && pruned.ends_with("\n[profile later]\nregion = z\n") && !pruned.contains("Acme"));
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        let accounts = accounts();
        let text = population(&accounts, false).apply("[default]\r\nregion = x\r\n").expect("applied").text;
        assert!(text.lines().count() > 5 && !text.replace("\r\n", "").contains('\n'));
    }

    #[test]
    fn names() {
        let twins = [
            Account { name: "same".into(), ..accounts()[1].clone() },
            Account { name: "same".into(), id: "666666666666".into(), roles: vec!["Read".into()] },
        ];
        let text = population(&twins, false).apply("").expect("applied").text;
        assert!(text.contains("[profile same-Read-555555555555]") && text.contains("[profile same-Read-666666666666]"));
        let accounts = accounts();
        let other = Population { template: "{session}/{account_id}.{role_name}", prefix: "x_", ..population(&accounts, false) };
        assert!(other.apply("").expect("applied").text.contains("[profile x_corp/555555555555.Read]"));
        let wrong = Population { template: "{account}", ..population(&accounts, false) };
        assert_eq!(wrong.apply("").expect_err("refused").summary(), "cannot name the profiles: there is no field `{account}`");
    }

    #[test]
    fn broken_markers_stop_it() {
        let accounts = accounts();
        for text in [
            "# >>> awsenv sso populate: corp >>>\n",
            "# <<< awsenv sso populate: corp <<<\n",
            "# >>> awsenv sso populate: corp >>>\n# >>> awsenv sso populate: corp >>>\n# <<< awsenv sso populate: corp <<<\n",
        ] {
            assert!(population(&accounts, false).apply(text).is_err(), "{text}");
        }
        let other = "# >>> awsenv sso populate: other >>>\n";
        assert!(population(&accounts, false).apply(other).is_ok());
    }
}
