//! Owns the file that tells where a server listens. The server holds a lock on it from before it appears, and as long as
//! it lives: a file without that lock is one that a dead server left.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Running;

/// What the file says, if its server lives.
pub(super) fn read(path: &Path) -> Option<Running> {
    let mut file = File::open(path).ok()?;
    // Shared, so that many who look at once do not take each other for the server.
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = Zeroizing::new(Vec::new());
    file.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Puts the file there. It counts as long as what is returned lives.
pub(super) fn publish(path: &Path, running: &Running) -> std::io::Result<File> {
    let temporary = PathBuf::from(format!("{}.tmp{}", path.display(), std::process::id()));
    let text = Zeroizing::new(serde_json::to_vec(running)?);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    let published = file.write_all(&text).and_then(|()| file.lock()).and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = published {
        let _gone_or_never_there = std::fs::remove_file(&temporary);
        return Err(error);
    }
    Ok(file)
}
