//! Owns `.awsprofile`: finding the nearest one, opening it safely, and its inert grammar.
//! Never decides whether a file is trusted, and never looks at AWS's own files.

use std::fmt;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::context::Context;
use crate::error::{Error, Result, word};

mod grammar;

pub use grammar::{Problem, is_profile_name, parse, parse_duration};

/// The name of the file.
pub const FILE_NAME: &str = ".awsprofile";
/// The largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 4096;

/// How credentials reach the programs in the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Export {
    /// As the key variables.
    #[default]
    Env,
    /// As `AWS_PROFILE`: each program signs in by itself.
    Profile,
    /// As the address of the local credential server.
    Server,
}

impl Export {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Export::Env => "env",
            Export::Profile => "profile",
            Export::Server => "server",
        }
    }
}

/// What a `.awsprofile` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The profile; `None` stands for `none`: no AWS identity below here.
    pub profile: Option<String>,
    pub region: Option<String>,
    /// The account that the profile must belong to.
    pub account_id: Option<String>,
    /// In seconds; may only shorten what the profile asks for.
    pub duration: Option<u32>,
    pub export: Export,
}

impl Directive {
    /// A directive that names a profile and nothing else.
    ///
    /// # Errors
    /// When that cannot be the name of a profile.
    pub fn for_profile(name: &str) -> Result<Self, String> {
        Ok(Directive {
            profile: grammar::profile_value(name)?,
            region: None,
            account_id: None,
            duration: None,
            export: Export::Env,
        })
    }

    /// The name as written: a profile, or `none`.
    #[must_use]
    pub fn profile_name(&self) -> &str {
        self.profile.as_deref().unwrap_or("none")
    }
}

/// The canonical text: equal exactly if the meaning is equal. It is what trust is recorded for, and a valid file.
impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "profile = {}", self.profile_name())?;
        if let Some(region) = &self.region {
            writeln!(f, "region = {region}")?;
        }
        if let Some(account_id) = &self.account_id {
            writeln!(f, "account_id = {account_id}")?;
        }
        if let Some(seconds) = self.duration {
            writeln!(f, "duration = {seconds}s")?;
        }
        if self.export != Export::Env {
            writeln!(f, "export = {}", self.export.as_str())?;
        }
        Ok(())
    }
}

/// A file that was opened, checked and parsed, and has no effect before it is trusted.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The path as the shell sees it.
    pub path: PathBuf,
    /// The path without links: what trust is recorded for.
    pub canonical: PathBuf,
    /// The bytes that were parsed.
    pub content: String,
    pub directive: Directive,
}

impl Candidate {
    /// The directory that the file speaks for.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// The paths where a `.awsprofile` for `directory` may be, nearest first.
pub fn candidate_paths(directory: &Path) -> impl Iterator<Item = PathBuf> {
    directory.ancestors().map(|ancestor| ancestor.join(FILE_NAME))
}

/// The nearest `.awsprofile` at or above `directory`, whatever it turns out to be.
#[must_use]
pub fn nearest(directory: &Path) -> Option<PathBuf> {
    candidate_paths(directory).find(|path| path.symlink_metadata().is_ok())
}

/// Opens a `.awsprofile` once, checks what was opened, and parses what was read.
///
/// # Errors
/// When it is not a plain file of the user's or root's, could have been written by others, or does not parse.
pub fn open(path: &Path, context: &Context) -> Result<Candidate> {
    let refuse = |why: String| Error::failed(format!("refused {}", path.display()), why);
    let content = read_checked(path, context.uid).map_err(|(why, hint)| refuse(why).hint(hint))?;
    let directive = parse(&content)
        .map_err(|problem| Error::failed(format!("cannot use {}", path.display()), &problem).hint(problem.hint.clone()))?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let no_links = context.cwd_is_canonical && context.cwd.starts_with(directory);
    let canonical = if no_links { Ok(directory.to_owned()) } else { directory.canonicalize() };
    let canonical = canonical.map_err(|error| refuse(format!("its directory cannot be resolved: {error}")))?.join(FILE_NAME);
    Ok(Candidate { path: path.to_owned(), canonical, content, directive })
}

type Refusal = (String, String);

fn read_checked(path: &Path, uid: u32) -> Result<String, Refusal> {
    let shown = word(path);
    let problem = |why: &str, hint: String| (why.to_owned(), hint);
    let file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed())
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => problem(
                "it is a symbolic link",
                format!("put a plain file there: cp --remove-destination \"$(realpath -- {shown})\" {shown}"),
            ),
            _ => problem(&error.to_string(), format!("ls -l {shown}")),
        })?;
    let found = file.metadata().map_err(|error| problem(&error.to_string(), format!("ls -l {shown}")))?;
    if !found.is_file() {
        return Err(problem("it is not a plain file", format!("ls -l {shown}")));
    }
    let directory = path.parent().unwrap_or(Path::new("/"));
    let around = directory.metadata().map_err(|error| problem(&error.to_string(), format!("ls -ld {}", word(directory))))?;
    if found.uid() != uid && found.uid() != 0 {
        return Err(problem("it belongs to another user", format!("if you trust its content: sudo chown \"$USER\" {shown}")));
    }
    if found.mode() & 0o002 != 0 {
        return Err(problem("others may write to it", format!("chmod o-w {shown}")));
    }
    if around.mode() & 0o002 != 0 {
        return Err(problem("others may write to its directory", format!("chmod o-w {}", word(directory))));
    }
    if found.len() > MAX_BYTES {
        return Err(problem(&format!("it has {} bytes, at most {MAX_BYTES} are read", found.len()), format!("wc -c {shown}")));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| problem(&error.to_string(), format!("ls -l {shown}")))?;
    let text = String::from_utf8(bytes).ok().filter(|text| bytes_are_text(text) && text.len() as u64 <= MAX_BYTES);
    text.ok_or_else(|| problem("it is not text", format!("awsenv use PROFILE, in {}", word(directory))))
}

fn bytes_are_text(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}
