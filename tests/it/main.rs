//! The integration tests: the binary as its users meet it. One file per subject.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the playground")]
mod support;

mod aws_files;
mod commands;
mod completions;
mod handing_over;
mod hooks;
mod house_rules;
mod limits;
mod moto;
mod network;
mod nu_plugin;
mod playground;
mod pty;
mod quoting;
mod renewal;
mod reports;
mod run;
mod scenarios;
mod server;
mod sign_in;
mod sources;
mod sso;
