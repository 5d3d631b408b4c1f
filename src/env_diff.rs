//! Owns the undo record (`AWSENV_STATE`) and the difference between an environment and the one that is wanted.
//! Never decides what is wanted, and never writes shell code: it compares and lists changes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::context::Environment;
use crate::secret::Secret;

/// The variable that carries the record to the next prompt, and into child shells.
pub const STATE_VARIABLE: &str = "AWSENV_STATE";
/// The variables that together are one set of credentials: a user who changes one owns them all.
const CREDENTIAL_VARIABLES: [&str; 6] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_SESSION_EXPIRATION",
];
/// Our own variables are never the user's.
const OWN_PREFIX: &str = "AWSENV_";

/// What a variable was before loading, and a digest of what loading made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Saved {
    previous: Option<Secret>,
    set: String,
}

/// What is loaded, in the words of `awsenv status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    pub profile: String,
    pub kind: Option<String>,
    pub account_id: Option<String>,
    pub role_arn: Option<String>,
    pub region: Option<String>,
    pub expires_at: Option<i64>,
    /// The `.awsprofile` that asked for it; none if it is pinned.
    pub file: Option<String>,
    /// Whether the credentials are there; if not, a person has to sign in.
    pub signed_in: bool,
    /// Whether the session is in the cache too.
    pub cached: bool,
    /// Whether the person chose not to renew what is loaded.
    pub declined: bool,
}

/// The environment that is wanted for a directory.
#[derive(Clone, Debug)]
pub struct Target {
    /// Names the directive in force: while it stays the same, what the user changed stays the user's.
    pub entry: String,
    /// Values to set; `None` unsets.
    pub variables: BTreeMap<String, Option<Secret>>,
    pub loaded: Loaded,
}

/// A variable's new value; `None` unsets it.
pub type Change = (String, Option<Secret>);

/// Makes the changes in the environment of a child.
pub fn give(changes: Vec<Change>, command: &mut Command) {
    for (name, value) in changes {
        match value {
            Some(value) => command.env(name, value.expose()),
            None => command.env_remove(name),
        };
    }
}

/// The undo record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    uid: u32,
    entry: String,
    saved: BTreeMap<String, Saved>,
    released: BTreeSet<String>,
    pub loaded: Option<Loaded>,
}

impl State {
    /// Reads the record. One that is damaged, or another user's (sudo keeps the environment), does not count.
    #[must_use]
    pub fn from_environment(env: &Environment, uid: u32) -> Self {
        let record = env.get(STATE_VARIABLE).and_then(|text| State::decode(text.expose()));
        record.filter(|state| state.uid == uid).unwrap_or(State { uid, ..State::default() })
    }

    /// Whether this directive is the one that is in force already.
    #[must_use]
    pub fn is_entry(&self, entry: &str) -> bool {
        self.loaded.is_some() && self.entry == entry
    }

    /// What a variable would be had awsenv not loaded anything. What the user changed since is the user's.
    #[must_use]
    pub fn users<'v>(&'v self, env: &'v Environment, name: &str) -> Option<&'v Secret> {
        match self.saved.get(name) {
            _ if name == STATE_VARIABLE => None,
            Some(_) if name.starts_with(OWN_PREFIX) => None,
            Some(saved) if digest(name, env.get(name)) == saved.set => saved.previous.as_ref(),
            _ => env.get(name),
        }
    }

    /// The changes that bring `env` from this record to `target`, and the record of that.
    #[must_use]
    pub fn transition(&self, env: &Environment, target: Option<&Target>) -> (Vec<Change>, State) {
        let mut next = State { uid: self.uid, ..State::default() };
        let mut changes = Vec::new();
        let mut change = |name: &str, wanted: Option<&Secret>| {
            if env.get(name) != wanted {
                changes.push((name.to_owned(), wanted.cloned()));
            }
        };
        if let Some(target) = target {
            next.entry.clone_from(&target.entry);
            next.loaded = Some(target.loaded.clone());
            next.released = if self.is_entry(&target.entry) { self.released(env) } else { BTreeSet::new() };
            for (name, value) in target.variables.iter().filter(|(name, _)| !next.released.contains(*name)) {
                let previous = self.users(env, name).cloned();
                next.saved.insert(name.clone(), Saved { previous, set: digest(name, value.as_ref()) });
                change(name, value.as_ref());
            }
        }
        for name in self.saved.keys().filter(|name| !next.saved.contains_key(*name)) {
            change(name, self.users(env, name));
        }
        change(STATE_VARIABLE, target.map(|_| next.encode().into()).as_ref());
        (changes, next)
    }

    /// What the user changed by hand since loading. Credentials belong together.
    fn released(&self, env: &Environment) -> BTreeSet<String> {
        let changed = |name: &str, saved: &Saved| !name.starts_with(OWN_PREFIX) && digest(name, env.get(name)) != saved.set;
        let mut released = self.released.clone();
        released.extend(self.saved.iter().filter(|(name, saved)| changed(name, saved)).map(|(name, _)| name.clone()));
        if CREDENTIAL_VARIABLES.iter().any(|name| released.contains(*name)) {
            released.extend(CREDENTIAL_VARIABLES.map(str::to_owned));
        }
        released
    }

    /// The same record but for what it says of what is loaded, and the change of the record's variable.
    #[must_use]
    pub fn noting(&self, env: &Environment, loaded: Loaded) -> (Vec<Change>, State) {
        let next = State { loaded: Some(loaded), ..self.clone() };
        let record = next.encode();
        let same = env.get(STATE_VARIABLE).map(Secret::expose) == Some(&record);
        (if same { Vec::new() } else { vec![(STATE_VARIABLE.to_owned(), Some(record.into()))] }, next)
    }

    /// Fields with a zero byte between them, which no variable can contain, in base64.
    fn encode(&self) -> String {
        let mut fields = Fields(String::with_capacity(1024));
        fields.push(FORMAT);
        fields.push(&self.uid.to_string());
        fields.push(&self.entry);
        fields.push(&self.saved.len().to_string());
        for (name, saved) in &self.saved {
            fields.push(name);
            fields.push_option(saved.previous.as_ref().map(Secret::expose));
            fields.push(&saved.set);
        }
        fields.push(&self.released.len().to_string());
        self.released.iter().for_each(|name| fields.push(name));
        if let Some(loaded) = &self.loaded {
            fields.push(&loaded.profile);
            let expires_at = loaded.expires_at.map(|at| at.to_string());
            for value in [&loaded.kind, &loaded.account_id, &loaded.role_arn, &loaded.region, &expires_at, &loaded.file] {
                fields.push_option(value.as_deref());
            }
            for flag in [loaded.signed_in, loaded.cached, loaded.declined] {
                fields.push(if flag { "1" } else { "0" });
            }
        }
        BASE64URL_NOPAD.encode(fields.0.as_bytes())
    }

    fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
        let mut fields = text.strip_suffix('\0')?.split('\0');
        if fields.next()? != FORMAT {
            return None;
        }
        let mut state = State { uid: fields.next()?.parse().ok()?, entry: fields.next()?.to_owned(), ..State::default() };
        for _ in 0..fields.next()?.parse().ok()? {
            let (name, previous, set) = (fields.next()?, option(fields.next()?), fields.next()?);
            state.saved.insert(name.to_owned(), Saved { previous: previous.map(Secret::from), set: set.to_owned() });
        }
        for _ in 0..fields.next()?.parse().ok()? {
            state.released.insert(fields.next()?.to_owned());
        }
        if let Some(profile) = fields.next() {
            let mut text = || Some(option(fields.next()?).map(str::to_owned));
            state.loaded = Some(Loaded {
                profile: profile.to_owned(),
                kind: text()?,
                account_id: text()?,
                role_arn: text()?,
                region: text()?,
                expires_at: text()?.and_then(|at| at.parse().ok()),
                file: text()?,
                signed_in: fields.next()? == "1",
                cached: fields.next()? == "1",
                declined: fields.next()? == "1",
            });
        }
        Some(state)
    }
}

/// Names the form of the record; another form is not read.
const FORMAT: &str = "1";

struct Fields(String);

impl Fields {
    fn push(&mut self, field: &str) {
        self.0.push_str(field);
        self.0.push('\0');
    }

    /// A value has an equals sign before it, to tell the empty value from none.
    fn push_option(&mut self, field: Option<&str>) {
        if let Some(field) = field {
            self.0.push('=');
            self.0.push_str(field);
        }
        self.0.push('\0');
    }
}

fn option(field: &str) -> Option<&str> {
    field.strip_prefix('=')
}

/// Tells whether a value is still the one that was set, without keeping it. Our own variables are never the user's, so
/// nothing needs to be told of them.
fn digest(name: &str, value: Option<&Secret>) -> String {
    let Some(value) = value.filter(|_| !name.starts_with(OWN_PREFIX)) else { return String::new() };
    let hash = Sha256::new().chain_update(name).chain_update([0]).chain_update(value.expose()).finalize();
    HEXLOWER.encode(&hash[..12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
    }

    fn target(entry: &str, pairs: &[(&str, Option<&str>)]) -> Target {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(Secret::from))).collect();
        Target { entry: entry.into(), variables, loaded: Loaded { profile: entry.into(), ..Loaded::default() } }
    }

    fn apply(env: &Environment, changes: Vec<Change>) -> Environment {
        let mut env = env.clone();
        for (name, value) in changes {
            match value {
                Some(value) => env.insert(name, value),
                None => env.remove(&name),
            };
        }
        env
    }

    /// One step of a shell: what the next process would see.
    fn step(env: &Environment, target: Option<&Target>) -> Environment {
        apply(env, State::from_environment(env, 7).transition(env, target).0)
    }

    fn dev() -> Target {
        target(
            "dev",
            &[
                ("AWS_ACCESS_KEY_ID", Some("A")),
                ("AWS_SECRET_ACCESS_KEY", Some("S")),
                ("AWS_SESSION_TOKEN", Some("T")),
                ("AWS_PROFILE", None),
                ("AWS_REGION", Some("eu-west-1")),
                ("AWSENV_PROFILE", Some("dev")),
            ],
        )
    }

    #[test]
    fn leaving_restores_what_was_set_and_what_was_not() {
        let before = environment(&[("AWS_PROFILE", "mine"), ("AWS_ACCESS_KEY_ID", ""), ("X", "1")]);
        let inside = step(&before, Some(&dev()));
        assert_eq!(inside.get("AWS_PROFILE"), None);
        assert_eq!(inside["AWS_SESSION_TOKEN"].expose(), "T");
        assert_eq!(step(&inside, None), before);
    }

    #[test]
    fn nothing_changes_where_everything_is_there() {
        let inside = step(&environment(&[]), Some(&dev()));
        let (changes, _) = State::from_environment(&inside, 7).transition(&inside, Some(&dev()));
        assert_eq!(changes, []);
    }

    #[test]
    fn what_the_user_changes_stays_the_users() {
        let mut inside = step(&environment(&[("AWS_REGION", "old")]), Some(&dev()));
        inside.insert("AWS_REGION".into(), "mine".into());
        let renewed = step(&inside, Some(&dev()));
        assert_eq!(renewed["AWS_REGION"].expose(), "mine");
        assert_eq!(step(&renewed, Some(&dev()))["AWS_REGION"].expose(), "mine");
        assert_eq!(step(&renewed, None), environment(&[("AWS_REGION", "mine")]));
    }

    #[test]
    fn credentials_of_the_users_own_are_never_mixed_with_ours() {
        let mut inside = step(&environment(&[]), Some(&dev()));
        inside.insert("AWS_ACCESS_KEY_ID".into(), "MINE".into());
        inside.insert("AWS_SECRET_ACCESS_KEY".into(), "MINE".into());
        let after = step(&inside, Some(&dev()));
        assert_eq!(after.get("AWS_SESSION_TOKEN"), None);
        assert_eq!(after["AWS_ACCESS_KEY_ID"].expose(), "MINE");
    }

    #[test]
    fn from_one_project_into_another_the_first_value_is_kept() {
        let before = environment(&[("AWS_REGION", "home")]);
        let other = target("prod", &[("AWS_REGION", Some("us-east-1"))]);
        let inside = step(&step(&before, Some(&dev())), Some(&other));
        assert_eq!(inside["AWS_REGION"].expose(), "us-east-1");
        assert_eq!(inside.get("AWS_ACCESS_KEY_ID"), None);
        assert_eq!(step(&inside, None), before);
    }

    #[test]
    fn another_users_record_and_a_damaged_one_do_not_count() {
        let inside = step(&environment(&[]), Some(&dev()));
        assert_eq!(State::from_environment(&inside, 8).loaded, None);
        for damaged in ["", "x", "bm8", "e30"] {
            assert_eq!(
                State::from_environment(&environment(&[(STATE_VARIABLE, damaged)]), 7),
                State { uid: 7, ..State::default() }
            );
        }
    }

    proptest! {
        #[test]
        fn any_way_through_directories_ends_where_it_began(
            before in proptest::collection::btree_map("AWS_[A-C]", "[^\u{0}]{0,8}", 0..4),
            ways in proptest::collection::vec(proptest::option::of(
                ("[a-c]", proptest::collection::btree_map("AWS_[A-D]", proptest::option::of("[^\u{0}]{0,8}"), 0..5))), 0..6),
        ) {
            let before: Environment = before.into_iter().map(|(name, value)| (name, value.into())).collect();
            let mut env = before.clone();
            for way in &ways {
                let target = way.as_ref().map(|(entry, variables)| Target {
                    entry: format!("{entry}{variables:?}"), variables: variables.iter().map(|(name, value)| (name.clone(), value.clone().map(Secret::from))).collect(), loaded: Loaded::default(),
                });
                env = step(&env, target.as_ref());
                if let Some(target) = &target {
                    for (name, value) in &target.variables {
                        prop_assert_eq!(env.get(name), value.as_ref());
                    }
                }
            }
            prop_assert_eq!(step(&env, None), before);
        }
    }
}
