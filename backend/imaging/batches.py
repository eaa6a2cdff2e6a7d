"""Instances that go together: which may, and what an answer makes of each."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.imaging.delivery import Answer
from backend.imaging.tables import ImagingDestination, ImagingInstance, ImagingTransfer, Purpose
from backend.imaging.transfer_rules import (
    ALONE_AFTER,
    MOST_DAMAGES,
    Failure,
    TransferState,
    Verdict,
    batch_bytes,
    goes_alone,
    is_open,
    pause,
    verdict,
)


@dataclass
class Batch:
    """Instances that this process has claimed, and what it found out about them before anything was sent."""

    destination: ImagingDestination
    claim: str
    lease: timedelta
    rows: list[tuple[ImagingTransfer, ImagingInstance]]
    failures: dict[str, Failure] = field(default_factory=dict)  # by SOP Instance UID
    sent_as: dict[str, str] = field(default_factory=dict)  # SOP Instance UIDs of copies, by those of what they are of

    def told_of(self, answer: Answer) -> Answer:
        """Give what was answered about copies as the answer about what they are copies of."""
        original = {copy: sop_uid for sop_uid, copy in self.sent_as.items()}
        return Answer({original.get(uid, uid): status for uid, status in answer.statuses.items()}, answer.failure)


def may_send(destination: ImagingDestination, now: datetime) -> bool:
    """Tell whether anything may go to a destination now."""
    return (
        destination.active
        and (destination.resume_at is None or destination.resume_at <= now)
        and (destination.line_free_at is None or destination.line_free_at <= now)
        and is_open(now, destination.window_start, destination.window_end)
    )


def bytes_to_send(destination: ImagingDestination, row: ImagingTransfer, instance: ImagingInstance) -> int:
    """Give about how long an instance is when it goes: as it is stored, or decoded (of two bytes a pixel)."""
    if destination.purpose is Purpose.CARE and not row.decode:
        return instance.size
    pixels = 2 * instance.rows * instance.columns * instance.frames
    return max(instance.size, instance.received_size, pixels)


def together(
    destination: ImagingDestination, waiting: list[tuple[ImagingTransfer, ImagingInstance]]
) -> list[tuple[ImagingTransfer, ImagingInstance]]:
    """Give what goes in one request: always one, more while they are not too much and under no suspicion."""
    room = batch_bytes(destination.bytes_per_second)
    taken: list[tuple[ImagingTransfer, ImagingInstance]] = []
    for row, instance in waiting:
        room -= bytes_to_send(destination, row, instance)
        if taken and (room < 0 or goes_alone(row.attempts)):
            break
        taken.append((row, instance))
        if goes_alone(row.attempts):
            break
    return taken


def judged(batch: Batch, row: ImagingTransfer, instance: ImagingInstance, answer: Answer) -> Verdict:
    """Judge what became of one instance of a batch."""
    sop_uid, chance = instance.sop_instance_uid, random.random()  # no secret
    refusals = row.refusals + 1
    if sop_uid in answer.statuses:
        return verdict(answer.statuses[sop_uid], refusals=refusals, decoded=row.decode, fraction=chance)
    failure = batch.failures.get(sop_uid, answer.failure)
    if failure is Failure.DAMAGED and refusals < MOST_DAMAGES:
        return Verdict(TransferState.WAITING, failure, pause(refusals, chance))
    if failure is Failure.TOO_LARGE and len(batch.rows) > 1:
        return Verdict(TransferState.WAITING, failure)
    if failure is None or failure is Failure.AWAY:
        return Verdict(TransferState.WAITING, failure)
    return Verdict(TransferState.DEAD, failure)


async def write_down(session: AsyncSession, batch: Batch, answer: Answer, now: datetime) -> dict[str, Failure]:
    """Write down what became of a batch; give why forwardings came to a dead end, by their identifiers.

    That an instance arrived is true whoever holds it meanwhile; anything else is of interest only while it is ours.
    """
    arrived: dict[int | None, list[str]] = {}
    dead: dict[str, Failure] = {}
    for row, instance in batch.rows:
        status = answer.statuses.get(instance.sop_instance_uid)
        result = judged(batch, row, instance, answer)
        if result.state is TransferState.ARRIVED:
            arrived.setdefault(status, []).append(row.id)
            continue
        if result.state is TransferState.DEAD and result.failure is not None:
            dead[row.forwarding_id] = result.failure
        await _write_failure(session, batch, row, result, status, now)
    for status, ids in arrived.items():
        changes = {"state": TransferState.ARRIVED, "failure": None, "status": status, "claim": None}
        missing = ImagingTransfer.id.in_(ids), ImagingTransfer.state != TransferState.ARRIVED
        await session.execute(update(ImagingTransfer).where(*missing).values(**changes))
    return dead


async def _write_failure(
    session: AsyncSession, batch: Batch, row: ImagingTransfer, result: Verdict, status: int | None, now: datetime
) -> None:
    said = status is not None or result.failure is Failure.DAMAGED
    changes: dict[str, Any] = {
        "state": result.state,
        "failure": result.failure,
        "status": status,
        "claim": None,
        "due_at": now + result.pause,
        "refusals": row.refusals + said,
        "decode": row.decode or result.decode,
    }
    if result.failure is Failure.TOO_LARGE:
        changes["attempts"] = ALONE_AFTER
    ours = (
        ImagingTransfer.id == row.id,
        ImagingTransfer.state != TransferState.ARRIVED,
        ImagingTransfer.claim == batch.claim,
    )
    await session.execute(update(ImagingTransfer).where(*ours).values(**changes))
