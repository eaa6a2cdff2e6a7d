"""Removing objects that nobody knows: left by a process that was killed between storing one and writing it down."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from backend.imaging.desk import ImagingDesk
from backend.imaging.tables import ImagingInstance
from backend.imaging.upload_tables import ImagingUploadPiece

log = logging.getLogger(__name__)

_ORPHAN_AGE = timedelta(days=1)
_BATCH = 200


class Upkeep(ImagingDesk):
    """The part of `ImagingService` that keeps the store clean."""

    async def sweep_objects(self) -> int:
        """Remove what is a day old and has no row; give how many objects that were."""
        # By the store's time, which the product's clock may be ahead of: an object whose row is not committed yet must
        # not look old.
        before = datetime.now(UTC) - _ORPHAN_AGE
        removed = 0
        batch: list[str] = []
        async for found in self._objects.list():
            if found.stored_at < before:
                batch.append(found.id)
            if len(batch) == _BATCH:
                removed += await self._remove_unknown(batch)
                batch = []
        return removed + await self._remove_unknown(batch)

    async def _remove_unknown(self, object_ids: list[str]) -> int:
        async with self._database.reading() as session:
            query = select(ImagingInstance.object_id).where(ImagingInstance.object_id.in_(object_ids))
            known = set(await session.scalars(query))
            pieces = select(ImagingUploadPiece.object_id).where(ImagingUploadPiece.object_id.in_(object_ids))
            known |= set(await session.scalars(pieces))
        unknown = [object_id for object_id in object_ids if object_id not in known]
        for object_id in unknown:
            await self._objects.delete(object_id)
        return len(unknown)

    async def keep_objects_swept(self, interval: timedelta = timedelta(days=1)) -> None:
        """Sweep now and then at each `interval` until cancelled; a store that is away is tried again."""
        while True:
            try:
                removed = await self.sweep_objects()
            except OSError:
                log.exception("objects not swept")
            else:
                if removed:
                    log.info("objects swept: removed=%d", removed)
            await asyncio.sleep(interval.total_seconds())
