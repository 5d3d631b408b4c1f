# What is done often. `just` lists it.

_default:
    @just --list

# Every check, as CI runs them
test *names:
    tests/run {{names}}

# The completions that are committed
completions:
    cargo build --quiet
    target/debug/awsenv completions bash > completions/awsenv.bash
    target/debug/awsenv completions zsh > completions/_awsenv
    target/debug/awsenv completions fish > completions/awsenv.fish
    target/debug/awsenv completions nu > completions/awsenv.nu

# The static build for release (needs musl-gcc, and the musl target of rustup)
static:
    CC_x86_64_unknown_linux_musl=musl-gcc cargo build --locked --release --target x86_64-unknown-linux-musl --bin awsenv

# The cost of a cached entry and of a prompt, as ratios; with the static build too
bench: static
    cargo build --release --package nu_plugin_awsenv
    AWSENV_BENCH_STATIC=target/x86_64-unknown-linux-musl/release/awsenv AWSENV_BENCH_NU_PLUGIN=target/release/nu_plugin_awsenv cargo bench --bench cost
