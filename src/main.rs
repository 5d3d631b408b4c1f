//! The binary.

fn main() -> std::process::ExitCode {
    awsenv::process::main()
}
