"""What is told about a hospital and a patient: values that the table and the page share."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of the last question to a hospital about a patient."""

    WAITING = "waiting"  # it has not been asked yet
    FETCHED = "fetched"
    ABSENT = "absent"  # nobody there has this identity number
    UNMATCHED = "unmatched"  # two have it, or somebody of another name, sex or birth date
    UNREACHABLE = "unreachable"
