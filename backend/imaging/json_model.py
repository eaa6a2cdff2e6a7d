"""The DICOM JSON model (PS3.18, annex F), as far as answers are made of it."""

from collections.abc import Sequence
from typing import Any

DataSet = dict[str, dict[str, Any]]


def identifier(value: str) -> dict[str, Any]:
    """Give a UI element; without a value where there is none."""
    return {"vr": "UI", "Value": [value]} if value else {"vr": "UI"}


def address(value: str) -> dict[str, Any]:
    """Give a UR element."""
    return {"vr": "UR", "Value": [value]}


def number(value: int) -> dict[str, Any]:
    """Give a US element."""
    return {"vr": "US", "Value": [value]}


def sequence(items: Sequence[DataSet]) -> dict[str, Any]:
    """Give an SQ element."""
    return {"vr": "SQ", "Value": list(items)}


def whole(value: int | None) -> dict[str, Any]:
    """Give an IS element; without a value where there is none."""
    return {"vr": "IS"} if value is None else {"vr": "IS", "Value": [value]}


def code(*values: str) -> dict[str, Any]:
    """Give a CS element."""
    return {"vr": "CS", "Value": list(values)} if values else {"vr": "CS"}


def text(representation: str, value: str) -> dict[str, Any]:
    """Give an element of one text; without a value where there is none."""
    return {"vr": representation, "Value": [value]} if value else {"vr": representation}


def person_name(value: str) -> dict[str, Any]:
    """Give a PN element of a name with its groups apart (PS3.18, section F.2.2)."""
    return person_names([value])


def person_names(values: Sequence[str]) -> dict[str, Any]:
    """Give a PN element of several names, as `person_name`."""
    named = [_name_groups(value) for value in values]
    return {"vr": "PN", "Value": named} if any(named) else {"vr": "PN"}


def _name_groups(value: str) -> dict[str, str]:
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False)
    return {kind: group.rstrip() for kind, group in groups if group.strip()}
