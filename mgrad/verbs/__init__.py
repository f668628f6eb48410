"""What the command line's verbs do. Each returns data; `mgrad.cli` prints it."""
