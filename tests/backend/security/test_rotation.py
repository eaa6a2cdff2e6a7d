"""Old ciphertext comes under the newest key while the platform runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.events import EventBus
from backend.people.service import PeopleService
from backend.people.tables import Person
from backend.security.audit import AuditLog
from backend.security.errors import KeyRingError
from backend.security.keyring import add_key, key_number, open_key_file
from backend.security.policy import SYSTEM
from backend.security.rotation import reencrypt


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


async def stored_keys(database: Database) -> set[int]:
    async with database.reading() as session:
        values = (await session.scalars(text("SELECT name FROM people"))).all()
    return {key_number(value) for value in values}


async def test_every_value_is_brought_under_the_newest_key_and_still_reads_the_same(
    database: Database, people: PeopleService, key_file: Path
) -> None:
    async with database.transaction():
        names = {await people.register(f"病人{number}"): f"病人{number}" for number in range(210)}
    rotate(key_file)
    seen: list[tuple[str, int]] = []
    assert await reencrypt(database, lambda column, done: seen.append((column, done))) == 210
    assert await stored_keys(database) == {2}
    assert max(done for column, done in seen if column == "people.name") == 210
    async with database.reading() as session:
        assert dict((await session.execute(select(Person.id, Person.name))).all()) == names


async def test_a_second_run_finds_nothing_to_do(database: Database, people: PeopleService, key_file: Path) -> None:
    await people.register("王秀英")
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
    person_id = await people.register("旧名")
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
    await people.register("王秀英")
    async with database.transaction() as session:
        await session.execute(text("UPDATE people SET id_number = name"))
    rotate(key_file)
    with pytest.raises(KeyRingError, match=r"people\.id_number"):
        await reencrypt(database)
    async with database.reading() as session:
        assert key_number(await session.scalar(text("SELECT id_number FROM people"))) == 1
