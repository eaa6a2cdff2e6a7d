"""Old ciphertext comes under the newest key while the platform runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, LargeBinary, Table, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Base, Database, EncryptedText, install_key_ring
from backend.events import EventBus
from backend.migrations import import_tables
from backend.people.service import PeopleService
from backend.people.tables import Person
from backend.security import rotation
from backend.security.audit import AuditLog
from backend.security.errors import KeyRingError
from backend.security.keyring import add_key, key_number, open_key_file
from backend.security.policy import SYSTEM
from backend.security.rotation import reencrypt, unfinished


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "ring.json"
    install_key_ring(open_key_file(path))
    return path


@pytest.fixture
def audit(database: Database, clock: Clock) -> AuditLog:
    return AuditLog(database, clock)


@pytest.fixture
def people(database: Database, clock: Clock, audit: AuditLog) -> PeopleService:
    return PeopleService(database, clock, EventBus(database, clock), audit)


def rotate(path: Path) -> None:
    add_key(path)
    install_key_ring(open_key_file(path))


async def known(people: PeopleService, name: str) -> str:
    """Give somebody who has a medical record, whose name is kept under the ring."""
    person_id = await people.register(name)
    await people.begin_record(person_id)
    return person_id


async def stored_keys(database: Database) -> set[int]:
    async with database.reading() as session:
        values = (await session.scalars(text("SELECT name FROM people"))).all()
    return {key_number(value) for value in values}


async def test_every_value_is_brought_under_the_newest_key_and_still_reads_the_same(
    database: Database, people: PeopleService, key_file: Path
) -> None:
    async with database.transaction():
        names = {await known(people, f"病人{number}"): f"病人{number}" for number in range(210)}
    rotate(key_file)
    progress: list[tuple[str, int, int]] = []
    assert await unfinished(database)
    assert await reencrypt(database, lambda *told: progress.append(told)) == 210
    assert not await unfinished(database)
    assert await stored_keys(database) == {2}
    assert [(seen, of_all) for column, seen, of_all in progress if column == "people.name"] == [(200, 210), (210, 210)]
    assert progress[-1][1:] == (210, 210)
    async with database.reading() as session:
        assert dict((await session.execute(select(Person.id, Person.name))).all()) == names


async def test_a_second_run_finds_nothing_to_do(database: Database, people: PeopleService, key_file: Path) -> None:
    await known(people, "王秀英")
    rotate(key_file)
    assert await reencrypt(database) == 1
    assert await reencrypt(database) == 0


async def test_the_audit_chain_outlives_a_rotation(database: Database, audit: AuditLog, key_file: Path) -> None:
    async with database.transaction() as session:
        await audit.record(session, SYSTEM, "consultation.cancel", reason="患者要求")
    await audit.seal()
    rotate(key_file)
    assert await reencrypt(database) == 1
    assert (await audit.verify()).ok
    assert (await audit.entries(SYSTEM))[0].reason == "患者要求"


async def test_a_value_that_somebody_writes_meanwhile_is_left_to_them(
    database: Database, people: PeopleService, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_id = await known(people, "旧名")
    rotate(key_file)
    begin = database.transaction

    @asynccontextmanager
    async def after_somebody_wrote() -> AsyncIterator[AsyncSession]:
        # The rotation has read the old value by now, and is about to replace it.
        monkeypatch.setattr(database, "transaction", begin)
        await people.update_person(SYSTEM, person_id, name="新名")
        async with begin() as session:
            yield session

    monkeypatch.setattr(database, "transaction", after_somebody_wrote)
    assert await reencrypt(database) == 0
    assert (await people.person(SYSTEM, person_id)).name == "新名"


async def test_a_value_that_no_key_opens_stops_the_rotation_and_is_kept(
    database: Database, people: PeopleService, key_file: Path
) -> None:
    await known(people, "王秀英")
    async with database.transaction() as session:
        await session.execute(text("UPDATE people SET id_number = name"))
    rotate(key_file)
    with pytest.raises(KeyRingError, match=r"people\.id_number"):
        await reencrypt(database)
    async with database.reading() as session:
        assert key_number(await session.scalar(text("SELECT id_number FROM people"))) == 1


async def test_it_walks_every_encrypted_column_there_is(
    database: Database, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_tables()
    walked: list[str] = []

    async def looked_at(_database: Database, table: Table, column: Column[Any], _seen: object) -> int:
        walked.append(f"{table.name}.{column.name}")
        return 0

    monkeypatch.setattr(rotation, "_reencrypt_column", looked_at)
    await reencrypt(database)
    binary = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, EncryptedText | LargeBinary)
    }
    digests = {"audit_entries.mac", "audit_leaves.seal", "audit_leaves.leaf_hash", "audit_blocks.root"}
    assert set(walked) == binary - digests, "nothing else lies there in bytes, and nothing encrypted is left out"
    for name in walked:
        table, _, column = name.partition(".")
        assert Base.metadata.tables[table].c[column].type.column == name, "bound to itself"  # type: ignore[attr-defined]
