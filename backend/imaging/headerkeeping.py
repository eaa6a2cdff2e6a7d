"""Headers of instances kept beside their rows, for viewers: made once arrivals have paused, so that no sender waits.

What waits for its header is known in memory alone: an instance without a kept header is one whose header is read from
its object each time it is asked for, and is kept then. So a process that is killed loses nothing.
"""

import asyncio
import logging
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.imaging.arrivals import QUIET_SECONDS
from backend.imaging.desk import ImagingDesk
from backend.imaging.headers import packed_header, unpacked_header, written_header
from backend.imaging.randomread import read_object
from backend.imaging.sealing import SealedObject
from backend.imaging.tables import ImagingHeader

log = logging.getLogger(__name__)

_TOGETHER = 20
_MOST_WAITING = 20_000


class HeaderKeeping(ImagingDesk):
    """The part of `ImagingService` that keeps headers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._without: dict[str, SealedObject] = {}
        self._keeping: asyncio.Task[None] | None = None

    def close(self) -> None:
        """End what goes on in the background."""
        if self._keeping is not None:
            self._keeping.cancel()

    async def keep_headers(self) -> None:
        """Keep the headers of all instances that wait for it, now."""
        while self._without:
            await self._keep_some()

    def _want_header(self, instance_id: str, sealed: SealedObject) -> None:
        """Let the header of an instance be kept when arrivals have paused."""
        if len(self._without) >= _MOST_WAITING:
            return
        self._without[instance_id] = sealed
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_after_arrivals())

    async def _header(self, instance_id: str, sealed: SealedObject, syntax: str, packed: bytes | None) -> bytes:
        """Give the header of an instance that is stored in `syntax`, from what is kept where that is there."""
        if packed is not None:
            return unpacked_header(packed, syntax)
        self._want_header(instance_id, sealed)
        return await read_object(self._objects, sealed, written_header)

    async def _keep_after_arrivals(self) -> None:
        await asyncio.sleep(QUIET_SECONDS)  # a viewer that asks for one asks for those of the whole series
        try:
            while self._without:
                await self._arrivals.paused()
                await self._keep_some()
        except Exception:
            log.exception("headers not kept; made when they are asked for")

    async def _keep_some(self) -> None:
        made: dict[str, bytes] = {}
        for instance_id, sealed in [self._without.popitem() for _ in range(min(_TOGETHER, len(self._without)))]:
            packed = await self._packed(sealed)
            if packed is not None:
                made[instance_id] = packed
        await self._keep(made)

    async def _packed(self, sealed: SealedObject) -> bytes | None:
        try:
            return await read_object(self._objects, sealed, packed_header)
        except (
            Exception
        ) as error:  # the object was replaced meanwhile, or cannot be read: whoever asks for it hears of it
            log.warning("header not kept: %s", type(error).__name__)
            return None

    async def _keep(self, made: dict[str, bytes]) -> None:
        query = select(ImagingHeader.instance_id).where(ImagingHeader.instance_id.in_(made))
        try:
            async with self._database.transaction() as session:
                known = set(await session.scalars(query))
                rows = (ImagingHeader(instance_id=one, header=packed) for one, packed in made.items())
                session.add_all(row for row in rows if row.instance_id not in known)
        except IntegrityError:  # another process kept some of them: the others are kept when they are asked for
            log.info("headers kept by another process")
