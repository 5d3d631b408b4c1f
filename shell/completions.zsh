#compdef awsenv

# The names of profiles come from the binary.
_awsenv_profiles() {
    local -a names
    names=("${(@f)$(command awsenv __profiles 2>/dev/null)}")
    compadd -a names
}

