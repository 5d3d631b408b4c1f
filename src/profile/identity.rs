//! Owns the comparison of a file with what it was: by identity, times and size, never by content.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A text that changes whenever the file is edited, replaced, touched, removed or made.
#[must_use]
pub fn of(path: &Path) -> String {
    match path.metadata() {
        Ok(found) => format!(
            "{}.{}.{}.{}.{:09}.{}.{:09}",
            found.dev(),
            found.ino(),
            found.size(),
            found.mtime(),
            found.mtime_nsec(),
            found.ctime(),
            found.ctime_nsec()
        ),
        Err(_) => "absent".to_owned(),
    }
}
