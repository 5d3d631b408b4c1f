//! Owns the first step of a plan: each source of credentials, asked in its own way.

use super::obtain::{Sessions, Walk};
use crate::credentials::{SessionCredentials, Step};
use crate::error::{Error, Kind, Result};
use crate::profile::{CredentialSource, SsoRole};
#[cfg(feature = "login")]
use crate::provider::login;
use crate::provider::portal::Portal;
use crate::provider::sts::Sts;
use crate::provider::{metadata, process};
use crate::sso::Tokens;

impl Sessions<'_> {
    /// The credentials of the plan's source, asked now.
    pub(super) fn ask_source(&mut self, walk: &mut Walk<'_>) -> Result<SessionCredentials> {
        let Step::Source { profile, source, account_id } = &walk.plan.steps[0] else {
            return Err(Error::failed("cannot sign in", "the plan begins with no source"));
        };
        self.context.log(|| format!("asking the source {} of profile {profile}", source.kind()));
        let mut credentials = match source {
            CredentialSource::Keys(keys) | CredentialSource::Environment(keys) => SessionCredentials::from(keys),
            CredentialSource::Process(command) => {
                process::run(self.context, profile, command, self.settings.process_timeout, self.codes.can_ask())?
            }
            CredentialSource::WebIdentity(role) => {
                let name = self.default_session_name();
                Sts(self.connection(walk)?).web_identity(role, &name)?
            }
            CredentialSource::InstanceMetadata(instance) => metadata::of_instance(self.connection(walk)?, instance)
                .map_err(|error| if walk.profile.unnamed { nothing_found(&error) } else { error })?,
            CredentialSource::Container(endpoint) => metadata::of_container(self.connection(walk)?, endpoint)?,
            CredentialSource::Sso(role) => self.sso_role(walk, role)?,
            #[cfg(feature = "login")]
            CredentialSource::Login(session) => login::credentials(self.connection(walk)?, session, profile)?,
            #[cfg(not(feature = "login"))]
            CredentialSource::Login(_) => {
                return Err(Error::failed(
                    format!("cannot use profile `{profile}`"),
                    "this awsenv was built without `login_session`",
                )
                .hint("cargo install awsenv --features login"));
            }
        };
        if credentials.account_id.is_none() {
            credentials.account_id.clone_from(account_id);
        }
        Ok(credentials)
    }

    /// The credentials of a role in IAM Identity Center.
    fn sso_role(&self, walk: &mut Walk<'_>, role: &SsoRole) -> Result<SessionCredentials> {
        let (connection, session) = (self.connection(walk)?, &role.session);
        let portal = Portal { connection, session };
        let tokens = Tokens { context: self.context, connection, session, sign_in: self.sso_sign_in, patience: self.patience };
        tokens.used_by(|token| portal.role_credentials(role, token))
    }
}

fn nothing_found(last: &Error) -> Error {
    Error::new(
        Kind::Failed,
        "no credentials found",
        format!(
            "no profile was named, and there are none in the environment, in a profile `default`, or from this machine ({})",
            last.why()
        ),
    )
    .hint("awsenv profiles lists the profiles; name one: --profile PROFILE, AWS_PROFILE=PROFILE, or awsenv use PROFILE")
}
