//! Owns changing a file of the user's, such as `~/.aws/config`: every byte that is not meant stays, the change is shown
//! before it is made, and what was there is kept beside it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use similar::TextDiff;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::error::{Error, Result, word};

/// A file's text before and after.
pub struct Edit {
    /// The file itself; a link to it stays a link.
    path: PathBuf,
    before: Option<String>,
    after: String,
}

impl Edit {
    /// An edit of a file, which may not be there yet.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn of(path: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<Self> {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let before = read(&path)?;
        let after = change(before.as_deref().unwrap_or_default())?;
        Ok(Edit { path, before, after })
    }

    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.before.as_deref().unwrap_or_default() == self.after
    }

    /// The change as `diff -u` shows it.
    #[must_use]
    pub fn diff(&self) -> String {
        let name = self.path.display().to_string();
        TextDiff::from_lines(self.before.as_deref().unwrap_or_default(), &self.after)
            .unified_diff()
            .header(&name, &name)
            .to_string()
    }

    /// Makes the change in one step; returns where the old text is kept, if there was any.
    ///
    /// # Errors
    /// When the file has changed since it was read, or cannot be written.
    pub fn apply(&self, now: i64) -> Result<Option<PathBuf>> {
        if read(&self.path)? != self.before {
            return Err(Error::failed(format!("cannot change {}", self.path.display()), "something else changed it meanwhile")
                .hint("run the same command again"));
        }
        let failed = |error: std::io::Error| {
            Error::failed(format!("cannot change {}", self.path.display()), error).hint(format!("ls -l {}", word(&self.path)))
        };
        let backup = self.before.as_ref().map(|_| self.beside(&format!(".awsenv-{}", stamp(now))));
        if let Some(backup) = &backup {
            fs::copy(&self.path, backup).map_err(failed)?;
        }
        self.replace().map_err(failed)?;
        Ok(backup)
    }

    fn replace(&self) -> std::io::Result<()> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mode = self.path.metadata().map_or(0o600, |found| found.permissions().mode() & 0o777);
        let temporary = self.beside(&format!(".tmp{}", std::process::id()));
        let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary).and_then(|mut file| {
            file.write_all(self.after.as_bytes())?;
            fs::set_permissions(&temporary, fs::Permissions::from_mode(mode))?;
            fs::rename(&temporary, &self.path)
        });
        if written.is_err() {
            let _gone_or_never_there = fs::remove_file(&temporary);
        }
        written
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(suffix);
        self.path.with_file_name(name)
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| {
            Error::failed(format!("cannot change {}", path.display()), "it is not UTF-8 text")
                .hint(format!("file {}", word(path)))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::failed(format!("cannot read {}", path.display()), error).hint(format!("ls -l {}", word(path)))),
    }
}

fn stamp(now: i64) -> String {
    let format = format_description!("[year][month][day]-[hour][minute][second]");
    OffsetDateTime::from_unix_timestamp(now).ok().and_then(|time| time.format(&format).ok()).unwrap_or_else(|| now.to_string())
}
