# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_awsenv_global_optspecs
    string join \n h/help V/version
end

function __fish_awsenv_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_awsenv_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_awsenv_using_subcommand
    set -l cmd (__fish_awsenv_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c awsenv -n "__fish_awsenv_needs_command" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_needs_command" -s V -l version -d 'Print version'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "hook" -d 'Print the hook for a shell'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "export" -d 'Print the statements that bring a shell to the directory\'s state (what the hook runs)'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "use" -d 'Write `.awsprofile` here, and trust it'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "shell" -d 'Use a profile in this shell, whatever the directory'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "allow" -d 'Trust a `.awsprofile`, after showing what it will do'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "deny" -d 'Block a `.awsprofile`'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "status" -d 'Show what is loaded, from which file, until when, and why not if not'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "prompt" -d 'Print the prompt segment'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "login" -d 'Sign in now, whatever is cached'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "logout" -d 'Forget cached sessions'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "env" -d 'Print credentials for other programs'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "exec" -d 'Run a command with a profile\'s credentials'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "credential-process" -d 'Print credentials as a `credential_process` of ~/.aws/config does'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "console" -d 'Open the AWS web console, signed in'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "server" -d 'Start, end or look at the local credential server'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "profiles" -d 'List every profile with its kind, account, region and session state'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "explain" -d 'Show the chain that a profile resolves to, and where each value was read'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "sso" -d 'Sign in to IAM Identity Center, and make profiles of what is assigned there'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "completions" -d 'Print the completion script for a shell'
complete -c awsenv -n "__fish_awsenv_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c awsenv -n "__fish_awsenv_using_subcommand hook" -l cd -d 'In bash, wrap `cd` too, so that `cd DIR && COMMAND` sees the credentials of DIR'
complete -c awsenv -n "__fish_awsenv_using_subcommand hook" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand export" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand use" -l region -d 'The region for programs below here' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand use" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand shell" -l for -d 'The shell that evaluates the output; the hook says it' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand shell" -l unset -d 'Go back to what the directory asks for'
complete -c awsenv -n "__fish_awsenv_using_subcommand shell" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand allow" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand deny" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand status" -l json
complete -c awsenv -n "__fish_awsenv_using_subcommand status" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand prompt" -l shell -d 'Escape and colour it for this shell\'s prompt' -r -f -a "bash\t''
zsh\t''
fish\t''
nu\t''"
complete -c awsenv -n "__fish_awsenv_using_subcommand prompt" -l format -d 'What to show; the setting `prompt.format` is the default' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand prompt" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand login" -l mfa-code -d 'The MFA code; `-` reads it from standard input' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand login" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand logout" -l all -d 'Every session of every profile'
complete -c awsenv -n "__fish_awsenv_using_subcommand logout" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand env" -l profile -r
complete -c awsenv -n "__fish_awsenv_using_subcommand env" -l format -r -f -a "env\t'`export NAME=\'value\'` for POSIX shells'
json\t'an object of names and values'
fish\t'`set -gx NAME \'value\'`'
nu\t'a record for `load-env`'
dotenv\t'`NAME=value` for `.env` files'
powershell\t'`$env:NAME = \'value\'`'
docker\t'`NAME=value` for `docker run --env-file`'
ini\t'a section of `~/.aws/credentials`'"
complete -c awsenv -n "__fish_awsenv_using_subcommand env" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c awsenv -n "__fish_awsenv_using_subcommand exec" -l profile -r
complete -c awsenv -n "__fish_awsenv_using_subcommand exec" -l server -d 'Let the command ask the credential server, so that it outlives its session'
complete -c awsenv -n "__fish_awsenv_using_subcommand exec" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand credential-process" -l profile -r
complete -c awsenv -n "__fish_awsenv_using_subcommand credential-process" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand console" -l profile -r
complete -c awsenv -n "__fish_awsenv_using_subcommand console" -l service -d 'A service\'s page, as it is named in the console\'s addresses' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand console" -l region -r
complete -c awsenv -n "__fish_awsenv_using_subcommand console" -l print -d 'Print the address instead of opening it; whoever has it is signed in'
complete -c awsenv -n "__fish_awsenv_using_subcommand console" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and not __fish_seen_subcommand_from start stop status help" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and not __fish_seen_subcommand_from start stop status help" -f -a "start" -d 'Start it (`export = server` and `exec --server` start it by themselves)'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and not __fish_seen_subcommand_from start stop status help" -f -a "stop" -d 'End it'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and not __fish_seen_subcommand_from start stop status help" -f -a "status" -d 'Whether it runs, and where'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and not __fish_seen_subcommand_from start stop status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from start" -l bind -d 'Listen at this address too, for containers' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from start" -l port -d 'Listen at this port; otherwise at a free one' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from status" -l json
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "start" -d 'Start it (`export = server` and `exec --server` start it by themselves)'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "stop" -d 'End it'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "status" -d 'Whether it runs, and where'
complete -c awsenv -n "__fish_awsenv_using_subcommand server; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c awsenv -n "__fish_awsenv_using_subcommand profiles" -l json
complete -c awsenv -n "__fish_awsenv_using_subcommand profiles" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand explain" -l json
complete -c awsenv -n "__fish_awsenv_using_subcommand explain" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and not __fish_seen_subcommand_from login populate help" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and not __fish_seen_subcommand_from login populate help" -f -a "login" -d 'Sign in, in the browser; the AWS CLI and the SDKs use the same sign-in'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and not __fish_seen_subcommand_from login populate help" -f -a "populate" -d 'Write a profile for every account and role that is assigned to you into ~/.aws/config'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and not __fish_seen_subcommand_from login populate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from login" -l sso-session -d 'A `[sso-session NAME]` of ~/.aws/config' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from login" -l device-code -d 'Enter a code in a browser anywhere (the default over SSH, and where there is no browser)'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from login" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -l sso-session -d 'A `[sso-session NAME]` of ~/.aws/config; not needed if there is only one' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -l template -d 'How to name the profiles' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -l prefix -d 'What each name begins with' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -l region -d 'The region of each profile' -r
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -l dry-run -d 'Show the change, and make none'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -l prune -d 'Remove profiles of what is assigned no more'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -s y -l yes -d 'Do not ask'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from populate" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from help" -f -a "login" -d 'Sign in, in the browser; the AWS CLI and the SDKs use the same sign-in'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from help" -f -a "populate" -d 'Write a profile for every account and role that is assigned to you into ~/.aws/config'
complete -c awsenv -n "__fish_awsenv_using_subcommand sso; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c awsenv -n "__fish_awsenv_using_subcommand completions" -s h -l help -d 'Print help'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "hook" -d 'Print the hook for a shell'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "export" -d 'Print the statements that bring a shell to the directory\'s state (what the hook runs)'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "use" -d 'Write `.awsprofile` here, and trust it'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "shell" -d 'Use a profile in this shell, whatever the directory'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "allow" -d 'Trust a `.awsprofile`, after showing what it will do'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "deny" -d 'Block a `.awsprofile`'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "status" -d 'Show what is loaded, from which file, until when, and why not if not'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "prompt" -d 'Print the prompt segment'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "login" -d 'Sign in now, whatever is cached'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "logout" -d 'Forget cached sessions'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "env" -d 'Print credentials for other programs'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "exec" -d 'Run a command with a profile\'s credentials'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "credential-process" -d 'Print credentials as a `credential_process` of ~/.aws/config does'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "console" -d 'Open the AWS web console, signed in'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "server" -d 'Start, end or look at the local credential server'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "profiles" -d 'List every profile with its kind, account, region and session state'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "explain" -d 'Show the chain that a profile resolves to, and where each value was read'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "sso" -d 'Sign in to IAM Identity Center, and make profiles of what is assigned there'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "completions" -d 'Print the completion script for a shell'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and not __fish_seen_subcommand_from hook export use shell allow deny status prompt login logout env exec credential-process console server profiles explain sso completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and __fish_seen_subcommand_from server" -f -a "start" -d 'Start it (`export = server` and `exec --server` start it by themselves)'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and __fish_seen_subcommand_from server" -f -a "stop" -d 'End it'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and __fish_seen_subcommand_from server" -f -a "status" -d 'Whether it runs, and where'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and __fish_seen_subcommand_from sso" -f -a "login" -d 'Sign in, in the browser; the AWS CLI and the SDKs use the same sign-in'
complete -c awsenv -n "__fish_awsenv_using_subcommand help; and __fish_seen_subcommand_from sso" -f -a "populate" -d 'Write a profile for every account and role that is assigned to you into ~/.aws/config'

# The names of profiles come from the binary.
for command in use shell login logout
    complete -c awsenv -n "__fish_awsenv_using_subcommand $command" -f -a "(command awsenv __profiles 2>/dev/null)"
end
complete -c awsenv -n "__fish_awsenv_using_subcommand env" -l profile -x -a "(command awsenv __profiles 2>/dev/null)"
