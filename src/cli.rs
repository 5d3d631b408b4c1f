//! Owns the command line: what may be written there, and its help. Parsing never does anything.

use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

/// AWS credentials per directory, in your own shell.
#[derive(Debug, Parser)]
#[command(
    name = "awsenv",
    version,
    about,
    max_term_width = 100,
    after_help = "Start here:\n  eval \"$(awsenv hook zsh)\"     # in ~/.zshrc; also bash, fish and nu\n  cd ~/work/acme && awsenv use acme-dev\n"
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// Shells that have a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HookShell {
    Bash,
    Zsh,
    Fish,
    Nu,
}

impl HookShell {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            HookShell::Bash => "bash",
            HookShell::Zsh => "zsh",
            HookShell::Fish => "fish",
            HookShell::Nu => "nu",
        }
    }
}

/// Formats of `awsenv env`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EnvFormat {
    /// `export NAME='value'` for POSIX shells
    Env,
    /// an object of names and values
    Json,
    /// `set -gx NAME 'value'`
    Fish,
    /// a record for `load-env`
    Nu,
    /// `NAME=value` for `.env` files
    Dotenv,
    /// `$env:NAME = 'value'`
    Powershell,
    /// `NAME=value` for `docker run --env-file`
    Docker,
    /// a section of `~/.aws/credentials`
    Ini,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the hook for a shell
    #[command(
        after_help = "Examples:\n  eval \"$(awsenv hook bash)\"                 # ~/.bashrc\n  eval \"$(awsenv hook zsh)\"                  # ~/.zshrc\n  awsenv hook fish | source                  # ~/.config/fish/config.fish\n  awsenv hook nu | save -f ($nu.default-config-dir | path join autoload awsenv.nu)"
    )]
    Hook {
        shell: HookShell,
        /// In bash, wrap `cd` too, so that `cd DIR && COMMAND` sees the credentials of DIR
        #[arg(long)]
        cd: bool,
    },
    /// Print the statements that bring a shell to the directory's state (what the hook runs)
    #[command(after_help = "Example:\n  awsenv export json")]
    Export {
        /// bash, zsh, fish, nu or json
        shell: String,
    },
    /// Write `.awsprofile` here, and trust it
    #[command(
        after_help = "Examples:\n  awsenv use acme-dev\n  awsenv use acme-dev --region eu-west-1\n  awsenv use none                # no AWS identity below here"
    )]
    Use {
        profile: String,
        /// The region for programs below here
        #[arg(long)]
        region: Option<String>,
    },
    /// Use a profile in this shell, whatever the directory
    #[command(after_help = "Examples:\n  awsenv shell acme-prod\n  awsenv shell --unset")]
    Shell {
        #[arg(required_unless_present = "unset", conflicts_with = "unset")]
        profile: Option<String>,
        /// Go back to what the directory asks for
        #[arg(long)]
        unset: bool,
        /// The shell that evaluates the output; the hook says it
        #[arg(long = "for", hide = true)]
        shell: Option<String>,
    },
    /// Trust a `.awsprofile`, after showing what it will do
    #[command(after_help = "Examples:\n  awsenv allow\n  awsenv allow ~/work/acme")]
    Allow {
        /// A `.awsprofile` or its directory; without it the nearest one
        path: Option<PathBuf>,
    },
    /// Block a `.awsprofile`
    #[command(after_help = "Example:\n  awsenv deny ~/downloads/project")]
    Deny {
        /// A `.awsprofile` or its directory; without it the nearest one
        path: Option<PathBuf>,
    },
    /// Show what is loaded, from which file, until when, and why not if not
    #[command(after_help = "Examples:\n  awsenv status\n  awsenv status --json | jq .profile")]
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Print the prompt segment
    #[command(
        after_help = "Examples:\n  awsenv prompt\n  awsenv prompt --format '{alias} {remaining}'\n  PS1='$(awsenv prompt --shell bash) \\$ '\n\nFields: {profile} {account} {alias} {region} {role} {remaining} {expires_at}"
    )]
    Prompt {
        /// Escape and colour it for this shell's prompt
        #[arg(long)]
        shell: Option<HookShell>,
        /// What to show; the setting `prompt.format` is the default
        #[arg(long)]
        format: Option<String>,
    },
    /// Sign in now, whatever is cached
    #[command(
        after_help = "Examples:\n  awsenv login\n  awsenv login acme-dev --mfa-code 123456\n  ykman oath accounts code --single aws | awsenv login --mfa-code -"
    )]
    Login {
        profile: Option<String>,
        /// The MFA code; `-` reads it from standard input
        #[arg(long, value_name = "CODE")]
        mfa_code: Option<String>,
    },
    /// Forget cached sessions
    #[command(after_help = "Examples:\n  awsenv logout\n  awsenv logout acme-dev\n  awsenv logout --all")]
    Logout {
        #[arg(conflicts_with = "all")]
        profile: Option<String>,
        /// Every session of every profile
        #[arg(long)]
        all: bool,
    },
    /// Print credentials for other programs
    #[command(
        after_help = "Examples:\n  eval \"$(awsenv env --profile acme-dev --format env)\"\n  awsenv env --format nu | from nuon | load-env\n  awsenv env --profile acme-dev --format docker > acme.env && docker run --env-file acme.env image"
    )]
    Env {
        #[arg(long)]
        profile: Option<String>,
        #[arg(long)]
        format: EnvFormat,
    },
    /// Run a command with a profile's credentials
    #[command(
        after_help = "Examples:\n  awsenv exec --profile acme-dev -- aws s3 ls\n  awsenv exec --profile acme-dev --server -- ./a-long-migration\n  awsenv exec --profile acme-prod          # your shell"
    )]
    Exec {
        #[arg(long)]
        profile: Option<String>,
        /// Let the command ask the credential server, so that it outlives its session
        #[arg(long)]
        server: bool,
        /// The command and its arguments; your shell, if there is none
        #[arg(last = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
    /// Print credentials as a `credential_process` of ~/.aws/config does
    #[command(
        after_help = "Example, in ~/.aws/config:\n  [profile for-programs]\n  credential_process = awsenv credential-process --profile acme-dev"
    )]
    CredentialProcess {
        #[arg(long)]
        profile: Option<String>,
    },
    /// Open the AWS web console, signed in
    #[command(
        after_help = "Examples:\n  awsenv console --profile acme-dev\n  awsenv console --service s3 --region eu-west-1\n  awsenv console --print | wl-copy"
    )]
    Console {
        #[arg(long)]
        profile: Option<String>,
        /// A service's page, as it is named in the console's addresses
        #[arg(long)]
        service: Option<String>,
        #[arg(long)]
        region: Option<String>,
        /// Print the address instead of opening it; whoever has it is signed in
        #[arg(long)]
        print: bool,
    },
    /// Start, end or look at the local credential server
    #[command(after_help = "Examples:\n  awsenv server status\n  awsenv server start --bind 169.254.170.2      # for containers")]
    Server {
        #[command(subcommand)]
        command: ServerCommand,
    },
    /// List every profile with its kind, account, region and session state
    #[command(
        after_help = "Examples:\n  awsenv profiles\n  awsenv profiles | cut -f1      # tabs, where the output is no terminal\n  awsenv profiles --json | jq '.[] | select(.session.state == \"valid\").name'"
    )]
    Profiles {
        #[arg(long)]
        json: bool,
    },
    /// Show the chain that a profile resolves to, and where each value was read
    #[command(after_help = "Examples:\n  awsenv explain\n  awsenv explain acme-dev --json | jq .steps")]
    Explain {
        profile: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Sign in to IAM Identity Center, and make profiles of what is assigned there
    Sso {
        #[command(subcommand)]
        command: SsoCommand,
    },
    /// Print the completion script for a shell
    #[command(
        after_help = "Examples:\n  awsenv completions bash > ~/.local/share/bash-completion/completions/awsenv\n  awsenv completions fish > ~/.config/fish/completions/awsenv.fish"
    )]
    Completions { shell: HookShell },
}

#[derive(Debug, Subcommand)]
pub enum SsoCommand {
    /// Sign in, in the browser; the AWS CLI and the SDKs use the same sign-in
    #[command(
        after_help = "Examples:\n  awsenv sso login\n  awsenv sso login acme-dev\n  awsenv sso login --sso-session corp --device-code"
    )]
    Login {
        /// A profile that signs in there; else the directory's
        profile: Option<String>,
        /// A `[sso-session NAME]` of ~/.aws/config
        #[arg(long, value_name = "NAME", conflicts_with = "profile")]
        sso_session: Option<String>,
        /// Enter a code in a browser anywhere (the default over SSH, and where there is no browser)
        #[arg(long)]
        device_code: bool,
    },
    /// Write a profile for every account and role that is assigned to you into ~/.aws/config
    #[command(
        after_help = "Examples:\n  awsenv sso populate --dry-run\n  awsenv sso populate --sso-session corp --prefix corp- --region eu-west-1\n\nFields of the template: {account_name} {account_id} {role_name} {session}"
    )]
    Populate {
        /// A `[sso-session NAME]` of ~/.aws/config; not needed if there is only one
        #[arg(long, value_name = "NAME")]
        sso_session: Option<String>,
        /// How to name the profiles
        #[arg(long, default_value = crate::sso::populate::DEFAULT_TEMPLATE)]
        template: String,
        /// What each name begins with
        #[arg(long, default_value = "")]
        prefix: String,
        /// The region of each profile
        #[arg(long)]
        region: Option<String>,
        /// Show the change, and make none
        #[arg(long)]
        dry_run: bool,
        /// Remove profiles of what is assigned no more
        #[arg(long)]
        prune: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ServerCommand {
    /// Start it (`export = server` and `exec --server` start it by themselves)
    #[command(after_help = "Example:\n  awsenv server start --bind 169.254.170.2 --port 8998")]
    Start {
        /// Listen at this address too, for containers
        #[arg(long, value_name = "ADDRESS")]
        bind: Option<IpAddr>,
        /// Listen at this port; otherwise at a free one
        #[arg(long)]
        port: Option<u16>,
    },
    /// End it
    #[command(after_help = "Example:\n  awsenv server stop")]
    Stop,
    /// Whether it runs, and where
    #[command(after_help = "Example:\n  awsenv server status --json | jq .pid")]
    Status {
        #[arg(long)]
        json: bool,
    },
}
