"""Old ciphertext comes under the newest key while the platform runs."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.events import EventBus
from backend.people.service import PeopleService
from backend.people.tables import Person
from backend.security.audit import AuditLog
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
        assert dict((await session.execute(select(Person.id, Person.name))).tuples().all()) == names


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
