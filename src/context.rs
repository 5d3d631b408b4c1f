//! Owns what the process was given: its environment, clock, directories and user. Everything else is handed this.
//! Never changes any of it, and knows nothing of AWS beyond the names of its variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::env_diff::{self, State};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// Names and values of environment variables.
pub type Environment = BTreeMap<String, Secret>;

/// Every variable that anything here reads or sets, for a caller that hands them over one by one. A test compares it
/// with the sources.
pub const VARIABLES: [&str; 64] = [
    "AWSENV_ACCOUNT_ID",
    "AWSENV_CACHE_DIR",
    "AWSENV_CONFIG",
    "AWSENV_DATA_DIR",
    "AWSENV_DIR",
    "AWSENV_DISABLE",
    "AWSENV_EXPIRATION",
    "AWSENV_LOG",
    "AWSENV_MFA",
    "AWSENV_PIN",
    "AWSENV_PROFILE",
    "AWSENV_PROMPT",
    "AWSENV_STATE",
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SIGNIN",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_MAX_ATTEMPTS",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
    "AWS_METADATA_SERVICE_TIMEOUT",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_EXPIRATION",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "BROWSER",
    "DISPLAY",
    "HOME",
    "NO_COLOR",
    "PATH",
    "PWD",
    "SHELL",
    "SSH_CONNECTION",
    "SSH_TTY",
    "TERM",
    "USER",
    "WAYLAND_DISPLAY",
    "WSL_DISTRO_NAME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];

/// The process's surroundings, read once.
#[derive(Clone, Debug)]
pub struct Context {
    /// The environment as it is.
    pub env: Environment,
    /// What awsenv has loaded into this environment, if anything.
    pub state: State,
    /// The working directory as the shell names it (through links, if the user came that way).
    pub cwd: PathBuf,
    /// Whether that name is the system's own: then there is no link in it.
    pub cwd_is_canonical: bool,
    /// The effective user.
    pub uid: u32,
    home: Option<PathBuf>,
    directories: [OnceLock<PathBuf>; 3],
}

impl Context {
    /// Reads the variables of the process's environment that anything here looks at. Values that are not UTF-8 count as
    /// unset: no AWS variable is.
    #[must_use]
    pub fn from_process() -> Self {
        let env: Environment = std::env::vars_os()
            .filter(|(name, _)| is_read(name.as_encoded_bytes()))
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?.into())))
            .collect();
        let uid = rustix::process::geteuid().as_raw();
        let home = home(&env);
        let (cwd, cwd_is_canonical) = working_directory(env.get("PWD").map(|pwd| Path::new(pwd.expose())));
        Context { cwd_is_canonical, ..Context::new(env, cwd, uid, home) }
    }

    #[must_use]
    pub fn new(env: Environment, cwd: PathBuf, uid: u32, home: Option<PathBuf>) -> Self {
        let state = State::from_environment(&env, uid);
        Context { env, state, cwd, cwd_is_canonical: false, uid, home, directories: Default::default() }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    /// A variable as the user made it, without what awsenv itself loaded; an empty one counts as unset.
    #[must_use]
    pub fn user_var(&self, name: &str) -> Option<&str> {
        self.state.users(&self.env, name).map(Secret::expose).filter(|value| !value.is_empty())
    }

    /// Gives a child this environment, which need not be that of the process: the nushell plugin has that of the shell's
    /// start.
    pub fn hand_to(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_read(name.as_encoded_bytes())) {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value.expose())));
    }

    /// The same, as the user made it, for a child that shall not see what awsenv loaded.
    pub fn hand_over_users(&self, command: &mut Command) {
        self.hand_to(command);
        env_diff::give(self.state.transition(&self.env, None).0, command);
    }

    /// A context in another environment than the process's: that of a shell which asks by a plugin.
    #[must_use]
    pub fn of_shell(variables: impl IntoIterator<Item = (String, String)>, cwd: PathBuf) -> Self {
        let read = variables.into_iter().filter(|(name, _)| is_read(name.as_bytes()));
        let env: Environment = read.map(|(name, value)| (name, value.into())).collect();
        let home = home(&env);
        Context::new(env, cwd, rustix::process::geteuid().as_raw(), home)
    }

    /// One of awsenv's own variables; an empty one counts as unset.
    #[must_use]
    pub fn own_var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(Secret::expose).filter(|value| !value.is_empty())
    }

    /// The file of certificates to trust: `AWS_CA_BUNDLE`, else what a profile says.
    #[must_use]
    pub fn ca_bundle(&self, of_profile: Option<&str>) -> Option<PathBuf> {
        self.user_var("AWS_CA_BUNDLE").or(of_profile).map(|path| self.expand_home(path))
    }

    /// The user's home directory: `HOME`, else what the system's user database says.
    ///
    /// # Errors
    /// When neither names one.
    pub fn home(&self) -> Result<&Path> {
        self.home.as_deref().filter(|home| home.is_absolute()).ok_or_else(|| {
            Error::new(Kind::Failed, "cannot find your files", "HOME is not set, and the system knows no home directory for you")
                .hint("export HOME=/your/home/directory")
        })
    }

    /// `~/…` made absolute.
    #[must_use]
    pub fn expand_home(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ if path == "~" => self.home.clone().unwrap_or_else(|| path.into()),
            _ => path.into(),
        }
    }

    /// The settings: `AWSENV_CONFIG`, else `awsenv/config.ini` under the user's configuration directory.
    ///
    /// # Errors
    /// When there is no home directory to look in.
    pub fn settings_file(&self) -> Result<PathBuf> {
        match self.own_var("AWSENV_CONFIG") {
            Some(path) => Ok(self.expand_home(path)),
            None => Ok(self.directory(0, "XDG_CONFIG_HOME", dirs::config_dir)?.join("config.ini")),
        }
    }

    /// Trust and the generation file: `AWSENV_DATA_DIR`, else `awsenv` under the user's data directory.
    ///
    /// # Errors
    /// When there is no home directory to look in.
    pub fn data_dir(&self) -> Result<PathBuf> {
        match self.own_var("AWSENV_DATA_DIR") {
            Some(path) => Ok(self.expand_home(path)),
            None => self.directory(1, "XDG_DATA_HOME", dirs::data_dir),
        }
    }

    /// Sessions: `AWSENV_CACHE_DIR`, else `awsenv` under the user's cache directory.
    ///
    /// # Errors
    /// When there is no home directory to look in.
    pub fn cache_dir(&self) -> Result<PathBuf> {
        match self.own_var("AWSENV_CACHE_DIR") {
            Some(path) => Ok(self.expand_home(path)),
            None => self.directory(2, "XDG_CACHE_HOME", dirs::cache_dir),
        }
    }

    /// Looked up once each: one turn of the hook asks several times.
    fn directory(&self, cell: usize, xdg: &str, of_system: fn() -> Option<PathBuf>) -> Result<PathBuf> {
        if let Some(known) = self.directories[cell].get() {
            return Ok(known.clone());
        }
        let base = match self.own_var(xdg).map(PathBuf::from).filter(|path| path.is_absolute()) {
            Some(path) => path,
            None => {
                self.home()?;
                of_system().ok_or_else(|| {
                    Error::failed("cannot find your files", format!("{xdg} is not set, and the system names no such directory"))
                })?
            }
        };
        Ok(self.directories[cell].get_or_init(|| base.join("awsenv")).clone())
    }

    /// The AWS configuration file: `AWS_CONFIG_FILE`, else `~/.aws/config`.
    ///
    /// # Errors
    /// When there is no home directory to look in.
    pub fn aws_config_file(&self) -> Result<PathBuf> {
        self.aws_file("AWS_CONFIG_FILE", "config")
    }

    /// The AWS credentials file: `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    ///
    /// # Errors
    /// When there is no home directory to look in.
    pub fn aws_credentials_file(&self) -> Result<PathBuf> {
        self.aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    }

    fn aws_file(&self, variable: &str, name: &str) -> Result<PathBuf> {
        match self.user_var(variable) {
            Some(path) => Ok(self.expand_home(path)),
            None => Ok(self.home()?.join(".aws").join(name)),
        }
    }

    /// Where a tmpfs of the user's own is, if the system made one.
    #[must_use]
    pub fn runtime_dir(&self) -> Option<PathBuf> {
        self.own_var("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// Whether a person reads the results.
    #[must_use]
    pub fn stdout_is_terminal(&self) -> bool {
        std::io::IsTerminal::is_terminal(&std::io::stdout())
    }

    /// Whether debug lines are wanted on standard error.
    #[must_use]
    pub fn debug(&self) -> bool {
        self.own_var("AWSENV_LOG").is_some_and(|level| matches!(level, "debug" | "trace"))
    }

    /// A line for `AWSENV_LOG=debug`. Callers hand over names and paths, never secrets.
    pub fn log(&self, line: impl FnOnce() -> String) {
        if self.debug() {
            eprintln!("awsenv: debug: {}", crate::error::printable(&line()));
        }
    }
}

fn home(env: &Environment) -> Option<PathBuf> {
    env.get("HOME").map(|home| PathBuf::from(home.expose())).filter(|home| home.is_absolute()).or_else(dirs::home_dir)
}

/// AWS's variables and awsenv's own, and those that say who and where the user is.
fn is_read(name: &[u8]) -> bool {
    const OTHERS: [&[u8]; 13] = [
        b"BROWSER",
        b"DISPLAY",
        b"HOME",
        b"NO_COLOR",
        b"PATH",
        b"PWD",
        b"SHELL",
        b"SSH_CONNECTION",
        b"SSH_TTY",
        b"TERM",
        b"USER",
        b"WAYLAND_DISPLAY",
        b"WSL_DISTRO_NAME",
    ];
    name.starts_with(b"AWS") || name.starts_with(b"XDG_") || OTHERS.contains(&name)
}

/// The directory as the shell names it, if that is where we are; else as the system does. In a deleted directory
/// the shell's name is all there is.
fn working_directory(pwd: Option<&Path>) -> (PathBuf, bool) {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let pwd = pwd.filter(|path| path.is_absolute());
    match (pwd, std::env::current_dir()) {
        (Some(pwd), Ok(cwd)) if pwd != cwd && identity(pwd) == identity(&cwd) => (pwd.to_owned(), false),
        (_, Ok(cwd)) => (cwd, true),
        (Some(pwd), Err(_)) => (pwd.to_owned(), false),
        (None, Err(_)) => (PathBuf::from("/"), true),
    }
}
