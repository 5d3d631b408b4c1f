//! Owns every contact with the AWS SDK and the async runtime, and each way to get credentials from outside: reading
//! `~/.aws` by the SDK's parser, calling STS and IAM Identity Center, asking the machine, running a process.
//! Nothing outside names `aws_*` or `tokio`. Never caches, never asks a person.

pub mod aws_files;
pub mod callback;
pub mod connection;
mod failure;
pub mod federation;
mod http;
pub mod http_server;
mod json;
#[cfg(feature = "login")]
pub mod login;
pub mod loopback;
pub mod metadata;
pub mod oidc;
pub mod portal;
pub mod process;
pub mod sts;
mod token_file;
