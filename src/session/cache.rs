//! Owns the session files: a plain header that prompt and status can read, and the sealed credentials.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use chacha20poly1305::aead::{Aead, Generate, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use zeroize::Zeroizing;

use super::key::{self, KeySource};
use super::{Freshness, Margins};
use crate::context::Context;
use crate::credentials::{CacheKey, SessionCredentials};
use crate::error::{Error, Result};
use crate::private_file;
use crate::secret::Secret;
use crate::settings::CacheMode;

const FORMAT: &str = "awsenv-session 1";
const NONCE_BYTES: usize = 12;

/// What stands in the open: enough to show and to judge a session, nothing to use it with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub profile: String,
    pub kind: String,
    pub expires_at: Option<i64>,
    pub account_id: Option<String>,
    /// How long the session lived when it was had, in seconds.
    pub lifetime: Option<i64>,
}

/// The directory of session files.
pub struct SessionCache<'a> {
    directory: Option<PathBuf>,
    mode: CacheMode,
    context: &'a Context,
}

impl<'a> SessionCache<'a> {
    #[must_use]
    pub fn new(context: &'a Context, mode: CacheMode) -> Self {
        let directory = context.cache_dir().ok().filter(|_| mode != CacheMode::Off);
        SessionCache { directory, mode, context }
    }

    /// The cache directory, if anything may be kept.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    fn path(&self, key: &CacheKey) -> Option<PathBuf> {
        Some(self.directory.as_ref()?.join("sessions").join(key.as_str()))
    }

    /// The open part of a session, without decrypting anything.
    #[must_use]
    pub fn header(&self, key: &CacheKey) -> Option<Header> {
        let bytes = private_file::read(&self.path(key)?).ok()?;
        Some(parse(&bytes)?.header)
    }

    /// The open parts of all sessions.
    #[must_use]
    pub fn headers(&self) -> HashMap<CacheKey, Header> {
        let listed = self.directory.as_ref().and_then(|directory| directory.join("sessions").read_dir().ok());
        let names = listed.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let keys = names.filter_map(|name| CacheKey::from_recorded(&name));
        keys.filter_map(|key| Some((key.clone(), self.header(&key)?))).collect()
    }

    /// A session that is fresh enough, and its margins.
    pub(super) fn read(&self, key: &CacheKey, now: i64, freshness: Freshness) -> Option<(SessionCredentials, Margins)> {
        let bytes = private_file::read(&self.path(key)?).ok()?;
        let file = parse(&bytes)?;
        let margins = Margins::of(file.header.lifetime);
        if file.header.expires_at.is_some_and(|expires_at| expires_at - now <= margins.for_freshness(freshness)) {
            return None;
        }
        let text = match file.source {
            KeySource::Plain if self.mode == CacheMode::Plain => Zeroizing::new(file.body.to_vec()),
            KeySource::Plain => return None,
            source => open(&key::existing(source, self.context)?, key, file.open_part, file.body)?,
        };
        Some((credentials(&text, file.header)?, margins))
    }

    /// Whether a session was written at or after a moment.
    #[must_use]
    pub fn written_since(&self, key: &CacheKey, moment: i64) -> bool {
        let modified = self.path(key).and_then(|path| path.metadata().ok()).and_then(|found| found.modified().ok());
        let since_epoch = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        since_epoch.is_some_and(|since| since.as_secs().cast_signed() >= moment)
    }

    /// Keeps a session. With `cache = off` that is nothing.
    ///
    /// # Errors
    /// When the directory cannot be written, or there is no place for a key to seal with.
    pub fn write(&self, key: &CacheKey, header: &Header, credentials: &SessionCredentials) -> Result<()> {
        let (Some(path), Some(directory)) = (self.path(key), &self.directory) else { return Ok(()) };
        private_file::create_directory(directory).map_err(|error| cannot_keep(directory, &error))?;
        let seal = key::for_sealing(directory, self.context);
        let source = match (&seal, self.mode) {
            (Some((source, _)), _) => *source,
            (None, CacheMode::Plain) => KeySource::Plain,
            (None, _) => return Err(no_key()),
        };
        let mut bytes = open_part(source, header).into_bytes();
        let token = credentials.session_token.as_ref().map(Secret::expose).unwrap_or_default();
        let text = Zeroizing::new(format!("{}\n{}\n{token}", credentials.access_key_id, credentials.secret_access_key.expose()));
        match &seal {
            Some((_, cipher)) => {
                let sealed = close(cipher, key, &bytes, text.as_bytes()).ok_or_else(no_key)?;
                bytes.extend(sealed);
            }
            None => bytes.extend(text.as_bytes()),
        }
        private_file::replace(&path, &bytes).map_err(|error| cannot_keep(directory, &error))
    }

    /// Forgets a session; says whether there was one.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn forget(&self, key: &CacheKey) -> Result<bool> {
        let Some(path) = self.path(key) else { return Ok(false) };
        private_file::remove(&path).map_err(|error| Error::failed(format!("cannot remove {}", path.display()), error))
    }

    /// Forgets every session; says how many there were.
    ///
    /// # Errors
    /// When one of the files cannot be removed.
    pub fn forget_all(&self) -> Result<usize> {
        let Some(entries) = self.directory.as_ref().and_then(|directory| directory.join("sessions").read_dir().ok()) else {
            return Ok(0);
        };
        let mut count = 0;
        for path in entries.flatten().map(|entry| entry.path()) {
            let removed =
                private_file::remove(&path).map_err(|error| Error::failed(format!("cannot remove {}", path.display()), error))?;
            count += usize::from(removed);
        }
        Ok(count)
    }
}

fn cannot_keep(directory: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("cannot keep sessions in {}", directory.display()), error)
        .hint(format!("free some space there and make it yours: ls -ld {}; or set AWSENV_CACHE_DIR", directory.display()))
}

fn no_key() -> Error {
    Error::failed("cannot keep sessions", "neither the kernel's keyring nor XDG_RUNTIME_DIR can hold a key to seal them with")
        .hint("`cache = plain` in awsenv/config.ini keeps them in files that only their modes protect")
}

struct Parsed<'f> {
    source: KeySource,
    header: Header,
    open_part: &'f [u8],
    body: &'f [u8],
}

fn open_part(source: KeySource, header: &Header) -> String {
    let mut text = format!("{FORMAT}\nkey: {}\nprofile: {}\nkind: {}\n", source.as_str(), header.profile, header.kind);
    if let Some(expires_at) = header.expires_at {
        let _infallible = writeln!(text, "expires_at: {expires_at}");
    }
    if let Some(lifetime) = header.lifetime {
        let _infallible = writeln!(text, "lifetime: {lifetime}");
    }
    if let Some(account_id) = &header.account_id {
        let _infallible = writeln!(text, "account_id: {account_id}");
    }
    text.push('\n');
    text
}

fn parse(bytes: &[u8]) -> Option<Parsed<'_>> {
    let end = bytes.windows(2).position(|window| window == b"\n\n")? + 2;
    let (open_part, body) = bytes.split_at(end);
    let mut lines = std::str::from_utf8(open_part).ok()?.lines();
    if lines.next() != Some(FORMAT) {
        return None;
    }
    let (mut source, mut header) = (None, Header::default());
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        match name {
            "key" => source = KeySource::from_str(value),
            "profile" => value.clone_into(&mut header.profile),
            "kind" => value.clone_into(&mut header.kind),
            "expires_at" => header.expires_at = Some(value.parse().ok()?),
            "lifetime" => header.lifetime = Some(value.parse().ok()?),
            "account_id" => header.account_id = Some(value.to_owned()),
            _ => {}
        }
    }
    Some(Parsed { source: source?, header, open_part, body })
}

/// The open part and the cache key are authenticated too: a file that was edited or renamed does not open.
fn associated(key: &CacheKey, open_part: &[u8]) -> Vec<u8> {
    [key.as_str().as_bytes(), b"\n", open_part].concat()
}

fn close(cipher: &ChaCha20Poly1305, key: &CacheKey, open_part: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::try_generate().ok()?;
    let sealed = cipher.encrypt(&nonce, Payload { msg: text, aad: &associated(key, open_part) }).ok()?;
    Some([nonce.as_slice(), &sealed].concat())
}

fn open(cipher: &ChaCha20Poly1305, key: &CacheKey, open_part: &[u8], body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = body.split_at_checked(NONCE_BYTES)?;
    let payload = Payload { msg: sealed, aad: &associated(key, open_part) };
    cipher.decrypt(&Nonce::try_from(nonce).ok()?, payload).ok().map(Zeroizing::new)
}

fn credentials(text: &[u8], header: Header) -> Option<SessionCredentials> {
    let mut lines = std::str::from_utf8(text).ok()?.split('\n');
    let (id, secret, token) = (lines.next()?, lines.next()?, lines.next()?);
    Some(SessionCredentials {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::new(secret),
        session_token: (!token.is_empty()).then(|| Secret::new(token)),
        expires_at: header.expires_at,
        account_id: header.account_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Environment;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    struct Home(tempfile::TempDir);

    impl Home {
        fn context(&self) -> Context {
            let runtime = self.0.path().join("run");
            private_file::create_directory(&runtime).expect("made");
            let env = Environment::from([
                ("AWSENV_CACHE_DIR".into(), self.0.path().join("cache").display().to_string().into()),
                ("XDG_RUNTIME_DIR".into(), runtime.display().to_string().into()),
            ]);
            Context::new(env, "/".into(), rustix::process::geteuid().as_raw(), None)
        }
    }

    fn home() -> Home {
        Home(tempfile::tempdir().expect("a directory"))
    }

    fn key(c: char) -> CacheKey {
        CacheKey::from_recorded(&c.to_string().repeat(64)).expect("valid")
    }

    fn session() -> (Header, SessionCredentials) {
        let header = Header {
            profile: "dev".into(),
            kind: "assume_role".into(),
            expires_at: Some(1000),
            account_id: Some("222222222222".into()),
            lifetime: Some(600),
        };
        let credentials = SessionCredentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: Secret::new("very-secret"),
            session_token: Some(Secret::new("very-token")),
            expires_at: Some(1000),
            account_id: Some("222222222222".into()),
        };
        (header, credentials)
    }

    #[test]
    fn a_session_comes_back_until_it_expires_and_shows_nothing_in_its_file() {
        let home = home();
        let context = home.context();
        let cache = SessionCache::new(&context, CacheMode::Sealed);
        let (header, credentials) = session();
        cache.write(&key('a'), &header, &credentials).expect("written");
        // Of ten minutes the last 100 s count as expired, and the last 200 s as soon.
        let margins = Margins { soon: 200, now: 100 };
        assert_eq!(cache.read(&key('a'), 850, Freshness::Cached), Some((credentials, margins)));
        assert_eq!(cache.read(&key('a'), 850, Freshness::RenewSoon), None);
        assert_eq!(cache.read(&key('a'), 900, Freshness::Cached), None);
        assert_eq!(cache.header(&key('a')), Some(header));
        let path = cache.path(&key('a')).expect("a path");
        let bytes = fs::read(&path).expect("read");
        assert!(!bytes.windows(4).any(|window| window == b"very"));
        assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
        assert!(cache.forget(&key('a')).expect("removed") && !cache.forget(&key('a')).expect("gone"));
    }

    #[test]
    fn an_edited_or_renamed_file_does_not_open() {
        let home = home();
        let context = home.context();
        let cache = SessionCache::new(&context, CacheMode::Sealed);
        let (header, credentials) = session();
        cache.write(&key('a'), &header, &credentials).expect("written");
        let path = cache.path(&key('a')).expect("a path");
        let bytes = fs::read(&path).expect("read");
        fs::write(cache.path(&key('b')).expect("a path"), &bytes).expect("copied");
        assert_eq!(cache.read(&key('b'), 0, Freshness::Cached), None);
        let later = String::from_utf8_lossy(&bytes).contains("expires_at: 1000");
        assert!(later);
        let position = bytes.windows(4).position(|window| window == b"1000").expect("there");
        let mut edited = bytes.clone();
        edited[position] = b'9';
        fs::write(&path, edited).expect("edited");
        assert_eq!(cache.read(&key('a'), 0, Freshness::Cached), None);
        for end in 0..bytes.len() {
            fs::write(&path, &bytes[..end]).expect("cut");
            assert_eq!(cache.read(&key('a'), 0, Freshness::Cached), None);
        }
    }

    #[test]
    fn plain_files_count_only_where_the_user_chose_them() {
        let home = home();
        let context = home.context();
        let (header, credentials) = session();
        let cache = SessionCache::new(&context, CacheMode::Plain);
        let text = [open_part(KeySource::Plain, &header).as_bytes(), b"ASIAEXAMPLE\nvery-secret\nvery-token"].concat();
        private_file::replace(&cache.path(&key('a')).expect("a path"), &text).expect("written");
        assert_eq!(cache.read(&key('a'), 0, Freshness::Cached).map(|(found, _)| found), Some(credentials));
        assert_eq!(SessionCache::new(&context, CacheMode::Sealed).read(&key('a'), 0, Freshness::Cached), None);
        assert_eq!(SessionCache::new(&context, CacheMode::Off).read(&key('a'), 0, Freshness::Cached), None);
    }

    #[test]
    fn the_key_may_be_in_the_runtime_directory() {
        let home = home();
        let context = home.context();
        let directory = home.0.path().join("cache");
        private_file::replace(&directory.join("key-source"), b"runtime").expect("recorded");
        let (source, _) = key::for_sealing(&directory, &context).expect("a key");
        assert_eq!(source, KeySource::Runtime);
        assert!(key::existing(KeySource::Runtime, &context).is_some());
        fs::set_permissions(home.0.path().join("run"), fs::Permissions::from_mode(0o755)).expect("opened up");
        assert!(key::existing(KeySource::Runtime, &context).is_none());
    }
}
