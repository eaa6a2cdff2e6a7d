"""What a visit to the expert's hospital would have cost a patient, as dated parameters, each with where it is from."""

from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from data.errors import DataError
from data.files import Row, read_rows, require_unique

FOLDER = Path(__file__).parent


class Parameter(Row):
    """One number.

    Args:
        basis: "published" where `source` names who published it, "assumed" where nobody did.
        said: the number and where it is from, in a clause of Chinese for the definition of the figure.
    """

    value: Annotated[Decimal, Field(ge=0, le=100_000)]
    basis: Literal["published", "assumed"]
    source: Annotated[str, Field(min_length=10)]
    said: Annotated[str, Field(min_length=4)]


class Parameters(Row):
    """What is reckoned with from a day on: until the next ones begin.

    Args:
        road_factor: kilometres of road for one as the crow flies; from 1.
        home_km: from home to the township centre, one way.
        fare_per_km: yuan a person and kilometre. travellers: how many persons go.
        day_income: yuan that a traveller loses in a day.
        hospital_days, township_days: how long somebody is away who goes there.
        registration_fee: yuan that the patient pays themselves to see an expert at their hospital.
    """

    code: str
    name: str
    valid_from: Annotated[date, Field(alias="from")]
    road_factor: Parameter
    home_km: Parameter
    fare_per_km: Parameter
    travellers: Parameter
    day_income: Parameter
    hospital_days: Parameter
    township_days: Parameter
    registration_fee: Parameter

    @property
    def all(self) -> tuple[Parameter, ...]:
        """Every parameter, in the order in which they are told."""
        return (
            self.road_factor,
            self.home_km,
            self.fare_per_km,
            self.travellers,
            self.day_income,
            self.hospital_days,
            self.township_days,
            self.registration_fee,
        )


def load_parameters(path: Path = FOLDER / "parameters.json") -> tuple[Parameters, ...]:
    """Read the parameters, the earliest first.

    Raises:
        DataError: the file is missing or wrong, two begin on one day, or roads are shorter than the crow flies.
    """
    found = read_rows(path, Parameters)
    require_unique(path, "code", [one.code for one in found])
    in_order = sorted(found, key=lambda one: one.valid_from)
    for earlier, later in pairwise(in_order):
        if earlier.valid_from == later.valid_from:
            raise DataError(f"{path}: {earlier.code} and {later.code} begin on the same day")
    for one in in_order:
        if one.road_factor.value < 1:
            raise DataError(f"{path}: {one.code}: no road is shorter than the straight line")
    return tuple(in_order)


@cache
def parameters() -> tuple[Parameters, ...]:
    """Give the shipped parameters, the earliest first."""
    return load_parameters()


def parameters_on(day: date, known: tuple[Parameters, ...] | None = None) -> Parameters | None:
    """Give what is reckoned with on a day; None before the first begin, where nothing can be said."""
    held = [one for one in (parameters() if known is None else known) if one.valid_from <= day]
    return held[-1] if held else None


def parameters_between(first: date, last: date) -> tuple[Parameters, ...]:
    """Give those of the shipped parameters that hold on any day of a span, the earliest first."""
    before = parameters_on(first)
    later = tuple(one for one in parameters() if first < one.valid_from <= last)
    return (before, *later) if before is not None else later
