"""The error that commands print as one line."""


class InputError(Exception):
    """What the user gave cannot be used: the message says what, what was expected, what to do."""
