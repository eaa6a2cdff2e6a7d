"""Computes the whole audit log anew and names what does not fit: entries, places, blocks and heads that were kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, String, func, select, type_coerce

from backend.db import Database, key_ring
from backend.security.audit_heads import HeadFolder, TreeHead
from backend.security.audit_leaves import BLOCK, BLOCK_BITS, AuditKeys, body_of, leaf_of
from backend.security.errors import KeyRingError
from backend.security.merkle import EMPTY_ROOT, Frontier, root_of
from backend.security.tables import AuditBlock, AuditEntry, AuditLeaf

_BATCH = 5_000
_MOST_FINDINGS = 100


# As they lie there: what somebody made unreadable is named, and does not end the verification.
_FIELDS = (
    type_coerce(AuditEntry.at, String),
    AuditEntry.actor_id,
    AuditEntry.actor_roles,
    AuditEntry.action,
    AuditEntry.patient_id,
    AuditEntry.subject,
    type_coerce(AuditEntry.reason, LargeBinary),
    AuditEntry.nonce,
)


class Fault(StrEnum):
    """What does not fit."""

    CHANGED = "changed"  # the entry is another than the one that got this place
    FOREIGN = "foreign"  # the entry was not written by the program
    COPIED = "copied"  # the entry repeats another
    REMOVED = "removed"  # the entry of this place is gone
    MOVED = "moved"  # the place was given to another entry, or its hash replaced
    GAP = "gap"  # the place itself is gone
    BLOCK = "block"  # the root that was kept over a block is another
    HEAD = "head"  # the log does not begin with what a signed head says
    CUT = "cut"  # a signed head is larger than the log
    HEAD_FILE = "head_file"  # a file among the heads holds none that we signed


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit.

    Args:
        entry_id: the entry; None where only a place is known. position: its place in the log.
        name: the file of the head, where it is one.
    """

    fault: Fault
    entry_id: int | None = None
    position: int | None = None
    name: str = ""


@dataclass
class AuditReport:
    """What a verification found.

    Args:
        entries: how many places were looked at. unsealed: entries that wait for the sequencer; more than a handful for
            more than seconds is a fault. heads: how many kept heads were compared.
        findings: in the order of the log, a hundred at most.
    """

    entries: int = 0
    unsealed: int = 0
    heads: int = 0
    root: str = EMPTY_ROOT.hex()
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return not self.findings

    def found(self, finding: Finding) -> None:
        """Take a finding, unless there are too many already."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(finding)


class Verification:
    """One pass over the log, in batches; the log may grow meanwhile."""

    def __init__(self, database: Database, heads: HeadFolder | None) -> None:
        self._database = database
        self._folder = heads
        self._keys = AuditKeys()
        self._blocks_seen, self._tail = Frontier(), list[bytes]()
        self._blocks: dict[int, bytes] = {}
        self._heads: list[tuple[str, TreeHead]] = []
        self._is_whole = True  # no place is missing so far, so roots can be computed
        self._next = 0
        self.report = AuditReport()

    async def verify(self) -> AuditReport:
        """Do all of it."""
        await self._read_heads()
        while True:
            rows = await self._rows()
            self._take(rows)
            if len(rows) < _BATCH:
                break
        report = self.report
        for name, _head in self._heads[: None if self._is_whole else 0]:
            report.found(Finding(Fault.CUT, position=self.report.entries, name=name))
        if self._is_whole:
            report.root = self._tree().root().hex()
        await self._look_at_the_others()
        return report

    async def _read_heads(self) -> None:
        for name, head in self._folder.kept() if self._folder else []:
            if head is None:
                self.report.found(Finding(Fault.HEAD_FILE, name=name))
            else:
                self._heads.append((name, head))
        self._heads.reverse()  # the smallest is taken from the end
        self._compare_heads()

    async def _rows(self) -> Sequence[Any]:
        query = (
            select(
                AuditLeaf.position,
                AuditLeaf.entry_id,
                AuditLeaf.leaf_hash,
                AuditLeaf.seal,
                AuditEntry.mac,
                *_FIELDS,
            )
            .outerjoin(AuditEntry, AuditEntry.id == AuditLeaf.entry_id)
            .where(AuditLeaf.position >= self._next)
            .order_by(AuditLeaf.position)
            .limit(_BATCH)
        )
        async with self._database.reading() as session:
            rows = (await session.execute(query)).all()
            between = (AuditBlock.number >= self._next // BLOCK, AuditBlock.number <= (self._next + _BATCH) // BLOCK)
            blocks = await session.execute(select(AuditBlock.number, AuditBlock.root).where(*between))
            self._blocks = dict(blocks.all())
        return rows

    def _take(self, rows: Iterable[Any]) -> None:
        report, seal_of, next_ = self.report, self._keys.seal, self._next
        for position, entry_id, leaf, seal, mac, *fields in rows:
            if position != next_:
                report.found(Finding(Fault.GAP, None, next_))
                self._is_whole = False
            next_ = position + 1
            report.entries += 1
            try:
                if leaf_of(entry_id, _body(fields)) != leaf or seal_of(position, entry_id, leaf, mac) != seal:
                    raise ValueError
            except (TypeError, ValueError, AttributeError, KeyRingError):
                self._name_faults(position, entry_id, leaf, seal, mac, fields)
            if self._is_whole:
                self._grow(leaf)
        self._next = next_

    def _name_faults(self, position: int, entry_id: int, leaf: Any, seal: Any, mac: Any, fields: Sequence[Any]) -> None:
        """Say what does not fit of an entry and its place, of which something does not."""
        if not isinstance(leaf, bytes):  # SQLite keeps values of another type in any column
            self._is_whole = False
            self.report.found(Finding(Fault.MOVED, entry_id, position))
            return
        is_foreign = self._keys.seal(position, entry_id, leaf, b"") == seal
        if is_foreign:
            self.report.found(Finding(Fault.FOREIGN, entry_id, position))
        if fields[0] is None:
            self.report.found(Finding(Fault.REMOVED, entry_id, position))
            return
        try:
            is_changed = leaf_of(entry_id, _body(fields)) != leaf
        except (TypeError, ValueError, KeyRingError):
            is_changed = True
        if is_changed:
            self.report.found(Finding(Fault.CHANGED, entry_id, position))
        is_bound = isinstance(mac, bytes) and self._keys.seal(position, entry_id, leaf, mac) == seal
        if not is_bound and not is_foreign:
            self.report.found(Finding(Fault.MOVED, entry_id, position))

    def _grow(self, leaf: bytes) -> None:
        self._tail.append(leaf)
        if len(self._tail) == BLOCK:
            number = self._blocks_seen.size // BLOCK
            root = root_of(self._tail)
            if self._blocks.get(number) != root:
                self.report.found(Finding(Fault.BLOCK, position=number * BLOCK))
            self._blocks_seen.append(root, BLOCK_BITS)
            self._tail = []
        if self._heads and self._heads[-1][1].size == self._blocks_seen.size + len(self._tail):
            self._compare_heads()

    def _tree(self) -> Frontier:
        tree = self._blocks_seen.copy()
        for leaf in self._tail:
            tree.append(leaf)
        return tree

    def _compare_heads(self) -> None:
        tree = self._tree()
        while self._heads and self._heads[-1][1].size == tree.size:
            name, head = self._heads.pop()
            self.report.heads += 1
            if head.root != tree.root().hex():
                self.report.found(Finding(Fault.HEAD, position=head.size, name=name))

    async def _look_at_the_others(self) -> None:
        """Count what waits for a place, look whether the program wrote it, and find copies."""
        waiting = (
            select(AuditEntry.id, AuditEntry.mac, *_FIELDS)
            .outerjoin(AuditLeaf, AuditLeaf.entry_id == AuditEntry.id)
            .where(AuditLeaf.entry_id.is_(None))
            .order_by(AuditEntry.id)
        )
        copies = select(func.max(AuditEntry.id)).group_by(AuditEntry.nonce).having(func.count() > 1)
        async with self._database.reading() as session:
            for entry_id, mac, *fields in await session.execute(waiting):
                self.report.unsealed += 1
                if not self._is_ours(mac, fields):
                    self.report.found(Finding(Fault.FOREIGN, entry_id))
            for entry_id in await session.scalars(copies.limit(_MOST_FINDINGS)):
                self.report.found(Finding(Fault.COPIED, entry_id))

    def _is_ours(self, mac: bytes, fields: Sequence[Any]) -> bool:
        try:
            return self._keys.mac(_body(fields)) == mac
        except (TypeError, ValueError, KeyRingError):
            return False


def _body(fields: Sequence[Any]) -> bytes:
    """Give the bytes of an entry from its columns. Raises what unreadable ones raise."""
    at, actor_id, roles, action, patient_id, subject, reason, nonce = fields
    if isinstance(at, datetime):  # MySQL; SQLite keeps text
        moment = at.isoformat(timespec="microseconds")
    elif isinstance(at, str):
        moment = at.replace(" ", "T")
    else:
        raise TypeError
    told = "" if reason is None else key_ring().decrypt(reason, AuditEntry.reason.type.column).decode()
    return body_of(moment, actor_id, roles, action, patient_id, subject, told, nonce)
