"""One row of the source as it stands in the copy."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Table

from backend.deidentification import Directory, Identifiers, scrub
from backend.deidentification.rules import without
from backend.masking.copying import Row
from backend.masking.invented import Invented
from backend.masking.rules import How, how
from backend.rights.holdings import HOLDINGS
from backend.security.keyring import KeyRing

_CODE = re.compile(r"(?!.*\d{7})[A-Za-z0-9_.:%/+ -]{0,40}", re.DOTALL)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d)?)?")
_NOBODYS = timedelta(0)
_CACHED = 50_000


@dataclass(frozen=True)
class Case:
    """Whose a consultation is, who takes part (by any identifier), and the day that its days are told from."""

    patient_id: str
    people: tuple[str, ...]
    day: date


@dataclass(frozen=True)
class Source:
    """What is known of everybody in the source.

    Attributes:
        directory: finds whatever names any of them. taken: the same, as it is written.
        ids: identifiers of people, practitioners and consultations.
        names: by the identifier of a person or practitioner. cases: by the identifier of a consultation.
    """

    directory: Directory
    taken: frozenset[str]
    ids: frozenset[str]
    names: Mapping[str, str]
    cases: Mapping[str, Case]


class Masking:
    """Masks rows.

    Args:
        ring: of the copy; makes its blind indexes.
    """

    def __init__(self, source: Source, ring: KeyRing) -> None:
        self._source = source
        self._ring = ring
        self._invented = Invented(source.taken)
        self._scrubbed = lru_cache(_CACHED)(self._scrub)

    def rows(self, table: Table, rows: Iterable[Row]) -> list[Row]:
        """Give rows of a table as they stand in the copy."""
        return [self._row(table, row) for row in rows]

    def _row(self, table: Table, row: Row) -> Row:
        person_id, case = self._whose(table, row)
        shift = _NOBODYS if person_id is None else self._invented.shift(person_id)
        names = case.people if case is not None else (person_id,) if person_id is not None else ()
        one = _OneRow(row, shift, tuple(self._source.names.get(name, "") for name in names), case)
        masked = {column.name: self._value(column, one) for column in table.columns}
        for column in table.columns:
            if how(column) is How.INDEX:
                masked[column.name] = self._index(table.name, column.name, masked)
        return masked

    def _whose(self, table: Table, row: Row) -> tuple[str | None, Case | None]:
        holding = HOLDINGS.get(table.name)
        case = self._source.cases.get(row["id"] if table.name == "consultations" else row.get("consultation_id") or "")
        if holding is None:
            return None, case
        if holding.of:
            return (case.patient_id if case is not None else None), case
        return row[holding.by], case

    def _value(self, column: Column[Any], one: "_OneRow") -> Any:
        value, kind = one.row[column.name], how(column)
        if kind is How.EMPTY:
            return None if column.nullable else [] if isinstance(value, list) else ""
        if value is None or kind is How.INDEX:
            return value
        if kind is How.MOVED:
            return value - one.shift
        if kind is How.VALUES:
            return self._values(value, one)
        if isinstance(value, str) and kind is not None:
            return self._text(kind, value, one)
        return self._identified(value)

    def _text(self, kind: How, value: str, one: "_OneRow") -> str:
        invented = self._invented
        if kind is How.IDENTITY:
            born = one.row["birth_date"]
            moved = date.fromisoformat(born) - one.shift if born else None
            return invented.identity(value, moved, one.row["sex"] == "male")
        if kind is How.BORN:
            return (date.fromisoformat(value) - one.shift).isoformat() if value else value
        if kind is How.SCRUBBED:
            return self._words(value, one)
        if kind is How.PUBLIC:
            return without(value, self._source.directory.find(value)).text
        made = {
            How.NAME: invented.name,
            How.PHONE: invented.phone,
            How.ADDRESS: invented.address,
            How.CONTACT: invented.contact,
            How.LICENCE: invented.number,
            How.NUMBER: invented.number,
            How.KEPT: invented.ids,
        }
        return made[kind](value)

    def _index(self, table: str, column: str, masked: Row) -> str | None:
        """Make a blind index as those do that search by it."""
        value = masked[column.removesuffix("_index")]
        if value is None:
            return None
        if table == "contacts":
            return self._ring.blind_index(f"{masked['channel']}\0{value}", "contacts.address")
        return self._ring.blind_index(value, f"{table}.{column.removesuffix('_index')}")

    def _values(self, value: Any, one: "_OneRow") -> Any:
        if isinstance(value, dict):
            return {key: self._values(inner, one) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._values(inner, one) for inner in value]
        if not isinstance(value, str):
            return value
        if _MOMENT.fullmatch(value):
            return _moved(value, one.shift)
        return self._invented.ids(value) if _CODE.fullmatch(value) else self._words(value, one)

    def _identified(self, value: Any) -> Any:
        """Replace identifiers in what is kept otherwise."""
        if isinstance(value, str):
            return self._invented.ids(value)
        if isinstance(value, list):
            return [self._identified(inner) for inner in value]
        if isinstance(value, dict):
            return {self._identified(key): self._identified(inner) for key, inner in value.items()}
        return value

    def _words(self, text: str, one: "_OneRow") -> str:
        return self._scrubbed(text, one.names, one.case.day if one.case is not None else None)

    def _scrub(self, text: str, names: tuple[str, ...], day: date | None) -> str:
        plain = scrub(text, Identifiers(names=names), day).text
        return self._invented.ids(without(plain, self._source.directory.find(plain)).text)


@dataclass(frozen=True)
class _OneRow:
    row: Row
    shift: timedelta
    names: tuple[str, ...]
    case: Case | None


def _moved(value: str, shift: timedelta) -> str:
    try:
        if "T" in value:
            return (datetime.fromisoformat(value) - shift).isoformat()
        return (date.fromisoformat(value) - shift).isoformat()
    except ValueError:  # it only looks like a day
        return ""
