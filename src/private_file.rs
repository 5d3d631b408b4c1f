//! Owns how awsenv writes its own files: directories 0700, files 0600, each replaced as a whole by a rename.
//! Never writes a file that is not awsenv's own.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

/// Makes a directory, and those above it, for this user alone.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Replaces a file in one step. A reader sees the old content or the new, never a part; a failure leaves the old.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        create_directory(directory)?;
    }
    let temporary = {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".tmp{}", std::process::id()));
        path.with_file_name(name)
    };
    let written = write_new(&temporary, content).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        let _gone_or_never_there = std::fs::remove_file(&temporary);
    }
    written
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)
}

/// The content of a small file, in three system calls: the standard library makes six of it, and a cached entry reads
/// five files.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut content = Zeroizing::new(vec![0; 1024]);
    let mut length = 0;
    loop {
        let count = rustix::io::read(&file, &mut content[length..])?;
        length += count;
        if length < content.len() {
            content.truncate(length);
            return Ok(content);
        }
        let longer = content.len() * 4;
        content.resize(longer, 0);
    }
}

/// The same, of a text.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?.to_vec()).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Removes a file; one that is not there counts as removed. Says whether there was one.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn modes_are_private_and_nothing_is_left_behind() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("a/b/file");
        replace(&path, b"one").expect("written");
        replace(&path, b"two").expect("written again");
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("above"))), (0o600, 0o700));
        assert_eq!(read_text(&path).expect("read"), "two");
        assert_eq!(read_text(Path::new("/nonexistent/x")).expect_err("none").kind(), io::ErrorKind::NotFound);
        let long = vec![b'x'; 20_000];
        replace(&path, &long).expect("written");
        assert_eq!(*read(&path).expect("read"), long);
        assert_eq!(std::fs::read_dir(path.parent().expect("above")).expect("list").count(), 1);
    }
}
