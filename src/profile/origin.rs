//! Owns where a value stands: a light scan of the two files, beside the SDK's parser, which keeps no lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A line of a file, counted from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub file: PathBuf,
    pub line: usize,
}

/// Which of the two files a text is of: they name their sections in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwsFile {
    Config,
    Credentials,
}

/// A section's kind (`profile`, `sso-session`, `services`) and name.
pub type SectionName = (String, String);

/// The lines of both files.
#[derive(Default)]
pub struct Origins {
    lines: BTreeMap<(SectionName, String), Origin>,
}

impl Origins {
    /// Adds a file's lines; a later file's count before an earlier one's.
    pub fn add(&mut self, path: &Path, text: &str, kind: AwsFile) {
        let mut section: Option<SectionName> = None;
        let mut property = String::new();
        let ignores_default = kind == AwsFile::Config && text.lines().any(|line| header(line) == Some("profile default"));
        for (index, line) in text.lines().enumerate() {
            if let Some(header) = header(line) {
                section = name(header, kind).filter(|_| !(ignores_default && header == "default"));
                continue;
            }
            let (Some(section), Some((key, value))) = (&section, line.split_once('=')) else { continue };
            if line.trim_start().starts_with(['#', ';']) {
                continue;
            }
            let key = key.trim().to_ascii_lowercase();
            let full = if line.starts_with([' ', '\t']) { format!("{property}.{key}") } else { key.clone() };
            if !line.starts_with([' ', '\t']) {
                property = if value.trim().is_empty() { key } else { String::new() };
            }
            self.lines.insert((section.clone(), full), Origin { file: path.to_owned(), line: index + 1 });
        }
    }

    /// Where a key of a section was read.
    #[must_use]
    pub fn of(&self, kind: &str, name: &str, key: &str) -> Option<&Origin> {
        self.lines.get(&((kind.to_owned(), name.to_owned()), key.to_owned()))
    }
}

/// What stands between the brackets of a section's line.
pub(crate) fn header(line: &str) -> Option<&str> {
    Some(line.strip_prefix('[')?.split_once(']')?.0.trim())
}

/// The section that a header begins; none where it counts for nothing.
pub(crate) fn name(header: &str, kind: AwsFile) -> Option<SectionName> {
    if kind == AwsFile::Credentials || header == "default" {
        return Some(("profile".to_owned(), header.to_owned()));
    }
    let (kind, name) = header.split_once([' ', '\t'])?;
    let name = name.trim();
    let bare = name.strip_prefix(['"', '\'']).and_then(|name| name.strip_suffix(['"', '\''])).unwrap_or(name);
    Some((kind.to_owned(), bare.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_files() {
        let mut origins = Origins::default();
        let config = "[default]\nregion = x\n[profile \"a b\"]\n# region = no\nRegion = y\ns3 =\n  max = 1\nrole_arn=z\n[profile default]\nregion=z\n[sso-session s]\nsso_region = r\n[junk]\nregion = 1\n";
        origins.add(Path::new("/config"), config, AwsFile::Config);
        origins.add(Path::new("/credentials"), "[a b]\nregion = w\n", AwsFile::Credentials);
        let line = |kind: &str, name: &str, key: &str| {
            origins.of(kind, name, key).map(|origin| (origin.file.to_str().expect("text"), origin.line))
        };
        assert_eq!(line("profile", "default", "region"), Some(("/config", 10)));
        assert_eq!(line("profile", "a b", "region"), Some(("/credentials", 2)));
        assert_eq!(line("profile", "a b", "role_arn"), Some(("/config", 8)));
        assert_eq!(line("profile", "a b", "s3.max"), Some(("/config", 7)));
        assert_eq!(line("sso-session", "s", "sso_region"), Some(("/config", 12)));
        assert_eq!(line("profile", "junk", "region"), None);
    }
}
