//! Signature Version 4, as the receiving side checks it.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub struct Signed<'a> {
    pub access_key_id: &'a str,
    pub region: &'a str,
    date: &'a str,
    service: &'a str,
    headers: Vec<&'a str>,
    signature: &'a str,
}

/// `AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`
pub fn parse(authorization: &str) -> Option<Signed<'_>> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let field = |name: &str| fields.split(',').map(str::trim).find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    let mut scope = field("Credential")?.split('/');
    Some(Signed {
        access_key_id: scope.next()?,
        date: scope.next()?,
        region: scope.next()?,
        service: scope.next().filter(|service| *service == "sts")?,
        headers: field("SignedHeaders")?.split(';').collect(),
        signature: field("Signature")?,
    })
}

pub fn verify(
    signed: &Signed<'_>,
    secret: &str,
    method: &str,
    path: &str,
    header: impl Fn(&str) -> Option<String>,
    body: &[u8],
) -> bool {
    let must = ["host", "x-amz-date"];
    if !must.iter().all(|name| signed.headers.contains(name)) {
        return false;
    }
    let mut canonical = format!("{method}\n{path}\n\n");
    for name in &signed.headers {
        let Some(value) = header(name) else { return false };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        canonical.extend([*name, ":", &value, "\n"]);
    }
    canonical.extend(["\n", &signed.headers.join(";"), "\n", &hex(body)]);
    let Some(moment) = header("x-amz-date") else { return false };
    let scope = format!("{}/{}/{}/aws4_request", signed.date, signed.region, signed.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", hex(canonical.as_bytes()));
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), signed.date);
    for part in [signed.region, signed.service, "aws4_request"] {
        key = hmac(&key, part);
    }
    HEXLOWER.encode(&hmac(&key, &to_sign)) == signed.signature
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
