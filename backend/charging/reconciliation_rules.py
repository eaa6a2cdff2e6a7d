"""Two lists of the same things, ordered by number, held beside each other. Pure; nothing is held as a whole."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

Book = Literal["insurer", "payment"]


class DifferenceKind(StrEnum):
    """How two books differ about one number."""

    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT = "amount"
    STATE = "state"  # the same happened, and it is of another kind: a refund for a payment
    DUPLICATE = "duplicate"


class Outcome(StrEnum):
    """What was done about a difference."""

    REPAIRED = "repaired"  # by a rule that is named
    OTHER_DAY = "other_day"  # both books have it, on neighbouring days
    FOR_A_PERSON = "for_a_person"


@dataclass(frozen=True)
class Entry:
    """One thing in a book: `amounts` in fen (of a settlement: total, insurance, account)."""

    number: str
    kind: str
    amounts: tuple[int, ...]


@dataclass(frozen=True)
class Difference:
    """One number about which the books do not agree."""

    kind: DifferenceKind
    number: str
    here: Entry | None
    there: Entry | None


def digest_of(book: Book, day: date, difference: Difference) -> str:
    """Give what tells a difference from every other, and is the same however often it is found."""
    found = [book, day.isoformat(), difference.kind, difference.number, kept(difference.here), kept(difference.there)]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def kept(entry: Entry | None) -> list[str | int] | None:
    """Give an entry as it is kept."""
    return None if entry is None else [entry.kind, *entry.amounts]


async def compared(here: AsyncIterator[Entry], there: AsyncIterator[Entry]) -> AsyncIterator[Difference | None]:
    """Give, for each number of either list, how they differ, or None where they do not.

    Raises:
        ValueError: a list is not ordered by number.
    """
    ours, theirs = _Ordered(here), _Ordered(there)
    await ours.advance()
    await theirs.advance()
    while ours.entry is not None or theirs.entry is not None:
        mine, other = ours.entry, theirs.entry
        if other is not None and theirs.repeated:
            yield Difference(DifferenceKind.DUPLICATE, other.number, None, other)
            await theirs.advance()
        elif mine is None or (other is not None and other.number < mine.number):
            yield Difference(DifferenceKind.MISSING_HERE, theirs.number, None, other)
            await theirs.advance()
        elif other is None or mine.number < other.number:
            yield Difference(DifferenceKind.MISSING_THERE, mine.number, mine, None)
            await ours.advance()
        else:
            yield _same_number(mine, other)
            await ours.advance()
            await theirs.advance()


def _same_number(mine: Entry, other: Entry) -> Difference | None:
    if mine.kind != other.kind:
        return Difference(DifferenceKind.STATE, mine.number, mine, other)
    if mine.amounts != other.amounts:
        return Difference(DifferenceKind.AMOUNT, mine.number, mine, other)
    return None


class _Ordered:
    """A list that is read one after the other, and has to be in order."""

    def __init__(self, entries: AsyncIterator[Entry]) -> None:
        self._entries = entries
        self.entry: Entry | None = None
        self.number = ""
        self.repeated = False

    async def advance(self) -> None:
        self.entry = await anext(self._entries, None)
        if self.entry is None:
            return
        if self.entry.number < self.number:
            raise ValueError("a list that is not ordered by number")
        self.repeated = self.entry.number == self.number
        self.number = self.entry.number
