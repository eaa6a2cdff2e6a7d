"""Storing pixels compressed, without losing a bit: a job in the background, never in the way of an acknowledgement.

The original is let go only after every compressed frame was decoded to the same pixels, the new file was read back from
the store as it was written, and its header says the same. What does not pass, or is of a kind that does not suit, stays
as it came. A process killed anywhere leaves the original: the new object takes its place in one transaction, and the
old one is removed some time after that, when nobody reads it any more.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from backend.imaging.desk import ImagingDesk
from backend.imaging.dicomfile import read_instance
from backend.imaging.randomread import read_object
from backend.imaging.recoding import TRANSFER_SYNTAX, Recoding, plan_recoding, recoded
from backend.imaging.sealing import SealedObject
from backend.imaging.spool import Spool
from backend.imaging.tables import ImagingInstance, sealed_object
from backend.lossless import FrameCodec, Method
from backend.security.policy import Action, Actor, require

log = logging.getLogger(__name__)

DELETE_TIMER = "imaging.delete_object"
_DELETE_AFTER = timedelta(minutes=10)
_LEASE = timedelta(minutes=30)
_ATTEMPTS = 3
_IDLE_SECONDS = 5.0


@dataclass(frozen=True)
class Savings:
    """How much compression saves: instances that are stored compressed by us, their bytes as received and as stored."""

    instances: int
    received_bytes: int
    stored_bytes: int


class Compression(ImagingDesk):
    """The part of `ImagingService` that stores pixels compressed."""

    async def keep_compressing(self, codec: FrameCodec) -> None:
        """Compress what waits, one instance after another, while none arrive; until cancelled."""
        while True:
            await self._arrivals.paused()
            try:
                worked = await self.compress_next(codec)
            except Exception:
                log.exception("instance not compressed; tried again later")
                worked = False
            if not worked:
                await asyncio.sleep(_IDLE_SECONDS)

    async def compress_next(self, codec: FrameCodec) -> bool:
        """Compress the instance that waits longest; tell whether one waited."""
        row = await self._claim()
        if row is None:
            return False
        fresh: SealedObject | None = None
        try:
            fresh = await self._recode(row, codec)
        except Exception:  # of the store, or of a library over a file that is not as it should be
            log.exception("instance not compressed; tried again when its lease ends, at most three times")
            return True
        await self._replace(row, fresh, codec.method)
        return True

    async def savings(self, actor: Actor) -> Savings:
        """Give how much compression saves. Raises Forbidden."""
        require(actor, Action.IMAGING_MANAGE)
        query = select(func.count(), func.sum(ImagingInstance.received_size), func.sum(ImagingInstance.size))
        async with self._database.reading() as session:
            smaller = query.where(ImagingInstance.size < ImagingInstance.received_size)
            count, received, stored = (await session.execute(smaller)).one()
        return Savings(count, int(received or 0), int(stored or 0))

    async def _claim(self) -> ImagingInstance | None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            query = select(ImagingInstance).where(ImagingInstance.compress_at <= now)
            query = query.order_by(ImagingInstance.compress_at).limit(1).with_for_update(skip_locked=True)
            row: ImagingInstance | None = await session.scalar(query)
            if row is not None:
                row.compress_attempts += 1
                # A process that dies over an instance again and again is not given it for ever.
                row.compress_at = now + _LEASE if row.compress_attempts < _ATTEMPTS else None
        return row

    async def _recode(self, row: ImagingInstance, codec: FrameCodec) -> SealedObject | None:
        """Store the instance again, compressed; None where it stays as it is."""
        sealed = sealed_object(row)
        recoding = await read_object(self._objects, sealed, lambda file: plan_recoding(file, sealed.size, codec.method))
        if recoding is None:
            return None
        frames = Spool()
        try:
            lengths = await self._encode(sealed, recoding, codec, frames)
            if lengths is None or sum(lengths) >= recoding.frames * recoding.frame_bytes:
                return None
            fresh = await self._objects.put(recoded(recoding, frames, lengths))
            if not await self._is_same(row, fresh, recoding, frames, lengths):
                await self._objects.delete(fresh.id)
                return None
        finally:
            frames.close()
        return fresh

    async def _encode(
        self, sealed: SealedObject, recoding: Recoding, codec: FrameCodec, frames: Spool
    ) -> list[int] | None:
        """Compress every frame into `frames`, and give their lengths; None where one cannot be."""
        lengths: list[int] = []
        for number in range(recoding.frames):
            start = recoding.pixels_at + number * recoding.frame_bytes
            end = start + recoding.frame_bytes
            pixels = b"".join([piece async for piece in self._objects.get(sealed, start, end)])
            encoded = await codec.encode(pixels, recoding.frame)
            if encoded is None:
                return None
            even = encoded + b"\0" * (len(encoded) % 2)
            await asyncio.to_thread(frames.write, even)
            lengths.append(len(even))
        return lengths

    async def _is_same(
        self, row: ImagingInstance, fresh: SealedObject, recoding: Recoding, frames: Spool, lengths: list[int]
    ) -> bool:
        """Read the new file back, and compare it with what was to be written and with what the old one says."""
        written, found = hashlib.sha256(), hashlib.sha256()
        async for piece in recoded(recoding, frames, lengths):
            written.update(piece)
        async for piece in self._objects.get(fresh):
            found.update(piece)
        instance = await read_object(self._objects, fresh, lambda file: read_instance(file, fresh.size))
        return (
            written.digest() == found.digest()
            and instance.header_digest == row.header_digest
            and instance.sop_instance_uid == row.sop_instance_uid
        )

    async def _replace(self, row: ImagingInstance, fresh: SealedObject | None, method: Method) -> None:
        """Let the new object take the place of the old one; without a new one the instance stays as it is for good."""
        changes: dict[str, Any] = {"compress_at": None}
        if fresh is not None:
            changes |= {
                "transfer_syntax": TRANSFER_SYNTAX[method],
                "object_id": fresh.id,
                "object_key": fresh.key.hex(),
                "size": fresh.size,
            }
        async with self._database.transaction() as session:
            replaced = await session.execute(
                update(ImagingInstance)
                .where(ImagingInstance.id == row.id, ImagingInstance.object_id == row.object_id)
                .values(**changes)
            )
            if fresh is None:
                return
            # Where another process was first, the new one is what nobody needs.
            unneeded = row.object_id if replaced.rowcount else fresh.id  # type: ignore[attr-defined]  # of an UPDATE
            due_at = self._clock.now() + _DELETE_AFTER
            await self._timers.set(session, DELETE_TIMER, unneeded, due_at, object_id=unneeded)

    async def _on_delete(self, payload: Mapping[str, Any]) -> None:
        await self._objects.delete(payload["object_id"])
