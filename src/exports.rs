//! Owns which variables carry what: the environment of a directory, for each way of export.
//! Never compares it with what is there (`env_diff` does), and never writes shell code.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::credentials::SessionCredentials;
use crate::secret::Secret;

/// Variables that carry keys.
const KEYS: [&str; 5] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_SESSION_EXPIRATION"];
/// Variables that would shadow keys. botocore reads the old name of the token before the new.
const SHADOWS: [&str; 3] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"];
/// Other variables that name an identity.
const OTHER_IDENTITIES: [&str; 7] = [
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Names and wanted values; `None` unsets.
pub type Variables = BTreeMap<String, Option<Secret>>;

fn unset<'a>(names: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (String, Option<Secret>)> {
    names.into_iter().map(|name| (name.to_owned(), None)).collect::<Vec<_>>().into_iter()
}

fn with_region(mut variables: Variables, region: Option<&str>) -> Variables {
    if let Some(region) = region {
        variables.extend(REGIONS.map(|name| (name.to_owned(), Some(region.into()))));
    }
    variables
}

/// `export = env`: the keys themselves.
#[must_use]
pub fn keys(credentials: &SessionCredentials, region: Option<&str>) -> Variables {
    let expiration = credentials.expires_at.and_then(rfc3339);
    let token = credentials.session_token.as_ref().map(Secret::expose);
    let mut variables: Variables = unset(SHADOWS).collect();
    let values = [
        Some(credentials.access_key_id.as_str()),
        Some(credentials.secret_access_key.expose()),
        token,
        expiration.as_deref(),
        expiration.as_deref(),
    ];
    variables.extend(KEYS.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.map(Secret::from))));
    with_region(variables, region)
}

/// `export = profile`: the name, and no keys beside it.
#[must_use]
pub fn profile(name: &str, region: Option<&str>) -> Variables {
    let mut variables: Variables = unset(KEYS.into_iter().chain(SHADOWS)).collect();
    variables.insert("AWS_PROFILE".to_owned(), Some(name.into()));
    with_region(variables, region)
}

/// `export = server`: where the keys are to be had, and no keys beside it. Other ways that would come first go.
#[must_use]
pub fn server(url: &str, token: &Secret, region: Option<&str>) -> Variables {
    let mut variables: Variables = unset(KEYS.into_iter().chain(SHADOWS).chain(OTHER_IDENTITIES)).collect();
    variables.insert("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), Some(url.into()));
    variables.insert("AWS_CONTAINER_AUTHORIZATION_TOKEN".to_owned(), Some(token.clone()));
    with_region(variables, region)
}

/// `profile = none`: no identity at all.
#[must_use]
pub fn nothing() -> Variables {
    unset(KEYS.into_iter().chain(SHADOWS).chain(OTHER_IDENTITIES).chain(REGIONS)).collect()
}

/// A moment in UTC as AWS's tools write it, with a `Z` (RFC 3339).
#[must_use]
pub fn rfc3339(epoch: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(epoch).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(token: Option<&str>) -> SessionCredentials {
        SessionCredentials {
            access_key_id: "ASIA".into(),
            secret_access_key: Secret::new("s"),
            session_token: token.map(Secret::new),
            expires_at: token.map(|_| 1_800_000_000),
            account_id: None,
        }
    }

    #[test]
    fn keys_stand_alone() {
        let variables = keys(&credentials(Some("t")), Some("eu-west-1"));
        let value = |name: &str| variables[name].as_ref().map(Secret::expose);
        assert_eq!(value("AWS_SESSION_TOKEN"), Some("t"));
        assert_eq!(value("AWS_CREDENTIAL_EXPIRATION"), Some("2027-01-15T08:00:00Z"));
        assert_eq!(value("AWS_SESSION_EXPIRATION"), Some("2027-01-15T08:00:00Z"));
        assert_eq!((value("AWS_REGION"), value("AWS_DEFAULT_REGION")), (Some("eu-west-1"), Some("eu-west-1")));
        assert_eq!((value("AWS_PROFILE"), value("AWS_SECURITY_TOKEN")), (None, None));
    }

    #[test]
    fn a_static_key_leaves_no_old_token_beside_it() {
        let variables = keys(&credentials(None), None);
        assert_eq!(variables["AWS_SESSION_TOKEN"], None);
        assert_eq!(variables["AWS_CREDENTIAL_EXPIRATION"], None);
        assert!(!variables.contains_key("AWS_REGION"));
    }

    #[test]
    fn a_profile_has_no_keys_beside_it() {
        let variables = profile("dev", None);
        assert_eq!(variables["AWS_PROFILE"].as_ref().map(Secret::expose), Some("dev"));
        assert_eq!(variables["AWS_ACCESS_KEY_ID"], None);
        assert!(nothing().values().all(Option::is_none));
    }
}
