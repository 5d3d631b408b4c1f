//! What exists in the fake: users, keys, devices, roles, sessions; and how it shall misbehave.

use std::collections::{HashMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use super::identity_center::IdentityCenter;
use super::machine::Machine;
use super::signin::SignInSession;
use data_encoding::BASE32_NOPAD;
use totp_rs::{Algorithm, Builder, Totp};

pub fn system_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    pub active: bool,
}

/// A virtual MFA device, with RFC 6238's codes of 30 s.
#[derive(Clone, Debug)]
pub struct Device {
    pub serial: String,
    pub seed: [u8; 20],
    pub last_step: Option<u64>,
}

impl Device {
    fn totp(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_skew(1)
            .with_step_duration(30)
            .with_secret(self.seed)
            .build_noncompliant()
    }

    pub fn code_at(&self, seconds: u64) -> String {
        self.totp().generate(seconds).to_string()
    }

    /// Takes a code of this step or its neighbours, if it is newer than the last one taken.
    pub fn take(&mut self, code: &str, seconds: u64) -> bool {
        match self.totp().check(code, seconds) {
            Some(step) if self.last_step.is_none_or(|last| step > last) => {
                self.last_step = Some(step);
                true
            }
            _ => false,
        }
    }
}

#[derive(Clone, Debug)]
pub struct User {
    pub account: String,
    pub name: String,
    pub keys: Vec<AccessKey>,
    pub device: Option<Device>,
    /// ARNs of roles that its policies let it assume.
    pub may_assume: Vec<String>,
}

impl User {
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:user/{}", self.account, self.name)
    }
}

#[derive(Clone, Debug)]
pub struct RoleSpec {
    pub arn: String,
    /// ARNs of users and roles, or `arn:aws:iam::ACCOUNT:root`.
    pub trusts: Vec<String>,
    pub external_id: Option<String>,
    pub requires_mfa: bool,
    pub max_seconds: u64,
    pub may_assume: Vec<String>,
}

impl RoleSpec {
    pub fn new(arn: &str, trusts: &str) -> Self {
        RoleSpec {
            arn: arn.into(),
            trusts: vec![trusts.into()],
            external_id: None,
            requires_mfa: false,
            max_seconds: 3600,
            may_assume: vec![],
        }
    }

    pub fn requiring_mfa(mut self) -> Self {
        self.requires_mfa = true;
        self
    }

    pub fn may_assume(mut self, role_arn: &str) -> Self {
        self.may_assume.push(role_arn.into());
        self
    }

    pub fn external_id(mut self, id: &str) -> Self {
        self.external_id = Some(id.into());
        self
    }

    pub fn max_seconds(mut self, seconds: u64) -> Self {
        self.max_seconds = seconds;
        self
    }
}

/// Whose credentials a request was signed with.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user, or the role.
    pub arn: String,
    pub account: String,
    pub assumed_role_session: Option<String>,
    pub mfa: bool,
    /// Whether long-lived keys were used.
    pub long_lived: bool,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub secret: String,
    pub token: String,
    pub principal: Principal,
    pub expires: u64,
}

/// What happens to the next request, instead of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Throttle,
    Status(u16),
    Garbage,
    Reset,
    Truncate,
    Hang,
}

#[derive(Clone, Debug)]
pub struct LoggedRequest {
    pub action: String,
    pub parameters: HashMap<String, String>,
    pub access_key_id: String,
    pub region: String,
}

#[derive(Default)]
pub struct World {
    pub users: Vec<User>,
    pub roles: Vec<RoleSpec>,
    /// Tokens of another identity provider, and their subjects; none for one that has expired.
    pub web_identities: HashMap<String, Option<String>>,
    pub identity_center: IdentityCenter,
    pub machine: Machine,
    /// Sign-ins of the console, and whose they are.
    pub console_tokens: HashMap<String, String>,
    pub sign_in: Option<SignInSession>,
    pub sessions: HashMap<String, Session>,
    pub faults: VecDeque<Fault>,
    pub log: Vec<LoggedRequest>,
    /// Seconds that AWS's clock is ahead of this machine's.
    pub clock_ahead: i64,
    /// If set, every session lives this long, whatever was asked.
    pub session_seconds: Option<u64>,
    /// Milliseconds before each answer.
    pub delay_ms: u64,
    /// Counts sessions.
    pub serial: u64,
}

impl World {
    pub fn now(&self) -> u64 {
        system_seconds().saturating_add_signed(self.clock_ahead)
    }

    pub fn device(&self, serial: &str) -> Option<&Device> {
        self.users.iter().filter_map(|user| user.device.as_ref()).find(|device| device.serial == serial)
    }

    pub fn device_mut(&mut self, serial: &str) -> Option<&mut Device> {
        self.users.iter_mut().filter_map(|user| user.device.as_mut()).find(|device| device.serial == serial)
    }

    /// The secret of a key that may be used, and whose it is.
    pub fn signer(
        &self,
        access_key_id: &str,
        token: Option<&str>,
    ) -> Result<(String, Principal), (u16, &'static str, &'static str)> {
        let unknown = (403, "InvalidClientTokenId", "The security token included in the request is invalid.");
        if let Some(session) = self.sessions.get(access_key_id) {
            if token != Some(session.token.as_str()) {
                return Err(unknown);
            }
            if session.expires <= self.now() {
                return Err((403, "ExpiredToken", "The security token included in the request is expired"));
            }
            return Ok((session.secret.clone(), session.principal.clone()));
        }
        let of_key = |user: &User| {
            user.keys.iter().find(|key| key.id == access_key_id && key.active).map(|key| (key.secret.clone(), user.clone()))
        };
        let (secret, user) = self.users.iter().find_map(of_key).filter(|_| token.is_none()).ok_or(unknown)?;
        let principal =
            Principal { arn: user.arn(), account: user.account, assumed_role_session: None, mfa: false, long_lived: true };
        Ok((secret, principal))
    }

    pub fn open_session(&mut self, principal: Principal, seconds: u64) -> (String, Session) {
        self.serial += 1;
        let id = access_key_id("ASIA", &principal.account, self.serial);
        let session = Session {
            secret: format!("secret/{:035}", self.serial),
            token: format!("FwoGZXIvYXdzE{:0>300}//==", self.serial),
            principal,
            expires: self.now() + self.session_seconds.unwrap_or(seconds),
        };
        self.sessions.insert(id.clone(), session.clone());
        (id, session)
    }
}

/// An id that has the account in it, as AWS's have.
pub fn access_key_id(prefix: &str, account: &str, serial: u64) -> String {
    let account: u64 = account.parse().expect("digits");
    let number = 1 << 47 | account << 7;
    let bytes = [&number.to_be_bytes()[2..], &serial.to_be_bytes()[4..]].concat();
    format!("{prefix}{}", BASE32_NOPAD.encode(&bytes))
}
