"""Proofs are made from the tables and checked with the public key alone; none of another thing passes."""

import json
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from backend.clock import Clock
from backend.db import Database
from backend.errors import InvalidInput, NotFound
from backend.security.audit import AuditLog
from backend.security.audit_heads import HeadFolder, TreeHead
from backend.security.audit_leaves import BLOCK
from backend.security.audit_proofs import ProofRefused, Prover, check_proof
from backend.security.keyring import KeyRing
from backend.security.policy import SYSTEM, Actor, Role
from backend.security.tables import AuditBlock, AuditEntry, AuditLeaf

DOCTOR = Actor("1" * 32, frozenset({Role.EXPERT}))


@pytest.fixture
def heads(tmp_path: Path, key_ring: KeyRing) -> HeadFolder:
    return HeadFolder(tmp_path / "heads", key_ring)


@pytest.fixture
def audit(database: Database, clock: Clock, heads: HeadFolder) -> AuditLog:
    return AuditLog(database, clock, heads)


@pytest.fixture
def prover(database: Database, clock: Clock, heads: HeadFolder) -> Prover:
    return Prover(database, clock, heads)


async def record(database: Database, audit: AuditLog, count: int) -> list[int]:
    """Write and seal so many; give the numbers of all entries."""
    async with database.transaction() as session:
        for number in range(count):
            await audit.record(
                session, DOCTOR, "people.read", patient_id="2" * 32, subject=f"n:{number}", reason="急诊"
            )
    await audit.seal()
    async with database.reading() as session:
        return list(await session.scalars(select(AuditLeaf.entry_id).order_by(AuditLeaf.position)))


async def test_every_entry_around_the_end_of_a_block_is_proved(
    database: Database, audit: AuditLog, prover: Prover, heads: HeadFolder
) -> None:
    ids = await record(database, audit, BLOCK + 5)
    async with database.reading() as session:
        assert len((await session.scalars(select(AuditBlock.root))).all()) == 1
    for place in (0, 1, 700, BLOCK - 1, BLOCK, BLOCK + 4):
        proven = check_proof(await prover.inclusion(ids[place]), heads.public_key)
        assert proven.entry is not None
        assert (proven.entry.id, proven.entry.subject, proven.entry.reason) == (ids[place], f"n:{place}", "急诊")
        assert proven.head.size == BLOCK + 5
    assert (await audit.verify()).ok


async def test_a_proof_is_under_the_oldest_head_that_covers_the_entry(
    database: Database, audit: AuditLog, prover: Prover, heads: HeadFolder
) -> None:
    [first] = await record(database, audit, 1)
    [*_, last] = await record(database, audit, 4)
    assert check_proof(await prover.inclusion(first), heads.public_key).head.size == 1
    assert check_proof(await prover.inclusion(last), heads.public_key).head.size == 5


async def test_growth_is_proved_from_a_head_that_somebody_kept(
    database: Database, audit: AuditLog, prover: Prover, heads: HeadFolder
) -> None:
    await record(database, audit, 3)
    [(_, old), *_] = heads.kept()
    assert old is not None
    await record(database, audit, 9)
    proven = check_proof(await prover.growth(TreeHead.read(old.written())), heads.public_key)
    assert (proven.old, proven.head.size) == (old, 12)


@pytest.mark.parametrize("field", ["at", "actor_id", "action", "patient_id", "subject", "reason"])
async def test_a_proof_with_another_word_in_it_proves_nothing(
    database: Database, audit: AuditLog, prover: Prover, heads: HeadFolder, field: str
) -> None:
    ids = await record(database, audit, 6)
    held = json.loads(await prover.inclusion(ids[2]))
    held["entry"][field] = "3" * 32
    with pytest.raises(ProofRefused, match="does not lead"):
        check_proof(json.dumps(held), heads.public_key)


async def test_a_proof_under_another_key_or_a_head_of_another_size_proves_nothing(
    database: Database, audit: AuditLog, prover: Prover, heads: HeadFolder, tmp_path: Path
) -> None:
    ids = await record(database, audit, 6)
    proof = await prover.inclusion(ids[2])
    stranger = HeadFolder(tmp_path / "others", KeyRing({1: bytes(32)}, bytes(32)))
    with pytest.raises(ProofRefused, match="not signed"):
        check_proof(proof, stranger.public_key)
    held = json.loads(proof)
    held["head"]["size"] += 1
    with pytest.raises(ProofRefused, match="not signed"):
        check_proof(json.dumps(held), heads.public_key)


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"kind": "inclusion", "path": ["x"], "head": {}}', "null"])
def test_what_is_no_proof_is_refused(text: str, heads: HeadFolder) -> None:
    with pytest.raises(ProofRefused, match="no proof"):
        check_proof(text, heads.public_key)


async def test_what_is_not_in_the_log_cannot_be_proved(audit: AuditLog, prover: Prover, heads: HeadFolder) -> None:
    with pytest.raises(NotFound):
        await prover.inclusion(17)
    empty = heads.sign(0, bytes(32), Clock().now())
    with pytest.raises(InvalidInput):
        await prover.growth(empty)


async def test_each_hour_has_one_head_and_the_latest_follows_the_log(
    database: Database, audit: AuditLog, clock: Clock, heads: HeadFolder
) -> None:
    for _ in range(3):
        await record(database, audit, 2)
    kept = dict(heads.kept())
    assert len(kept) == 2
    assert sorted(head.size for head in kept.values() if head) == [2, 6]
    assert kept["latest.json"] is not None
    assert kept["latest.json"].size == 6


async def test_no_head_is_signed_over_a_log_with_a_hole(
    database: Database, clock: Clock, heads: HeadFolder, caplog: pytest.LogCaptureFixture
) -> None:
    audit = AuditLog(database, clock, heads)
    async with database.transaction() as session:
        await audit.record(session, SYSTEM, "people.read")
        await session.flush()
        entry_id = await session.scalar(select(AuditEntry.id))
        row = {"position": 3, "entry_id": entry_id, "leaf_hash": bytes(32), "seal": bytes(32)}
        await session.execute(insert(AuditLeaf), [row])
    await audit.seal()
    assert "place 0 is missing" in caplog.text
    assert heads.kept() == []
