"""Bringing instances to their PACS: claimed in batches, sent, and written down as the destination answered.

An instance counts as arrived when the destination has said so of it, and is sent again until then; a PACS knows an
instance by its SOP Instance UID, so what was sent twice is there once. A claim is a lease: a process that is killed
lets its batch go when that ends.
"""

import asyncio
import logging
import random
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import aiohttp
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.ids import new_id
from backend.imaging.batches import Batch, bytes_to_send, may_send, together, write_down
from backend.imaging.delivery import Answer, Parcel, StowAddress
from backend.imaging.destinations import address_of
from backend.imaging.parcels import Parcels
from backend.imaging.store_client import send_by_store
from backend.imaging.stow_client import send_by_stow
from backend.imaging.tables import (
    ImagingDestination,
    ImagingForwarding,
    ImagingInstance,
    ImagingTransfer,
)
from backend.imaging.transfer_rules import (
    BATCH_INSTANCES,
    OF_THE_DESTINATION,
    Failure,
    TransferState,
    is_away_too_long,
    is_open,
    lease,
    line_free_at,
    pause,
)

log = logging.getLogger(__name__)

_AT_ONCE = 4
_IDLE_SECONDS = 1.0
_LEASE_MARGIN = timedelta(seconds=20)


class Sending(Parcels):
    """The part of `ImagingService` that sends what waits."""

    async def keep_forwarding(self) -> None:
        """Send what waits, to each destination for itself, until cancelled."""
        running: dict[str, asyncio.Task[None]] = {}
        async with _http() as http, asyncio.TaskGroup() as group:
            while True:
                try:
                    waiting = await self._with_work()
                except Exception:
                    log.exception("forwarding: queue not read; tried again")
                    waiting = []
                for destination_id in waiting:
                    if destination_id not in running or running[destination_id].done():
                        running[destination_id] = group.create_task(self._drain(http, destination_id))
                await asyncio.sleep(_IDLE_SECONDS)

    async def forward_waiting(self) -> None:
        """Send once what may be sent now, and come back when nothing more can be."""
        async with _http() as http:
            await asyncio.gather(*(self._drain(http, destination_id) for destination_id in await self._with_work()))

    async def _with_work(self) -> list[str]:
        """Give the destinations for which something waits, and that are not known to be away or busy."""
        now = self._clock.now()
        waits = (
            select(ImagingTransfer.id)
            .where(
                ImagingTransfer.destination_id == ImagingDestination.id,
                ImagingTransfer.state == TransferState.WAITING,
                ImagingTransfer.due_at <= now,
            )
            .exists()
        )
        query = select(ImagingDestination).where(
            ImagingDestination.active,
            or_(ImagingDestination.resume_at.is_(None), ImagingDestination.resume_at <= now),
            or_(ImagingDestination.line_free_at.is_(None), ImagingDestination.line_free_at <= now),
            waits,
        )
        async with self._database.reading() as session:
            return [row.id for row in await session.scalars(query) if is_open(now, row.window_start, row.window_end)]

    async def _drain(self, http: aiohttp.ClientSession, destination_id: str) -> None:
        """Send batches, some at once, until nothing more can be sent now."""

        async def work() -> None:
            try:
                while await self._send_next(http, destination_id):
                    pass
            except Exception:
                log.exception("forwarding: batch not sent; tried again when its lease ends")

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def _send_next(self, http: aiohttp.ClientSession, destination_id: str) -> bool:
        """Send one batch; tell whether there was one."""
        batch = await self._claim_batch(destination_id)
        if batch is None:
            return False
        async with AsyncExitStack() as spools:
            parcels = [parcel for row in batch.rows if (parcel := await self._parcel(batch, *row, spools)) is not None]
            answer = batch.told_of(await _send(http, batch, parcels)) if parcels else Answer()
        await self._settle(batch, answer)
        return True

    async def _claim_batch(self, destination_id: str) -> Batch | None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            destination = await _locked(session, destination_id)
            if not may_send(destination, now):
                return None
            query = select(ImagingTransfer).where(
                ImagingTransfer.destination_id == destination_id,
                ImagingTransfer.state == TransferState.WAITING,
                ImagingTransfer.due_at <= now,
            )
            query = query.order_by(ImagingTransfer.attempts, ImagingTransfer.id).limit(BATCH_INSTANCES)
            waiting = (await session.scalars(query.with_for_update(skip_locked=True))).all()
            found = select(ImagingInstance).where(ImagingInstance.id.in_([row.instance_id for row in waiting]))
            instances = {row.id: row for row in await session.scalars(found)}
            rows = together(destination, [(row, instances[row.instance_id]) for row in waiting])
            if not rows:
                return None
            size = sum(bytes_to_send(destination, row, instance) for row, instance in rows)
            batch = Batch(destination, new_id(), lease(size), rows)
            for row, _ in rows:
                row.claim, row.due_at, row.attempts = batch.claim, now + batch.lease, row.attempts + 1
            if destination.bytes_per_second is not None:
                free_at = destination.line_free_at
                destination.line_free_at = line_free_at(free_at, now, size, destination.bytes_per_second)
            if destination.failures:  # one knocks, the others wait for what becomes of it
                destination.resume_at = now + batch.lease
            return batch

    async def _settle(self, batch: Batch, answer: Answer) -> None:
        """Write down what became of a batch, and tell those concerned of what is news."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            destination = await _locked(session, batch.destination.id)
            dead = await write_down(session, batch, answer, now)
            for forwarding_id in sorted({row.forwarding_id for row, _ in batch.rows}):
                await self._tell_progress(session, forwarding_id)
            if answer.statuses or not batch.failures:
                await self._note(session, destination, answer, now)
            for forwarding_id, failure in sorted(dead.items()):
                await self._tell_stuck(session, forwarding_id, failure)

    async def _note(
        self, session: AsyncSession, destination: ImagingDestination, answer: Answer, now: datetime
    ) -> None:
        """Keep account of how a destination itself does."""
        if answer.statuses:
            destination.failures, destination.resume_at = 0, None
            await session.execute(
                update(ImagingForwarding)
                .where(ImagingForwarding.destination_id == destination.id, ImagingForwarding.stuck == Failure.AWAY)
                .values(stuck=None)
            )
        if answer.failure is Failure.AWAY:
            destination.failures += 1
            destination.resume_at = now + pause(destination.failures, random.random())  # no secret
            if is_away_too_long(destination.failures):
                for forwarding_id in await _waiting_forwardings(session, destination.id):
                    await self._tell_stuck(session, forwarding_id, Failure.AWAY)
        elif answer.failure in OF_THE_DESTINATION:
            destination.failures, destination.resume_at = 0, None
            concerned = await _waiting_forwardings(session, destination.id)
            await session.execute(
                update(ImagingTransfer)
                .where(ImagingTransfer.destination_id == destination.id, ImagingTransfer.state == TransferState.WAITING)
                .values(state=TransferState.DEAD, failure=answer.failure, claim=None)
            )
            for forwarding_id in concerned:
                await self._tell_stuck(session, forwarding_id, answer.failure)


def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trust_env=False)


async def _send(http: aiohttp.ClientSession, batch: Batch, parcels: list[Parcel]) -> Answer:
    seconds = (batch.lease - _LEASE_MARGIN).total_seconds()
    address = address_of(batch.destination)
    if isinstance(address, StowAddress):
        return await send_by_stow(http, address, parcels, seconds)
    return await send_by_store(address, parcels)


async def _locked(session: AsyncSession, destination_id: str) -> ImagingDestination:
    query = select(ImagingDestination).where(ImagingDestination.id == destination_id).with_for_update()
    row: ImagingDestination = (await session.scalars(query.execution_options(populate_existing=True))).one()
    return row


async def _waiting_forwardings(session: AsyncSession, destination_id: str) -> list[str]:
    query = select(ImagingTransfer.forwarding_id).where(
        ImagingTransfer.destination_id == destination_id, ImagingTransfer.state == TransferState.WAITING
    )
    return list(await session.scalars(query.distinct().order_by(ImagingTransfer.forwarding_id)))
