"""Whoever has every right to the database, but not the key ring, is found out, and the entry is named.

`AUDIT_TAMPERINGS=1000` tries more than the usual number.
"""
# ruff: noqa: S608  # what is put into statements here are names of columns

import asyncio
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.security.audit import AuditLog
from backend.security.audit_heads import HeadFolder
from backend.security.audit_leaves import body_of, leaf_of
from backend.security.audit_verification import AuditReport, Fault
from backend.security.keyring import KeyRing
from backend.security.policy import Actor, Role

ENTRIES = 40
TRIED: Counter[str] = Counter()
RING = KeyRing({1: bytes(range(32))}, bytes(range(32, 64)))
DOCTOR = Actor("1" * 32, frozenset({Role.EXPERT}))
COLUMNS = ("at", "actor_id", "actor_roles", "action", "patient_id", "subject", "reason", "nonce", "mac")


@dataclass(frozen=True)
class Log:
    """A sealed log in a file, and the heads that were kept of it when it was half as long and when it was whole."""

    file: Path
    heads: HeadFolder
    copy: Path

    def after(self, tamper: Callable[[sqlite3.Connection], None]) -> AuditReport:
        """Give what a verification finds after `tamper` had its way with a copy."""
        shutil.copyfile(self.file, self.copy)
        connection = sqlite3.connect(self.copy)
        try:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            tamper(connection)
            connection.commit()
        finally:
            connection.close()
        return asyncio.run(verified(self.copy, self.heads))


async def verified(file: Path, heads: HeadFolder) -> AuditReport:
    database = Database(f"sqlite+aiosqlite:///{file}")
    try:
        return await AuditLog(database, Clock(), heads).verify()
    finally:
        await database.close()


@pytest.fixture(scope="module")
def log(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, counted: Callable[[str], None]
) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("audit")
    file = folder / "log.db"
    shutil.copyfile(sqlite_template, file)
    install_key_ring(RING)
    heads = HeadFolder(folder / "heads", RING)

    async def fill() -> None:
        database = Database(f"sqlite+aiosqlite:///{file}")
        audit = AuditLog(database, Clock(), heads)
        for half in range(2):
            async with database.transaction() as session:
                for number in range(ENTRIES // 2):
                    about = str(number % 3) * 32
                    subject = f"person:{half}{number}"
                    reason = "转诊" if number % 4 else ""
                    await audit.record(session, DOCTOR, "people.read", patient_id=about, subject=subject, reason=reason)
            await audit.seal()
        await database.close()

    asyncio.run(fill())
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    yield Log(file, heads, folder / "copy.db")
    counted(f"audit log: tampered with {sum(TRIED.values())} times, all found and named: {dict(sorted(TRIED.items()))}")


@pytest.fixture(autouse=True)
def the_ring_of_the_log(key_ring: KeyRing) -> Iterator[None]:
    install_key_ring(RING)
    yield
    install_key_ring(key_ring)


def tried(settled: Callable[..., None]) -> Callable[..., None]:
    return settings(max_examples=int(os.environ.get("AUDIT_TAMPERINGS", "25")), derandomize=True)(settled)


numbers = st.integers(1, ENTRIES)
pairs = st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1])
values = st.one_of(st.none(), st.text(max_size=40), st.binary(max_size=40), st.integers(-9, 9))


def faults(report: AuditReport) -> set[tuple[Fault, int | None]]:
    return {(one.fault, one.entry_id) for one in report.findings}


def test_a_log_that_nobody_touched_verifies(log: Log) -> None:
    report = log.after(lambda _: None)
    assert (report.ok, report.entries, report.unsealed) == (True, ENTRIES, 0)
    assert report.heads == 2


@tried
@given(entry=numbers, column=st.sampled_from(COLUMNS), value=values)
def test_a_changed_value_is_named(log: Log, entry: int, column: str, value: object) -> None:
    is_another = True

    def change(connection: sqlite3.Connection) -> None:
        nonlocal is_another
        [old] = connection.execute(f"SELECT {column} FROM audit_entries WHERE id = ?", [entry]).fetchone()
        try:
            connection.execute(f"UPDATE audit_entries SET {column} = ? WHERE id = ?", [value, entry])
        except sqlite3.IntegrityError:  # NULL where there has to be something
            is_another = False
            return
        [new] = connection.execute(f"SELECT {column} FROM audit_entries WHERE id = ?", [entry]).fetchone()
        is_another = new != old

    report = log.after(change)
    if is_another:
        fault = Fault.MOVED if column == "mac" else Fault.CHANGED
        assert (fault, entry) in faults(report)
        TRIED["value changed"] += 1


@tried
@given(entry=numbers, action=st.text("abc.", min_size=1, max_size=20))
def test_a_changed_entry_with_its_hash_made_anew_is_named(log: Log, entry: int, action: str) -> None:
    """SHA-256 needs no key, so the hash of the leaf can be forged; its seal cannot."""

    def change(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE audit_entries SET action = ?, reason = NULL WHERE id = ?", [action, entry])
        at, actor, roles, did, patient, subject, nonce = connection.execute(
            "SELECT at, actor_id, actor_roles, action, patient_id, subject, nonce FROM audit_entries WHERE id = ?",
            [entry],
        ).fetchone()
        leaf = leaf_of(entry, body_of(at.replace(" ", "T"), actor, roles, did, patient, subject, "", nonce))
        connection.execute("UPDATE audit_leaves SET leaf_hash = ? WHERE entry_id = ?", [leaf, entry])

    found = faults(log.after(change))
    assert (Fault.MOVED, entry) in found
    assert any(fault is Fault.HEAD for fault, _ in found)
    TRIED["hash forged"] += 1


@tried
@given(entry=numbers, with_its_place=st.booleans())
def test_a_removed_entry_is_named_and_one_that_was_removed_with_its_place_leaves_a_gap(
    log: Log, entry: int, with_its_place: bool
) -> None:
    def remove(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM audit_entries WHERE id = ?", [entry])
        if with_its_place:
            connection.execute("DELETE FROM audit_leaves WHERE entry_id = ?", [entry])

    report = log.after(remove)
    if not with_its_place:
        assert (Fault.REMOVED, entry) in faults(report)
    elif entry == ENTRIES:
        assert Fault.CUT in {one.fault for one in report.findings}
    else:
        assert (Fault.GAP, entry - 1) in {(one.fault, one.position) for one in report.findings}
    TRIED["removed"] += 1


@tried
@given(first=numbers)
def test_a_log_that_was_cut_short_is_found_by_the_head_outside(log: Log, first: int) -> None:
    def cut(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM audit_entries WHERE id >= ?", [first])
        connection.execute("DELETE FROM audit_leaves WHERE entry_id >= ?", [first])

    assert (Fault.CUT, first - 1) in {(one.fault, one.position) for one in log.after(cut).findings}
    TRIED["cut short"] += 1


@tried
@given(pair=pairs, whole=st.booleans())
def test_two_entries_that_were_swapped_are_both_named(log: Log, pair: tuple[int, int], whole: bool) -> None:
    def swap(connection: sqlite3.Connection) -> None:
        key, table = ("id", "audit_entries") if whole else ("position", "audit_leaves")
        one, other = pair if whole else (pair[0] - 1, pair[1] - 1)
        for old, new in ((one, -1), (other, one), (-1, other)):
            connection.execute(f"UPDATE {table} SET {key} = ? WHERE {key} = ?", [new, old])

    found = faults(log.after(swap))
    assert {(Fault.CHANGED if whole else Fault.MOVED, entry) for entry in pair} <= found
    TRIED["swapped"] += 1


@tried
@given(entry=numbers, is_sealed=st.booleans(), keeps_nonce=st.booleans())
def test_an_entry_that_was_inserted_or_copied_is_named(
    log: Log, entry: int, is_sealed: bool, keeps_nonce: bool
) -> None:
    fresh = ENTRIES + 1

    def insert(connection: sqlite3.Connection) -> None:
        columns = ", ".join(COLUMNS)
        connection.execute("CREATE TABLE held AS SELECT * FROM audit_entries WHERE id = ?", [entry])
        if keeps_nonce:
            # Whoever may do everything also takes the rule away that nonces differ.
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'UNIQUE (nonce)', 'CHECK (1)') "
                "WHERE name = 'audit_entries'"
            )
            connection.execute("DELETE FROM sqlite_master WHERE name LIKE 'sqlite_autoindex_audit_entries%'")
            connection.execute("PRAGMA writable_schema = RESET")
        else:
            other = "CASE WHEN nonce LIKE 'f%' THEN '0' ELSE 'f' END || substr(nonce, 2)"
            connection.execute(f"UPDATE held SET nonce = {other}, subject = 'person:forged'")
        connection.execute(f"INSERT INTO audit_entries (id, {columns}) SELECT {fresh}, {columns} FROM held")
        if is_sealed:
            connection.execute(
                f"INSERT INTO audit_leaves SELECT {ENTRIES}, {fresh}, leaf_hash, seal FROM audit_leaves "
                "WHERE entry_id = ?",
                [entry],
            )

    found = faults(log.after(insert))
    assert (Fault.COPIED if keeps_nonce else Fault.CHANGED if is_sealed else Fault.FOREIGN, fresh) in found
    assert not is_sealed or (Fault.MOVED, fresh) in found
    TRIED["inserted"] += 1


def test_a_head_that_somebody_else_wrote_is_named(log: Log) -> None:
    [name, *_] = [name for name, _ in log.heads.kept()]
    path = log.copy.parent / "heads" / "forged.json"
    path.write_text((path.parent / name).read_text().replace('"size": ', '"size": 1'))
    try:
        report = log.after(lambda _: None)
    finally:
        path.unlink()
    assert [(one.fault, one.name) for one in report.findings] == [(Fault.HEAD_FILE, "forged.json")]


def test_a_hash_that_was_made_unreadable_is_named(log: Log) -> None:
    def spoil(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE audit_leaves SET leaf_hash = 'x' WHERE position = 0")

    assert (Fault.MOVED, 1) in faults(log.after(spoil))
