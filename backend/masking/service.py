"""The use case: a masked copy in a folder of its own, or none."""

import asyncio
import shutil
from collections import Counter
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from backend import migrations
from backend.analytics.counting import add_up
from backend.backup import begin_snapshot
from backend.clock import local
from backend.consultation.rules import require_text
from backend.db import Base, Database
from backend.deidentification import Directory
from backend.masking.checking import MaskingRefused, leak_in
from backend.masking.copying import read, write
from backend.masking.masking import Case, Masking, Source
from backend.masking.rules import IDENTIFYING, MASKED, How, how
from backend.security.audit import AuditLog
from backend.security.keyring import KeyRing, open_key_file
from backend.security.policy import Action, Actor, require

KEY_FILE, DATABASE_FILE = "keys.json", "qiaoyi.db"
_PEOPLE = frozenset({"people", "practitioners"})


class MaskedCopies:
    """Makes masked copies.

    Args:
        ring: under which the source lies.
    """

    def __init__(self, database: Database, ring: KeyRing, audit: AuditLog) -> None:
        self._database = database
        self._ring = ring
        self._audit = audit

    async def make(self, actor: Actor, purpose: str, folder: Path, asked_by: str = "") -> Counter[str]:
        """Make a copy with fresh keys in `folder`, which the product can be started on; give its rows by table.

        Args:
            purpose: what for, in words; kept in the audit log, also where no copy comes of it.
            asked_by: who asks, where the actor does not say it: an operator by their name on the machine.

        Raises:
            Forbidden: the actor may not. InvalidInput: no purpose.
            MaskingRefused: the folder is there already, or the copy still names somebody. Nothing is left.
        """
        require(actor, Action.MASKED_EXPORT)
        said = require_text(purpose, "用途", longest=200)
        reason = f"{asked_by}：{said}" if asked_by else said
        folder = await asyncio.to_thread(folder.absolute)
        part = folder.with_name(f"{folder.name}.part")
        if await asyncio.to_thread(lambda: folder.exists() or part.exists()):
            raise MaskingRefused(f"{folder} or {part} is there already")
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.MASKED_EXPORT, subject="masked_copy", reason=reason)
        try:
            await asyncio.to_thread(part.mkdir, mode=0o700, parents=True)
            counts = await self._copy(part)
            await asyncio.to_thread(part.rename, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
        return counts

    async def _copy(self, part: Path) -> Counter[str]:
        ring = open_key_file(part / KEY_FILE)
        url = f"sqlite+aiosqlite:///{part / DATABASE_FILE}"
        await migrations.upgrade(url)
        copy = Database(url)
        try:
            async with self._database.engine.connect() as source:
                await begin_snapshot(source)
                known = await _source(source, self._ring)
                async with copy.engine.begin() as target:
                    counts = await _masked(source, self._ring, target, ring, known)
                    session = AsyncSession(target, expire_on_commit=False)
                    await add_up(session)
                    await session.flush()
            async with copy.engine.connect() as target:
                leak = await leak_in(target, ring, known)
        finally:
            await copy.close()
        if leak is not None:
            raise MaskingRefused(f"{leak.table}.{leak.column} of the copy still names somebody: there is no copy")
        return counts


async def _source(connection: AsyncConnection, ring: KeyRing) -> Source:
    """Gather what names somebody, and whose the consultations are."""
    words: dict[How, set[str]] = {one: set() for one in IDENTIFYING}
    names: dict[str, str] = {}
    cases: dict[str, Case] = {}
    for table in Base.metadata.sorted_tables:
        identifying = [(column.name, how(column)) for column in table.columns if table.name in MASKED]
        wanted = [(name, kind) for name, kind in identifying if kind in IDENTIFYING]
        if not wanted and table.name != "consultations":
            continue
        async for rows in read(connection, ring, table):
            for row in rows:
                for name, kind in wanted:
                    if kind is not None and row[name] and row[name].strip():
                        words[kind].add(row[name].strip())
                if table.name in _PEOPLE:
                    names[row["id"]] = row["name"] or ""
                elif table.name == "consultations":
                    people = (row["patient_id"], row["speaker_id"], row["doctor_id"], row["expert_id"] or "")
                    cases[row["id"]] = Case(row["patient_id"], people, local(row["opened_at"]).date())
    numbers = set().union(*(words[kind] for kind in (How.PHONE, How.IDENTITY, How.CONTACT, How.LICENCE)))
    directory = Directory(words[How.NAME], numbers, words[How.ADDRESS])
    return Source(directory, frozenset().union(*words.values()), frozenset({*names, *cases}), names, cases)


async def _masked(
    source: AsyncConnection, source_ring: KeyRing, target: AsyncConnection, ring: KeyRing, known: Source
) -> Counter[str]:
    masking, counts = Masking(known, ring), Counter[str]()
    for table in Base.metadata.sorted_tables:
        if table.name not in MASKED:
            continue
        async for rows in read(source, source_ring, table):
            # The recogniser takes its time: whoever shares the process goes on meanwhile.
            await write(target, ring, table, await asyncio.to_thread(masking.rows, table, rows))
            counts[table.name] += len(rows)
    return counts
