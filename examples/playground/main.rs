//! awsenv without an AWS account: a strict fake AWS on loopback, a throw-away home with profiles and projects, and a
//! shell in it. When the shell ends, all of it is gone.
//!
//!     cargo run --release --example playground          # your own shell
//!     cargo run --release --example playground fish     # another one

#[path = "../../tests/support/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "shared with the tests")]
mod support;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use support::fake_aws::START_URL;
use support::home::{DEVICE, Home, world};

const WELCOME: &str = "
  This is awsenv's playground. The AWS in it is a fake on this machine, and the home directory is thrown away.

    cd acme              its .awsprofile says `dev`, a role that demands MFA: you are asked for a code
    authenticator        prints that code (each works once; the next comes within 30 s)
    cd ../acme-prod      another account: `awsenv allow` first; no second code is needed
    cd                   everything is as it was before
    cd ../acme-sandbox   a role in IAM Identity Center: `awsenv sso login` first; the browser here signs in at once
    awsenv profiles      all of them; also: awsenv explain dev, awsenv sso populate --dry-run
    awsenv status        what is loaded; also: awsenv shell prod, awsenv use none, awsenv logout --all
    exit                 all is gone
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let called = arguments.next().unwrap_or_default();
    // The shell in the playground finds this same program under other names.
    match Path::new(&called).file_name().and_then(|name| name.to_str()) {
        Some("awsenv") => awsenv::process::main(),
        Some("authenticator") => authenticator(),
        Some("browser") => browser(arguments.next().and_then(|page| page.into_string().ok())),
        _ => play(arguments.next().and_then(|shell| shell.into_string().ok())),
    }
}

fn authenticator() -> ExitCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let world = world();
    let Some(device) = world.device(DEVICE) else { return ExitCode::FAILURE };
    println!("{}", device.code_at(now));
    eprintln!("(for {} s)", 30 - now % 30);
    ExitCode::SUCCESS
}

/// Signs in at once, as the person.
fn browser(page: Option<String>) -> ExitCode {
    match page.map(|page| support::browser::follow(&page)) {
        Some(Ok(_)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn play(named: Option<String>) -> ExitCode {
    let of_login = std::env::var("SHELL").ok();
    let shell = named.or(of_login).unwrap_or_else(|| "bash".to_owned());
    let name = Path::new(&shell).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let home = Home::new();
    if let Err(error) = furnish(&home) {
        eprintln!("playground: cannot set up {}: {error}", home.root.display());
        return ExitCode::FAILURE;
    }
    let Some(mut command) = shell_in(&home, &shell, name) else {
        eprintln!("playground: no hook for `{name}`; name a shell: cargo run --release --example playground bash|zsh|fish|nu");
        return ExitCode::from(2);
    };
    let kept =
        ["TERM", "COLORTERM", "LANG", "LC_ALL", "TZ"].into_iter().filter_map(|name| Some((name, std::env::var(name).ok()?)));
    command
        .envs(home.environment())
        .envs(kept)
        .env("SHELL", &shell)
        .env("BROWSER", "browser")
        .current_dir(&home.root)
        .env("PWD", &home.root);
    println!("{WELCOME}");
    let ended = command.status();
    match ended {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("playground: cannot start {shell}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Projects, settings, and the commands.
fn furnish(home: &Home) -> std::io::Result<()> {
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = dev, sandbox\n\n[prompt]\nproduction = prod\n\n[accounts]\n222222222222 = acme-dev\n333333333333 = acme-prod\n");
    home.append(
        ".aws/config",
        &format!("\n[sso-session corp]\nsso_start_url = {START_URL}\nsso_region = eu-west-1\n\n[profile sandbox]\nsso_session = corp\nsso_account_id = 444444444444\nsso_role_name = Admin\nregion = eu-west-1\n"),
    );
    home.write("acme/.awsprofile", "dev\n");
    home.write("acme-sandbox/.awsprofile", "sandbox\n");
    home.write("acme-prod/.awsprofile", "profile = prod\naccount_id = 333333333333\n");
    std::fs::create_dir_all(home.path("bin"))?;
    let this = std::env::current_exe()?;
    symlink(&this, home.path("bin/awsenv"))?;
    symlink(&this, home.path("bin/browser"))?;
    symlink(&this, home.path("bin/authenticator"))
}

/// The shell, with a start-up file that has the hook and the prompt of the README.
fn shell_in(home: &Home, shell: &str, name: &str) -> Option<Command> {
    let mut command = Command::new(shell);
    command.env_clear();
    match name {
        "bash" => {
            let rc = home.write(
                ".bashrc",
                "eval \"$(awsenv hook bash)\"\nPS1='${AWSENV_PROMPT:+$AWSENV_PROMPT_COLOR$AWSENV_PROMPT\\[\\e[0m\\] }\\w \\$ '\n",
            );
            command.arg("--noprofile").arg("--rcfile").arg(rc).arg("-i");
        }
        "zsh" => {
            home.write(".zshrc", "eval \"$(awsenv hook zsh)\"\nsetopt prompt_subst\nPROMPT='%F{$AWSENV_PROMPT_COLOR}${AWSENV_PROMPT:+$AWSENV_PROMPT }%f%~ %# '\n");
            command.args(["-d", "-i"]);
        }
        "fish" => {
            home.write(".config/fish/config.fish", "awsenv hook fish | source\nfunction fish_greeting; end\nfunction fish_prompt\n    if set -q AWSENV_PROMPT\n        set_color $AWSENV_PROMPT_COLOR\n        echo -n \"$AWSENV_PROMPT \"\n        set_color normal\n    end\n    echo -n (prompt_pwd) '> '\nend\n");
            command.arg("-i");
        }
        "nu" => {
            let binary = home.path("bin/awsenv");
            let hook = Command::new(binary).args(["hook", "nu"]).env_clear().envs(home.environment()).output().ok()?;
            home.write("hook.nu", &String::from_utf8(hook.stdout).ok()?);
            let config = home.write("config.nu", &format!("$env.config.show_banner = false\nsource {}\n$env.PROMPT_COMMAND = {{||\n    $\"(ansi ($env.AWSENV_PROMPT_COLOR? | default reset))($env.AWSENV_PROMPT? | default '')(ansi reset) ($env.PWD | path basename)\"\n}}\n", home.path("hook.nu").display()));
            command.arg("--config").arg(config).args(["--env-config", "/dev/null"]);
        }
        _ => return None,
    }
    Some(command)
}
