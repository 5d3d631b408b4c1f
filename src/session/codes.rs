//! Owns one-time codes on their way to AWS: what a code looks like, and that none is ever sent twice (AWS takes each
//! once per device, and answers a repetition as it answers a wrong code).

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::error::{Error, Kind, Result};
use crate::private_file;
use crate::secret::Secret;

/// Seconds that a code is shown for. <https://www.rfc-editor.org/rfc/rfc6238#section-4.1>
const STEP_SECONDS: i64 = 30;
/// AWS takes the codes of the step before and after too, so a code is dead three steps after it was sent.
const DEAD_AFTER_STEPS: i64 = 3;

/// The question that a person is asked.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub mfa_serial: &'a str,
    /// What was wrong with the code before.
    pub problem: Option<&'a Error>,
    /// Seconds until the device shows a code that was not sent yet.
    pub wait_seconds: Option<i64>,
}

/// Where one-time codes come from.
pub trait TokenCodes {
    /// The next code.
    ///
    /// # Errors
    /// When there is nobody to ask, or the person declined (kind `SignInNeeded`).
    fn next(&mut self, ask: &Ask<'_>) -> Result<Secret>;

    /// How often a code may be wrong.
    fn tries(&self) -> u32;

    /// Whether a person is there to be asked.
    fn can_ask(&self) -> bool {
        false
    }

    /// Whether a person was asked.
    fn asked(&self) -> bool {
        false
    }
}

/// Nobody can be asked.
pub struct NoCodes {
    pub why: &'static str,
}

impl TokenCodes for NoCodes {
    fn next(&mut self, ask: &Ask<'_>) -> Result<Secret> {
        Err(Error::new(Kind::SignInNeeded, format!("an MFA code for {} is needed", ask.mfa_serial), self.why)
            .hint("awsenv login"))
    }

    fn tries(&self) -> u32 {
        1
    }
}

/// What is remembered of the last code that was sent for one device.
pub(super) struct SentCodes {
    path: Option<PathBuf>,
    last: Option<(String, i64)>,
}

impl SentCodes {
    pub(super) fn of_device(cache_dir: Option<&Path>, mfa_serial: &str) -> Self {
        let path = cache_dir.map(|directory| directory.join("codes").join(hash(&[mfa_serial])));
        let last = path.as_ref().and_then(|path| fs::read_to_string(path).ok()).and_then(|text| {
            let (digest, step) = text.split_once(' ')?;
            Some((digest.to_owned(), step.trim().parse().ok()?))
        });
        SentCodes { path, last }
    }

    /// Takes over what another process recorded since; what this one knows outlives a cache that keeps nothing.
    pub(super) fn refresh(&mut self, recorded: SentCodes) {
        let step = |codes: &SentCodes| codes.last.as_ref().map(|(_, step)| *step);
        if step(&recorded) >= step(self) {
            self.last = recorded.last;
        }
    }

    /// Seconds until the device shows a code that cannot have been sent: none, if the one that it shows was not.
    pub(super) fn wait_seconds(&self, now: i64) -> Option<i64> {
        let (_, step) = self.last.as_ref()?;
        (*step == now / STEP_SECONDS).then_some(STEP_SECONDS - now % STEP_SECONDS)
    }

    /// Checks a code, and records it as sent before it is: after a crash it must not be sent again either.
    pub(super) fn spend(&mut self, mfa_serial: &str, code: &Secret, now: i64) -> Result<()> {
        let text = code.expose();
        if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(Kind::Usage, "cannot use this MFA code", "a code has six digits")
                .hint("enter the six digits that the device shows"));
        }
        let (digest, step) = (hash(&[mfa_serial, text]), now / STEP_SECONDS);
        if self.last.as_ref().is_some_and(|(last, sent)| *last == digest && (step - sent) < DEAD_AFTER_STEPS) {
            let seconds = STEP_SECONDS - now % STEP_SECONDS;
            return Err(Error::new(
                Kind::SignInNeeded,
                "cannot use this MFA code",
                "it was used already, and AWS takes each code once",
            )
            .hint(format!("wait {seconds} s for the next code")));
        }
        if let Some(path) = &self.path {
            // Without a writable cache the memory lasts as long as this process.
            let _best_effort = private_file::replace(path, format!("{digest} {step}").as_bytes());
        }
        self.last = Some((digest, step));
        Ok(())
    }
}

fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    HEXLOWER.encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JANE: &str = "arn:aws:iam::111111111111:mfa/jane";

    fn spend(cache: Option<&Path>, code: &str, now: i64) -> Result<()> {
        SentCodes::of_device(cache, JANE).spend(JANE, &Secret::new(code), now)
    }

    #[test]
    fn a_code_is_spent_once_across_processes() {
        let home = tempfile::tempdir().expect("a directory");
        let cache = Some(home.path());
        spend(cache, "123456", 60).expect("the first time");
        let again = spend(cache, "123456", 71).expect_err("the second time");
        assert_eq!(again.kind, Kind::SignInNeeded);
        assert_eq!(again.hint_text().as_deref(), Some("wait 19 s for the next code"));
        assert!(spend(cache, "123456", 149).is_err());
        spend(cache, "654321", 71).expect("another code");
        spend(cache, "123456", 400).expect("the same digits, much later");
    }

    #[test]
    fn the_wait_is_told_within_the_step() {
        let home = tempfile::tempdir().expect("a directory");
        spend(Some(home.path()), "123456", 62).expect("sent");
        let sent = SentCodes::of_device(Some(home.path()), JANE);
        assert_eq!((sent.wait_seconds(75), sent.wait_seconds(90)), (Some(15), None));
    }

    #[test]
    fn what_another_process_sent_meanwhile_counts() {
        let home = tempfile::tempdir().expect("a directory");
        let mut ours = SentCodes::of_device(Some(home.path()), JANE);
        spend(Some(home.path()), "123456", 60).expect("sent elsewhere");
        ours.refresh(SentCodes::of_device(Some(home.path()), JANE));
        assert!(ours.spend(JANE, &Secret::new("123456"), 61).is_err());
        ours.spend(JANE, &Secret::new("654321"), 90).expect("the next one");
        ours.refresh(SentCodes::of_device(None, JANE));
        assert!(ours.spend(JANE, &Secret::new("654321"), 91).is_err());
    }

    #[test]
    fn a_code_is_six_digits() {
        for code in ["", "12345", "1234567", "12345a", "１２３４５６", "123 56"] {
            assert_eq!(spend(None, code, 0).expect_err("refused").kind, Kind::Usage, "{code}");
        }
    }
}
