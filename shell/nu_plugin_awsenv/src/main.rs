//! awsenv as a plugin of nushell. The work is the library's; here it becomes commands, and what they say becomes values.

mod commands;
mod engine;
mod values;

use std::process::ExitCode;

use awsenv::cmd::renew::RENEW_WORD;
use awsenv::server::SERVE_WORD;
use nu_plugin::{MsgPackSerializer, Plugin, PluginCommand, serve_plugin};

/// The plugin.
pub(crate) struct Awsenv;

impl Plugin for Awsenv {
    fn version(&self) -> String {
        env!("CARGO_PKG_VERSION").to_owned()
    }

    fn commands(&self) -> Vec<Box<dyn PluginCommand<Plugin = Self>>> {
        commands::all()
    }
}

fn main() -> ExitCode {
    // A renewal in the background and the credential server run this same program.
    match std::env::args().nth(1).as_deref() {
        Some(RENEW_WORD | SERVE_WORD) => awsenv::process::main(),
        _ => {
            serve_plugin(&Awsenv, MsgPackSerializer);
            ExitCode::SUCCESS
        }
    }
}
