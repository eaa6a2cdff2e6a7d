"""The audit log grows with what it tells of, is sealed in order, and shows what was changed behind its back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
    triggers = [f"{table}_no_{verb}" for table in ("audit_entries", "audit_seals") for verb in ("update", "delete")]
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
    assert (report.ok, report.entries, report.first_bad, report.unsealed) == (True, 5, None, 0)


async def test_more_entries_than_one_batch_are_sealed_and_verified(database: Database, audit: AuditLog) -> None:
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


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entries SET action = 'people.list' WHERE subject = 'person:1'",
        "UPDATE audit_entries SET patient_id = NULL WHERE subject = 'person:1'",
        "UPDATE audit_entries SET actor_id = '' WHERE subject = 'person:1'",
        "UPDATE audit_entries SET reason = NULL WHERE subject = 'person:1'",
        "UPDATE audit_seals SET digest = '0' WHERE position = 2",
        "DELETE FROM audit_seals WHERE position = 2",
    ],
)
async def test_a_change_behind_its_back_is_found(database: Database, audit: AuditLog, change: str) -> None:
    await record(database, audit, 4, reason="交接班")
    await audit.seal()
    async with database.reading() as session:
        ids = list(await session.scalars(text("SELECT entry_id FROM audit_seals ORDER BY position")))
    async with behind_its_back(database):
        await execute(database, change)
    report = await audit.verify()
    assert not report.ok
    # A seal that is gone shows at the one after it.
    assert report.first_bad == (ids[2] if change.startswith("DELETE") else ids[1])


async def test_a_chain_that_was_forged_without_the_key_is_found(database: Database, audit: AuditLog) -> None:
    await record(database, audit, 1)
    await execute(database, "INSERT INTO audit_seals (position, entry_id, digest) SELECT 1, id, 'a' FROM audit_entries")
    assert not (await audit.verify()).ok


async def test_a_log_that_was_cut_short_is_found_by_a_head_that_was_noted_elsewhere(
    database: Database, clock: Clock, audit: AuditLog
) -> None:
    await record(database, audit, 4)
    await audit.seal()
    noted = (await audit.verify()).head
    await record(database, audit, 1)
    await audit.seal()
    assert (await audit.verify(noted)).ok
    async with behind_its_back(database):
        await execute(database, "DELETE FROM audit_seals WHERE position >= 4")
        await execute(database, "DELETE FROM audit_entries WHERE subject = 'person:3'")
    await AuditLog(database, clock).seal()
    assert not (await audit.verify(noted)).ok


async def test_the_sealer_logs_the_head_when_it_starts(
    database: Database, audit: AuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "backend.security.audit")
    await record(database, audit, 2)
    await audit.seal()
    head = (await audit.verify()).head
    assert f"position={head.position} digest={head.digest}" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entries SET action = 'nothing'",
        "UPDATE audit_entries SET patient_id = NULL",
        "UPDATE audit_seals SET digest = '0'",
        "DELETE FROM audit_seals",
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
    assert (report.ok, report.entries) == (True, 40)


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


async def test_nobody_else_reads_the_log(audit: AuditLog) -> None:
    with pytest.raises(Forbidden):
        await audit.entries(DOCTOR)
