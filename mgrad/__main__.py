"""`python -m mgrad` is the command `mgrad`."""

from mgrad.cli import main

main()
