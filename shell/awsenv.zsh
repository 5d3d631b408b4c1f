# awsenv: the hook for zsh, 5.0 and up.
#
# The binary prints this inside `emulate zsh -o no_aliases -c '…'`: it is read, and its functions run, with zsh's own
# options, and give the user's back. At each prompt builtins alone decide whether anything changed; only then does the
# binary run.

zmodload -F zsh/datetime p:EPOCHSECONDS

typeset -g __awsenv_bin=AWSENV_BINARY
typeset -g __awsenv_generation_file=AWSENV_GENERATION_FILE
typeset -g __awsenv_pwd='' __awsenv_file='' __awsenv_content='' __awsenv_generation='' __awsenv_deadline='' __awsenv_expires=''
typeset -g __awsenv_template='' __awsenv_production='' __awsenv_told='' __awsenv_pin='' __awsenv_reply='' __awsenv_found=''
typeset -ga __awsenv_nearer __awsenv_walked __awsenv_present __awsenv_absent
typeset -gi __awsenv_repaint=0

# The content of file $1, as far as it can matter. A pipe put in its place is not read: that could wait for ever.
__awsenv_read() {
  __awsenv_reply=''
  if [[ -f $1 && -r $1 ]]; then __awsenv_reply=$(<$1); fi
}

# The nearest .awsprofile, and where nearer ones would be.
__awsenv_walk() {
  local directory=${PWD%/}
  __awsenv_found='' __awsenv_walked=()
  while true; do
    if [[ -e $directory/.awsprofile || -L $directory/.awsprofile ]]; then
      __awsenv_found=$directory/.awsprofile
      return 0
    fi
    __awsenv_walked+=($directory/.awsprofile)
    if [[ -z $directory ]]; then return 0; fi
    directory=${directory%/*}
  done
}

# Whether the binary must run. This is all that happens at most prompts; it calls no other function, since a call takes
# as long as six tests.
__awsenv_stale() {
  local candidate stamp content=''
  if [[ ${AWSENV_PIN-} != "$__awsenv_pin" ]]; then return 0; fi
  if [[ $PWD != "$__awsenv_pwd" ]]; then
    __awsenv_walk
    if [[ $__awsenv_found != "$__awsenv_file" || -z $__awsenv_pwd ]]; then return 0; fi
    __awsenv_pwd=$PWD
    __awsenv_nearer=($__awsenv_walked)
  else
    for candidate in $__awsenv_nearer; do
      if [[ -e $candidate ]]; then return 0; fi
    done
  fi
  if [[ -n $__awsenv_file ]]; then
    if [[ -f $__awsenv_file && -r $__awsenv_file ]]; then content=$(<$__awsenv_file); fi
    if [[ $content != "$__awsenv_content" ]]; then return 0; fi
    if [[ -z $content && ! -e $__awsenv_file && ! -L $__awsenv_file ]]; then return 0; fi
  fi
  if [[ -n $__awsenv_generation && ! -e $__awsenv_generation ]]; then return 0; fi
  for candidate stamp in $__awsenv_present; do
    if [[ ! -e $candidate || $candidate -nt $stamp ]]; then return 0; fi
  done
  for candidate in $__awsenv_absent; do
    if [[ -e $candidate ]]; then return 0; fi
  done
  if [[ -n $__awsenv_deadline ]] && (( EPOCHSECONDS >= __awsenv_deadline )); then return 0; fi
  return 1
}

# Runs the binary. What is to be tried is recorded as tried first, so that an interrupt cannot repeat it at each prompt.
__awsenv_load() {
  # Under set -x the statements would be shown, and there are secrets in them.
  setopt local_options no_xtrace
  local -x AWSENV_TOLD=$__awsenv_told
  local again='' statements
  __awsenv_walk
  __awsenv_read "$__awsenv_found"
  __awsenv_pwd=$PWD __awsenv_pin=${AWSENV_PIN-} __awsenv_file=$__awsenv_found __awsenv_content=$__awsenv_reply __awsenv_deadline=''
  __awsenv_nearer=($__awsenv_walked)
  __awsenv_read $__awsenv_generation_file
  __awsenv_generation=${__awsenv_reply:+$__awsenv_generation_file.$__awsenv_reply}
  __awsenv_present=() __awsenv_absent=()
  if (( ${+__p9k_instant_prompt_active} )); then
    # Nothing may be printed or asked before powerlevel10k's real prompt: take the environment, and come back.
    statements=$(AWSENV_MFA=never $__awsenv_bin export zsh 2>/dev/null)
    again=1
  else
    statements=$($__awsenv_bin export zsh)
  fi
  eval "$statements"
  __awsenv_repaint=0
  if [[ -n $again ]]; then
    __awsenv_told=$AWSENV_TOLD __awsenv_deadline=0
  fi
}

# The remaining time in the segment, and a colour for it by name. It stays until the text changes.
__awsenv_segment() {
  local left text colour=green
  if [[ -n $__awsenv_expires ]]; then
    (( left = __awsenv_expires - EPOCHSECONDS ))
    if (( left >= 3600 )); then
      text=$(( left / 3600 ))h${(l:2::0:)$(( left % 3600 / 60 ))}m
    elif (( left >= 60 )); then
      text=$(( left / 60 ))m
    elif (( left > 0 )); then
      text='<1m'
    else
      text=expired
    fi
    AWSENV_PROMPT=${__awsenv_template//$'\001'/$text}
    if (( left <= 300 )); then colour=red; elif (( left <= 900 )); then colour=yellow; fi
    (( __awsenv_repaint = left > 0 ? EPOCHSECONDS + left % 60 + 1 : EPOCHSECONDS + 86400 ))
  else
    (( __awsenv_repaint = EPOCHSECONDS + 86400 ))
  fi
  if [[ -n $__awsenv_production ]]; then colour=magenta; fi
  typeset -g AWSENV_PROMPT_COLOR=$colour
}

__awsenv_precmd() {
  if [[ ${AWSENV_DISABLE-} == 1 ]]; then return 0; fi
  if __awsenv_stale; then
    __awsenv_load
  fi
  if [[ -n $__awsenv_template ]] && (( EPOCHSECONDS >= __awsenv_repaint )); then __awsenv_segment; fi
  return 0
}

# `cd DIR && COMMAND` runs with the credentials of DIR. zsh calls this inside `$(cd …)` and while it completes paths
# too, where a question would cost a code.
__awsenv_chpwd() {
  if (( ZSH_SUBSHELL > 0 )) || [[ -n ${WIDGET-} ]]; then return 0; fi
  if [[ ! -o interactive ]]; then return 0; fi
  __awsenv_precmd
}

# `awsenv shell PROFILE` must change this shell; everything else is the binary's.
awsenv() {
  if [[ ${1-} != shell ]]; then
    $__awsenv_bin "$@"
    return
  fi
  shift
  local statements exit_status
  statements=$($__awsenv_bin shell --for zsh "$@")
  exit_status=$?
  eval "$statements"
  return $exit_status
}

typeset -ga precmd_functions chpwd_functions
precmd_functions=(__awsenv_precmd ${precmd_functions:#__awsenv_precmd})
chpwd_functions=(__awsenv_chpwd ${chpwd_functions:#__awsenv_chpwd})
