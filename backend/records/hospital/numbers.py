"""Numbers as people write them. Pure."""

from decimal import Decimal
from typing import Any


def plain(number: Any) -> str:
    """Give a number as people write it: 0.5, not 5E-1; 74, not 74.0."""
    text = format(Decimal(str(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
