"""The one exception that commands turn into a one-line message and exit code 2."""


class UserError(Exception):
    """Wrong input: the message says what is wrong, where, and how to mend it, in one line."""


class ConfigError(UserError):
    """A configuration file or an --opts entry that cannot be used."""


class DataError(UserError):
    """An annotation, photo or prediction file that cannot be used."""


class CheckpointError(UserError):
    """A checkpoint that is corrupt, hostile, or belongs to another network or skeleton."""
