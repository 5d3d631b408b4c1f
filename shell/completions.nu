# The names of profiles come from the binary.
def "nu-complete awsenv profiles" [] {
    ^awsenv __profiles | lines
}

