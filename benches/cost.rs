//! What awsenv costs, as ratios of runs that alternate in one process, since machines differ and are noisy.
//!
//!     cargo bench --bench cost
//!
//! With `AWSENV_BENCH_STATIC` naming a static build, that is measured too:
//!
//!     just static    # target/x86_64-unknown-linux-musl/release/awsenv

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "shared with the tests")]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::home::{DEVICE, Home};

/// Enough that a median of noisy runs repeats within a few percent.
const RUNS: usize = 400;

fn main() {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    let project = home.project("acme", "dev\n");
    let code = home.aws.fresh_code(DEVICE);
    let binary = &install(&home, "awsenv", Path::new(env!("CARGO_BIN_EXE_awsenv")));
    assert!(command(&home, binary, &home.root, &["login", "dev", "--mfa-code", &code]).status().expect("it runs").success());
    processes(&home, &project, binary);
    first_entry(&home);
    handing_over(&home, &project, binary);
    prompts(&home, &project, binary);
}

fn command(home: &Home, binary: &Path, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.args(arguments).env_clear().envs(home.environment()).current_dir(directory).env("PWD", directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A copy, as an installation makes one: the kernel maps what was written in one go with fewer faults than what a linker
/// wrote here and there, which is a fifth of the time of a start.
fn install(home: &Home, name: &str, built: &Path) -> PathBuf {
    let path = home.path("bin").join(name);
    std::fs::create_dir_all(home.path("bin")).expect("made");
    let content = std::fs::read(built).expect("it is built");
    std::fs::write(&path, content).expect("written");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("changed");
    path
}

/// Medians of commands that take turns.
fn medians(commands: &mut [(&str, Command)]) -> Vec<Duration> {
    let mut times = vec![Vec::new(); commands.len()];
    for _ in 0..RUNS {
        for ((_, command), times) in commands.iter_mut().zip(&mut times) {
            let start = Instant::now();
            assert!(command.status().expect("it runs").success());
            times.push(start.elapsed());
        }
    }
    times.iter_mut().map(|times| median(times)).collect()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn processes(home: &Home, project: &Path, binary: &Path) {
    println!("a process, /bin/true = 1.00");
    let fixed = std::env::var("AWSENV_BENCH_STATIC").ok().map(|path| install(home, "awsenv-static", Path::new(&path)));
    let mut commands = vec![
        ("/bin/true", command(home, Path::new("/bin/true"), project, &[])),
        ("default build, cached entry", command(home, binary, project, &["export", "bash"])),
    ];
    if let Some(path) = &fixed {
        commands.push(("static build, cached entry", command(home, path, project, &["export", "bash"])));
    }
    let few = report(&mut commands);
    let profile =
        |index| format!("[profile p{index}]\nrole_arn = arn:aws:iam::222222222222:role/r{index}\nsource_profile = security\n");
    let many = (0..5000).map(profile).collect::<Vec<_>>().concat();
    home.append(".aws/config", &many);
    // The first run after the edit parses the files again; the ones that are measured do not.
    for (_, command) in &mut commands {
        assert!(command.status().expect("it runs").success());
    }
    println!("the same with 5,000 profiles");
    let with_many = report(&mut commands);
    println!(
        "  5,000 profiles against five: {:.2}",
        with_many[1].as_secs_f64() / few[1].as_secs_f64() / (with_many[0].as_secs_f64() / few[0].as_secs_f64())
    );
}

fn report(commands: &mut [(&str, Command)]) -> Vec<Duration> {
    let medians = medians(commands);
    for ((name, _), time) in commands.iter().zip(&medians) {
        println!("  {name:<30} {:>6} µs  {:.2}", time.as_micros(), time.as_secs_f64() / medians[0].as_secs_f64());
    }
    medians
}

fn first_entry(home: &Home) {
    println!("calls to STS for a first entry with an MFA code: {:?}", home.aws.actions());
}

/// What a command waits for before it begins, and what the server can do; of the static build, if there is one.
fn handing_over(home: &Home, project: &Path, binary: &Path) {
    let fixed = home.path("bin/awsenv-static");
    let binary = if fixed.exists() { fixed.as_path() } else { binary };
    println!("exec of /bin/true: what it adds is to be no more than an export");
    let times = report(&mut [
        ("/bin/true", command(home, Path::new("/bin/true"), project, &[])),
        ("export bash, cached", command(home, binary, project, &["export", "bash"])),
        ("exec --profile dev -- /bin/true", command(home, binary, project, &["exec", "--profile", "dev", "--", "/bin/true"])),
        ("credential-process --profile dev", command(home, binary, project, &["credential-process", "--profile", "dev"])),
    ]);
    println!("  exec, without the command itself: {} µs", times[2].saturating_sub(times[0]).as_micros());
    println!("the credential server, on one core");
    let start = Instant::now();
    // The server inherits the core that it is bound to.
    let mut bound = Command::new("taskset");
    bound.args(["-c", "0"]).arg(binary).args(["server", "start"]).env_clear().envs(home.environment()).stderr(Stdio::null());
    assert!(bound.status().expect("taskset is installed").success());
    println!("  started in {} ms", start.elapsed().as_millis());
    let script = "echo $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN";
    let mut place = command(home, binary, project, &["exec", "--server", "--profile", "dev", "--", "sh", "-c", script]);
    let place = String::from_utf8(place.stdout(Stdio::piped()).output().expect("it runs").stdout).expect("UTF-8");
    let (url, token) = place.trim().split_once(' ').expect("an address and a token");
    let start = Instant::now();
    let (clients, requests) = (8, 5_000);
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| ask(url, token, requests));
        }
    });
    println!("  {:.0} requests a second, {clients} clients", f64::from(clients * requests) / start.elapsed().as_secs_f64());
    let status =
        command(home, binary, project, &["server", "status", "--json"]).stdout(Stdio::piped()).output().expect("it runs");
    let json: serde_json::Value = serde_json::from_slice(&status.stdout).expect("JSON");
    let memory = std::fs::read_to_string(format!("/proc/{}/status", json["pid"])).expect("it runs");
    println!("  {}", memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    assert!(command(home, binary, project, &["server", "stop"]).status().expect("it runs").success());
}

/// Requests one after another on one connection, each answered with status 200.
fn ask(url: &str, token: &str, requests: u32) {
    use std::io::{Read, Write};
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).expect("an address");
    let mut stream = std::net::TcpStream::connect(host).expect("it listens");
    stream.set_nodelay(true).expect("set");
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: {token}\r\n\r\n");
    let mut answer = [0; 8192];
    for _ in 0..requests {
        stream.write_all(request.as_bytes()).expect("sent");
        // An answer is smaller than a segment of loopback, and comes in one piece.
        let count = stream.read(&mut answer).expect("an answer");
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"));
    }
}

/// The hook's function at a prompt where nothing changed, against an empty function.
fn prompts(home: &Home, project: &Path, binary: &Path) {
    println!("a steady-state prompt, added");
    let quoted = binary.display();
    let loops = [
        ("bash", vec!["--norc".to_owned()], format!("eval \"$({quoted} hook bash)\"; AWSENV_MFA=never; __awsenv_prompt_command; [[ $AWSENV_PROFILE == dev ]] || exit 1; empty() {{ :; }}
            measure() {{ local i start=$EPOCHREALTIME; for ((i = 0; i < 2000; i++)); do $1; done; local end=$EPOCHREALTIME; took=$(( (${{end/./}} - ${{start/./}}) / 20 )); }}
            measure empty; base=$took; measure __awsenv_prompt_command; echo $((took - base))")),
        ("zsh", vec!["-f".to_owned()], format!("zmodload zsh/datetime; eval \"$({quoted} hook zsh)\"; __awsenv_precmd; [[ $AWSENV_PROFILE == dev ]] || exit 1; empty() {{ :; }}
            measure() {{ local i start=$EPOCHREALTIME; for ((i = 0; i < 2000; i++)); do $1; done; took=$(( int(($EPOCHREALTIME - start) * 50000) )); }}
            zmodload zsh/mathfunc; measure empty; base=$took; measure __awsenv_precmd; echo $((took - base))")),
        ("fish", vec!["--no-config".to_owned()], format!("{quoted} hook fish | source; __awsenv_check; test $AWSENV_PROFILE = dev; or exit 1; function empty; end
            function measure; set -l start (date +%s%N); for i in (seq 2000); $argv[1]; end; set -l stop (date +%s%N); set -g took (math --scale=0 \"($stop - $start) / 20000\"); end
            measure empty; set -l base $took; measure __awsenv_check; echo (math $took - $base)")),
    ];
    for (shell, arguments, script) in loops {
        println!("  {shell:<5} {:>6.1} µs", hundredths(home, project, shell, &arguments, &script) / 100.0);
    }
    let hook = String::from_utf8(
        command(home, binary, project, &["hook", "nu"]).stdout(Stdio::piped()).output().expect("it runs").stdout,
    )
    .expect("UTF-8");
    home.write("hook.nu", &hook);
    let nu = std::env::var("AWSENV_TEST_NU").unwrap_or_else(|_| "nu".to_owned());
    let script = format!(
        "source {}; let hook = {{|| let due = (__awsenv_due); if $due != null {{ __awsenv_act $due }} }}; do --env $hook; if $env.AWSENV_PROFILE? != 'dev' {{ exit 1 }}; let empty = {{|| null }}
         let base = (timeit {{ for i in 1..4000 {{ do $empty }} }}); let took = (timeit {{ for i in 1..4000 {{ do $hook }} }}); print (($took - $base) / 4000 / 10ns | math round)",
        home.path("hook.nu").display()
    );
    println!("  {:<5} {:>6.1} µs", "nu", hundredths(home, project, &nu, &["--no-config-file".to_owned()], &script) / 100.0);
    if let Ok(plugin) = std::env::var("AWSENV_BENCH_NU_PLUGIN") {
        nu_plugin(home, project, binary, &nu, &plugin);
    }
}

/// A cd between projects in nu: the whole of what the hook does, by the plugin and by the binary.
fn nu_plugin(home: &Home, project: &Path, binary: &Path, nu: &str, plugin: &str) {
    println!("nu, a cd between two projects");
    home.project("other", "prod\n");
    assert!(
        command(home, binary, project, &["env", "--profile", "prod", "--format", "json"]).status().expect("it runs").success()
    );
    let script = |by_plugin: bool| {
        format!(
            "source {}; $env.__awsenv.plugin = {by_plugin}; let hook = {{|| let due = (__awsenv_due); if $due != null {{ __awsenv_act $due }} }}
             do --env $hook; if $env.AWSENV_PROFILE? != 'dev' {{ exit 1 }}
             let took = (timeit {{ for i in 1..200 {{ cd ../other; do --env $hook; cd ../acme; do --env $hook }} }}); print ($took / 400 / 10ns | math round)",
            home.path("hook.nu").display()
        )
    };
    let words = ["--no-config-file".to_owned(), "--plugins".to_owned(), format!("[{plugin}]")];
    let [warm, external] = [true, false].map(|by_plugin| hundredths(home, project, nu, &words, &script(by_plugin)) / 100.0);
    println!("  plugin {warm:>7.0} µs\n  binary {external:>7.0} µs   plugin against binary: {:.2}", warm / external);
    let first = "let took = (timeit { awsenv export --told '' }); print ($took / 10ns | math round)";
    let cold = hundredths(home, project, nu, &words, first) / 100.0;
    println!("  the plugin's first call, which starts it: {cold:.0} µs");
}

/// The number that a script prints: hundredths of a microsecond; the median of nine runs.
fn hundredths(home: &Home, project: &Path, shell: &str, arguments: &[String], script: &str) -> f64 {
    let once = || {
        let mut command = command(home, Path::new(shell), project, &[]);
        let output = command
            .args(arguments)
            .args(["-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .expect("the shell is installed");
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        text.parse::<f64>().unwrap_or_else(|_| panic!("{shell}: {text} {}", String::from_utf8_lossy(&output.stderr)))
    };
    let mut numbers: Vec<f64> = (0..9).map(|_| once()).collect();
    numbers.sort_by(f64::total_cmp);
    numbers[4]
}
