//! Real shells in a pseudo-terminal: types into them, reads their screen, and looks at the environment that the
//! programs they start see.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pty_process::blocking::{Command, Pty, open};

use crate::support::home::Home;

/// How long anything may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bash,
    Zsh,
    Fish,
    Nu,
    /// nu with awsenv's plugin.
    NuPlugin,
}

pub const EVERY_SHELL: [Kind; 5] = [Kind::Bash, Kind::Zsh, Kind::Fish, Kind::Nu, Kind::NuPlugin];

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Bash => "bash",
            Kind::Zsh => "zsh",
            Kind::Fish => "fish",
            Kind::Nu | Kind::NuPlugin => "nu",
        }
    }

    pub fn is_nu(self) -> bool {
        self.name() == "nu"
    }

    /// Sets and exports a variable.
    pub fn set(self, name: &str, value: &str) -> String {
        match self {
            Kind::Bash | Kind::Zsh => format!("export {name}='{value}'"),
            Kind::Fish => format!("set -gx {name} '{value}'"),
            Kind::Nu | Kind::NuPlugin => format!("$env.{name} = '{value}'"),
        }
    }

    fn rc(self, home: &Home, before: &str, after: &str) {
        let hook = format!("{} hook {}", env!("CARGO_BIN_EXE_awsenv"), self.name());
        match self {
            Kind::Bash => home.write(".bashrc", &format!("PS1='@@> '\n{before}\n\\eval \"$({hook})\"\n{after}\n")),
            Kind::Zsh => home.write(
                ".zshrc",
                &format!("PS1='@@> '\nunsetopt zle_bracketed_paste 2>/dev/null\n{before}\n\\eval \"$({hook})\"\n{after}\n"),
            ),
            Kind::Fish => home.write(
                ".config/fish/config.fish",
                &format!(
                    "function fish_prompt; echo -n '@@> '; end\nfunction fish_greeting; end\n{before}\n{hook} | source\n{after}\n"
                ),
            ),
            Kind::Nu | Kind::NuPlugin => {
                let text = home.run(&home.root, &["hook", "nu"]).succeeds().stdout;
                home.write("hook.nu", &text);
                home.write(
                    "config.nu",
                    &format!(
                        "$env.config.show_banner = false\n$env.PROMPT_COMMAND = {{|| '@@' }}\n$env.PROMPT_INDICATOR = '> '\n$env.PROMPT_COMMAND_RIGHT = {{|| '' }}\n{before}\nsource {}\n{after}\n",
                        home.path("hook.nu").display()
                    ),
                )
            }
        };
    }

    fn program(self, home: &Home, plugin: Option<&Path>) -> (String, Vec<String>) {
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        match self {
            Kind::Bash => ("bash".into(), text(&["--noprofile", "-i"])),
            Kind::Zsh => ("zsh".into(), text(&["-d", "-i"])),
            Kind::Fish => ("fish".into(), text(&["-i"])),
            Kind::Nu | Kind::NuPlugin => {
                let config = home.path("config.nu").display().to_string();
                let mut words = text(&["--config", &config, "--env-config", "/dev/null", "--no-history"]);
                if self == Kind::NuPlugin {
                    let plugin = plugin.map_or_else(nu_plugin, |path| path.display().to_string());
                    words.extend(["--plugins".to_owned(), format!("[{plugin}]")]);
                }
                (nu(), words)
            }
        }
    }
}

/// The test command puts `nu` of the pinned version where this says.
pub fn nu() -> String {
    std::env::var("AWSENV_TEST_NU").unwrap_or_else(|_| "nu".to_owned())
}

/// The test command builds the plugin, and says where.
pub fn nu_plugin() -> String {
    std::env::var("AWSENV_TEST_NU_PLUGIN").expect("run the tests by tests/run, which builds the plugin")
}

/// A program in a pseudo-terminal.
pub struct Terminal {
    name: String,
    pty: Arc<Pty>,
    child: Child,
    screen: Arc<Mutex<String>>,
    /// Where the part of the screen begins that was not looked at yet.
    cleared: Cell<usize>,
}

impl Terminal {
    pub fn start(name: &str, command: impl FnOnce() -> Command) -> Self {
        let (pty, pts) = open().expect("a pseudo-terminal");
        pty.resize(pty_process::Size::new(40, 300)).expect("resized");
        let child = command().spawn(pts).expect("the program is installed");
        let (pty, screen) = (Arc::new(pty), Arc::new(Mutex::new(String::new())));
        let (reader, text) = (Arc::clone(&pty), Arc::clone(&screen));
        std::thread::spawn(move || read_screen(&reader, &text));
        Terminal { name: name.to_owned(), pty, child, screen, cleared: Cell::default() }
    }

    /// Types a text as it is.
    pub fn type_text(&self, text: &str) {
        (&*self.pty).write_all(text.as_bytes()).expect("typed");
    }

    /// Types an answer to a question, and Enter.
    pub fn answer(&self, text: &str) {
        self.type_text(&format!("{text}\r"));
    }

    /// What was shown since the last `clear`.
    pub fn screen(&self) -> String {
        self.screen.lock().expect("no panic")[self.cleared.get()..].to_owned()
    }

    pub fn clear(&self) {
        self.cleared.set(self.screen.lock().expect("no panic").len());
    }

    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.until(&format!("`{text}`"), || self.screen().contains(text));
    }

    #[track_caller]
    pub fn until(&self, what: &str, done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < PATIENCE, "{}: no {what}; the screen:\n{}", self.name, self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the program's end; says whether it was a good one.
    pub fn wait(&mut self) -> bool {
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A shell that is running.
pub struct Shell<'h> {
    pub kind: Kind,
    home: &'h Home,
    terminal: Terminal,
    snaps: PathBuf,
    count: usize,
}

impl Deref for Shell<'_> {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl<'h> Shell<'h> {
    pub fn start(home: &'h Home, kind: Kind) -> Self {
        Shell::start_with(home, kind, "", "", &[])
    }

    /// `before` and `after` stand around the hook in the shell's start-up file.
    pub fn start_with(home: &'h Home, kind: Kind, before: &str, after: &str, environment: &[(&str, &str)]) -> Self {
        let mut shell = Shell::spawn(home, kind, before, after, environment, None);
        shell.environment();
        shell
    }

    /// nu with a plugin of its own.
    pub fn start_with_plugin(home: &'h Home, plugin: &Path) -> Self {
        let mut shell = Shell::spawn(home, Kind::NuPlugin, "", "", &[], Some(plugin));
        shell.environment();
        shell
    }

    /// Starts a shell whose start leads to the question for a code.
    #[track_caller]
    pub fn start_answering(home: &'h Home, kind: Kind, after: &str, code: &str) -> Self {
        let mut shell = Shell::spawn(home, kind, "", after, &[], None);
        shell.wait_for("@@");
        shell.answer("");
        shell.wait_for("awsenv: MFA code for");
        shell.answer(code);
        shell.environment();
        shell
    }

    fn spawn(home: &'h Home, kind: Kind, before: &str, after: &str, environment: &[(&str, &str)], plugin: Option<&Path>) -> Self {
        kind.rc(home, before, after);
        write_snap(home);
        let (program, arguments) = kind.program(home, plugin);
        let extra: BTreeMap<_, _> = environment.iter().copied().collect();
        let command =
            || Command::new(program).args(arguments).env_clear().envs(home.environment()).envs(extra).current_dir(&home.root);
        let terminal = Terminal::start(kind.name(), || command().env("PWD", &home.root));
        let snaps = home.path(&format!("snaps-{}-{}", kind.name(), terminal.pid()));
        fs::create_dir_all(&snaps).expect("made");
        Shell { kind, home, terminal, snaps, count: 0 }
    }

    /// Types a command line, and Enter.
    #[track_caller]
    pub fn line(&self, line: &str) {
        self.ready();
        self.type_text(&format!("{line}\r"));
    }

    /// nu loses what is typed before its prompt is there. It marks prompts (A) and the start of commands (C).
    #[track_caller]
    fn ready(&self) {
        if self.kind.is_nu() {
            self.until("prompt", || {
                let text = self.terminal.screen.lock().expect("no panic");
                text.rfind("\u{1b}]133;B").is_some_and(|prompt| text.rfind("\u{1b}]133;C").is_none_or(|command| command < prompt))
            });
        }
    }

    /// The environment that a program started here and now sees.
    #[track_caller]
    pub fn environment(&mut self) -> BTreeMap<String, String> {
        self.count += 1;
        let file = self.snaps.join(self.count.to_string());
        self.line(&format!("snap {}", file.display()));
        self.read_snap(&file)
    }

    #[track_caller]
    pub fn read_snap(&self, file: &Path) -> BTreeMap<String, String> {
        self.until(&format!("the file {}", file.display()), || file.exists());
        let text = fs::read_to_string(file).expect("written");
        text.split('\0')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// Runs a line, and returns what the programs after it see.
    #[track_caller]
    pub fn run(&mut self, line: &str) -> BTreeMap<String, String> {
        self.line(line);
        self.environment()
    }

    /// Answers the question for a code with the device's next one.
    #[track_caller]
    pub fn give_code(&self) {
        self.wait_for("awsenv: MFA code for");
        self.clear();
        let code = self.home.aws.fresh_code(crate::support::home::DEVICE);
        self.answer(&code);
    }

    /// Waits until the shell looks at the AWS files again: nu does so once in two seconds.
    pub fn settle(&self) {
        if self.kind.is_nu() {
            std::thread::sleep(Duration::from_millis(2200));
        }
    }
}

/// A terminal answers some questions that shells ask it: where the cursor is, and what it is.
fn read_screen(mut pty: &Pty, screen: &Mutex<String>) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = pty.read(&mut bytes) {
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        if text.contains("\u{1b}[6n") && pty.write_all(b"\x1b[1;1R").is_err() {
            return;
        }
        if text.contains("\u{1b}[c") && pty.write_all(b"\x1b[?62;c").is_err() {
            return;
        }
        screen.lock().expect("no panic").push_str(&text);
    }
}

/// `snap FILE`, in all shells alike, writes the environment that it is given.
fn write_snap(home: &Home) {
    use std::os::unix::fs::PermissionsExt;
    let path = home.write("bin/snap", "#!/bin/sh\nenv -0 > \"$1.part\" && mv \"$1.part\" \"$1\"\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("changed");
    let link = home.path("bin/awsenv");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_awsenv"), link).expect("linked");
    }
}

impl Home {
    /// How many processes a shell started, and programs it executed, during five prompts at which nothing happened.
    #[track_caller]
    pub fn count_runs(&self, pid: u32, shell: &Shell<'_>) -> usize {
        use std::process::{Command, Stdio};
        shell.line("");
        std::thread::sleep(Duration::from_millis(300));
        let log = self.path(&format!("strace-{pid}"));
        let mut strace = Command::new("strace");
        strace.args(["-f", "-e", "trace=fork,vfork,clone,clone3,execve", "-o"]).arg(&log).arg("-p").arg(pid.to_string());
        let mut strace = strace.stderr(Stdio::piped()).spawn().expect("strace is installed");
        let mut attached = [0; 16];
        strace.stderr.as_mut().expect("piped").read_exact(&mut attached).expect("strace attaches");
        for _ in 0..5 {
            let before = shell.screen().matches("@@").count();
            shell.line("");
            shell.until("prompt", || shell.screen().matches("@@").count() > before);
            std::thread::sleep(Duration::from_millis(50));
        }
        rustix::process::kill_process(rustix::process::Pid::from_child(&strace), rustix::process::Signal::INT)
            .expect("signalled");
        strace.wait().expect("it ends");
        // nu starts threads; they are not processes.
        let text = fs::read_to_string(log).expect("written");
        text.lines()
            .filter(|line| {
                line.contains("fork(") || line.contains("execve(") || (line.contains(" clone") && !line.contains("CLONE_THREAD"))
            })
            .count()
    }
}
