//! The bugs that other tools' hooks had, one test a row, in the shell that it concerns.

use std::fs;

use crate::pty::{EVERY_SHELL, Kind, Shell};
use crate::support::home::{DEVICE, Home};

fn signed_in() -> Home {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    home.login("dev").succeeds();
    home.project("acme", "dev\n");
    home
}

fn not_signed_in() -> Home {
    let home = Home::new();
    home.write(".config/awsenv/config.ini", "[trust]\nprofiles = *\n");
    home.project("acme", "dev\n");
    home
}

#[track_caller]
fn profile(environment: &std::collections::BTreeMap<String, String>) -> &str {
    environment.get("AWSENV_PROFILE").map_or("", String::as_str)
}

#[test]
fn a_cd_in_a_subshell_or_a_completion_asks_nothing() {
    let home = not_signed_in();
    let mut shell = Shell::start_with(&home, Kind::Zsh, "", "autoload -Uz compinit && compinit -u -D", &[]);
    shell.run("x=$(cd work/acme && pwd)");
    shell.run("(cd work/acme; true)");
    shell.type_text("ls work/ac\t");
    shell.wait_for("work/acme");
    shell.answer("");
    shell.environment();
    assert!(!shell.screen().contains("awsenv: MFA code"), "{}", shell.screen());
    let mut shell = Shell::start(&home, Kind::Bash);
    shell.run("x=$(cd work/acme && pwd); (cd work/acme; true)");
    assert!(!shell.screen().contains("awsenv: MFA code"), "{}", shell.screen());
    assert_eq!(home.aws.actions().len(), 0);
}

#[test]
fn a_command_after_cd_in_the_same_line_sees_the_directorys_credentials() {
    let home = signed_in();
    for (kind, and) in [(Kind::Zsh, "&&"), (Kind::Fish, "; and")] {
        let shell = Shell::start(&home, kind);
        let file = home.path(&format!("same-line-{}", kind.name()));
        shell.line(&format!("cd work/acme {and} snap {}", file.display()));
        assert_eq!(profile(&shell.read_snap(&file)), "dev");
    }
    let hook = "eval \"$(awsenv hook bash --cd)\"";
    let shell = Shell::start_with(&home, Kind::Bash, "", hook, &[]);
    let file = home.path("same-line-bash");
    shell.line(&format!("cd work/acme && snap {}", file.display()));
    assert_eq!(profile(&shell.read_snap(&file)), "dev");
    // A `cd` of the user's own is left alone.
    let mut shell = Shell::start_with(&home, Kind::Bash, "cd() { builtin cd \"$@\" && export MINE=1; }", hook, &[]);
    assert_eq!(shell.run("cd work/acme")["MINE"], "1");
}

#[test]
fn strict_options_neither_end_the_shell_nor_show() {
    for (kind, options) in [
        (Kind::Bash, "set -euo pipefail; set -o noclobber; shopt -s nocasematch extglob"),
        (Kind::Zsh, "setopt err_exit no_unset no_clobber ksh_arrays sh_word_split warn_create_global"),
    ] {
        let home = signed_in();
        let mut shell = Shell::start(&home, kind);
        shell.run(options);
        shell.clear();
        assert_eq!(profile(&shell.run("cd work/acme")), "dev");
        shell.run("true");
        fs::write(home.path("work/acme/.awsprofile"), "DEV\n").expect("written");
        assert_eq!(profile(&shell.run("true")), "", "{}: {}", kind.name(), shell.screen());
        shell.wait_for("no profile `DEV`");
        assert_eq!(profile(&shell.run("cd ~")), "");
        for complaint in ["unbound", "not set", "cannot overwrite", "parameter null", "scalar parameter", "array parameter"] {
            assert!(!shell.screen().contains(complaint), "{}", shell.screen());
        }
    }
}

#[test]
fn the_status_of_the_last_command_survives() {
    let home = signed_in();
    let mut shell = Shell::start_with(&home, Kind::Bash, "PROMPT_COMMAND='seen=$?'", "", &[]);
    shell.run("cd work/acme");
    shell.line("(exit 3) | (exit 4)");
    shell.line("echo status=$? pipe=${PIPESTATUS[*]} seen=$seen.");
    shell.wait_for("status=4 pipe=3 4 seen=4.");
    shell.line("cd ~; (exit 5)");
    shell.line("echo status=$? seen=$seen.");
    shell.wait_for("status=5 seen=5.");

    let mut shell = Shell::start_with(&home, Kind::Bash, "PROMPT_COMMAND=('seen=$?' 'pipe=${PIPESTATUS[*]}')", "", &[]);
    shell.run("cd work/acme");
    shell.line("(exit 3) | (exit 4)");
    shell.line("echo status=$? seen=$seen pipe=$pipe.");
    shell.wait_for("status=4 seen=4 pipe=3 4.");

    let mut shell = Shell::start_with(&home, Kind::Zsh, "precmd() { seen=$? }", "", &[]);
    shell.run("cd work/acme");
    shell.line("(exit 3) | (exit 4)");
    shell.line("echo status=$? pipe=$pipestatus seen=$seen.");
    shell.wait_for("status=4 pipe=3 4 seen=4.");

    let mut shell = Shell::start(&home, Kind::Fish);
    shell.run("cd work/acme");
    shell.line("sh -c 'exit 3' | sh -c 'exit 4'");
    shell.line("echo status=$status \"pipe=$pipestatus\".");
    shell.wait_for("status=4 pipe=3 4.");

    let mut shell = Shell::start(&home, Kind::Nu);
    shell.run("cd work/acme");
    shell.line("^sh -c 'exit 4'");
    shell.line("print $'status=($env.LAST_EXIT_CODE).'");
    shell.wait_for("status=4.");
}

#[test]
fn the_prompt_command_keeps_its_form_and_its_entries() {
    let home = signed_in();
    let mut shell = Shell::start_with(&home, Kind::Bash, "PROMPT_COMMAND='a=1; b=2 ;'", "", &[]);
    shell.line("declare -p PROMPT_COMMAND; echo $a$b");
    shell.wait_for("__awsenv_prompt_command;a=1; b=2 ;\"");
    shell.wait_for("12");
    assert_eq!(profile(&shell.run("cd work/acme")), "dev");
    let mut shell = Shell::start_with(&home, Kind::Bash, "PROMPT_COMMAND=('a=1' 'b=2')", "eval \"$(awsenv hook bash)\"", &[]);
    shell.line("declare -p PROMPT_COMMAND");
    shell.wait_for("([0]=\"__awsenv_prompt_command\" [1]=\"a=1\" [2]=\"b=2\")");
    assert_eq!(profile(&shell.run("cd work/acme")), "dev");
}

/// bash-preexec takes PROMPT_COMMAND over and calls what is in `precmd_functions`; this is that part of it.
const PREEXEC: &str =
    "bash_preexec_imported=defined; precmd_functions=(); PROMPT_COMMAND='for f in \"${precmd_functions[@]}\"; do $f; done'";

#[test]
fn bash_preexec_calls_the_hook() {
    let home = signed_in();
    let mut before = Shell::start_with(&home, Kind::Bash, PREEXEC, "", &[]);
    assert_eq!(profile(&before.run("cd work/acme")), "dev");
    before.line("echo \"[${precmd_functions[*]}] [$PROMPT_COMMAND]\"");
    before.wait_for("[__awsenv_prompt_command] [for f");
    // Loaded after the hook, it rewrites PROMPT_COMMAND with what it found there.
    let after = "bash_preexec_imported=defined; precmd_functions=(); PROMPT_COMMAND=\"__awsenv_prompt_command; for f in \\\"\\${precmd_functions[@]}\\\"; do \\$f; done\"";
    let mut after = Shell::start_with(&home, Kind::Bash, "", after, &[]);
    assert_eq!(profile(&after.run("cd work/acme")), "dev");
    after.line("PROMPT_COMMAND='for f in \"${precmd_functions[@]}\"; do $f; done'");
    assert_eq!(profile(&after.run("cd ~")), "");
}

#[test]
fn traps_and_other_hooks_stay() {
    let home = signed_in();
    let mut shell = Shell::start_with(&home, Kind::Bash, "trap 'echo trapped' INT; trap 'echo bye' EXIT", "", &[]);
    shell.run("cd work/acme");
    shell.line("trap -p");
    shell.wait_for("trap -- 'echo trapped' SIGINT");
    shell.wait_for("trap -- 'echo bye' EXIT");
    let mut shell = Shell::start_with(
        &home,
        Kind::Zsh,
        "mine() { M=$((${M:-0} + 1)); export M }; precmd_functions=(mine); chpwd_functions=(mine)",
        "",
        &[],
    );
    assert!(shell.run("cd work/acme")["M"].parse::<u32>().expect("a number") >= 3);
    shell.line("print -r -- $precmd_functions / $chpwd_functions");
    shell.wait_for("__awsenv_precmd mine / __awsenv_chpwd mine");
}

#[test]
fn an_interrupt_during_a_sign_in_keeps_what_is_loaded_and_repeats_nothing() {
    for kind in [Kind::Bash, Kind::Zsh, Kind::Fish] {
        let home = signed_in();
        home.login_cached("prod");
        home.project("prod", "prod\n");
        let mut shell = Shell::start(&home, kind);
        shell.run("cd work/acme");
        fs::remove_dir_all(home.path(".cache/awsenv/sessions")).expect("there");
        fs::remove_dir_all(home.path(".cache/awsenv/codes")).expect("there");
        home.aws.forget_codes(DEVICE);
        home.aws.world().delay_ms = 3000;
        shell.clear();
        shell.line("cd ../prod");
        shell.give_code();
        std::thread::sleep(std::time::Duration::from_millis(700));
        shell.type_text("\u{3}");
        home.aws.world().delay_ms = 0;
        std::thread::sleep(std::time::Duration::from_millis(500));
        shell.clear();
        let calls = home.aws.actions().len();
        shell.run("true");
        shell.run("true");
        assert!(!shell.screen().contains("awsenv: MFA code"), "{}: {}", kind.name(), shell.screen());
        assert!(home.aws.actions().len() <= calls + 1, "{}", kind.name());
        assert_eq!(profile(&shell.run("cd ~")), "", "{}: {}", kind.name(), shell.screen());
    }
}

#[test]
fn nothing_is_shown_as_a_job() {
    let home = signed_in();
    for kind in [Kind::Bash, Kind::Zsh] {
        let mut shell = Shell::start_with(&home, kind, "", "set -m; setopt monitor 2>/dev/null; true", &[]);
        shell.run("cd work/acme");
        shell.run("cd ~");
        shell.line("jobs; echo end-of-jobs");
        shell.wait_for("end-of-jobs");
        assert!(!shell.screen().contains("[1]") && !shell.screen().contains("Done"), "{}", shell.screen());
    }
}

#[test]
fn a_deleted_directory_is_no_error() {
    let home = signed_in();
    for kind in [Kind::Bash, Kind::Zsh, Kind::Fish] {
        let directory = home.path("work/acme/gone");
        fs::create_dir_all(&directory).expect("made");
        let mut shell = Shell::start(&home, kind);
        assert_eq!(profile(&shell.run("cd work/acme/gone")), "dev");
        fs::remove_dir(&directory).expect("removed");
        shell.clear();
        home.touch_generation();
        assert_eq!(profile(&shell.run("true")), "dev", "{}", shell.screen());
        shell.run("cd ~");
        assert!(!shell.screen().contains("awsenv:"), "{}: {}", kind.name(), shell.screen());
    }
}

#[test]
fn instant_prompt_sees_no_output_and_no_question() {
    let home = not_signed_in();
    let start = format!(
        "__p9k_instant_prompt_active=1; cd {}; precmd_functions+=(end_of_instant); end_of_instant() {{ print -r -- INSTANT-END; unset __p9k_instant_prompt_active; precmd_functions=(${{precmd_functions:#end_of_instant}}) }}",
        home.path("work/acme").display()
    );
    let code = home.aws.fresh_code(DEVICE);
    let shell = Shell::start_answering(&home, Kind::Zsh, &start, &code);
    let text = shell.screen();
    let (quiet, after) = text.split_once("INSTANT-END").expect("the first prompt came");
    assert!(!quiet.contains("awsenv"), "{quiet}");
    assert!(after.contains("awsenv: MFA code for"), "{after}");
}

#[test]
fn aliases_of_builtins_and_functions_do_not_matter() {
    let home = signed_in();
    let aliases = "alias read='echo no' local='echo no' eval='echo no' return='echo no' printf='echo no' cat='echo no' builtin='echo no' shift='echo no' set='echo no' unset='echo no' export='echo no'; cat() { echo no; }";
    for kind in [Kind::Bash, Kind::Zsh] {
        let mut shell = Shell::start_with(&home, kind, aliases, "unalias -a", &[]);
        assert_eq!(profile(&shell.run("cd work/acme")), "dev", "{}: {}", kind.name(), shell.screen());
        assert_eq!(profile(&shell.run("cd ~")), "");
        assert!(!shell.screen().contains("\r\nno"), "{}", shell.screen());
    }
}

#[test]
fn secrets_do_not_show_under_set_x() {
    let home = signed_in();
    for (kind, trace) in [(Kind::Bash, "set -x"), (Kind::Zsh, "set -x"), (Kind::Fish, "set -g fish_trace 1")] {
        let mut shell = Shell::start(&home, kind);
        shell.run(trace);
        let inside = shell.run("cd work/acme");
        shell.run("true");
        let screen = shell.screen();
        for name in ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            assert!(!screen.contains(&inside[name]), "{}: {name}", kind.name());
        }
        // The user's own commands are traced as before.
        shell.clear();
        shell.line("echo tr'a'ced");
        shell.wait_for("traced");
        shell.until("trace", || {
            shell.screen().contains("+ echo traced")
                || shell.screen().contains("> echo tr")
                || shell.screen().contains("> echo traced")
        });
    }
}

#[test]
fn the_question_is_asked_on_the_terminal_whatever_is_redirected() {
    for kind in [Kind::Bash, Kind::Zsh, Kind::Fish] {
        let home = not_signed_in();
        let mut shell = Shell::start(&home, kind);
        if kind == Kind::Bash {
            shell.run("exec 2>/dev/null");
        }
        shell.line("cd work/acme 2>/dev/null >/dev/null");
        shell.give_code();
        assert_eq!(profile(&shell.environment()), "dev");
    }
}

#[test]
fn the_terminal_is_as_before_after_a_question() {
    for kind in EVERY_SHELL {
        let home = not_signed_in();
        let mut shell = Shell::start(&home, kind);
        shell.line("stty -a out> before.txt".replace("out>", if kind.is_nu() { "out>" } else { ">" }).as_str());
        shell.environment();
        shell.line("cd work/acme");
        shell.give_code();
        shell.environment();
        shell.line("stty -a out> ../../after.txt".replace("out>", if kind.is_nu() { "out>" } else { ">" }).as_str());
        shell.environment();
        let read = |name: &str| fs::read_to_string(home.path(name)).expect("written");
        assert_eq!(read("before.txt"), read("after.txt"), "{}", kind.name());
    }
}

#[test]
fn another_users_record_is_not_undone() {
    let home = signed_in();
    let (after, _) = home.export(&home.path("work/acme"), &std::collections::BTreeMap::new());
    let mut command = home.command(&home.root, &["export", "json"]);
    command.envs(&after);
    let output = std::process::Command::new("setpriv")
        .args(["--reuid", "12345", "--clear-groups"])
        .arg(command.get_program())
        .args(["export", "json"])
        .env_clear()
        .envs(home.environment())
        .envs(&after)
        .env("AWSENV_DATA_DIR", "/nonexistent/x")
        .current_dir("/")
        .output()
        .expect("setpriv is part of util-linux");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\"AWSENV_STATE\":null}\n");
}

#[test]
fn bash_3_2_can_read_the_hook() {
    // What bash learnt after 3.2, with the place where the hook may use it behind a test of the version.
    let later = [
        ("local -", 0),
        ("declare -A", 0),
        ("declare -g", 0),
        ("mapfile", 0),
        ("readarray", 0),
        ("|&", 0),
        ("&>>", 0),
        ("${!", 0),
        (";&", 0),
        (",,}", 0),
        ("^^}", 0),
        ("@Q}", 0),
        ("wait -n", 0),
        ("coproc", 0),
        ("[[ -v", 0),
        ("BASHPID", 0),
        ("%(%s)T", 1),
        ("EPOCHSECONDS", 1),
        ("@a}", 1),
    ];
    for file in ["awsenv.bash", "awsenv-cd.bash"] {
        let text = fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shell").join(file)).expect("there");
        for (feature, allowed) in later {
            let found = text.lines().filter(|line| !line.trim_start().starts_with('#') && line.contains(feature)).count();
            assert!(found <= allowed, "{file}: {feature}");
        }
    }
}
