"""A house is furnished once in a process; for the tests after the first, the rows that it left are put back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from backend.clock import Clock
from backend.db import Base, Database, key_ring

_FRESH_FOR = timedelta(hours=1)
"""Expert's times are made from a moment on: a house that is older is furnished anew."""

Rows = Mapping[str, Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Furnished:
    """What a house holds when it is furnished: rows by table as they are stored, and identifiers by name."""

    at: datetime
    rows: Rows
    institutions: Mapping[str, str]
    practitioners: Mapping[str, str]


_kept: dict[tuple[str, date], Furnished] = {}


def recall(database: Database, clock: Clock) -> Furnished | None:
    """Give what was furnished on the same kind of database, on the same day and lately; None where nothing was."""
    found = _kept.get(_kind(database, clock))
    # Persons' own keys are files of one test: nobody else can read what was written with them.
    if found is None or key_ring().people is not None:
        return None
    return found if timedelta() <= clock.now() - found.at < _FRESH_FOR else None


async def remember(
    database: Database, clock: Clock, at: datetime, institutions: Mapping[str, str], practitioners: Mapping[str, str]
) -> None:
    """Keep what was furnished at a moment."""
    if key_ring().people is None:
        rows = await _read(database)
        _kept[_kind(database, clock)] = Furnished(at, rows, dict(institutions), dict(practitioners))


async def put_back(database: Database, rows: Rows) -> None:
    """Write rows into an empty database."""
    quote = database.engine.dialect.identifier_preparer.quote
    mark = "?" if database.is_sqlite else "%s"
    async with database.transaction() as session:
        connection = await session.connection()
        for name, held in rows.items():
            marks = ", ".join([mark] * len(held[0]))
            await connection.exec_driver_sql(f"INSERT INTO {quote(name)} VALUES ({marks})", list(held))  # noqa: S608


async def _read(database: Database) -> Rows:
    found: dict[str, Sequence[tuple[Any, ...]]] = {}
    quote = database.engine.dialect.identifier_preparer.quote
    async with database.reading() as session:
        connection = await session.connection()
        for table in Base.metadata.sorted_tables:
            rows = (await connection.exec_driver_sql(f"SELECT * FROM {quote(table.name)}")).all()  # noqa: S608
            if rows:
                found[table.name] = [tuple(row) for row in rows]
    return found


def _kind(database: Database, clock: Clock) -> tuple[str, date]:
    return database.engine.dialect.name, clock.today().date()
