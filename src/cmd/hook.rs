//! `awsenv hook`: the hook's text, with this machine's paths in it.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::generation::Generation;
use crate::shell::{HookPaths, Shell};

/// # Errors
/// When there is no such shell, or no place for the generation file.
pub fn run(context: &Context, shell: &str, wrap_cd: bool) -> Result<()> {
    let shell = Shell::named(shell)?;
    let paths = HookPaths { binary: binary(context)?, generation: Generation::new(&context.data_dir()?).file(), wrap_cd };
    super::print(&shell.hook(&paths)?)
}

/// The absolute path to call. A link on PATH that leads here is preferred: it outlives an upgrade.
fn binary(context: &Context) -> Result<PathBuf> {
    let this = std::env::current_exe().map_err(|error| Error::failed("cannot tell where awsenv is installed", error))?;
    let same = |path: &Path| path.canonicalize().is_ok_and(|found| Ok(found) == this.canonicalize().map_err(|_| ()));
    let on_path = context.own_var("PATH").unwrap_or_default();
    let named =
        std::env::split_paths(on_path).filter(|directory| directory.is_absolute()).map(|directory| directory.join("awsenv"));
    Ok(named.into_iter().find(|path| same(path)).unwrap_or(this))
}
