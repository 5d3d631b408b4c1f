//! awsenv: AWS credentials per directory, in the user's own shell.
//!
//! The data goes one way; ARCHITECTURE.md shows it. This library is for the binary and its tests.

pub mod account;
pub mod activation;
pub mod awsprofile;
mod browser;
pub mod cli;
pub mod cmd;
pub mod context;
pub mod credentials;
pub mod directory;
pub mod edit;
pub mod env_diff;
pub mod error;
pub mod exports;
pub mod generation;
mod private_file;
pub mod process;
pub mod profile;
pub mod prompt;
pub mod provider;
pub mod report;
pub mod secret;
pub mod server;
pub mod session;
pub mod settings;
pub mod shell;
pub mod sso;
pub mod terminal;
pub mod trust;
