# awsenv: the hook for nushell. Save it, and source it:
#
#     awsenv hook nu | save --force ($nu.default-config-dir | path join autoload awsenv.nu)
#
# Before each prompt nu's own commands decide whether anything changed; only then does the binary run. The hook's state
# is a record in the environment, which nu hands to no other program.

const __awsenv_bin = "AWSENV_BINARY"
const __awsenv_generation_file = "AWSENV_GENERATION_FILE"

$env.__awsenv = {
    pwd: "", nearer: [], file: null, content: null, generation: "", present: [], absent: [], checked: null
    deadline: null, expires: null, template: null, production: false, told: "", pin: ""
}

# The content of a file, as far as it can matter. A pipe put in its place is not read: that could wait for ever.
def __awsenv_read [path: any] {
    if $path == null or ($path | path type) != file { return null }
    try { open --raw $path | decode utf-8 } catch { null }
}

# The nearest .awsprofile, and where nearer ones would be.
def __awsenv_walk [] {
    mut directory = ($env.PWD | str replace --regex '/$' '')
    mut nearer = []
    loop {
        let candidate = $"($directory)/.awsprofile"
        if ($candidate | path exists --no-symlink) { return {file: $candidate, nearer: $nearer} }
        $nearer = ($nearer | append $candidate)
        if $directory == "" { return {file: null, nearer: $nearer} }
        $directory = ($directory | str replace --regex '/[^/]*$' '')
    }
}

# What tells that a file was edited: its hash. Of a large one the modification time, which nu is slow to tell, so it is
# looked at once in ten seconds.
def __awsenv_mark [path: string] {
    let found = try { ls --directory $path | first } catch { return {path: $path, hash: null, modified: null} }
    if $found.size > 64kB {
        {path: $path, hash: null, modified: $found.modified}
    } else {
        {path: $path, hash: (open --raw $path | hash md5), modified: null}
    }
}

# Whether the binary must run.
def --env __awsenv_stale [] {
    let state = $env.__awsenv
    if ($env.AWSENV_PIN? | default "") != $state.pin { return true }
    if $env.PWD != $state.pwd {
        if $state.pwd == "" { return true }
        let found = (__awsenv_walk)
        if $found.file != $state.file { return true }
        $env.__awsenv.pwd = $env.PWD
        $env.__awsenv.nearer = $found.nearer
    } else {
        for candidate in $state.nearer { if ($candidate | path exists) { return true } }
    }
    if $state.file != null {
        let content = try { open --raw $state.file | decode utf-8 } catch { null }
        if $content != $state.content { return true }
        if $content == null and not ($state.file | path exists --no-symlink) { return true }
    }
    let generation = try { open --raw $__awsenv_generation_file | decode utf-8 } catch { "" }
    if $generation != $state.generation { return true }
    for file in $state.present {
        if $file.hash != null {
            let hash = try { open --raw $file.path | hash md5 } catch { null }
            if $hash != $file.hash { return true }
        } else if (date now) > $state.checked + 10sec {
            if (try { ls --directory $file.path | get 0.modified } catch { null }) != $file.modified { return true }
            $env.__awsenv.checked = (date now)
        }
    }
    for path in $state.absent { if ($path | path exists) { return true } }
    if $state.deadline != null and (date now | into int) >= $state.deadline * 1_000_000_000 { return true }
    false
}

# Runs the binary. What is to be tried is recorded as tried first, so that an interrupt cannot repeat it at each prompt.
def --env __awsenv_load [] {
    let found = (__awsenv_walk)
    let before = $env.__awsenv
    let marks = ($before.present | each {|file| __awsenv_mark $file.path })
    $env.__awsenv = ($before | merge {
        pwd: $env.PWD, nearer: $found.nearer, file: $found.file, content: (__awsenv_read $found.file), deadline: null
        generation: (try { open --raw $__awsenv_generation_file | decode utf-8 } catch { "" })
        pin: ($env.AWSENV_PIN? | default ""), present: $marks, checked: (date now)
    })
    let output = (with-env {AWSENV_TOLD: $before.told} { do --ignore-errors { ^$__awsenv_bin export nu } })
    let update = try { $output | from json } catch { null }
    if $update == null { return }
    load-env $update.set
    for name in $update.hide { hide-env --ignore-errors $name }
    # A file that was watched before is compared with what it was before the binary ran, so that no edit is lost.
    let known = $marks
    let present = ($update.hook.present | each {|path|
        let mark = ($known | where path == $path)
        if ($mark | is-empty) { __awsenv_mark $path } else { $mark | first }
    })
    let content = ($update.hook.content? | default (__awsenv_read $update.hook.file))
    $env.__awsenv = ($env.__awsenv | merge $update.hook | merge {present: $present, content: $content})
}

# The remaining time in the segment, and a colour for it by the name that `ansi` knows.
def --env __awsenv_segment [] {
    let state = $env.__awsenv
    mut colour = "green"
    if $state.expires != null {
        let left = $state.expires - (date now | into int) // 1_000_000_000
        let text = if $left >= 3600 {
            $"($left // 3600)h($left mod 3600 // 60 | fill --width 2 --alignment right --character '0')m"
        } else if $left >= 60 {
            $"($left // 60)m"
        } else if $left > 0 {
            "<1m"
        } else {
            "expired"
        }
        $env.AWSENV_PROMPT = ($state.template | str replace --all "\u{1}" $text)
        if $left <= 300 { $colour = "red" } else if $left <= 900 { $colour = "yellow" }
    }
    if $state.production { $colour = "magenta" }
    $env.AWSENV_PROMPT_COLOR = $colour
}

def --env __awsenv_hook [] {
    if $env.AWSENV_DISABLE? == "1" { return }
    if (__awsenv_stale) { __awsenv_load }
    if $env.__awsenv.template? != null { __awsenv_segment }
}

# Use a profile in this shell, whatever the directory, until `awsenv shell --unset`.
def --env "awsenv shell" [
    profile?: string # the profile to use
    --unset # go back to what the directory asks for
] {
    let words = if $unset { ["--unset"] } else { [$profile] | compact }
    let pin = (^$__awsenv_bin shell --for nu ...$words | from json)
    if $pin == null { hide-env --ignore-errors AWSENV_PIN } else { $env.AWSENV_PIN = $pin }
}

$env.config.hooks.pre_prompt = ($env.config.hooks.pre_prompt? | default [] | append {|| __awsenv_hook })
