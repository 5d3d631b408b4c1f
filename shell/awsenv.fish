# awsenv: the hook for fish, 3.1 and up.
#
# At each prompt builtins alone decide whether anything changed; only then does the binary run. fish has no clock, so
# the segment names the time of day at which credentials end, and a moment has come when the terminal was used after
# it: a file that carries that moment as its modification time is older than the terminal then.

set -g __awsenv_bin AWSENV_BINARY
set -g __awsenv_generation_file AWSENV_GENERATION_FILE
for name in pwd file content generation production told pin reply found
    set -g __awsenv_$name ''
end
set -g __awsenv_nearer
set -g __awsenv_walked
# Arguments of `test` that tell whether something changed: those that ask what exists, and those that compare times.
set -g __awsenv_existing -n ''
set -g __awsenv_newer
set -g __awsenv_tests -n ''
set -g __awsenv_expected ''
# The file in force, if it is one that can be read.
set -g __awsenv_plain ''
# `test -nt` came with fish 3.6. Before, the AWS files are not watched and nothing is renewed while one stays.
set -g __awsenv_compares 0
if test / -nt /nonexistent/awsenv 2>/dev/null
    set -g __awsenv_compares 1
end

# The content of file $argv[1], as far as it can matter. A pipe put in its place is not read: that could wait for ever.
function __awsenv_read
    set -g __awsenv_reply ''
    if test -f "$argv[1]" -a -r "$argv[1]"
        read --null --global __awsenv_reply <$argv[1] 2>/dev/null
    end
end

# The nearest .awsprofile, and where nearer ones would be.
function __awsenv_walk
    set -l directory (string replace --regex '/$' '' -- $PWD)
    set -g __awsenv_found ''
    set -g __awsenv_walked
    while true
        if test -e "$directory/.awsprofile" -o -L "$directory/.awsprofile"
            set -g __awsenv_found "$directory/.awsprofile"
            return 0
        end
        set -a __awsenv_walked "$directory/.awsprofile"
        if test -z "$directory"
            return 0
        end
        set directory (string replace --regex '/[^/]*$' '' -- $directory)
    end
end

# Puts together what is tested at each prompt: where the shell is and what the file says; whether a nearer file appeared,
# something changed elsewhere, or a file was edited.
function __awsenv_arm
    set -g __awsenv_expected "/$__awsenv_pin/$__awsenv_pwd/$__awsenv_content"
    set -g __awsenv_tests $__awsenv_existing
    if test $__awsenv_compares = 1
        set -a __awsenv_tests $__awsenv_newer
    end
    for candidate in $__awsenv_nearer
        set -a __awsenv_tests -o -e $candidate
    end
    set -g __awsenv_plain ''
    if test -f "$__awsenv_file" -a -r "$__awsenv_file"
        set -g __awsenv_plain $__awsenv_file
    else if test -n "$__awsenv_file"
        set -a __awsenv_tests -o ! -e $__awsenv_file -a ! -L $__awsenv_file -o -f $__awsenv_file -a -r $__awsenv_file
    end
end

# Runs the binary. What is to be tried is recorded as tried first, so that an interrupt cannot repeat it at each prompt.
function __awsenv_load
    __awsenv_walk
    __awsenv_read "$__awsenv_found"
    set -g __awsenv_pwd $PWD
    set -g __awsenv_pin "$AWSENV_PIN"
    set -g __awsenv_file $__awsenv_found
    set -g __awsenv_content $__awsenv_reply
    set -g __awsenv_nearer $__awsenv_walked
    __awsenv_read $__awsenv_generation_file
    set -g __awsenv_generation ''
    if test -n "$__awsenv_reply"
        set -g __awsenv_generation "$__awsenv_generation_file.$__awsenv_reply"
    end
    set -g __awsenv_existing -n "$__awsenv_generation" -a ! -e "$__awsenv_generation"
    set -g __awsenv_newer
    __awsenv_arm
    set -lx AWSENV_TOLD $__awsenv_told
    if status is-interactive
        $__awsenv_bin export fish | source
    else
        AWSENV_MFA=never $__awsenv_bin export fish | source
    end
    __awsenv_arm
    set -e -g AWSENV_PROMPT_COLOR
    if test -n "$__awsenv_production"
        set -g AWSENV_PROMPT_COLOR magenta
    else if test -n "$AWSENV_PROMPT"
        set -g AWSENV_PROMPT_COLOR green
    end
end

# Before each prompt, and when the directory changes, so that `cd DIR; and COMMAND` runs with the credentials of DIR.
# Most of the time nothing happens here but two tests, each of many things, since a command takes longer than what it
# tests.
function __awsenv_check --on-event fish_prompt --on-variable PWD
    set -l content
    if test -f "$__awsenv_plain"
        read --null content <$__awsenv_plain
    end
    if test "$AWSENV_DISABLE/$AWSENV_PIN/$PWD/$content" != "$__awsenv_expected" -o $__awsenv_tests
        __awsenv_act
    end
end

# Runs the binary, unless all that happened is that the directory changed within the same project.
function __awsenv_act
    if test "$AWSENV_DISABLE" = 1
        return
    end
    if test "$AWSENV_PIN" = "$__awsenv_pin" -a -n "$__awsenv_pwd" -a "$PWD" != "$__awsenv_pwd"
        __awsenv_walk
        if test "$__awsenv_found" = "$__awsenv_file"
            set -g __awsenv_pwd $PWD
            set -g __awsenv_nearer $__awsenv_walked
            __awsenv_arm
            __awsenv_check
            return
        end
    end
    __awsenv_load
end

# `awsenv shell PROFILE` must change this shell; everything else is the binary's.
function awsenv
    if test "$argv[1]" != shell
        command $__awsenv_bin $argv
        return
    end
    set -l statements ($__awsenv_bin shell --for fish $argv[2..-1])
    set -l exit_status $status
    printf '%s\n' $statements | source
    return $exit_status
end
