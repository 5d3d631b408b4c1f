# awsenv: the `cd` wrapper for bash, printed by `awsenv hook bash --cd`, so that `cd DIR && COMMAND` runs with the
# credentials of DIR. It keeps away from a `cd` that is the user's own.
# shellcheck shell=bash
if [[ $(type -t cd) == builtin ]]; then
  cd() {
    # shellcheck disable=SC2164 # the caller sees the status
    \builtin cd "$@"
    \local exit_status=$?
    if ((BASH_SUBSHELL == 0)) && [ "${AWSENV_DISABLE-}" != 1 ]; then
      if __awsenv_stale; then
        if __awsenv_load; then :; fi
      fi
    fi
    \return $exit_status
  }
fi
