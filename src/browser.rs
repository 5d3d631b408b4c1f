//! Owns opening a page in the person's browser: the one that `BROWSER` names, else the system's.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::context::Context;

/// A browser that can be started from here.
pub(crate) struct Browser {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Browser {
    /// The browser, if there is one: `BROWSER` is a list with colons between its items, as Python and Debian read it, of
    /// which the first counts.
    #[must_use]
    pub(crate) fn find(context: &Context) -> Option<Self> {
        if let Some(list) = context.own_var("BROWSER") {
            let words = shell_words::split(list.split(':').next()?).ok()?;
            let (program, arguments) = words.split_first()?;
            return Some(Browser { program: program.into(), arguments: arguments.to_vec() });
        }
        let has_screen = cfg!(target_os = "macos")
            || ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(|name| context.own_var(name).is_some());
        let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        let search = context.own_var("PATH").filter(|_| has_screen)?;
        let found = search.split(':').map(|directory| Path::new(directory).join(program)).find(|path| path.is_file())?;
        Some(Browser { program: found, arguments: Vec::new() })
    }

    /// Starts it with a page, and goes on; says whether it could be started.
    #[must_use]
    pub(crate) fn open(&self, url: &str) -> bool {
        let mut command = Command::new(&self.program);
        let has_place = self.arguments.iter().any(|argument| argument.contains("%s"));
        command.args(self.arguments.iter().map(|argument| argument.replace("%s", url)));
        if !has_place {
            command.arg(url);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
    }
}
