//! IAM Identity Center: the OAuth 2.0 service, which checks clients, grants, redirects and PKCE, and the portal.

use std::collections::HashMap;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::world::{Principal, World};

pub const START_URL: &str = "https://corp.awsapps.com/start";
const CODE_GRANT: &str = "authorization_code";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

#[derive(Clone, Debug)]
pub struct SsoAccount {
    pub id: String,
    pub name: String,
    pub roles: Vec<String>,
}

#[derive(Clone, Debug)]
struct Client {
    secret: String,
    with_browser: bool,
    scopes: Vec<String>,
}

#[derive(Clone, Debug)]
struct CodeGrant {
    client_id: String,
    redirect_uri: String,
    challenge: String,
}

#[derive(Clone, Debug)]
struct DeviceGrant {
    client_id: String,
    polls: u32,
}

/// The state of the portal and of its sign-ins.
pub struct IdentityCenter {
    pub accounts: Vec<SsoAccount>,
    pub token_seconds: u64,
    /// How often a device is told to wait before the person has entered its code; the first time to slow down.
    pub device_polls: u32,
    /// The person says no.
    pub denies: bool,
    clients: HashMap<String, Client>,
    codes: HashMap<String, CodeGrant>,
    devices: HashMap<String, DeviceGrant>,
    tokens: HashMap<String, u64>,
    refresh_tokens: HashMap<String, String>,
    serial: u64,
}

impl Default for IdentityCenter {
    fn default() -> Self {
        let account = |id: &str, name: &str, roles: &[&str]| SsoAccount {
            id: id.into(),
            name: name.into(),
            roles: roles.iter().map(|role| (*role).into()).collect(),
        };
        IdentityCenter {
            accounts: vec![
                account("444444444444", "Acme Sandbox", &["Admin", "ReadOnly"]),
                account("555555555555", "acme data", &["ReadOnly"]),
            ],
            token_seconds: 28_800,
            device_polls: 0,
            denies: false,
            clients: HashMap::new(),
            codes: HashMap::new(),
            devices: HashMap::new(),
            tokens: HashMap::new(),
            refresh_tokens: HashMap::new(),
            serial: 0,
        }
    }
}

impl IdentityCenter {
    /// Ends every sign-in, as an administrator can.
    pub fn revoke_tokens(&mut self) {
        self.tokens.clear();
    }

    pub fn revoke_refresh_tokens(&mut self) {
        self.refresh_tokens.clear();
    }

    fn next(&mut self, kind: &str) -> String {
        self.serial += 1;
        format!("{kind}-{:06}", self.serial)
    }
}

fn text<'j>(body: &'j Value, name: &str) -> &'j str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn invalid(what: &str) -> Answer {
    Answer::refusal(400, "InvalidRequestException", what)
}

pub fn register(world: &mut World, body: &Value) -> Answer {
    let list = |name: &str| -> Vec<String> {
        let items = body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    };
    let with_browser = list("grantTypes").iter().any(|grant| grant == CODE_GRANT);
    if text(body, "clientType") != "public" {
        return invalid("clientType");
    }
    if with_browser && (text(body, "issuerUrl") != START_URL || list("redirectUris") != ["http://127.0.0.1/oauth/callback"]) {
        return invalid("issuerUrl or redirectUris");
    }
    let now = world.now();
    let sso = &mut world.identity_center;
    let (id, secret) = (sso.next("client"), sso.next("client-secret"));
    sso.clients.insert(id.clone(), Client { secret: secret.clone(), with_browser, scopes: list("scopes") });
    Answer::json(
        &json!({"clientId": id, "clientSecret": secret, "clientIdIssuedAt": now, "clientSecretExpiresAt": now + 90 * 86_400}),
    )
}

/// The page in the browser: the person signs in at once, or says no.
pub fn authorize(world: &mut World, query: &HashMap<String, String>) -> Answer {
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    let sso = &mut world.identity_center;
    let redirect_uri = get("redirect_uri");
    let is_loopback = redirect_uri.starts_with("http://127.0.0.1:") && redirect_uri.ends_with("/oauth/callback");
    let client = sso.clients.get(&get("client_id")).filter(|client| client.with_browser);
    let scopes: Vec<_> = query.get("scopes").map(|scopes| scopes.split(' ').map(str::to_owned).collect()).unwrap_or_default();
    if !is_loopback || client.is_none_or(|client| client.scopes != scopes) || get("response_type") != "code" {
        return Answer::text(400, "invalid_request");
    }
    if get("code_challenge_method") != "S256" || get("code_challenge").len() != 43 || get("state").len() < 16 {
        return Answer::text(400, "invalid_request: PKCE");
    }
    let location = if sso.denies {
        format!("{redirect_uri}?error=access_denied&error_description=no&state={}", get("state"))
    } else {
        let code = sso.next("code");
        let grant =
            CodeGrant { client_id: get("client_id"), redirect_uri: redirect_uri.clone(), challenge: get("code_challenge") };
        sso.codes.insert(code.clone(), grant);
        format!("{redirect_uri}?code={code}&state={}", get("state"))
    };
    Answer { headers: vec![("location", location)], ..Answer::text(302, "") }
}

pub fn device_authorization(world: &mut World, body: &Value) -> Answer {
    let sso = &mut world.identity_center;
    if !is_client(sso, body) {
        return Answer::refusal(401, "InvalidClientException", "no such client");
    }
    if text(body, "startUrl").trim_end_matches('/') != START_URL {
        return invalid("startUrl");
    }
    let (code, polls) = (sso.next("device"), sso.device_polls);
    sso.devices.insert(code.clone(), DeviceGrant { client_id: text(body, "clientId").to_owned(), polls });
    let page = "https://device.sso.eu-west-1.amazonaws.com/";
    Answer::json(&json!({"deviceCode": code, "userCode": "ABCD-EFGH", "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code=ABCD-EFGH"), "expiresIn": 600, "interval": 1}))
}

fn is_client(sso: &IdentityCenter, body: &Value) -> bool {
    sso.clients.get(text(body, "clientId")).is_some_and(|client| client.secret == text(body, "clientSecret"))
}

pub fn token(world: &mut World, body: &Value) -> Answer {
    let sso = &mut world.identity_center;
    if !is_client(sso, body) {
        return Answer::refusal(401, "InvalidClientException", "no such client");
    }
    let client_id = text(body, "clientId").to_owned();
    let bad_grant = || Answer::refusal(400, "InvalidGrantException", "Invalid grant provided");
    match text(body, "grantType") {
        CODE_GRANT => {
            // Each code serves once, whatever comes of it.
            let Some(grant) = sso.codes.remove(text(body, "code")) else { return bad_grant() };
            let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(text(body, "codeVerifier")));
            if grant.client_id != client_id || grant.redirect_uri != text(body, "redirectUri") || grant.challenge != challenge {
                return bad_grant();
            }
        }
        DEVICE_GRANT => {
            let Some(device) = sso.devices.get_mut(text(body, "deviceCode")).filter(|device| device.client_id == client_id)
            else {
                return bad_grant();
            };
            if device.polls > 0 {
                device.polls -= 1;
                let first = device.polls + 1 == sso.device_polls && sso.device_polls > 1;
                let code = if first { "SlowDownException" } else { "AuthorizationPendingException" };
                return Answer::refusal(400, code, "");
            }
            sso.devices.remove(text(body, "deviceCode"));
            if sso.denies {
                return Answer::refusal(400, "AccessDeniedException", "the person said no");
            }
        }
        "refresh_token" => {
            // Each refresh token serves once too.
            if sso.refresh_tokens.remove(text(body, "refreshToken")) != Some(client_id.clone()) {
                return bad_grant();
            }
        }
        _ => return Answer::refusal(400, "UnsupportedGrantTypeException", ""),
    }
    let now = world.now();
    let sso = &mut world.identity_center;
    let (access, refresh, seconds) = (sso.next("access"), sso.next("refresh"), sso.token_seconds);
    sso.tokens.insert(access.clone(), now + seconds);
    sso.refresh_tokens.insert(refresh.clone(), client_id);
    Answer::json(&json!({"accessToken": access, "refreshToken": refresh, "tokenType": "Bearer", "expiresIn": seconds}))
}

fn not_signed_in(world: &World, bearer: Option<&str>) -> Option<Answer> {
    let lives = bearer.and_then(|token| world.identity_center.tokens.get(token)).is_some_and(|expires| *expires > world.now());
    (!lives).then(|| Answer::refusal(401, "UnauthorizedException", "Session token not found or invalid"))
}

pub fn role_credentials(world: &mut World, bearer: Option<&str>, query: &HashMap<String, String>) -> Answer {
    if let Some(refusal) = not_signed_in(world, bearer) {
        return refusal;
    }
    let (account, role) =
        (query.get("account_id").cloned().unwrap_or_default(), query.get("role_name").cloned().unwrap_or_default());
    let assigned = world.identity_center.accounts.iter().any(|known| known.id == account && known.roles.contains(&role));
    if !assigned {
        return Answer::refusal(403, "ForbiddenException", "No access");
    }
    let arn = format!("arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{role}");
    let name = format!("arn:aws:sts::{account}:assumed-role/AWSReservedSSO_{role}/jane");
    let principal = Principal { arn, account, assumed_role_session: Some(name), mfa: false, long_lived: false };
    let (id, session) = world.open_session(principal, 3_600);
    Answer::json(&json!({"roleCredentials": {"accessKeyId": id, "secretAccessKey": session.secret,
        "sessionToken": session.token, "expiration": session.expires * 1000}}))
}

/// One item a page, so that pages are read.
pub fn accounts(world: &World, bearer: Option<&str>, query: &HashMap<String, String>) -> Answer {
    let items: Vec<_> = world
        .identity_center
        .accounts
        .iter()
        .map(|account| json!({"accountId": account.id, "accountName": account.name, "emailAddress": "a@example.com"}))
        .collect();
    not_signed_in(world, bearer).unwrap_or_else(|| page("accountList", &items, query))
}

pub fn roles(world: &World, bearer: Option<&str>, query: &HashMap<String, String>) -> Answer {
    let account = query.get("account_id").map(String::as_str).unwrap_or_default();
    let of_account = world.identity_center.accounts.iter().find(|known| known.id == account);
    let items: Vec<_> = of_account
        .iter()
        .flat_map(|account| &account.roles)
        .map(|role| json!({"accountId": account, "roleName": role}))
        .collect();
    not_signed_in(world, bearer).unwrap_or_else(|| page("roleList", &items, query))
}

fn page(name: &str, items: &[Value], query: &HashMap<String, String>) -> Answer {
    let at: usize = query.get("next_token").and_then(|token| token.parse().ok()).unwrap_or(0);
    let next = (at + 1 < items.len()).then(|| (at + 1).to_string());
    Answer::json(&json!({name: items.get(at..=at).unwrap_or_default(), "nextToken": next}))
}
