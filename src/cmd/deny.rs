//! `awsenv deny`: blocks a `.awsprofile`, whatever it says.

use std::path::Path;

use crate::awsprofile::FILE_NAME;
use crate::context::Context;
use crate::error::{Error, Result, say};
use crate::generation::Generation;
use crate::trust::TrustStore;

pub(super) fn run(context: &Context, path: Option<&Path>) -> Result<()> {
    let file = super::allow::file_at(context, path)?;
    let data_dir = context.data_dir()?;
    let canonical =
        file.parent().map_or_else(|| file.clone().canonicalize(), |directory| Ok(directory.canonicalize()?.join(FILE_NAME)));
    canonical.and_then(|canonical| TrustStore::new(&data_dir).deny(&canonical)).map_err(|error| {
        Error::failed(format!("cannot deny {}", file.display()), error).hint(format!("ls -ld {}", data_dir.display()))
    })?;
    Generation::new(&data_dir).bump()?;
    say(&format!("denied {}", file.display()));
    Ok(())
}
