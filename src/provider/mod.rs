//! Owns every contact with the AWS SDK and the async runtime: reading `~/.aws` by the SDK's parser, and calling STS.
//! Nothing outside names `aws_*` or `tokio`. Never caches, never asks a person.

pub mod aws_files;
mod failure;
mod http;
pub mod sts;
