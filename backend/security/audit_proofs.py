"""Proofs that stand by themselves: that an entry is in the log, that the log only grew; and their check.

The check needs neither database nor key ring, only the public key that heads are verified with.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.db import Database
from backend.errors import InvalidInput, NotFound
from backend.security.audit_heads import HeadDamaged, HeadFolder, TreeHead
from backend.security.audit_leaves import BLOCK, BLOCK_BITS, LeafEntry, stamp
from backend.security.audit_sequencer import grown_by_blocks
from backend.security.merkle import (
    Frontier,
    Range,
    consistency_path,
    inclusion_path,
    verify_consistency,
    verify_inclusion,
)
from backend.security.tables import AuditBlock, AuditEntry, AuditLeaf


class ProofRefused(Exception):
    """A proof that proves nothing; its text says what does not fit."""


@dataclass(frozen=True)
class Proven:
    """What a proof proves: of `entry` that it is in the log of `head`, else that this log begins with that of `old`."""

    head: TreeHead
    entry: LeafEntry | None = None
    old: TreeHead | None = None


class Prover:
    """Makes proofs from the tables."""

    def __init__(self, database: Database, clock: Clock, heads: HeadFolder) -> None:
        self._database = database
        self._clock = clock
        self._heads = heads

    async def inclusion(self, entry_id: int) -> str:
        """Give the proof that entry `entry_id` is in the log, under the oldest kept head that covers it.

        Raises:
            NotFound: no such entry, or it has no place yet.
        """
        async with self._database.reading() as session:
            entry = await session.get(AuditEntry, entry_id)
            position = await session.scalar(select(AuditLeaf.position).where(AuditLeaf.entry_id == entry_id))
            if entry is None or position is None:
                raise NotFound("审计记录里没有这一条，或者它还没有入册。")
            covering = [head for _, head in self._heads.kept() if head is not None and head.size > position]
            head = covering[0] if covering else await self._fresh_head(session)
            path = [await _root(session, one) for one in inclusion_path(position, head.size)]
        shown = LeafEntry(
            entry.id,
            stamp(entry.at),
            entry.actor_id,
            entry.actor_roles,
            entry.action,
            entry.patient_id,
            entry.subject,
            entry.reason or "",
            entry.nonce,
        )
        return _written(kind="inclusion", entry=asdict(shown), position=position, path=path, head=asdict(head))

    async def growth(self, old: TreeHead) -> str:
        """Give the proof that the present log begins with that of `old`.

        Raises:
            InvalidInput: `old` is of an empty log, or larger than the log is.
        """
        async with self._database.reading() as session:
            head = await self._fresh_head(session)
            if not 1 <= old.size <= head.size:
                raise InvalidInput("这个树头的大小和现在的审计日志对不上。")
            path = [await _root(session, one) for one in consistency_path(old.size, head.size)]
        return _written(kind="growth", old=asdict(old), path=path, head=asdict(head))

    async def _fresh_head(self, session: AsyncSession) -> TreeHead:
        tree = await grown_by_blocks(session)
        for leaf in await session.scalars(
            select(AuditLeaf.leaf_hash).where(AuditLeaf.position >= tree.size).order_by(AuditLeaf.position)
        ):
            tree.append(leaf)
        return self._heads.sign(tree.size, tree.root(), self._clock.now())


async def _root(session: AsyncSession, leaves: Range) -> bytes:
    """Give the root over a range of leaves, whole blocks of which are not read."""
    first, last = leaves
    tree = Frontier()
    if not first % BLOCK:
        blocks = (AuditBlock.number >= first // BLOCK, AuditBlock.number < last // BLOCK)
        for root in await session.scalars(select(AuditBlock.root).where(*blocks).order_by(AuditBlock.number)):
            tree.append(root, BLOCK_BITS)
    rest = (AuditLeaf.position >= first + tree.size, AuditLeaf.position < last)
    for leaf in await session.scalars(select(AuditLeaf.leaf_hash).where(*rest).order_by(AuditLeaf.position)):
        tree.append(leaf)
    return tree.root()


def _written(path: list[bytes], **fields: Any) -> str:
    return json.dumps({**fields, "path": [step.hex() for step in path]}, ensure_ascii=False, indent=2)


def check_proof(text: str, public_key: str) -> Proven:
    """Verify a proof and give what it proves.

    Args:
        public_key: 64 hexadecimal digits, from `qiaoyi audit key`; got on another way than the proof.

    Raises:
        ProofRefused: it proves nothing.
    """
    try:
        held = json.loads(text)
        path = [bytes.fromhex(step) for step in held["path"]]
        head = TreeHead.of(held["head"])
        entry = LeafEntry(**held["entry"]) if held["kind"] == "inclusion" else None
        old = TreeHead.of(held["old"]) if held["kind"] == "growth" else None
        leaf = entry.leaf_hash if entry else b""
        position = int(held.get("position", 0))
    except (ValueError, KeyError, TypeError, AttributeError, HeadDamaged) as error:
        raise ProofRefused(f"this is no proof ({type(error).__name__})") from None
    for one in (head, old):
        if one is not None and not one.is_signed_by(public_key):
            raise ProofRefused("a head is not signed with this key")
    root = bytes.fromhex(head.root)
    if entry is not None and not verify_inclusion(leaf, position, head.size, path, root):
        raise ProofRefused("the entry does not lead to the root of the head")
    if old is not None and not verify_consistency(old.size, bytes.fromhex(old.root), head.size, root, path):
        raise ProofRefused("the log does not begin with that of the old head")
    if entry is None and old is None:
        raise ProofRefused("this is no proof of a known kind")
    return Proven(head, entry, old)
