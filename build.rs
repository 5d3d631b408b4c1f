//! Links the binary so that it starts fast, since it starts at every cd: at a fixed address, because a
//! position-independent executable relocates itself at every start, and without a shared library that is mapped for ten
//! functions (those that unwind the stack).

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| std::env::var(variable).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        if compiler_has("libgcc_eh.a") {
            println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
        }
    }
}

/// Whether the C compiler, which does the linking, finds a file of its own.
fn compiler_has(file: &str) -> bool {
    let found = Command::new("cc").arg(format!("-print-file-name={file}")).output();
    found.is_ok_and(|found| Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_absolute())
}
