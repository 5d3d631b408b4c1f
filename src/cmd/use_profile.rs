//! `awsenv use PROFILE`: writes `.awsprofile` here, and trusts it.

use std::fs;

use crate::awsprofile::{self, FILE_NAME};
use crate::context::Context;
use crate::error::{Error, Kind, Result, say, word};
use crate::provider::aws_files;

/// # Errors
/// What the command reports.
pub fn run(context: &Context, profile: &str, region: Option<&str>) -> Result<()> {
    let content = match region {
        None if !profile.contains('=') => format!("{profile}\n"),
        None => format!("profile = {profile}\n"),
        Some(region) => format!("profile = {profile}\nregion = {region}\n"),
    };
    let directive = awsprofile::parse(&content)
        .map_err(|problem| Error::new(Kind::Usage, format!("cannot use profile `{profile}`"), problem.why).hint(problem.hint))?;
    if let Some(profile) = &directive.profile {
        let files = aws_files::of_user(context)?;
        files.section(profile, None)?;
    }
    let path = context.cwd.join(FILE_NAME);
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(Error::failed(format!("cannot write {}", path.display()), "something that is not a plain file is there")
            .hint(format!("ls -l {}", word(&path))));
    }
    fs::write(&path, content).map_err(|error| {
        Error::failed(format!("cannot write {}", path.display()), error).hint(format!("ls -ld {}", word(&context.cwd)))
    })?;
    say(&format!("wrote {}", path.display()));
    super::allow::run(context, Some(&path))
}
