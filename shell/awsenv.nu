# awsenv: the hook for nushell. Save it, and source it:
#
#     awsenv hook nu | save --force ($nu.default-config-dir | path join autoload awsenv.nu)
#
# Before each prompt nu's own commands decide whether anything changed; only then does the binary run. The hook's state
# is a record in the environment, which nu hands to no other program.

const __awsenv_bin = "AWSENV_BINARY"
const __awsenv_generation_file = "AWSENV_GENERATION_FILE"
# What the plugin is given of the environment: to fetch all of it takes longer than all the rest.
const __awsenv_variables = [AWSENV_VARIABLES]

$env.__awsenv = {
    pwd: "", nearer: [], file: null, content: null, generation: null, present: [], absent: [], checked: (date now)
    deadline: null, expires: null, template: null, repaint: null, production: false, told: "", pin: ""
    plugin: (scope commands | where name == "awsenv export" and type == plugin | is-not-empty)
}

# The content of a file, as far as it can matter. A pipe put in its place is not read: that could wait for ever.
def __awsenv_read [path: any] {
    if $path == null or ($path | path type) != file { return null }
    try { open --raw $path } catch { null }
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

# What tells that a file was edited: its hash; of a large one the modification time.
def __awsenv_mark [path: string] {
    try {
        let found = (ls --directory $path | first)
        let large = $found.size > 64kB
        {path: $path, hash: (if not $large { open --raw $path | hash md5 }), modified: (if $large { $found.modified })}
    } catch {
        {path: $path, hash: null, modified: null}
    }
}

# Whether one of the AWS files or the settings was edited. nu is slow to tell, so it is asked once in two seconds.
def __awsenv_touched [] {
    for file in $env.__awsenv.present {
        let same = try {
            if $file.hash != null {
                (open --raw $file.path | hash md5) == $file.hash
            } else {
                (ls --directory $file.path | get 0.modified) == $file.modified
            }
        } catch { false }
        if not $same { return true }
    }
    false
}

# What there is to do: nothing (null), `run` the binary, `look` at the AWS files, follow a `move` to another directory,
# or `paint` the segment. This is all that happens at most prompts. It changes nothing, since nu copies the whole
# environment back from what does.
def __awsenv_due [] {
    if $env.AWSENV_DISABLE? == "1" { return null }
    let state = $env.__awsenv
    if ($env.AWSENV_PIN? | default "") != $state.pin { return run }
    if $env.PWD != $state.pwd { return move }
    for path in $state.nearer { if ($path | path exists) { return run } }
    if $state.file != null {
        let content = (__awsenv_read $state.file)
        if $content != $state.content { return run }
        if $content == null and not ($state.file | path exists --no-symlink) { return run }
    }
    if $state.generation != null and not ($state.generation | path exists) { return run }
    for path in $state.absent { if ($path | path exists) { return run } }
    let now = (date now)
    if $state.deadline != null and $now >= $state.deadline { return run }
    if $now > $state.checked + 2sec { return look }
    if $state.repaint != null and $now >= $state.repaint { return paint }
    null
}

# What the plugin answers, if it is there, else the binary: which variables to hide, and the hook's own state. Those to
# set are set. A plugin that fails, as one of another version of nu does, is told of once, and the binary serves.
def --env __awsenv_ask [told: string] {
    if $env.__awsenv.plugin {
        let update = try {
            awsenv export --told $told --environment ($env | select -o ...$__awsenv_variables)
        } catch {|problem|
            print --stderr $"awsenv: the plugin does not work: ($problem.msg); run: cargo install nu_plugin_awsenv, and plugin add ~/.cargo/bin/nu_plugin_awsenv"
        }
        if $update != null {
            load-env $update.set
            return $update
        }
        $env.__awsenv.plugin = false
    }
    let update = try { with-env {AWSENV_TOLD: $told} { ^$__awsenv_bin export nu } | from json } catch { null }
    if $update != null { load-env $update.set }
    $update
}

# Runs the plugin or the binary. What is to be tried is recorded as tried first, so that an interrupt cannot repeat it at each prompt.
def --env __awsenv_load [] {
    let found = (__awsenv_walk)
    let before = $env.__awsenv
    let marks = ($before.present | each {|file| __awsenv_mark $file.path })
    $env.__awsenv = ($before | merge {
        pwd: $env.PWD, nearer: $found.nearer, file: $found.file, content: (__awsenv_read $found.file), deadline: null
        generation: (try { $"($__awsenv_generation_file).(open --raw $__awsenv_generation_file)" } catch { null })
        pin: ($env.AWSENV_PIN? | default ""), present: $marks, checked: (date now)
    })
    let update = (__awsenv_ask $before.told)
    if $update == null { return }
    for name in $update.hide { hide-env --ignore-errors $name }
    # A file that was watched before is compared with what it was before the binary ran, so that no edit is lost.
    let known = $marks
    let present = ($update.hook.present | each {|path|
        let mark = ($known | where path == $path)
        if ($mark | is-empty) { __awsenv_mark $path } else { $mark | first }
    })
    let content = ($update.hook.content? | default (__awsenv_read $update.hook.file))
    let moment = {|seconds| if $seconds != null { $seconds * 1_000_000_000 | into datetime } }
    $env.__awsenv = ($env.__awsenv | merge $update.hook | merge {
        present: $present, content: $content, repaint: null
        deadline: (do $moment $update.hook.deadline), expires: (do $moment $update.hook.expires)
    })
}

# The remaining time in the segment, and a colour for it by the name that `ansi` knows. It stays until the text changes.
def --env __awsenv_segment [] {
    let state = $env.__awsenv
    mut colour = "green"
    if $state.expires != null {
        let left = (($state.expires - (date now)) / 1sec | math ceil)
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
        $env.__awsenv.repaint = ((date now) + ([($left mod 60) 1] | math max | into duration --unit sec))
    } else {
        $env.__awsenv.repaint = ((date now) + 1wk)
    }
    if $state.production { $colour = "magenta" }
    $env.AWSENV_PROMPT_COLOR = $colour
}

def --env __awsenv_act [due: string] {
    match $due {
        "run" => { __awsenv_load }
        "move" => {
            let found = (__awsenv_walk)
            if $env.__awsenv.pwd == "" or $found.file != $env.__awsenv.file {
                __awsenv_load
            } else {
                $env.__awsenv.pwd = $env.PWD
                $env.__awsenv.nearer = $found.nearer
                let next = (__awsenv_due)
                if $next != null { __awsenv_act $next }
            }
        }
        "look" => {
            $env.__awsenv.checked = (date now)
            if (__awsenv_touched) { __awsenv_load }
        }
    }
    if $env.__awsenv.template != null { __awsenv_segment }
}

def __awsenv_profiles [] { ^$__awsenv_bin __profiles | lines }

# Use a profile in this shell, whatever the directory, until `awsenv shell --unset`.
def --env "awsenv shell" [
    profile?: string@__awsenv_profiles # the profile to use
    --unset # go back to what the directory asks for
] {
    let words = if $unset { ["--unset"] } else { [$profile] | compact }
    let pin = (^$__awsenv_bin shell --for nu ...$words | from json)
    if $pin == null { hide-env --ignore-errors AWSENV_PIN } else { $env.AWSENV_PIN = $pin }
}

$env.config.hooks.pre_prompt = ($env.config.hooks.pre_prompt? | default [] | append {||
    let due = (__awsenv_due)
    if $due != null { __awsenv_act $due }
})
