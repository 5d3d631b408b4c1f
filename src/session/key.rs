//! Owns the key that seals session files: where it is kept, and which place was chosen.
//! Losing the key is harmless: sign in again.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Generate, Key};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::private_file;

/// Seconds that the kernel keeps the key after its last use for sealing: the longest session that AWS gives (36 h).
#[cfg(target_os = "linux")]
const KEYRING_SECONDS: usize = 129_600;

/// Where the key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeySource {
    /// The kernel's keyring of the user.
    Keyring,
    /// A file on the tmpfs of the user's login.
    Runtime,
    /// Nowhere: the user chose files without sealing.
    Plain,
}

impl KeySource {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            KeySource::Keyring => "keyring",
            KeySource::Runtime => "runtime",
            KeySource::Plain => "plain",
        }
    }

    pub(super) fn from_str(text: &str) -> Option<Self> {
        [KeySource::Keyring, KeySource::Runtime, KeySource::Plain].into_iter().find(|source| source.as_str() == text)
    }
}

type Bytes = Zeroizing<[u8; 32]>;

/// The key from the place that a file names, if it is still there.
pub(super) fn existing(source: KeySource, context: &Context) -> Option<ChaCha20Poly1305> {
    let bytes = match source {
        KeySource::Keyring => keyring::read()?,
        KeySource::Runtime => read_runtime(&runtime_file(context)?)?,
        KeySource::Plain => return None,
    };
    Some(cipher(&bytes))
}

/// A key to seal with: from the recorded place, else the first that works, which is then recorded.
pub(super) fn for_sealing(cache_dir: &Path, context: &Context) -> Option<(KeySource, ChaCha20Poly1305)> {
    let record = cache_dir.join("key-source");
    let recorded = fs::read_to_string(&record).ok().and_then(|text| KeySource::from_str(text.trim()));
    let order = recorded.into_iter().chain([KeySource::Keyring, KeySource::Runtime]);
    for source in order {
        let Some(bytes) = read_or_create(source, context) else { continue };
        if recorded != Some(source) {
            context.log(|| format!("sessions are sealed with a key in: {}", source.as_str()));
            // If the record cannot be written, neither can the session: that is where it is reported.
            let _best_effort = private_file::replace(&record, source.as_str().as_bytes());
        }
        return Some((source, cipher(&bytes)));
    }
    None
}

fn cipher(bytes: &Bytes) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new((&**bytes).into())
}

fn read_or_create(source: KeySource, context: &Context) -> Option<Bytes> {
    match source {
        KeySource::Keyring => keyring::read_or_create(),
        KeySource::Runtime => {
            let path = runtime_file(context)?;
            read_runtime(&path).or_else(|| {
                let bytes = new_key()?;
                private_file::replace(&path, &*bytes).ok()?;
                read_runtime(&path)
            })
        }
        KeySource::Plain => None,
    }
}

fn new_key() -> Option<Bytes> {
    Some(Zeroizing::new(Key::<ChaCha20Poly1305>::try_generate().ok()?.into()))
}

/// The path of the key's file, if the directory is the user's alone.
fn runtime_file(context: &Context) -> Option<PathBuf> {
    let directory = context.runtime_dir()?;
    let found = directory.metadata().ok()?;
    (found.is_dir() && found.uid() == context.uid && found.mode() & 0o077 == 0).then(|| directory.join("awsenv/key"))
}

fn read_runtime(path: &Path) -> Option<Bytes> {
    Some(Zeroizing::new(Zeroizing::new(fs::read(path).ok()?).as_slice().try_into().ok()?))
}

#[cfg(target_os = "linux")]
mod keyring {
    use linux_keyutils::{KeyPermissionsBuilder, KeyRing, KeyRingIdentifier, Permission};

    use super::{Bytes, KEYRING_SECONDS, Zeroizing, new_key};

    const NAME: &str = "awsenv:session-key";

    fn user() -> Option<KeyRing> {
        KeyRing::from_special_id(KeyRingIdentifier::User, false).ok()
    }

    pub(super) fn read() -> Option<Bytes> {
        let mut bytes: Bytes = Zeroizing::default();
        let length = user()?.search(NAME).ok()?.read(&mut *bytes).ok()?;
        (length == bytes.len()).then_some(bytes)
    }

    /// Sealing with the key extends its life, so that it outlives what it seals.
    pub(super) fn read_or_create() -> Option<Bytes> {
        if let (Some(bytes), Ok(key)) = (read(), user()?.search(NAME)) {
            key.set_timeout(KEYRING_SECONDS).ok()?;
            return Some(bytes);
        }
        let key = user()?.add_key(NAME, &*new_key()?).ok()?;
        // A process in a session keyring of its own does not possess the user's keys, so the owner may read too.
        let permissions = KeyPermissionsBuilder::builder()
            .posessor(Permission::ALL)
            .user(Permission::VIEW | Permission::READ | Permission::SEARCH | Permission::SETATTR)
            .build();
        key.set_perms(permissions).ok()?;
        key.set_timeout(KEYRING_SECONDS).ok()?;
        read()
    }
}

#[cfg(not(target_os = "linux"))]
mod keyring {
    pub(super) fn read() -> Option<super::Bytes> {
        None
    }

    pub(super) fn read_or_create() -> Option<super::Bytes> {
        None
    }
}
