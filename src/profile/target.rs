//! Owns where a service of AWS is called for a profile: region, endpoint, FIPS and dual-stack, in the order of the SDKs.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>

use super::{AwsFiles, Section, ServiceTarget};
use crate::account;
use crate::context::Context;
use crate::error::{Error, Result};

/// A service that is called, and how it is named in `[services NAME]` and in `AWS_ENDPOINT_URL_…`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Service {
    Sts,
    Sso,
    SsoOidc,
    SignIn,
}

impl Service {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Service::Sts => ("sts", "AWS_ENDPOINT_URL_STS"),
            Service::Sso => ("sso", "AWS_ENDPOINT_URL_SSO"),
            Service::SsoOidc => ("sso_oidc", "AWS_ENDPOINT_URL_SSO_OIDC"),
            Service::SignIn => ("signin", "AWS_ENDPOINT_URL_SIGNIN"),
        }
    }
}

impl AwsFiles {
    /// A service in the profile's region; for a role, in the role's partition where no region is named.
    pub(super) fn in_own_region(
        &self,
        service: Service,
        section: &Section,
        role_arn: Option<&str>,
        context: &Context,
    ) -> Result<ServiceTarget> {
        let var = |name: &str| context.user_var(name);
        let named = section.get("region").map(String::as_str).or(var("AWS_REGION")).or(var("AWS_DEFAULT_REGION"));
        let region = named.unwrap_or(default_region(role_arn.and_then(account::partition_of_arn)));
        self.target(service, section, region, context)
    }

    /// The order of the SDKs: the service's own variable, the general one, the profile's `services`, the profile.
    pub(super) fn target(&self, service: Service, section: &Section, region: &str, context: &Context) -> Result<ServiceTarget> {
        let var = |name: &str| context.user_var(name);
        let of_profile = |key: &str| section.get(key).map(String::as_str);
        let (key, own_variable) = service.names();
        let services = of_profile("services").and_then(|name| self.services.get(name)?.get(key)).map(String::as_str);
        let ignore = flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", of_profile("ignore_configured_endpoint_urls"), context)?;
        let configured = var(own_variable).or(var("AWS_ENDPOINT_URL")).or(services).or(of_profile("endpoint_url"));
        Ok(ServiceTarget {
            region: region.to_owned(),
            endpoint_url: configured.filter(|_| !ignore).map(str::to_owned),
            use_fips: flag("AWS_USE_FIPS_ENDPOINT", of_profile("use_fips_endpoint"), context)?,
            use_dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT", of_profile("use_dualstack_endpoint"), context)?,
        })
    }
}

impl ServiceTarget {
    /// Whether it can be called: without an endpoint, the region becomes part of a host's name. Regions appear faster
    /// than programs are updated, so the form is all that is checked; one of this form that does not exist is not found
    /// by the network.
    ///
    /// # Errors
    /// When the region has not the form of one.
    pub fn check(&self) -> Result<()> {
        if self.endpoint_url.is_some() || is_region(&self.region) {
            return Ok(());
        }
        Err(Error::failed("cannot call AWS", format!("`{}` is not a region of AWS", self.region))
            .hint("write it like `region = eu-west-1`, in ~/.aws/config or AWS_REGION"))
    }
}

fn flag(variable: &str, of_profile: Option<&str>, context: &Context) -> Result<bool> {
    let text = context.user_var(variable).or(of_profile);
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            Err(Error::failed("cannot use the AWS configuration", format!("`{other}` is neither true nor false, for {variable}"))
                .hint(format!("export {variable}=true, or unset it")))
        }
    }
}

/// The region that a partition's STS is asked in where nothing names one.
fn default_region(partition: Option<&str>) -> &'static str {
    match partition {
        Some("aws-cn") => "cn-north-1",
        Some("aws-us-gov") => "us-gov-west-1",
        Some("aws-eusc") => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// Whether a text has the form of a region: `eu-west-1`, `us-gov-east-1`, `eusc-de-east-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [words @ .., number] = parts.as_slice() else { return false };
    let is_word = |word: &&str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2 && words.iter().all(is_word) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_a_form() {
        for region in ["us-east-1", "ap-southeast-7", "us-gov-west-1", "us-isob-east-1", "cn-northwest-1", "eusc-de-east-1"] {
            assert!(is_region(region), "{region}");
        }
        for region in ["", "us-east", "useast1", "us-east-1a", "US-EAST-1", "eu_west_1", "eu-west-1.evil.example", "1", "eu--1"] {
            assert!(!is_region(region), "{region}");
        }
    }
}
