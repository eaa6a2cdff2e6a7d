"""The audit log grows with what it tells of, is sealed in order, and shows what was changed behind its back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.append_only import protect
from backend.clock import Clock
from backend.db import Database
from backend.errors import Forbidden
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Actor, Role

DOCTOR = Actor("1" * 32, frozenset({Role.GRASSROOTS_DOCTOR, Role.PATIENT}), "2" * 32, "3" * 32)
ADMINISTRATOR = Actor("4" * 32, frozenset({Role.ADMINISTRATOR}))
PATIENT_ID = "5" * 32


@pytest.fixture
def audit(database: Database, clock: Clock) -> AuditLog:
    return AuditLog(database, clock)


async def record(database: Database, audit: AuditLog, count: int = 1, reason: str = "") -> None:
    async with database.transaction() as session:
        for number in range(count):
            await audit.record(
                session, DOCTOR, "people.read", patient_id=PATIENT_ID, subject=f"person:{number}", reason=reason
            )


@asynccontextmanager
async def behind_its_back(database: Database) -> AsyncIterator[None]:
    """Take the protection of the database away, as somebody with every right to it could."""
    triggers = [
        f"{table}_no_{verb}"
        for table in ("audit_entries", "audit_leaves", "audit_blocks")
        for verb in ("update", "delete")
    ]
    async with database.transaction() as session:
        for trigger in triggers:
            await session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
    try:
        yield
    finally:
        async with database.engine.begin() as connection:
            await connection.run_sync(protect)


async def execute(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement))


async def test_entries_are_sealed_once_and_the_chain_verifies(database: Database, audit: AuditLog) -> None:
    await record(database, audit, 3)
    assert await audit.seal() == 3
    assert await audit.seal() == 0
    await record(database, audit, 2)
    assert await audit.seal() == 2
    report = await audit.verify()
    assert (report.ok, report.entries, report.findings, report.unsealed) == (True, 5, [], 0)


async def test_more_entries_than_one_batch_and_one_block_are_sealed_and_verified(
    database: Database, audit: AuditLog
) -> None:
    await record(database, audit, 1203)
    assert await audit.seal() == 1203
    assert (await audit.verify()).ok


async def test_an_empty_log_verifies(audit: AuditLog) -> None:
    report = await audit.verify()
    assert (report.ok, report.entries, report.unsealed) == (True, 0, 0)


async def test_an_entry_of_a_transaction_that_failed_was_never_written(database: Database, audit: AuditLog) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await audit.record(session, DOCTOR, "people.read")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await audit.seal() == 0


async def test_entries_that_wait_for_the_sealer_are_counted(database: Database, audit: AuditLog) -> None:
    await record(database, audit, 2)
    assert (await audit.verify()).unsealed == 2


async def test_places_have_no_gaps_where_numbers_of_entries_do(database: Database, audit: AuditLog) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            await audit.record(session, DOCTOR, "people.read")
            await session.flush()
            raise RuntimeError

    for _ in range(3):
        await record(database, audit, 2)
        with pytest.raises(RuntimeError):
            await fail()
    assert await audit.seal() == 6
    async with database.reading() as session:
        places = list(await session.scalars(text("SELECT position FROM audit_leaves ORDER BY position")))
    assert places == [0, 1, 2, 3, 4, 5]


async def test_an_entry_that_was_committed_after_later_ones_comes_in_behind_them(
    database: Database, clock: Clock, audit: AuditLog
) -> None:
    if database.is_sqlite:  # one writer at a time: numbers and commits have one order
        pytest.skip("transactions of SQLite do not overlap")
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as session:
            await audit.record(session, DOCTOR, "people.read", subject="slow")
            await session.flush()
            begun.set()
            await go_on.wait()

    task = asyncio.create_task(slow())
    await begun.wait()
    await record(database, audit, 2)
    assert await audit.seal() == 2
    go_on.set()
    await task
    assert await audit.seal() == 1
    async with database.reading() as session:
        order = "SELECT subject FROM audit_entries JOIN audit_leaves ON entry_id = id ORDER BY position"
        assert list(await session.scalars(text(order))) == ["person:0", "person:1", "slow"]
    assert (await audit.verify()).ok


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entries SET action = 'nothing'",
        "UPDATE audit_entries SET patient_id = NULL",
        "UPDATE audit_leaves SET seal = '0'",
        "DELETE FROM audit_leaves",
        "DELETE FROM audit_entries",
    ],
)
async def test_the_database_itself_refuses_to_change_the_log(database: Database, audit: AuditLog, change: str) -> None:
    await record(database, audit, 1)
    await audit.seal()
    with pytest.raises(DBAPIError, match="append-only"):
        await execute(database, change)
    assert (await audit.verify()).ok


async def test_the_reason_is_not_readable_in_the_database(database: Database, audit: AuditLog) -> None:
    await record(database, audit, 1, reason="王秀英要求")
    async with database.reading() as session:
        stored = await session.scalar(text("SELECT reason FROM audit_entries"))
    assert "王秀英".encode() not in stored


async def test_two_sealers_at_once_make_one_chain(database: Database, clock: Clock, audit: AuditLog) -> None:
    await record(database, audit, 40)
    other = AuditLog(database, clock)
    await asyncio.gather(audit.seal(), other.seal())
    await audit.seal()
    report = await audit.verify()
    assert (report.findings, report.entries) == ([], 40)


async def test_the_worker_seals_soon_after_a_commit(database: Database, audit: AuditLog) -> None:
    worker = asyncio.create_task(audit.run())
    try:
        await record(database, audit, 3)
        async with asyncio.timeout(20):
            while (await audit.verify()).entries < 3:  # noqa: ASYNC110  # the sealer tells nobody; only its work can be seen
                await asyncio.sleep(0.01)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_an_administrator_reads_the_log_of_a_patient_and_the_read_is_in_it(
    database: Database, audit: AuditLog
) -> None:
    await record(database, audit, 2, reason="复诊")
    found = await audit.entries(ADMINISTRATOR, patient_id=PATIENT_ID)
    assert [(one.action, one.subject, one.reason) for one in found] == [
        ("people.read", "person:1", "复诊"),
        ("people.read", "person:0", "复诊"),
    ]
    assert found[0].actor_roles == "grassroots_doctor,patient"
    assert (await audit.entries(SYSTEM, limit=1))[0].action == "audit.read"
    assert [one.id for one in await audit.entries(SYSTEM, before=found[0].id)] == [found[1].id]
    assert {one.action for one in await audit.entries(SYSTEM, actor_id=ADMINISTRATOR.person_id)} == {"audit.read"}
    assert await audit.entries(SYSTEM, until=found[1].at) == []


async def test_nobody_else_reads_the_log(audit: AuditLog) -> None:
    with pytest.raises(Forbidden):
        await audit.entries(DOCTOR)


async def test_a_person_reads_what_others_did_with_their_data_a_page_at_a_time(
    database: Database, audit: AuditLog
) -> None:
    patient = Actor(PATIENT_ID, frozenset({Role.PATIENT}))
    await record(database, audit, 3)
    async with database.transaction() as session:
        await audit.record(session, SYSTEM, "people.read", patient_id=PATIENT_ID)
        await audit.record(session, patient, "people.read", patient_id=PATIENT_ID)
        await audit.record(session, DOCTOR, "people.read", patient_id="6" * 32)
    newest = await audit.accesses(patient, PATIENT_ID, limit=2)
    assert [one.subject for one in newest] == ["person:2", "person:1"]
    assert [one.subject for one in await audit.accesses(patient, PATIENT_ID, before=newest[-1].id)] == ["person:0"]
    guardian = Actor("7" * 32, frozenset({Role.PATIENT}), wards=frozenset({PATIENT_ID}))
    told = await audit.accesses(guardian, PATIENT_ID)
    assert [one.subject for one in told] == ["person:2", "person:1", "person:0"]
    for other in (DOCTOR, ADMINISTRATOR, Actor("8" * 32, frozenset({Role.PATIENT}))):
        with pytest.raises(Forbidden):
            await audit.accesses(other, PATIENT_ID)


async def test_a_clock_that_was_set_back_and_put_right_leaves_a_log_in_its_order_that_verifies(
    database: Database, clock: Clock, audit: AuditLog
) -> None:
    """Places say the order, moments do not: an hour that comes twice, or a year that was never, is no tampering."""
    for change in (timedelta(), -timedelta(hours=1), timedelta(days=366), -timedelta(days=366)):
        clock.advance(change)
        await record(database, audit, 2)
        await audit.seal()
    report = await audit.verify()
    assert (report.ok, report.entries) == (True, 8)
    told = await audit.entries(ADMINISTRATOR, patient_id=PATIENT_ID)
    assert [entry.subject for entry in told] == ["person:1", "person:0"] * 4
    assert sorted(entry.at for entry in told) != [entry.at for entry in told][::-1]
