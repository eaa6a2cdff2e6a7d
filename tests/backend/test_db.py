"""Transactions that a turn and its services share, and the column types of the house, on real databases."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Text, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from backend import db
from backend.db import Database, EncryptedJSON, EncryptedText, UTCDateTime, after_commit, is_transient
from backend.security.errors import KeyRingError


class Notebook(DeclarativeBase):
    """Tables of these tests alone."""


class Note(Notebook):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    words: Mapped[str | None] = mapped_column(EncryptedText("notes.words"))
    facts: Mapped[Any] = mapped_column(EncryptedJSON("notes.facts"), nullable=True)
    plain: Mapped[str | None] = mapped_column(Text)


@pytest_asyncio.fixture
async def notes(blank_url: str) -> AsyncIterator[Database]:
    database = Database(blank_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Notebook.metadata.create_all)
    yield database
    await database.close()


async def ids(database: Database) -> list[int]:
    async with database.reading() as session:
        return list(await session.scalars(select(Note.id).order_by(Note.id)))


async def write(database: Database, number: int, *, fail: bool = False) -> None:
    async with database.transaction() as session:
        session.add(Note(id=number))
        if fail:
            raise LookupError


# transactions


async def test_a_transaction_is_committed_at_its_end(notes: Database) -> None:
    await write(notes, 1)
    assert await ids(notes) == [1]


async def test_a_transaction_in_which_something_is_raised_leaves_nothing(notes: Database) -> None:
    with pytest.raises(LookupError):
        await write(notes, 1, fail=True)
    assert await ids(notes) == []


async def test_a_joined_transaction_is_part_of_the_outer_one(notes: Database) -> None:
    async def turn() -> None:
        async with notes.transaction():
            await write(notes, 1)
            raise LookupError

    with pytest.raises(LookupError):
        await turn()
    assert await ids(notes) == []


async def test_a_joined_transaction_that_fails_takes_back_its_own_changes_alone(notes: Database) -> None:
    async with notes.transaction():
        await write(notes, 1)
        with pytest.raises(LookupError):
            await write(notes, 2, fail=True)
        await write(notes, 3)
    assert await ids(notes) == [1, 3]


async def test_a_broken_constraint_in_a_joined_transaction_leaves_the_outer_one_usable(notes: Database) -> None:
    async with notes.transaction():
        await write(notes, 1)
        with pytest.raises(IntegrityError):
            await write_directly(notes, 1)
        await write(notes, 2)
    assert await ids(notes) == [1, 2]


async def write_directly(database: Database, number: int) -> None:
    async with database.transaction() as session:
        await session.execute(text(f"INSERT INTO notes (id) VALUES ({number})"))  # noqa: S608  # a number of ours


async def test_reading_inside_a_transaction_sees_what_it_has_written(notes: Database) -> None:
    async with notes.transaction():
        await write(notes, 1)
        assert await ids(notes) == [1]


async def test_reading_elsewhere_does_not_see_what_is_not_committed(notes: Database) -> None:
    async with notes.transaction():
        await write(notes, 1)
        # A task started here inherits the context, yet must not use the session of its parent.
        assert await asyncio.create_task(ids(notes)) == []
    assert await asyncio.create_task(ids(notes)) == [1]


async def test_two_tasks_have_transactions_of_their_own(notes: Database) -> None:
    outcomes = await asyncio.gather(
        *(write(notes, number, fail=number % 2 == 0) for number in range(10)), return_exceptions=True
    )
    assert [isinstance(outcome, LookupError) for outcome in outcomes] == [number % 2 == 0 for number in range(10)]
    assert await ids(notes) == [1, 3, 5, 7, 9]


async def test_concurrent_counting_loses_nothing(notes: Database) -> None:
    await write(notes, 0)

    async def count() -> None:
        async with notes.transaction() as session:
            note = await session.scalar(select(Note).with_for_update())
            assert note is not None
            note.plain = str(int(note.plain or 0) + 1)

    await asyncio.gather(*(count() for _ in range(20)))
    async with notes.reading() as session:
        assert await session.scalar(select(Note.plain)) == "20"


async def test_a_transaction_that_was_cancelled_leaves_nothing_and_blocks_nobody(notes: Database) -> None:
    inside, forever = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        async with notes.transaction() as session:
            session.add(Note(id=1))
            await session.flush()
            inside.set()
            await forever.wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(write(notes, 1), 20)
    assert await ids(notes) == [1]


# after the commit


async def test_a_callback_runs_once_after_the_outermost_commit(notes: Database) -> None:
    seen: list[str] = []
    async with notes.transaction():
        async with notes.transaction() as session:
            after_commit(session, lambda: seen.append("committed"))
        assert seen == []
    assert seen == ["committed"]
    await write(notes, 1)
    assert seen == ["committed"]


async def test_a_callback_never_runs_where_nothing_was_committed(notes: Database) -> None:
    seen: list[str] = []

    async def fail() -> None:
        async with notes.transaction() as session:
            after_commit(session, lambda: seen.append("committed"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    await write(notes, 1)
    assert seen == []


# column types


async def test_a_moment_comes_back_aware_to_the_microsecond(notes: Database) -> None:
    moment = datetime(2026, 3, 1, 8, 30, 15, 123456, timezone(timedelta(hours=8)))
    async with notes.transaction() as session:
        session.add(Note(id=1, at=moment))
    async with notes.reading() as session:
        found = await session.scalar(select(Note.at))
    assert found == moment
    assert found is not None
    assert found.tzinfo is UTC


async def test_a_moment_without_a_zone_is_refused(notes: Database) -> None:
    async def store() -> None:
        async with notes.transaction() as session:
            session.add(Note(id=1, at=datetime(2026, 3, 1)))  # noqa: DTZ001  # that is the fault

    with pytest.raises(StatementError, match="without a time zone"):
        await store()


@pytest.mark.parametrize("words", ["", "血压150/95 😷", "字" * 100_000])
async def test_encrypted_text_comes_back_and_is_not_readable_at_rest(notes: Database, words: str) -> None:
    async with notes.transaction() as session:
        session.add(Note(id=1, words=words))
    async with notes.reading() as session:
        assert await session.scalar(select(Note.words)) == words
        stored = await session.scalar(text("SELECT words FROM notes"))
    assert isinstance(stored, bytes)
    assert not words or words.encode() not in stored


async def test_an_encrypted_json_value_comes_back_as_it_was(notes: Database) -> None:
    facts = {"主诉": "咳嗽3天", "temperature": 38.5, "denied": ["胸痛"], "none": None}
    async with notes.transaction() as session:
        session.add(Note(id=1, facts=facts))
    async with notes.reading() as session:
        assert await session.scalar(select(Note.facts)) == facts


async def test_nothing_stays_nothing_in_encrypted_columns(notes: Database) -> None:
    async with notes.transaction() as session:
        session.add(Note(id=1, words=None, facts=None))
    async with notes.reading() as session:
        query = select(func.count()).select_from(Note).where(text("words IS NULL AND facts IS NULL"))
        assert await session.scalar(query) == 1


async def test_ciphertext_that_was_moved_to_another_column_does_not_open(notes: Database) -> None:
    async with notes.transaction() as session:
        session.add(Note(id=1, words='"x"'))
        await session.flush()
        await session.execute(text("UPDATE notes SET facts = words"))
    async with notes.reading() as session:
        with pytest.raises(KeyRingError, match="belongs elsewhere"):
            await session.scalar(select(Note.facts))


async def test_without_a_key_ring_nothing_personal_is_written(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def store() -> None:
        async with notes.transaction() as session:
            session.add(Note(id=1, words="王秀英"))

    monkeypatch.setattr(db, "_ring", None)
    with pytest.raises(StatementError, match="no key ring"):
        await store()
    assert await ids(notes) == []


async def test_an_error_of_the_database_does_not_tell_the_values_of_the_statement(notes: Database) -> None:
    async def store() -> None:
        async with notes.transaction() as session:
            session.add_all([Note(id=1, plain="王秀英"), Note(id=1, plain="王秀英")])

    with pytest.raises(IntegrityError) as raised:
        await store()
    assert "王秀英" not in str(raised.value)


# faults that pass


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (OperationalError("", {}, Exception(1213, "Deadlock found")), True),
        (OperationalError("", {}, Exception(1205, "Lock wait timeout exceeded")), True),
        (OperationalError("", {}, Exception("database is locked")), True),
        (OperationalError("", {}, Exception(1054, "Unknown column")), False),
        (OperationalError("", {}, Exception("no such table: notes")), False),
        (ValueError("database is locked"), False),
    ],
)
def test_only_faults_that_pass_are_worth_another_try(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


@pytest.mark.mariadb
async def test_a_deadlock_is_recognised_as_worth_another_try(mariadb_shared: str) -> None:
    database = Database(mariadb_shared)
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS deadlocks (id INT PRIMARY KEY, n INT)"))
        await connection.execute(text("REPLACE INTO deadlocks VALUES (1, 0), (2, 0)"))
    both = asyncio.Barrier(2)

    async def change(first: int, second: int) -> None:
        async with database.transaction() as session:
            await session.execute(text(f"UPDATE deadlocks SET n = n + 1 WHERE id = {first}"))  # noqa: S608  # a number
            await both.wait()
            await session.execute(text(f"UPDATE deadlocks SET n = n + 1 WHERE id = {second}"))  # noqa: S608  # a number

    outcomes = await asyncio.gather(change(1, 2), change(2, 1), return_exceptions=True)
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE deadlocks"))
    await database.close()
    assert sum(outcome is None for outcome in outcomes) == 1
    assert [is_transient(outcome) for outcome in outcomes if outcome is not None] == [True]
