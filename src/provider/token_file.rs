//! Owns reading a token that something else keeps in a file: Kubernetes, a container agent.

use std::path::Path;

use crate::error::{Error, Result, word};
use crate::private_file;
use crate::secret::Secret;

/// The token in a file. `named_by` is the key or variable that names the file.
pub(super) fn read(path: &Path, named_by: &str) -> Result<Secret> {
    let cannot = |why: String| {
        Error::failed(format!("cannot use the token in {}", path.display()), why)
            .hint(format!("check {named_by}: ls -l {}", word(path)))
    };
    let bytes = private_file::read(path).map_err(|error| cannot(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| cannot("it is not text".into()))?.trim();
    if text.is_empty() { Err(cannot("the file is empty".into())) } else { Ok(Secret::new(text)) }
}
