
# The names of profiles come from the binary.
for command in use shell login logout
    complete -c awsenv -n "__fish_awsenv_using_subcommand $command" -f -a "(command awsenv __profiles 2>/dev/null)"
end
complete -c awsenv -n "__fish_awsenv_using_subcommand env" -l profile -x -a "(command awsenv __profiles 2>/dev/null)"
