"""Entries of a work of reference, and pages of them. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Statement:
    """Something that is said of an entry.

    Attributes:
        source: the work to check it against. reviewed: by whom it was reviewed and when; "" where nobody has.
    """

    title: str
    text: str
    source: str
    reviewed: str


@dataclass(frozen=True)
class Entry:
    """A disease or a medicine: its code in its system (ICD-10, ATC), its other names, and what is said of it."""

    key: str
    name: str
    code: str
    aliases: tuple[str, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class EntryPage:
    """A page of entries: how many there are in all, and where the next page begins (None: that was all)."""

    items: tuple[Entry, ...]
    total: int
    next_at: int | None


def page(rows: Sequence[Row], make: Callable[[Row], Entry], at: int, limit: int) -> EntryPage:
    """Give a page of rows as entries; the others are not made."""
    end = at + limit
    shown = tuple(make(row) for row in rows[at:end])
    return EntryPage(shown, len(rows), end if end < len(rows) else None)


def said(number: Decimal | float) -> str:
    """Give a number as people write it: 0.50 as 0.5, 100 as 100."""
    return f"{Decimal(str(number)).normalize():f}"
