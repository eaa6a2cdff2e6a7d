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
