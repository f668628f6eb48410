"""What can go wrong at the front door, beside faults of the source."""


class UsageError(Exception):
    """The command is wrong: no such file, no such function. Exit status 2."""


class RunError(Exception):
    """The compiled code, or a Python function that it calls, raised. Exit status 1."""
