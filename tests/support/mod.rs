//! What the tests and the playground share.

pub mod browser;
pub mod fake_aws;
pub mod home;
