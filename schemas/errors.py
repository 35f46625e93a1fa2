"""The errors that a user can mend: one clear sentence, no traceback."""


class HipwatchError(Exception):
    """Something outside the code is wrong (input, settings, a service). The message is one sentence that names the place."""
