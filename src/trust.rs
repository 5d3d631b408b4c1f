//! Owns the decision whether a `.awsprofile` may have effect, and the only way to make a `Trusted` value.
//! Never resolves a profile, asks, or calls anything: it compares with what the user recorded.

use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::awsprofile::{Candidate, Directive};
use crate::private_file;
use crate::settings::TrustSettings;

/// Something a person has vouched for. Only this module makes one, so nothing untrusted gets past it.
#[derive(Clone, Debug)]
pub struct Trusted<T>(T);

impl<T> Trusted<T> {
    pub fn get(&self) -> &T {
        &self.0
    }
}

/// What a person typed on a command line, or pinned in the shell, needs no further trust.
#[must_use]
pub fn typed(directive: Directive) -> Trusted<Directive> {
    Trusted(directive)
}

/// The outcome for one file.
#[derive(Clone, Debug)]
pub enum Verdict {
    Trusted(Trusted<Directive>),
    /// Nobody allowed it yet, or its meaning changed since.
    NotAllowed,
    /// `awsenv deny` blocks it.
    Denied,
}

/// The records under the data directory: `allow/`, one file per path and meaning; `deny/`, one per path.
#[derive(Clone, Debug)]
pub struct TrustStore {
    allow: PathBuf,
    deny: PathBuf,
}

impl TrustStore {
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        TrustStore { allow: data_dir.join("allow"), deny: data_dir.join("deny") }
    }

    /// Whether a file may have effect. A denial wins; an explicit allow comes next; the settings can allow the rest,
    /// except the profiles that they protect.
    #[must_use]
    pub fn judge(&self, candidate: &Candidate, settings: &TrustSettings) -> Verdict {
        let directive = &candidate.directive;
        if self.deny_record(&candidate.canonical).exists() {
            return Verdict::Denied;
        }
        let profile = directive.profile_name();
        let by_settings = || {
            !settings.protected.matches(profile)
                && (settings.profiles.matches(profile) || settings.paths.iter().any(|path| candidate.canonical.starts_with(path)))
        };
        if self.allow_record(candidate).exists() || by_settings() {
            return Verdict::Trusted(Trusted(directive.clone()));
        }
        Verdict::NotAllowed
    }

    /// Records that this path may mean this.
    pub fn allow(&self, candidate: &Candidate) -> io::Result<()> {
        private_file::remove(&self.deny_record(&candidate.canonical))?;
        let record = format!("{}\n{}", candidate.canonical.display(), candidate.directive);
        private_file::replace(&self.allow_record(candidate), record.as_bytes())
    }

    /// Blocks a path, whatever it says, and forgets what was allowed for it.
    pub fn deny(&self, canonical: &Path) -> io::Result<()> {
        private_file::replace(&self.deny_record(canonical), canonical.display().to_string().as_bytes())?;
        let Ok(records) = self.allow.read_dir() else { return Ok(()) };
        let first_line = canonical.display().to_string();
        for record in records.flatten().map(|entry| entry.path()) {
            if std::fs::read_to_string(&record).is_ok_and(|text| text.lines().next() == Some(&first_line)) {
                private_file::remove(&record)?;
            }
        }
        Ok(())
    }

    fn allow_record(&self, candidate: &Candidate) -> PathBuf {
        let meaning = candidate.directive.to_string();
        self.allow.join(digest(&candidate.canonical, meaning.as_bytes()))
    }

    fn deny_record(&self, canonical: &Path) -> PathBuf {
        self.deny.join(digest(canonical, b""))
    }
}

/// SHA-256 of the path, a zero byte (which no path contains), and the meaning.
fn digest(path: &Path, meaning: &[u8]) -> String {
    use std::os::unix::ffi::OsStrExt;
    let hash = Sha256::new().chain_update(path.as_os_str().as_bytes()).chain_update([0]).chain_update(meaning).finalize();
    HEXLOWER.encode(&hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::awsprofile;
    use crate::settings::Globs;

    fn candidate(path: &str, content: &str) -> Candidate {
        let directive = awsprofile::parse(content).expect("valid");
        Candidate { path: path.into(), canonical: path.into(), content: content.into(), directive }
    }

    fn trusted(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Trusted(_))
    }

    #[test]
    fn allowing_covers_the_meaning_at_that_path_only() {
        let data = tempfile::tempdir().expect("a directory");
        let (store, none) = (TrustStore::new(data.path()), TrustSettings::default());
        let file = candidate("/w/.awsprofile", "acme");
        assert!(!trusted(&store.judge(&file, &none)));
        store.allow(&file).expect("recorded");
        assert!(trusted(&store.judge(&file, &none)));
        assert!(trusted(&store.judge(&candidate("/w/.awsprofile", "# x\nprofile=acme\n"), &none)));
        assert!(!trusted(&store.judge(&candidate("/w/.awsprofile", "acme-prod"), &none)));
        assert!(!trusted(&store.judge(&candidate("/w2/.awsprofile", "acme"), &none)));
    }

    #[test]
    fn a_denial_wins_and_forgets_what_was_allowed() {
        let data = tempfile::tempdir().expect("a directory");
        let store = TrustStore::new(data.path());
        let all = TrustSettings { profiles: Globs::new(["*"]), ..TrustSettings::default() };
        let (old, new) = (candidate("/w/.awsprofile", "old"), candidate("/w/.awsprofile", "new"));
        store.allow(&old).expect("recorded");
        store.deny(&old.canonical).expect("recorded");
        assert!(matches!(store.judge(&old, &all), Verdict::Denied));
        store.allow(&new).expect("recorded");
        assert!(trusted(&store.judge(&new, &TrustSettings::default())));
        assert!(!trusted(&store.judge(&old, &TrustSettings::default())));
    }

    #[test]
    fn settings_can_trust_profiles_and_paths_but_not_protected_ones() {
        let data = tempfile::tempdir().expect("a directory");
        let store = TrustStore::new(data.path());
        let settings = TrustSettings {
            profiles: Globs::new(["acme-*"]),
            paths: vec!["/home/jane/a/proj".into()],
            protected: Globs::new(["*prod*"]),
        };
        let verdict = |path: &str, profile: &str| trusted(&store.judge(&candidate(path, profile), &settings));
        assert!(verdict("/x/.awsprofile", "acme-dev"));
        assert!(!verdict("/x/.awsprofile", "acme-prod"));
        assert!(verdict("/home/jane/a/proj/x/.awsprofile", "other"));
        assert!(!verdict("/home/jane/a/proj-evil/.awsprofile", "other"));
        assert!(!verdict("/home/jane/a/proj/.awsprofile", "prod"));
    }
}
