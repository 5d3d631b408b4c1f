//! `awsenv shell PROFILE`: the statement that pins a profile, for the hook's function to evaluate.

use crate::awsprofile::Directive;
use crate::context::Context;
use crate::directory::PIN_VARIABLE;
use crate::error::{Error, Kind, Result};
use crate::provider::aws_files;
use crate::shell::Shell;

pub(super) fn run(context: &Context, profile: Option<&str>, shell: Option<&str>) -> Result<()> {
    let Some(shell) = shell else {
        return Err(Error::failed("cannot change this shell", "only the hook's function can, and it is not loaded here")
            .hint("eval \"$(awsenv hook bash)\", or what `awsenv hook --help` shows for your shell"));
    };
    let shell = Shell::named(shell)?;
    let Some(name) = profile else {
        return super::print(&if shell == Shell::Nu { "null\n".to_owned() } else { shell.unset(PIN_VARIABLE) });
    };
    let directive = Directive::for_profile(name)
        .map_err(|why| Error::new(Kind::Usage, "cannot use this profile", why).hint("awsenv shell --help"))?;
    if let Some(profile) = &directive.profile {
        aws_files::of_user(context)?.section(profile, None)?;
    }
    super::print(&if shell == Shell::Nu { format!("{}\n", shell.quote(name)) } else { shell.set(PIN_VARIABLE, name).to_string() })
}
