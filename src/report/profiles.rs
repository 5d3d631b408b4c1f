//! Owns the list of all profiles.

use super::SessionState;
use std::collections::{HashMap, HashSet};

use crate::context::Context;
use crate::credentials::{CacheKey, CredentialPlan, Step};
use crate::error::{Error, Result};
use crate::provider::aws_files;
use crate::session::{Header, SessionCache};
use crate::settings::Settings;

/// One profile.
#[derive(Clone, Debug)]
pub struct ProfileRow {
    pub name: String,
    /// None if it cannot be used.
    pub kind: Option<&'static str>,
    pub account_id: Option<String>,
    pub region: Option<String>,
    pub role_arn: Option<String>,
    pub mfa_serial: Option<String>,
    pub session: SessionState,
    /// Why it cannot be used.
    pub reason: Option<Error>,
}

/// Every profile of the user's files, by name.
///
/// # Errors
/// When the files cannot be read.
pub fn profiles(context: &Context, settings: &Settings) -> Result<Vec<ProfileRow>> {
    let files = aws_files::of_user(context)?;
    let kept = Kept::new(&SessionCache::new(context, settings.cache));
    let now = context.now();
    let row = |name: &String| match files.resolve(name, context) {
        Ok(resolved) => {
            let plan = CredentialPlan::new(&resolved, None);
            ProfileRow {
                name: name.clone(),
                kind: Some(plan.last().kind()),
                account_id: plan.account_for_display(),
                region: resolved.region,
                role_arn: plan.role_arn().map(str::to_owned),
                mfa_serial: plan.steps.iter().find_map(Step::mfa_serial).map(str::to_owned),
                session: SessionState::of(kept.header(&plan), now),
                reason: None,
            }
        }
        Err(error) => ProfileRow {
            name: name.clone(),
            kind: None,
            account_id: None,
            region: files.profiles[name].get("region").cloned(),
            role_arn: files.profiles[name].get("role_arn").cloned(),
            mfa_serial: None,
            session: SessionState::None,
            reason: Some(error),
        },
    };
    Ok(files.profiles.keys().map(row).collect())
}

/// The sessions in the cache. Most profiles have none, which their kind and account tell before anything is hashed.
struct Kept {
    headers: HashMap<CacheKey, Header>,
    known: HashSet<(String, Option<String>)>,
}

impl Kept {
    fn new(cache: &SessionCache<'_>) -> Self {
        let headers = cache.headers();
        let known = headers.values().map(|header| (header.kind.clone(), header.account_id.clone())).collect();
        Kept { headers, known }
    }

    fn header(&self, plan: &CredentialPlan) -> Option<&Header> {
        let of = |account: Option<&str>| (plan.last().kind().to_owned(), account.map(str::to_owned));
        let account = plan.account_id();
        // An account that no ARN names may have been learned from AWS since.
        let may_be = account.is_none() || self.known.contains(&of(account)) || self.known.contains(&of(None));
        if may_be { self.headers.get(&plan.cache_key(plan.steps.len() - 1)) } else { None }
    }
}
