//! Rules of the house that a compiler does not check.

use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("there").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.strip_prefix(&root).expect("below").to_owned(), fs::read_to_string(&path).expect("read")));
            }
        }
    }
    assert!(found.len() > 20);
    found
}

#[test]
fn only_provider_names_the_sdk_and_the_runtime() {
    let named = ["aws_config::", "aws_sdk_", "aws_smithy_", "aws_types::", "aws_runtime::", "tokio::"];
    for (path, text) in sources() {
        if !path.starts_with("provider") {
            assert!(!named.iter().any(|name| text.contains(name)), "{}", path.display());
        }
    }
}

#[test]
fn only_context_reads_the_environment_and_the_clock() {
    let read = ["env::var", "env::vars", "env::current_dir", "UtcNow", "OffsetDateTime::now"];
    for (path, text) in sources() {
        if path != Path::new("context.rs") {
            assert!(!read.iter().any(|name| text.contains(name)), "{}", path.display());
        }
    }
}

/// `Trusted` has a private field, so only `trust` makes one; what it makes of a person's own words comes from here.
#[test]
fn only_directory_vouches_for_what_was_typed() {
    for (path, text) in sources() {
        if path != Path::new("trust.rs") && path != Path::new("directory.rs") {
            assert!(!text.contains("typed(") && !text.contains("trust::typed"), "{}", path.display());
        }
    }
}

/// nu's hook hands its plugin these variables and no others.
#[test]
fn every_variable_that_is_named_is_in_the_list() {
    let is_name = |word: &str| {
        word.len() > 4
            && !word.ends_with('_')
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let placeholders = ["AWSENV_BINARY", "AWSENV_GENERATION_FILE", "AWSENV_VARIABLES", "AWSENV_TOLD"];
    for (path, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in code.split('"').skip(1).step_by(2).filter(|word| is_name(word)) {
            let ours = ["AWS_", "AWSENV_", "XDG_"].iter().any(|prefix| word.starts_with(prefix)) && !placeholders.contains(&word);
            assert!(!ours || awsenv::context::VARIABLES.contains(&word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_owns_and_stays_small() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{}", path.display());
        let code = text.split("#[cfg(test)]").next().unwrap_or_default().lines().count();
        assert!(code <= 350, "{} has {code} lines", path.display());
    }
}
