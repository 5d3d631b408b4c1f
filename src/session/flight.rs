//! Owns the rule that only one process at a time signs in for the same session: a lock that the kernel releases when
//! its holder ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::say;
use crate::private_file;

const POLL: Duration = Duration::from_millis(40);
/// After this long, whoever waits is told for whom.
const TELL_AFTER: Duration = Duration::from_secs(1);

/// The lock, held while this lives.
pub(crate) struct Flight {
    _file: Option<File>,
    /// Whether another process held it first.
    pub(crate) waited: bool,
}

/// Why the lock was not had: it is held, by this process.
pub(crate) struct Held {
    pub(crate) holder: String,
}

/// Takes the lock, waiting for it at most `patience`. Where no lock file can be made there is none to take: then two
/// processes may sign in twice, which costs a call.
pub(crate) fn board(cache_dir: Option<&Path>, name: &str, patience: Duration) -> Result<Flight, Held> {
    let Some(mut file) = cache_dir.and_then(|directory| lock_file(directory, name)) else {
        return Ok(Flight { _file: None, waited: false });
    };
    let (start, mut waited, mut told) = (Instant::now(), false, false);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(_)) => return Ok(Flight { _file: None, waited }),
            Err(TryLockError::WouldBlock) => waited = true,
        }
        if start.elapsed() >= patience {
            return Err(Held { holder: holder(&mut file) });
        }
        if !told && start.elapsed() >= TELL_AFTER {
            say(&format!("waiting for the sign-in of process {} (Ctrl-C to go on without)", holder(&mut file)));
            told = true;
        }
        sleep(POLL);
    }
    // Who holds it is for messages only, so a full disk must not stand in the way.
    let _best_effort = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(Flight { _file: Some(file), waited })
}

fn lock_file(cache_dir: &Path, name: &str) -> Option<File> {
    let directory = cache_dir.join("locks");
    private_file::create_directory(&directory).ok()?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(directory.join(name)).ok()
}

fn holder(file: &mut File) -> String {
    let mut pid = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut pid));
    match read {
        Ok(_) if !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()) => pid,
        _ => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_waits_and_learns_who_holds_it() {
        let home = tempfile::tempdir().expect("a directory");
        let first = board(Some(home.path()), "a", Duration::ZERO).unwrap_or_else(|_| panic!("free"));
        assert!(!first.waited);
        let held = board(Some(home.path()), "a", Duration::from_millis(100)).err().expect("held");
        assert_eq!(held.holder, std::process::id().to_string());
        let waiter = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| board(Some(home.path()), "a", Duration::from_secs(5)).is_ok_and(|flight| flight.waited));
            sleep(Duration::from_millis(100));
            drop(first);
            waiter.join().expect("no panic")
        });
        assert!(waiter);
    }

    #[test]
    fn without_a_directory_nobody_waits() {
        assert!(board(None, "a", Duration::ZERO).is_ok());
        assert!(board(Some(Path::new("/proc/nowhere")), "a", Duration::ZERO).is_ok());
    }
}
