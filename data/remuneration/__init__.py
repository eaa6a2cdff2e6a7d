"""What an expert is paid of a fee, and which subsidy a township institution gets, as dated table files."""

from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from data.errors import DataError
from data.files import Row, read_rows, require_unique

FOLDER = Path(__file__).parent

Share = Annotated[Decimal, Field(ge=0, le=1)]
Yuan = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=2)]
UrgencyCode = Literal["critical", "urgent", "semi_urgent", "routine"]
"""Levels of 急诊预检分诊专家共识 (2018), as consultations have them."""

Stars = Literal["1", "2", "3", "4", "5"]


class Band(Row):
    """A share for so many minutes: at least (duration) or at most (response)."""

    minutes: Annotated[int, Field(ge=1, le=1440)]
    share: Share


class Formula(Row):
    """How a fee is shared from a day on. Every share is of the fee.

    Args:
        base: what the expert gets of every consultation.
        duration: in addition, of the longest band that the consultation reached.
        urgency, report: in addition for what was difficult: an urgent case, images read with a signed report.
        response: in addition, of the shortest band in which the expert accepted the invitation.
        rating: in addition, by the patient's stars.
        most: what the expert gets altogether at most.
        institution: what the township institution gets of the fee.
        subsidy_each, subsidy_month: what the treasury pays the township institution for each consultation, and in a
            month at most, in yuan; not out of the fee.
    """

    code: str
    name: str
    valid_from: Annotated[date, Field(alias="from")]
    until: date | None = None
    source: Annotated[str, Field(min_length=3)]
    base: Share
    duration: tuple[Band, ...] = ()
    urgency: dict[UrgencyCode, Share] = {}
    report: Share = Decimal(0)
    response: tuple[Band, ...] = ()
    rating: dict[Stars, Share] = {}
    most: Share
    institution: Share = Decimal(0)
    subsidy_each: Yuan = Decimal(0)
    subsidy_month: Yuan = Decimal(0)

    @model_validator(mode="after")
    def _shares_a_fee(self) -> "Formula":
        if self.most + self.institution > 1:
            raise ValueError("expert and institution together get more than the fee")
        if self.base > self.most:
            raise ValueError("the base is more than the most")
        for bands, rising in ((self.duration, True), (self.response, False)):
            minutes = [band.minutes for band in bands]
            shares = [band.share for band in bands]
            if minutes != sorted(set(minutes)) or shares != sorted(shares, reverse=not rising):
                raise ValueError("bands in order of minutes: longer pays no less, slower pays no more")
        if self.until is not None and self.until < self.valid_from:
            raise ValueError("it ends before it begins")
        return self


def load_formulas(path: Path = FOLDER / "formula.json") -> tuple[Formula, ...]:
    """Read the formulas.

    Raises:
        DataError: the file is missing or wrong, or two formulas hold on one day.
    """
    found = read_rows(path, Formula)
    require_unique(path, "code", [one.code for one in found])
    in_order = sorted(found, key=lambda one: one.valid_from)
    for earlier, later in pairwise(in_order):
        if later.valid_from <= (earlier.until or date.max):
            raise DataError(f"{path}: {earlier.code} and {later.code} hold on the same day")
    return tuple(in_order)


@cache
def formulas() -> tuple[Formula, ...]:
    """Give the shipped formulas, the earliest first."""
    return load_formulas()


def formula_on(day: date, known: tuple[Formula, ...] | None = None) -> Formula:
    """Give the formula that holds on a day.

    Raises:
        DataError: none does.
    """
    for one in formulas() if known is None else known:
        if one.valid_from <= day <= (one.until or date.max):
            return one
    raise DataError(f"no formula of expert pay holds on {day}")
