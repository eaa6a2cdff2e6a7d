"""What a remote consultation costs, by region and day, the expert's title and the level of their institution."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from data.files import Row, read_rows
from data.insurance import FOLDER, Level, Yuan
from data.insurance.regions import RegionTable, check_regions, narrowest


class TariffFee(Row):
    """What an expert of this title asks at an institution of this level; "any": every title that no other row names."""

    level: Level
    title: Annotated[str, Field(min_length=1)]
    fee: Yuan


class Tariff(RegionTable):
    """The fees of a region from a day on; `no_show_fee` is what a patient pays who does not come."""

    no_show_fee: Yuan = Decimal(0)
    fees: tuple[TariffFee, ...]

    @model_validator(mode="after")
    def _has_a_fee_for_every_title(self) -> "Tariff":
        keys = [(one.level, one.title) for one in self.fees]
        if len(set(keys)) < len(keys):
            raise ValueError("two fees for one title")
        if {level for level, title in keys if title == "any"} != {"primary", "secondary", "tertiary"}:
            raise ValueError("each level needs a fee for any title")
        return self

    def fee(self, level: Level, title: str) -> Decimal:
        """Give what an expert of this title asks, in yuan."""
        fees = {one.title: one.fee for one in self.fees if one.level == level}
        return fees.get(title, fees["any"])


def load_tariffs(path: Path = FOLDER / "tariffs.json") -> tuple[Tariff, ...]:
    """Read the tariffs.

    Raises:
        DataError: the file is missing or wrong, or two tariffs of one region hold on one day.
    """
    tariffs = read_rows(path, Tariff)
    check_regions(path, tariffs)
    return tariffs


@cache
def tariffs() -> tuple[Tariff, ...]:
    """Give the shipped tariffs."""
    return load_tariffs()


def tariff_for(region: str, day: date, known: tuple[Tariff, ...] | None = None) -> Tariff:
    """Give the tariff of the narrowest region that `region` lies in on this day.

    Raises:
        DataError: none holds on this day.
    """
    return narrowest(tariffs() if known is None else known, region, day, "tariff")
