"""Statements on SQLite make one trip to the connection's thread, and answer what they did before."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.db import Database
from backend.one_trip import OneTripConnection

_MANY = 1203  # more than come with the statement, and no multiple of it


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'trips.sqlite'}")
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE numbers (number INTEGER PRIMARY KEY, word TEXT)"))
        await session.execute(
            text("INSERT INTO numbers VALUES (:number, :word)"), [{"number": n, "word": f"第{n}"} for n in range(_MANY)]
        )
    yield database
    await database.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []
    usual = OneTripConnection._execute

    async def counted(connection: OneTripConnection, function: Any, *arguments: Any) -> Any:
        made.append(function)
        return await usual(connection, function, *arguments)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(OneTripConnection, "_execute", counted)
    return made


async def test_a_statement_is_one_trip(database: Database, trips: list[Any]) -> None:
    async with database.reading() as session:
        await session.execute(text("SELECT 1"))  # begins
        trips.clear()
        rows = (await session.execute(text("SELECT word FROM numbers WHERE number < 3"))).all()
        assert [word for (word,) in rows] == ["第0", "第1", "第2"]
        assert len(trips) == 1


async def test_a_long_answer_comes_whole_and_in_order(database: Database) -> None:
    async with database.reading() as session:
        rows = (await session.execute(text("SELECT number FROM numbers ORDER BY number"))).all()
    assert [number for (number,) in rows] == list(range(_MANY))


@pytest.mark.parametrize("size", [1, 7, 499, 500, 501, 2000])
async def test_a_stream_gives_every_row_once_whatever_the_size_of_its_portions(database: Database, size: int) -> None:
    async with database.reading() as session:
        found = await session.stream(text("SELECT number FROM numbers ORDER BY number"))
        portions = [[number for (number,) in portion] async for portion in found.partitions(size)]
    assert [number for portion in portions for number in portion] == list(range(_MANY))
    assert all(len(portion) == size for portion in portions[:-1])


async def test_a_stream_that_is_left_early_holds_nothing_open(database: Database) -> None:
    async with database.reading() as session:
        found = await session.stream(text("SELECT number FROM numbers ORDER BY number"))
        assert await found.fetchone() == (0,)
        await found.close()
    async with database.transaction() as session:  # a cursor left open would keep the table from going
        await session.execute(text("DROP TABLE numbers"))


async def test_a_change_tells_how_many_rows_it_met_and_gives_what_it_returns(database: Database) -> None:
    async with database.transaction() as session:
        changed: Any = await session.execute(text("UPDATE numbers SET word = '' WHERE number < 10"))
        assert changed.rowcount == 10
        made: Any = await session.execute(text("INSERT INTO numbers (word) VALUES ('新')"))
        assert made.lastrowid == _MANY
        back = await session.execute(text("DELETE FROM numbers WHERE number < 2 RETURNING number"))
        assert sorted(number for (number,) in back) == [0, 1]


async def test_a_statement_that_fails_leaves_the_connection_usable(database: Database) -> None:
    async with database.transaction() as session:
        with pytest.raises(IntegrityError):
            async with session.begin_nested():
                await session.execute(text("INSERT INTO numbers VALUES (1, '又')"))
        assert await session.scalar(text("SELECT word FROM numbers WHERE number = 1")) == "第1"
