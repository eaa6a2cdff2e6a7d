"""What a slip goes through, and what is kept of it while it waits for a yes. Pure."""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from backend.errors import NotFound
from backend.records.rules import check_value
from backend.records.slips.reading import Doubt, SlipReading, SlipRow
from data.observations import ObservationKind, observation_kinds


class SlipState(StrEnum):
    """Where a photograph stands."""

    WAITING = "waiting"  # to be read
    READ = "read"  # shown to whoever sent it, who has not said yes or no
    NO_SLIP = "no_slip"  # nothing could be read off it
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True)
class SlipView:
    """A slip as whoever sent it sees it.

    Args:
        name: whose it is, as printed. taken_on: the day printed on it. unknown: rows of which nothing is known here.
        patient_name, sex, age_months: of the patient in whose record it would be kept, as far as they are known.
    """

    id: str
    state: SlipState
    patient_id: str
    sender_id: str
    consultation_id: str | None
    rows: tuple[SlipRow, ...]
    name: str = field(repr=False)
    taken_on: date | None
    unknown: int
    created_at: datetime
    patient_name: str = field(repr=False)
    sex: str
    age_months: int | None

    @property
    def keepable(self) -> tuple[SlipRow, ...]:
        """The rows that can be kept as they are."""
        return tuple(row for row in self.rows if row.value)


def kind_of(row: SlipRow) -> ObservationKind:
    """Give what a row measures."""
    return observation_kinds()[row.kind]


def to_json(reading: SlipReading) -> dict[str, Any]:
    """Give what is kept of a reading."""
    return {"rows": [asdict(row) for row in reading.rows], "name": reading.name, "unknown": reading.unknown}


def rows_of(held: dict[str, Any]) -> tuple[SlipRow, ...]:
    """Give back the rows that `to_json` wrote."""
    return tuple(
        SlipRow(**{**row, "doubt": Doubt(row["doubt"]) if row["doubt"] else None}) for row in held.get("rows", ())
    )


def with_row(held: dict[str, Any], number: int, value: str) -> dict[str, Any]:
    """Give a reading with another value in a row, counted from 1; a unit may stand behind the number.

    Raises:
        NotFound: there is no such row. InvalidInput: the value cannot be.
    """
    rows = list(rows_of(held))
    row = _row(rows, number)
    kind = kind_of(row)
    figure, unit = _apart(value)
    checked = check_value(kind, figure, unit)
    printed = f"{figure} {unit or kind.shown_unit}".strip()
    rows[number - 1] = replace(row, value=checked, printed=printed, doubt=None)
    return {**held, "rows": [asdict(one) for one in rows]}


def without_row(held: dict[str, Any], number: int) -> dict[str, Any]:
    """Give a reading without a row, counted from 1; the numbers of the others stay.

    Raises:
        NotFound: there is no such row.
    """
    rows = list(rows_of(held))
    rows[number - 1] = replace(_row(rows, number), value="", doubt=Doubt.LEFT_OUT)
    return {**held, "rows": [asdict(one) for one in rows]}


def _row(rows: list[SlipRow], number: int) -> SlipRow:
    if not 1 <= number <= len(rows):
        raise NotFound(f"没有第{number}项，一共{len(rows)}项。")
    return rows[number - 1]


def _apart(value: str) -> tuple[str, str]:
    """Give number and unit: “5.2mmol/L” is 5.2 and mmol/L."""
    plain = value.strip()
    end = next((place for place, sign in enumerate(plain) if not (sign.isdigit() or sign in ".+-±")), len(plain))
    return (plain[:end], plain[end:].strip()) if end else (plain, "")
