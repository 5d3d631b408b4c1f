# The names of profiles come from the binary.
def "nu-complete awsenv profiles" [] {
    ^awsenv __profiles | lines
}

module completions {

  # AWS credentials per directory, in your own shell, with MFA on cd
  export extern awsenv [
    --help(-h)                # Print help
    --version(-V)             # Print version
  ]

  def "nu-complete awsenv hook shell" [] {
    [ "bash" "zsh" "fish" "nu" ]
  }

  # Print the hook for a shell
  export extern "awsenv hook" [
    --cd                      # In bash, wrap `cd` too, so that `cd DIR && COMMAND` sees the credentials of DIR
    --help(-h)                # Print help
    shell: string@"nu-complete awsenv hook shell"
  ]

  # Print the statements that bring a shell to the directory's state (what the hook runs)
  export extern "awsenv export" [
    --help(-h)                # Print help
    shell: string             # bash, zsh, fish, nu or json
  ]

  # Write `.awsprofile` here, and trust it
  export extern "awsenv use" [
    --region: string          # The region for programs below here
    --help(-h)                # Print help
    profile: string@"nu-complete awsenv profiles"
  ]

  # Trust a `.awsprofile`, after showing what it will do
  export extern "awsenv allow" [
    --help(-h)                # Print help
    path?: path               # A `.awsprofile` or its directory; without it the nearest one
  ]

  # Block a `.awsprofile`
  export extern "awsenv deny" [
    --help(-h)                # Print help
    path?: path               # A `.awsprofile` or its directory; without it the nearest one
  ]

  # Show what is loaded, from which file, until when, and why not if not
  export extern "awsenv status" [
    --json
    --help(-h)                # Print help
  ]

  def "nu-complete awsenv prompt shell" [] {
    [ "bash" "zsh" "fish" "nu" ]
  }

  # Print the prompt segment
  export extern "awsenv prompt" [
    --shell: string@"nu-complete awsenv prompt shell" # Escape and colour it for this shell's prompt
    --format: string          # What to show; the setting `prompt.format` is the default
    --help(-h)                # Print help
  ]

  # Sign in now, whatever is cached
  export extern "awsenv login" [
    --mfa-code: string        # The MFA code; `-` reads it from standard input
    --help(-h)                # Print help
    profile?: string@"nu-complete awsenv profiles"
  ]

  # Forget cached sessions
  export extern "awsenv logout" [
    --all                     # Every session of every profile
    --help(-h)                # Print help
    profile?: string@"nu-complete awsenv profiles"
  ]

  def "nu-complete awsenv env format" [] {
    [ "env" "json" "fish" "nu" "dotenv" "powershell" "docker" "ini" ]
  }

  # Print credentials for other programs
  export extern "awsenv env" [
    --profile: string@"nu-complete awsenv profiles"
    --format: string@"nu-complete awsenv env format"
    --help(-h)                # Print help (see more with '--help')
  ]

  # Run a command with a profile's credentials
  export extern "awsenv exec" [
    --profile: string@"nu-complete awsenv profiles"
    --server                  # Let the command ask the credential server, so that it outlives its session
    --help(-h)                # Print help
  ]

  # Print credentials as a `credential_process` of ~/.aws/config does
  export extern "awsenv credential-process" [
    --profile: string@"nu-complete awsenv profiles"
    --help(-h)                # Print help
  ]

  # Open the AWS web console, signed in
  export extern "awsenv console" [
    --profile: string@"nu-complete awsenv profiles"
    --service: string         # A service's page, as it is named in the console's addresses
    --region: string
    --print                   # Print the address instead of opening it; whoever has it is signed in
    --help(-h)                # Print help
  ]

  # Start, end or look at the local credential server
  export extern "awsenv server" [
    --help(-h)                # Print help
  ]

  # Start it (`export = server` and `exec --server` start it by themselves)
  export extern "awsenv server start" [
    --bind: string            # Listen at this address too, for containers
    --port: string            # Listen at this port; otherwise at a free one
    --help(-h)                # Print help
  ]

  # End it
  export extern "awsenv server stop" [
    --help(-h)                # Print help
  ]

  # Whether it runs, and where
  export extern "awsenv server status" [
    --json
    --help(-h)                # Print help
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "awsenv server help" [
  ]

  # Start it (`export = server` and `exec --server` start it by themselves)
  export extern "awsenv server help start" [
  ]

  # End it
  export extern "awsenv server help stop" [
  ]

  # Whether it runs, and where
  export extern "awsenv server help status" [
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "awsenv server help help" [
  ]

  # List every profile with its kind, account, region and session state
  export extern "awsenv profiles" [
    --json
    --help(-h)                # Print help
  ]

  # Show the chain that a profile resolves to, and where each value was read
  export extern "awsenv explain" [
    --json
    --help(-h)                # Print help
    profile?: string@"nu-complete awsenv profiles"
  ]

  # Sign in to IAM Identity Center, and make profiles of what is assigned there
  export extern "awsenv sso" [
    --help(-h)                # Print help
  ]

  # Sign in, in the browser; the AWS CLI and the SDKs use the same sign-in
  export extern "awsenv sso login" [
    --sso-session: string     # A `[sso-session NAME]` of ~/.aws/config
    --device-code             # Enter a code in a browser anywhere (the default over SSH, and where there is no browser)
    --help(-h)                # Print help
    profile?: string@"nu-complete awsenv profiles"          # A profile that signs in there; else the directory's
  ]

  # Write a profile for every account and role that is assigned to you into ~/.aws/config
  export extern "awsenv sso populate" [
    --sso-session: string     # A `[sso-session NAME]` of ~/.aws/config; not needed if there is only one
    --template: string        # How to name the profiles
    --prefix: string          # What each name begins with
    --region: string          # The region of each profile
    --dry-run                 # Show the change, and make none
    --prune                   # Remove profiles of what is assigned no more
    --yes(-y)                 # Do not ask
    --help(-h)                # Print help
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "awsenv sso help" [
  ]

  # Sign in, in the browser; the AWS CLI and the SDKs use the same sign-in
  export extern "awsenv sso help login" [
  ]

  # Write a profile for every account and role that is assigned to you into ~/.aws/config
  export extern "awsenv sso help populate" [
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "awsenv sso help help" [
  ]

  def "nu-complete awsenv completions shell" [] {
    [ "bash" "zsh" "fish" "nu" ]
  }

  # Print the completion script for a shell
  export extern "awsenv completions" [
    --help(-h)                # Print help
    shell: string@"nu-complete awsenv completions shell"
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "awsenv help" [
  ]

  # Print the hook for a shell
  export extern "awsenv help hook" [
  ]

  # Print the statements that bring a shell to the directory's state (what the hook runs)
  export extern "awsenv help export" [
  ]

  # Write `.awsprofile` here, and trust it
  export extern "awsenv help use" [
  ]

  # Use a profile in this shell, whatever the directory
  export extern "awsenv help shell" [
  ]

  # Trust a `.awsprofile`, after showing what it will do
  export extern "awsenv help allow" [
  ]

  # Block a `.awsprofile`
  export extern "awsenv help deny" [
  ]

  # Show what is loaded, from which file, until when, and why not if not
  export extern "awsenv help status" [
  ]

  # Print the prompt segment
  export extern "awsenv help prompt" [
  ]

  # Sign in now, whatever is cached
  export extern "awsenv help login" [
  ]

  # Forget cached sessions
  export extern "awsenv help logout" [
  ]

  # Print credentials for other programs
  export extern "awsenv help env" [
  ]

  # Run a command with a profile's credentials
  export extern "awsenv help exec" [
  ]

  # Print credentials as a `credential_process` of ~/.aws/config does
  export extern "awsenv help credential-process" [
  ]

  # Open the AWS web console, signed in
  export extern "awsenv help console" [
  ]

  # Start, end or look at the local credential server
  export extern "awsenv help server" [
  ]

  # Start it (`export = server` and `exec --server` start it by themselves)
  export extern "awsenv help server start" [
  ]

  # End it
  export extern "awsenv help server stop" [
  ]

  # Whether it runs, and where
  export extern "awsenv help server status" [
  ]

  # List every profile with its kind, account, region and session state
  export extern "awsenv help profiles" [
  ]

  # Show the chain that a profile resolves to, and where each value was read
  export extern "awsenv help explain" [
  ]

  # Sign in to IAM Identity Center, and make profiles of what is assigned there
  export extern "awsenv help sso" [
  ]

  # Sign in, in the browser; the AWS CLI and the SDKs use the same sign-in
  export extern "awsenv help sso login" [
  ]

  # Write a profile for every account and role that is assigned to you into ~/.aws/config
  export extern "awsenv help sso populate" [
  ]

  # Print the completion script for a shell
  export extern "awsenv help completions" [
  ]

  # Print this message or the help of the given subcommand(s)
  export extern "awsenv help help" [
  ]

}

export use completions *
