//! Owns what tells every open shell that something changed: the generation, and the stamps that the AWS files and the
//! settings are compared with.
//! Never says what changed: a shell that sees a change runs the binary.
//!
//! The generation is a file `generation` with a word in it, and beside it a file `generation.WORD`. A shell knows the
//! word that it last saw; at each prompt it tests whether that file is still there, which is the cheapest thing a shell
//! can do. A new generation takes the file away.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::private_file;

const NAME: &str = "generation";
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
        self.directory.join(NAME)
    }

    /// The file that is there while nothing changes; none if there never was a generation.
    #[must_use]
    pub fn marker(&self) -> Option<PathBuf> {
        let word = private_file::read_text(&self.file()).ok()?;
        (!word.is_empty()).then(|| self.directory.join(format!("{NAME}.{word}")))
    }

    /// The same; where there is none, one is made.
    #[must_use]
    pub fn ensure(&self) -> Option<PathBuf> {
        self.marker().filter(|marker| marker.exists()).or_else(|| self.bump().ok())
    }

    /// Tells every shell; returns the new marker.
    ///
    /// # Errors
    /// When the data directory cannot be written.
    pub fn bump(&self) -> Result<PathBuf> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let word = format!("{nanos:x}-{}", std::process::id());
        let marker = self.directory.join(format!("{NAME}.{word}"));
        let written = private_file::replace(&marker, b"")
            .and_then(|()| private_file::replace(&self.file(), word.as_bytes()))
            .and_then(|()| self.sweep());
        written.map_err(|error| {
            Error::failed(format!("cannot write {}", self.file().display()), error)
                .hint(format!("make it yours: ls -ld {}; or set AWSENV_DATA_DIR", self.directory.display()))
        })?;
        Ok(marker)
    }

    /// Removes the markers of older generations. Of two processes that bump at once, the one that is overtaken removes
    /// its own too, since only the word in the file counts.
    fn sweep(&self) -> std::io::Result<()> {
        let current = self.marker();
        for entry in self.directory.read_dir()?.flatten() {
            let path = entry.path();
            let is_marker = entry
                .file_name()
                .to_str()
                .and_then(|name| name.strip_prefix(NAME))
                .is_some_and(|word| word.starts_with('.') && !word.contains("tmp"));
            if is_marker && Some(&path) != current.as_ref() {
                private_file::remove(&path)?;
            }
        }
        Ok(())
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
        // The name only has to be the path's own, and is no secret.
        let mut hash = DefaultHasher::new();
        path.hash(&mut hash);
        let stamp = self.directory.join("stamps").join(format!("{:016x}", hash.finish()));
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
    use std::fs;

    #[test]
    fn a_change_of_a_watched_file_is_told_once() {
        let home = tempfile::tempdir().expect("a directory");
        let context = Context::new(Environment::new(), "/".into(), 0, Some(home.path().to_owned()));
        let generation = Generation::new(&home.path().join("data"));
        let config = home.path().join(".aws/config");
        private_file::replace(&config, b"1").expect("written");
        let first = generation.watch(&context);
        assert_eq!(first.iter().filter(|watched| watched.stamp.is_some()).count(), 1);
        let told = generation.marker();
        assert!(told.as_ref().is_some_and(|marker| marker.exists()));
        assert_eq!((generation.watch(&context), generation.marker()), (first.clone(), told.clone()));
        touch(&config, UNIX_EPOCH + Duration::from_secs(1)).expect("made older");
        assert_eq!(generation.watch(&context), first);
        let again = generation.marker();
        assert_ne!(again, told);
        assert!(told.is_some_and(|marker| !marker.exists()));
        fs::remove_file(&config).expect("removed");
        assert!(generation.watch(&context).iter().all(|watched| watched.stamp.is_none()));
        assert_ne!(generation.marker(), again);
    }

    #[test]
    fn where_nothing_can_be_written_nothing_is_watched() {
        let home = tempfile::tempdir().expect("a directory");
        let context = Context::new(Environment::new(), "/".into(), 0, Some(home.path().to_owned()));
        private_file::replace(&home.path().join(".aws/config"), b"1").expect("written");
        assert_eq!(Generation::new(Path::new("/proc/nowhere")).watch(&context), []);
    }
}
