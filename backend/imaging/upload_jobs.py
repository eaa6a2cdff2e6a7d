"""Reading uploads that are all here: each file of one ends in `receive`, with the person who sent it as actor.

A job is a row with a lease. It writes down how far it is after some files; a process killed in between lets its lease
end, and the next one reads those files again, which changes nothing, for an instance is kept once.
"""

import asyncio
import contextlib
import io
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.db import after_commit, is_transient
from backend.errors import Forbidden, NotFound
from backend.ids import new_id
from backend.imaging.intake import SMALL_BYTES, Intake
from backend.imaging.objects import ObjectMissing
from backend.imaging.randomread import ObjectsFile, in_reader
from backend.imaging.reasons import Reason, Unacceptable
from backend.imaging.sealing import ObjectDamaged
from backend.imaging.tables import ImagingInstance
from backend.imaging.upload_archive import Archive, Content, Refused
from backend.imaging.upload_rules import Fault, UploadState
from backend.imaging.upload_tables import (
    ImagingUpload,
    ImagingUploadFault,
    ImagingUploadPiece,
    ImagingUploadStudy,
    sealed_piece,
)
from backend.imaging.uploads import OVER_TIMER, REMEMBERED_FOR, Uploads
from backend.security.policy import Action, Actor, require

log = logging.getLogger(__name__)

_LEASE = timedelta(minutes=2)
_HEARTBEAT_SECONDS = 30.0
_IDLE_SECONDS = 5.0
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(minutes=10)
_STRETCH_FILES = 500
_STRETCH_IMAGES = 32
_STRETCH_BYTES = 64 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
_FAULTS_KEPT = 1000
_ATTEMPTS = 5


@dataclass(frozen=True)
class _Job:
    """An upload that this process reads now."""

    row: ImagingUpload
    claim: str
    actor: Actor
    reference: CaseReference
    archive: Archive


@dataclass
class _Stretch:
    """What became of some files, one after another."""

    position: int
    stored: list[str] = field(default_factory=list)
    skipped: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list, repr=False)
    bytes: int = 0


class _Wait(Exception):
    """It cannot go on now, and is tried again later."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class _Lost(Exception):
    """The lease ended, and another process has it."""


class Unpacking(Intake, Uploads):
    """The part of `ImagingService` that reads uploads which are all here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._some_ready = asyncio.Event()

    async def keep_unpacking(self) -> None:
        """Read what waits, one upload after another, until cancelled."""
        while True:
            self._some_ready.clear()
            try:
                worked = await self.unpack_next()
            except Exception:
                log.exception("upload not read; tried again when its lease ends")
                worked = False
            if not worked:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._some_ready.wait(), _IDLE_SECONDS)

    async def unpack_next(self) -> bool:
        """Read the upload that waits longest; tell whether one waited."""
        claimed = await self._claim_upload()
        if claimed is None:
            return False
        row, claim = claimed
        try:
            async with self._holding(row.id, claim):
                await self._unpack(row, claim)
        except _Lost:
            log.warning("upload left to another process")
        except Refused as refusal:
            await self._end(row, claim, UploadState.FAILED, refusal.fault)
        except (Forbidden, NotFound):
            await self._end(row, claim, UploadState.FAILED, Fault.NOT_ALLOWED)
        except _Wait as wait:
            await self._put_off(row, claim, wait.fault)
        except (OSError, ObjectMissing, ObjectDamaged):
            log.exception("upload not read now")
            await self._put_off(row, claim, Fault.STORE_AWAY)
        except Exception:
            log.exception("upload not read")
            await self._put_off(row, claim, Fault.OUR_FAULT)
        return True

    def _upload_ready(self, session: AsyncSession) -> None:
        after_commit(session, self._some_ready.set)

    async def _claim_upload(self) -> tuple[ImagingUpload, str] | None:
        now, claim = self._clock.now(), new_id()
        async with self._database.transaction() as session:
            query = select(ImagingUpload).where(ImagingUpload.due_at <= now).order_by(ImagingUpload.due_at)
            row: ImagingUpload | None = await session.scalar(query.limit(1).with_for_update(skip_locked=True))
            if row is None:
                return None
            row.claim, row.due_at = claim, now + _LEASE
            row.attempts += 1
        return row, claim

    @contextlib.asynccontextmanager
    async def _holding(self, upload_id: str, claim: str) -> AsyncIterator[None]:
        """Hold the lease while inside."""

        async def renew() -> None:
            mine = (ImagingUpload.id == upload_id, ImagingUpload.claim == claim)
            while True:
                await asyncio.sleep(_HEARTBEAT_SECONDS)
                with contextlib.suppress(Exception):  # the next time, or another process takes it
                    async with self._database.transaction() as session:
                        until = self._clock.now() + _LEASE
                        await session.execute(update(ImagingUpload).where(*mine).values(due_at=until))

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing

    async def _unpack(self, row: ImagingUpload, claim: str) -> None:
        actor = await self._people.actor(row.person_id)
        reference = await self._consultations.reference(row.consultation_id)
        if reference is None:
            raise NotFound
        require(actor, Action.IMAGING_STORE, institution_id=reference.institution_id)
        async with self._database.reading() as session:
            query = select(ImagingUploadPiece).where(ImagingUploadPiece.upload_id == row.id)
            pieces = [sealed_piece(one) for one in await session.scalars(query.order_by(ImagingUploadPiece.start))]
        raw = ObjectsFile(self._objects, pieces, asyncio.get_running_loop())
        file = io.BufferedReader(raw, buffer_size=64 * 1024)
        archive = await in_reader(lambda: Archive(file, row.size, row.name))
        job = _Job(row, claim, actor, reference, archive)
        position, damaged = row.position, row.position > 0 and await self._has_damage(row.id)
        while position < archive.count:
            stretch = await self._read_stretch(job, position)
            await self._write_down_stretch(job, stretch)
            damaged = damaged or any(code == Fault.DAMAGED for _name, code in stretch.faults)
            position = stretch.position
        await self._end(row, claim, UploadState.FAILED if damaged else UploadState.DONE, None)

    async def _has_damage(self, upload_id: str) -> bool:
        query = select(ImagingUploadFault.id).where(
            ImagingUploadFault.upload_id == upload_id, ImagingUploadFault.fault == Fault.DAMAGED
        )
        async with self._database.reading() as session:
            return await session.scalar(query.limit(1)) is not None

    async def _read_stretch(self, job: _Job, start: int) -> _Stretch:
        """Take some files in: small ones side by side, so that they share transactions; long ones as they stream."""
        stretch = _Stretch(start)
        tasks: list[asyncio.Task[None]] = []
        try:
            for number in range(start, min(start + _STRETCH_FILES, job.archive.count)):
                small = await self._take(job, stretch, number)
                if small:
                    tasks.append(asyncio.create_task(self._receive_file(job, stretch, number, _once(small))))
                stretch.position = number + 1
                if len(tasks) == _STRETCH_IMAGES or stretch.bytes >= _STRETCH_BYTES:
                    break
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return stretch

    async def _take(self, job: _Job, stretch: _Stretch, number: int) -> bytes:
        """Give a small file, which is yet to be received; b"" where the file has been dealt with."""
        try:
            content = await in_reader(lambda: job.archive.content(number))
            if content is None:
                stretch.skipped += 1
                return b""
            small = content.head + await in_reader(lambda: content.read(SMALL_BYTES))
        except Refused as refusal:
            _note(job, stretch, number, refusal)
            return b""
        stretch.bytes += len(small)
        if len(small) < SMALL_BYTES:
            return small
        await self._receive_file(job, stretch, number, _streamed(small, content, stretch))
        return b""

    async def _receive_file(self, job: _Job, stretch: _Stretch, number: int, file: AsyncIterator[bytes]) -> None:
        try:
            outcome = await self.receive(job.actor, file)
        except Unacceptable as error:
            if error.reason is Reason.NO_ROOM:
                raise _Wait(Fault.STORE_AWAY) from error
            stretch.faults.append((job.archive.name(number), error.reason.value))
        except Refused as refusal:
            _note(job, stretch, number, refusal)
        else:
            stretch.stored.append(outcome.instance.sop_instance_uid)

    async def _write_down_stretch(self, job: _Job, stretch: _Stretch) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                await self._transact_stretch(job, stretch)
                break
            except Exception as error:
                if not is_transient(error) or attempt == _ATTEMPTS - 1:
                    raise

    async def _transact_stretch(self, job: _Job, stretch: _Stretch) -> None:
        upload_id = job.row.id
        async with self._database.transaction() as session:
            mine = (ImagingUpload.id == upload_id, ImagingUpload.claim == job.claim)
            moved = await session.execute(
                update(ImagingUpload)
                .where(*mine)
                .values(
                    entries=job.archive.count,
                    position=stretch.position,
                    stored=ImagingUpload.stored + len(stretch.stored),
                    skipped=ImagingUpload.skipped + stretch.skipped,
                    refused=ImagingUpload.refused + len(stretch.faults),
                    due_at=self._clock.now() + _LEASE,
                    attempts=0,
                    fault=None,
                )
            )
            if not moved.rowcount:  # type: ignore[attr-defined]  # of an UPDATE
                raise _Lost
            if job.row.refused < _FAULTS_KEPT:
                session.add_all(
                    ImagingUploadFault(upload_id=upload_id, name=name, fault=code) for name, code in stretch.faults
                )
            await self._count_studies(session, job, stretch.stored)
        job.row.refused += len(stretch.faults)

    async def _count_studies(self, session: AsyncSession, job: _Job, stored: Sequence[str]) -> None:
        """Add up how many instances each study has of this upload, and link the studies as the person said."""
        query = select(ImagingInstance.study_id).where(ImagingInstance.sop_instance_uid.in_(stored))
        for study_id, instances in Counter(await session.scalars(query)).items():
            row = await session.get(ImagingUploadStudy, (job.row.id, study_id))
            if row is None:
                session.add(ImagingUploadStudy(upload_id=job.row.id, study_id=study_id, instances=instances))
            else:
                row.instances += instances
            await self._link_as_said(session, study_id, job.reference)

    async def _put_off(self, row: ImagingUpload, claim: str, fault: Fault) -> None:
        wait = min(_FIRST_WAIT * 2 ** min(row.attempts - 1, 10), _LONGEST_WAIT)
        await self._leave(row, claim, due_at=self._clock.now() + wait, fault=fault.value)

    async def _end(self, row: ImagingUpload, claim: str, state: UploadState, fault: Fault | None) -> None:
        """Write down that it is read; what it was made of is not needed any more."""
        objects: list[str] = []
        async with self._database.transaction() as session:
            if await self._leave(row, claim, due_at=None, state=state, fault=fault and fault.value):
                until = self._clock.now() + REMEMBERED_FOR
                await self._timers.set(session, OVER_TIMER, row.id, until, upload_id=row.id)
                objects = await self._remove_pieces(session, row.id)
        await self._delete_objects(objects)

    async def _leave(self, row: ImagingUpload, claim: str, **values: Any) -> bool:
        async with self._database.transaction() as session:
            mine = (ImagingUpload.id == row.id, ImagingUpload.claim == claim)
            left = await session.execute(update(ImagingUpload).where(*mine).values(claim=None, **values))
            return bool(left.rowcount)  # type: ignore[attr-defined]  # of an UPDATE


def _note(job: _Job, stretch: _Stretch, number: int, refusal: Refused) -> None:
    if refusal.whole:
        raise refusal
    stretch.faults.append((job.archive.name(number), refusal.fault.value))


async def _once(file: bytes) -> AsyncIterator[bytes]:
    yield file


async def _streamed(head: bytes, content: Content, stretch: _Stretch) -> AsyncIterator[bytes]:
    piece = head
    while piece:
        yield piece
        piece = await in_reader(lambda: content.read(_PIECE_BYTES))
        stretch.bytes += len(piece)
