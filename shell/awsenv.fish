# awsenv: the hook for fish, 3.1 and up.
#
# At each prompt builtins alone decide whether anything changed; only then does the binary run. fish has no clock, so
# the segment names the time of day at which credentials end, and a moment has come when the terminal was used after
# it: a file that carries that moment as its modification time is older than the terminal then.

set -g __awsenv_bin AWSENV_BINARY
set -g __awsenv_generation_file AWSENV_GENERATION_FILE
for name in pwd file content generation deadline production told pin reply found
    set -g __awsenv_$name ''
end
set -g __awsenv_nearer
set -g __awsenv_walked
set -g __awsenv_present
set -g __awsenv_absent
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
    true
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

# Whether the binary must run.
function __awsenv_stale
    if test "$AWSENV_PIN" != "$__awsenv_pin"
        return 0
    end
    if test "$PWD" != "$__awsenv_pwd"
        __awsenv_walk
        if test "$__awsenv_found" != "$__awsenv_file" -o -z "$__awsenv_pwd"
            return 0
        end
        set -g __awsenv_pwd $PWD
        set -g __awsenv_nearer $__awsenv_walked
    else
        for candidate in $__awsenv_nearer
            if test -e $candidate
                return 0
            end
        end
    end
    if test -n "$__awsenv_file"
        __awsenv_read $__awsenv_file
        if test "$__awsenv_reply" != "$__awsenv_content"
            return 0
        end
        if test ! -e "$__awsenv_file" -a ! -L "$__awsenv_file"
            return 0
        end
    end
    set -l line ''
    if test -r $__awsenv_generation_file
        read line <$__awsenv_generation_file
    end
    if test "$line" != "$__awsenv_generation"
        return 0
    end
    for candidate in $__awsenv_absent
        if test -e $candidate
            return 0
        end
    end
    if test $__awsenv_compares = 1
        set -l index 1
        while test $index -lt (count $__awsenv_present)
            set -l candidate $__awsenv_present[$index]
            set -l stamp $__awsenv_present[(math $index + 1)]
            if test ! -e $candidate -o $candidate -nt $stamp -o $candidate -ot $stamp
                return 0
            end
            set index (math $index + 2)
        end
        if test -n "$__awsenv_deadline"
            if test /dev/stdin -nt "$__awsenv_deadline"
                return 0
            end
        end
    end
    return 1
end

# Runs the binary. What is to be tried is recorded as tried first, so that an interrupt cannot repeat it at each prompt.
function __awsenv_load
    __awsenv_walk
    __awsenv_read "$__awsenv_found"
    set -g __awsenv_pwd $PWD
    set -g __awsenv_pin "$AWSENV_PIN"
    set -g __awsenv_file $__awsenv_found
    set -g __awsenv_content $__awsenv_reply
    set -g __awsenv_deadline ''
    set -g __awsenv_nearer $__awsenv_walked
    set -g __awsenv_generation ''
    if test -r $__awsenv_generation_file
        read --global __awsenv_generation <$__awsenv_generation_file
    end
    set -lx AWSENV_TOLD $__awsenv_told
    if status is-interactive
        $__awsenv_bin export fish | source
    else
        set -lx AWSENV_MFA never
        $__awsenv_bin export fish | source
    end
end

function __awsenv_check
    if test "$AWSENV_DISABLE" = 1
        return
    end
    if __awsenv_stale
        __awsenv_load
    end
    if test -n "$AWSENV_PROMPT"
        set -g AWSENV_PROMPT_COLOR green
        if test -n "$__awsenv_production"
            set -g AWSENV_PROMPT_COLOR magenta
        end
    else
        set -e -g AWSENV_PROMPT_COLOR
    end
end

function __awsenv_prompt --on-event fish_prompt
    __awsenv_check
end

# `cd DIR; and COMMAND` runs with the credentials of DIR.
function __awsenv_directory --on-variable PWD
    if status is-interactive
        __awsenv_check
    end
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
