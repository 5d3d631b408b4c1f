//! Owns what account ids can be read from: ARNs, and access key ids.
//! Never calls AWS.

use data_encoding::BASE32_NOPAD;

/// The account in an ARN: `arn:partition:service:region:account:resource`.
#[must_use]
pub fn of_arn(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    is_id(account).then_some(account)
}

/// Whether a text is an account id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The partition in an ARN.
#[must_use]
pub fn partition_of_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').next()
}

/// The partition that a region is in.
#[must_use]
pub fn partition_of_region(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// The name of the role in the ARN of a role, without its path.
#[must_use]
pub fn role_name(role_arn: &str) -> Option<&str> {
    let resource = role_arn.strip_prefix("arn:")?.split(':').nth(4)?;
    resource.strip_prefix("role/")?.rsplit('/').next()
}

/// The account that an access key id was made in. AWS does not document this encoding, which it has used since
/// 2019, so the result is for display and for warnings only.
#[must_use]
pub fn of_access_key_id(id: &str) -> Option<String> {
    let rest = id.strip_prefix("AKIA").or_else(|| id.strip_prefix("ASIA")).filter(|_| id.len() == 20)?;
    if !matches!(rest.bytes().next()?, b'Q'..=b'Z' | b'2'..=b'7') {
        return None;
    }
    let bytes = BASE32_NOPAD.decode(rest.as_bytes()).ok()?;
    let number = bytes.get(..6)?.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    Some(format!("{:012}", (number & 0x7fff_ffff_ff80) >> 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_access_key_ids() {
        assert_eq!(of_access_key_id("ASIAY34FZKBOKMUTVV7A").as_deref(), Some("609629065308"));
        assert_eq!(of_access_key_id("ASIAQNZGKIQY56JQ7WML").as_deref(), Some("029608264753"));
        for id in
            ["AKIAIOSFODNN7EXAMPLE", "AKIAJ34FZKBOKMUTVV7A", "AROAY34FZKBOKMUTVV7A", "ASIAY34FZKBO", "ASIAY34FZKBOKMUTVV7a", ""]
        {
            assert_eq!(of_access_key_id(id), None, "{id}");
        }
    }

    #[test]
    fn from_arns() {
        assert_eq!(of_arn("arn:aws:iam::222222222222:role/a/dev"), Some("222222222222"));
        assert_eq!(of_arn("arn:aws-cn:sts::222222222222:assumed-role/dev/x"), Some("222222222222"));
        assert_eq!(of_arn("arn:aws:iam::2222:role/dev"), None);
        assert_eq!(of_arn("GAHT12345678"), None);
        assert_eq!(role_name("arn:aws:iam::222222222222:role/a/dev"), Some("dev"));
        assert_eq!(role_name("arn:aws:iam::222222222222:user/jane"), None);
        assert_eq!(partition_of_arn("arn:aws-us-gov:iam::222222222222:role/dev"), Some("aws-us-gov"));
    }
}
