//! Owns what tells every open shell that something changed: the generation file, which each prompt reads, and the
//! stamps that the AWS files and the settings are compared with.
//! Never says what changed: a shell that sees a change runs the binary.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::private_file;

/// Deadline files older than this, in seconds, are swept away.
const SWEEP_SECONDS: i64 = 86_400;

/// A file that the hook watches by its modification time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    pub path: PathBuf,
    /// A file with the modification time that `path` had; none while `path` does not exist.
    pub stamp: Option<PathBuf>,
}

/// The generation file and its stamps, under the data directory.
pub struct Generation {
    directory: PathBuf,
}

impl Generation {
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Generation { directory: data_dir.to_owned() }
    }

    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.directory.join("generation")
    }

    /// The content as a shell reads it: the first line, or nothing.
    #[must_use]
    pub fn read(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
    }

    /// Tells every shell; returns the new content.
    ///
    /// # Errors
    /// When the data directory cannot be written.
    pub fn bump(&self) -> Result<String> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let content = format!("{nanos:x}.{}", std::process::id());
        private_file::replace(&self.file(), content.as_bytes()).map_err(|error| {
            Error::failed(format!("cannot write {}", self.file().display()), error)
                .hint(format!("make it yours: ls -ld {}; or set AWSENV_DATA_DIR", self.directory.display()))
        })?;
        Ok(content)
    }

    /// The files to watch. If one is not as it was when last looked at, every shell is told. Where nothing can be
    /// written nothing is watched, rather than found changed at every prompt.
    #[must_use]
    pub fn watch(&self, context: &Context) -> Vec<Watched> {
        let paths = [context.settings_file(), context.aws_config_file(), context.aws_credentials_file()];
        let watched: Option<Vec<_>> = paths.into_iter().flatten().map(|path| self.stamp(path)).collect();
        let Some(watched) = watched else { return Vec::new() };
        if watched.iter().any(|(_, changed)| *changed) && self.bump().is_err() {
            return Vec::new();
        }
        watched.into_iter().map(|(watched, _)| watched).collect()
    }

    /// Brings a file's stamp up to date; says whether it was not.
    fn stamp(&self, path: PathBuf) -> Option<(Watched, bool)> {
        let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
        let stamp = self.directory.join("stamps").join(HEXLOWER.encode(&hash[..8]));
        let (now, known) = (modified(&path), modified(&stamp));
        if now == known {
            return Some((Watched { stamp: now.map(|_| stamp), path }, false));
        }
        let written = match now {
            Some(time) => touch(&stamp, time),
            None => private_file::remove(&stamp).map(|_| ()),
        };
        written.ok()?;
        Some((Watched { stamp: now.map(|_| stamp), path }, true))
    }

    /// A file whose modification time is a moment to come, for a shell without a clock: once the terminal is newer
    /// than it, the moment has passed.
    #[must_use]
    pub fn deadline_file(&self, deadline: i64, now: i64) -> Option<PathBuf> {
        let directory = self.directory.join("deadlines");
        let path = directory.join(deadline.to_string());
        touch(&path, UNIX_EPOCH + Duration::from_secs(u64::try_from(deadline).ok()?)).ok()?;
        for old in directory.read_dir().ok()?.flatten() {
            let moment: Option<i64> = old.file_name().to_str().and_then(|name| name.parse().ok());
            if moment.is_some_and(|moment| moment < now - SWEEP_SECONDS) {
                private_file::remove(&old.path()).ok()?;
            }
        }
        Some(path)
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|found| found.modified()).ok()
}

fn touch(path: &Path, time: SystemTime) -> std::io::Result<()> {
    private_file::replace(path, b"")?;
    File::options().write(true).open(path)?.set_modified(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Environment;

    #[test]
    fn a_change_of_a_watched_file_is_told_once() {
        let home = tempfile::tempdir().expect("a directory");
        let context = Context::new(Environment::new(), "/".into(), 0, Some(home.path().to_owned()));
        let generation = Generation::new(&home.path().join("data"));
        let config = home.path().join(".aws/config");
        private_file::replace(&config, b"1").expect("written");
        let first = generation.watch(&context);
        assert_eq!(first.iter().filter(|watched| watched.stamp.is_some()).count(), 1);
        let told = generation.read();
        assert_eq!((generation.watch(&context), generation.read()), (first.clone(), told.clone()));
        touch(&config, UNIX_EPOCH + Duration::from_secs(1)).expect("made older");
        assert_eq!(generation.watch(&context), first);
        let again = generation.read();
        assert_ne!(again, told);
        fs::remove_file(&config).expect("removed");
        assert!(generation.watch(&context).iter().all(|watched| watched.stamp.is_none()));
        assert_ne!(generation.read(), again);
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_watched() {
        let home = tempfile::tempdir().expect("a directory");
        let context = Context::new(Environment::new(), "/".into(), 0, Some(home.path().to_owned()));
        private_file::replace(&home.path().join(".aws/config"), b"1").expect("written");
        assert_eq!(Generation::new(Path::new("/proc/nowhere")).watch(&context), []);
    }
}
