"""Tables that hold in a region from a day on: what coverage tables and tariffs have in common."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, model_validator

from data.errors import DataError
from data.files import Row, require_unique


class RegionTable(Row):
    """A table of a region from a day on; a region of "" is where no other table fits."""

    code: str
    region: str
    name: str
    valid_from: Annotated[date, Field(alias="from")]
    until: date | None = None
    source: Annotated[str, Field(min_length=3)]

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "RegionTable":
        if self.until is not None and self.until < self.valid_from:
            raise ValueError("it ends before it begins")
        return self

    def holds(self, region: str, day: date) -> bool:
        """Tell whether it holds in a region ("江西省…" lies in "江西省") on a day."""
        return self.valid_from <= day <= (self.until or date.max) and region.startswith(self.region)

    def meets(self, other: "RegionTable") -> bool:
        """Tell whether there is a day on which both hold."""
        return self.valid_from <= (other.until or date.max) and other.valid_from <= (self.until or date.max)


T = TypeVar("T", bound=RegionTable)


def check_regions(path: Path, tables: Sequence[RegionTable]) -> None:
    """See that on each day one table holds in a region, and one where none fits.

    Raises:
        DataError: it is not so.
    """
    require_unique(path, "code", [table.code for table in tables])
    for one in tables:
        for other in tables:
            if one.code < other.code and one.region == other.region and one.meets(other):
                raise DataError(f"{path}: {one.code} and {other.code} hold on the same day")
    if not any(table.region == "" for table in tables):
        raise DataError(f"{path}: there is no table for where none fits")


def narrowest(tables: Sequence[T], region: str, day: date, what: str) -> T:
    """Give the table of the narrowest region that `region` lies in on this day.

    Raises:
        DataError: none holds on this day.
    """
    holding = [one for one in tables if one.holds(region, day)]
    if not holding:
        raise DataError(f"no {what} holds on {day}")
    return max(holding, key=lambda one: len(one.region))
