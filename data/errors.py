"""The error of reference data that cannot be used."""


class DataError(Exception):
    """A data file is missing or wrong. The message is one line that names the file and the fault."""
