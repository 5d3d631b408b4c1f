
# The names of profiles come from the binary; everything else from the generated function.
# shellcheck shell=bash
_awsenv_profiles() {
    local word names=()
    case "${COMP_WORDS[1]}/$3" in
        use/use | shell/shell | login/login | logout/logout | */--profile)
            if [[ $2 != -* ]]; then
                while IFS= read -r word; do
                    if [[ $word == "$2"* ]]; then names+=("$(printf '%q' "$word")"); fi
                done < <("$1" __profiles 2>/dev/null)
                COMPREPLY=("${names[@]}")
                return 0
            fi
            ;;
    esac
    _awsenv "$@"
}
complete -F _awsenv_profiles -o bashdefault -o default awsenv
