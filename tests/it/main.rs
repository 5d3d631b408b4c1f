//! The integration tests: the binary as its users meet it. One file per subject.

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the playground")]
mod support;

mod commands;
mod hooks;
mod pty;
mod run;
mod scenarios;
mod sign_in;
