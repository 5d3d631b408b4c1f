# awsenv: the hook for bash, 3.2 and up.
# shellcheck shell=bash
#
# At each prompt builtins alone decide whether anything changed; only then does the binary run. Builtins are written
# with a backslash, since an interactive bash expands aliases while it reads these functions. Strings are compared by
# `[`, which `shopt -s nocasematch` leaves alone.

__awsenv_bin=AWSENV_BINARY
__awsenv_generation_file=AWSENV_GENERATION_FILE
__awsenv_pwd='' __awsenv_file='' __awsenv_content='' __awsenv_generation='' __awsenv_deadline='' __awsenv_expires=''
__awsenv_template='' __awsenv_production='' __awsenv_told='' __awsenv_pin='' __awsenv_reply='' __awsenv_found=''
__awsenv_short='' __awsenv_now=0 __awsenv_epoch=0 __awsenv_repaint=0
__awsenv_nearer=() __awsenv_walked=()

# The time, without a process.
if ((BASH_VERSINFO[0] >= 5)); then
  __awsenv_clock() { __awsenv_now=$EPOCHSECONDS; }
elif ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 402)); then
  __awsenv_clock() { \printf -v __awsenv_now '%(%s)T' -1; }
else
  __awsenv_clock() { __awsenv_now=$((SECONDS + __awsenv_epoch)); }
fi

# The content of file $1, as far as it can matter, line by line: that is read in blocks, anything else byte by byte. A
# pipe put in its place is not read: that could wait for ever.
__awsenv_read() {
  \local line='' count=0
  __awsenv_reply=
  if [[ -f $1 && -r $1 ]]; then
    while IFS= \read -r line; do
      __awsenv_reply+=$line$'\n'
      if ((++count > 256)); then \return 0; fi
    done <"$1"
    __awsenv_reply+=$line
  fi
}

# The nearest .awsprofile, and where nearer ones would be.
__awsenv_walk() {
  \local directory=${PWD%/}
  __awsenv_found='' __awsenv_walked=()
  while :; do
    if [[ -e $directory/.awsprofile || -L $directory/.awsprofile ]]; then
      __awsenv_found=$directory/.awsprofile
      \return 0
    fi
    __awsenv_walked+=("$directory/.awsprofile")
    if [ "$directory" = "" ]; then \return 0; fi
    directory=${directory%/*}
  done
}

# Whether the binary must run. This is all that happens at most prompts, so each test here was weighed: a `[[` takes a
# sixth of a `[`, and of a short file reading bytes takes half of reading lines.
__awsenv_stale() {
  \local path
  if [ "$PWD//${AWSENV_PIN-}" != "$__awsenv_pwd//$__awsenv_pin" ]; then
    if [ "${AWSENV_PIN-}" != "$__awsenv_pin" ] || [[ -z $__awsenv_pwd ]]; then \return 0; fi
    __awsenv_walk
    if [ "$__awsenv_found" != "$__awsenv_file" ]; then \return 0; fi
    __awsenv_pwd=$PWD
    __awsenv_nearer=(${__awsenv_walked[@]+"${__awsenv_walked[@]}"})
  else
    for path in ${__awsenv_nearer[@]+"${__awsenv_nearer[@]}"}; do
      if [[ -e $path ]]; then \return 0; fi
    done
  fi
  if [[ -n $__awsenv_file ]]; then
    if [[ -z $__awsenv_short ]]; then
      __awsenv_read "$__awsenv_file"
    else
      __awsenv_reply=
      if [[ -f $__awsenv_file && -r $__awsenv_file ]] && IFS= \read -r -d '' -n 300 __awsenv_reply <"$__awsenv_file"; then :; fi
    fi
    if [ "$__awsenv_reply" != "$__awsenv_content" ]; then \return 0; fi
    if [[ -z $__awsenv_reply && ! -e $__awsenv_file && ! -L $__awsenv_file ]]; then \return 0; fi
  fi
  if __awsenv_touched; then \return 0; fi
  __awsenv_clock
  if [[ -n $__awsenv_deadline ]] && ((__awsenv_now >= __awsenv_deadline)); then \return 0; fi
  \return 1
}

# Whether something changed elsewhere, or one of the AWS files or the settings was edited. The binary writes this
# function anew with their names in it.
__awsenv_touched() { \return 1; }

# Runs the binary. What is to be tried is recorded as tried first, so that an interrupt cannot repeat it at each prompt.
__awsenv_load() {
  \local statements trace=''
  __awsenv_walk
  __awsenv_read "$__awsenv_found"
  __awsenv_pwd=$PWD __awsenv_pin=${AWSENV_PIN-} __awsenv_file=$__awsenv_found __awsenv_content=$__awsenv_reply __awsenv_deadline='' __awsenv_short=''
  __awsenv_nearer=(${__awsenv_walked[@]+"${__awsenv_walked[@]}"})
  __awsenv_generation=
  if [[ -r $__awsenv_generation_file ]] && ! IFS= \read -r __awsenv_generation <"$__awsenv_generation_file"; then
    __awsenv_generation=$__awsenv_generation_file.$__awsenv_generation
  fi
  # shellcheck disable=SC2317 # called by __awsenv_stale
  __awsenv_touched() { [[ -n $__awsenv_generation && ! -e $__awsenv_generation ]]; }
  # Under set -x the statements would be shown, and there are secrets in them.
  if [[ $- == *x* ]]; then
    trace=1
    { \set +x; } 2>/dev/null
  fi
  if ((BASH_SUBSHELL > 0)); then
    statements=$(AWSENV_MFA=never AWSENV_TOLD=$__awsenv_told "$__awsenv_bin" export bash)
  else
    statements=$(AWSENV_TOLD=$__awsenv_told "$__awsenv_bin" export bash)
  fi
  \eval "$statements"
  __awsenv_repaint=0
  __awsenv_clock
  if [ "$trace" != "" ]; then \set -x; fi
  __awsenv_install
}

# The remaining time in the segment, and the colour for it as readline needs it. It stays until the text changes.
__awsenv_segment() {
  \local left text colour=32
  if [ "$__awsenv_expires" != "" ]; then
    left=$((__awsenv_expires - __awsenv_now))
    if ((left >= 3600)); then
      text=$((left % 3600 / 60))
      if ((${#text} == 1)); then text=0$text; fi
      text=$((left / 3600))h${text}m
    elif ((left >= 60)); then
      text=$((left / 60))m
    elif ((left > 0)); then
      text='<1m'
    else
      text=expired
    fi
    # shellcheck disable=SC2034 # for the user's PS1; the binary exports it
    AWSENV_PROMPT=${__awsenv_template//$'\001'/$text}
    if ((left <= 300)); then colour=31; elif ((left <= 900)); then colour=33; fi
    __awsenv_repaint=$((left > 0 ? __awsenv_now + left % 60 + 1 : __awsenv_now + 86400))
  else
    __awsenv_repaint=$((__awsenv_now + 86400))
  fi
  if [ "$__awsenv_production" != "" ]; then colour='97;41'; fi
  # shellcheck disable=SC2034 # for the user's PS1
  AWSENV_PROMPT_COLOR=$'\001\e['${colour}m$'\002'
}

__awsenv_prompt_command() {
  \local exit_status=$?
  if [[ ${AWSENV_DISABLE-} != 1 ]]; then
    if __awsenv_stale; then
      if __awsenv_load; then :; fi
    fi
    if [[ -n $__awsenv_template ]] && ((__awsenv_now >= __awsenv_repaint)); then __awsenv_segment; fi
  fi
  # Under set -e a failing function would end the shell.
  if [[ $- == *e* ]]; then \return 0; fi
  \return "$exit_status"
}

# Puts the hook in front of what else runs before a prompt, in the form that is there. Tools that take the prompt
# command over are used instead.
__awsenv_install() {
  \local entry
  if [ "${bash_preexec_imported-}${__bp_imported-}" != "" ]; then
    for entry in ${precmd_functions[@]+"${precmd_functions[@]}"}; do
      if [ "$entry" = __awsenv_prompt_command ]; then \return 0; fi
    done
    precmd_functions=(__awsenv_prompt_command ${precmd_functions[@]+"${precmd_functions[@]}"})
  elif [ "${BLE_VERSION-}" != "" ]; then
    blehook PRECMD-+=__awsenv_prompt_command
  elif ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 501)) && [[ ${PROMPT_COMMAND@a} == *a* ]]; then
    for entry in ${PROMPT_COMMAND[@]+"${PROMPT_COMMAND[@]}"}; do
      if [ "$entry" = __awsenv_prompt_command ]; then \return 0; fi
    done
    PROMPT_COMMAND=(__awsenv_prompt_command ${PROMPT_COMMAND[@]+"${PROMPT_COMMAND[@]}"})
  elif [[ ${PROMPT_COMMAND-} != *__awsenv_prompt_command* ]]; then
    # shellcheck disable=SC2178,SC2128 # a string stays a string
    PROMPT_COMMAND="__awsenv_prompt_command${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
  fi
}

# `awsenv shell PROFILE` must change this shell; everything else is the binary's.
awsenv() {
  \local statements exit_status
  case ${1-} in
    shell)
      \shift
      statements=$("$__awsenv_bin" shell --for bash "$@")
      exit_status=$?
      \eval "$statements"
      \return $exit_status
      ;;
    *) "$__awsenv_bin" "$@" ;;
  esac
}

__awsenv_install
