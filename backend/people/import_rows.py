"""Tables from the office, row by row: what is said under each heading, and what is wrong with it. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from backend.errors import DomainError, InvalidInput

T = TypeVar("T")


@dataclass
class ImportRow:
    """A row of the table.

    Attributes:
        line: its number in the table, the headings being 1, empty rows not counted.
        is_new: nobody with this licence number, or no institution with this code, is known yet.
        faults: what is wrong with it: the heading, and a sentence.
    """

    line: int
    name: str = field(repr=False)
    is_new: bool = True
    faults: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict, repr=False)

    def take(self, heading: str, text: str, read: Callable[[str], T | None], sentence: str) -> T | None:
        """Read what stands under a heading; where it is nothing that can be read, `sentence` becomes a fault."""
        try:
            found = read(text)
        except (DomainError, ValueError, KeyError):
            found = None
        if found is None:
            self.faults.append((heading, sentence))
        return found


@dataclass(frozen=True)
class ImportPreview:
    """What a table would do, or has done where it is `written`."""

    rows: list[ImportRow]
    written: bool

    @property
    def faulty(self) -> int:
        """How many rows are wrong."""
        return sum(bool(row.faults) for row in self.rows)


def said_in(
    table: Sequence[Sequence[str]], columns: Mapping[str, str], optional: Collection[str], nothing: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """Give of each row its number and what is said under each heading; what a row lacks is empty.

    Args:
        columns: by heading. optional: headings that the table may lack. nothing: the sentence for a table without rows.

    Raises:
        InvalidInput: a heading is missing or there is no row.
    """
    headings = [heading.strip() for heading in table[0]] if table else []
    missing = [name for name in columns if name not in headings and name not in optional]
    if missing:
        raise InvalidInput(f"表里缺少这几列：{'、'.join(missing)}。请用模板填写。", field="file")
    if len(table) < 2:
        raise InvalidInput(nothing, field="file")
    for line, cells in enumerate(table[1:], start=2):
        said = dict(zip(headings, [*cells, *[""] * len(headings)], strict=False))
        yield line, {heading: said.get(heading, "") for heading in columns}


def mark_twice(rows: Sequence[ImportRow], heading: str, key: str, sentence: str) -> None:
    """Make a fault of each row whose value another row has too."""
    values = [row.values[key] or "" for row in rows]
    for row, value in zip(rows, values, strict=True):
        if value and values.count(value) > 1:
            row.faults.append((heading, sentence))
