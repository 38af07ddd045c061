"""The command line: `rim-nmt` and its subcommands, a module each."""
