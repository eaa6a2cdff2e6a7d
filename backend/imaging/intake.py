"""The one use case in which every way of arrival ends: an instance comes, and is kept once or refused for a reason.

An instance streams into an encrypted object first and is acknowledged when that object is durable and its row is
committed.
"""

import asyncio
import io
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from backend.errors import NotFound
from backend.ids import new_id
from backend.imaging.commits import Commits, refusal
from backend.imaging.dicomfile import Instance, read_instance, valid_uid
from backend.imaging.linking import institution_of, patient_of
from backend.imaging.randomread import read_object
from backend.imaging.reasons import LARGEST_BYTES, Reason, Unacceptable
from backend.imaging.rules import same_patient
from backend.imaging.sealing import SealedObject, SealedWhole, seal
from backend.imaging.tables import ImagingRefusal, ImagingStudy
from backend.imaging.views import Outcome
from backend.security.policy import Action, Actor, Role, require

log = logging.getLogger(__name__)

SMALL_BYTES = 1024 * 1024
"""A file up to so long is read before it is stored; a longer one streams into the store first."""


@dataclass(frozen=True)
class Announced:
    """What a sender said of an instance beforehand; "" where it said nothing.

    Args:
        study_uid: the study that STOW-RS stores into. sop_class_uid, sop_instance_uid: of the C-STORE request.
    """

    study_uid: str = ""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""


class Intake(Commits):
    """The part of `ImagingService` that takes instances in."""

    async def receive(self, actor: Actor, file: AsyncIterable[bytes], announced: Announced | None = None) -> Outcome:
        """Take one instance, in the DICOM file format, as it streams in; it is durable when this returns.

        The same instance again, in whatever transfer syntax, changes nothing and is no error.

        Raises:
            Forbidden: the actor may not send. Unacceptable: it is refused, and the refusal is written down.
        """
        require(actor, Action.IMAGING_STORE, institution_id=actor.institution_id)
        self._arrivals.note()
        try:
            instance, sealed = await self._stage(file)
            try:
                _check_announced(instance, announced or Announced())
                known = await self._commit(actor, instance, sealed)
            except Unacceptable:
                await self._objects.delete(sealed.id)
                raise
            if known:
                await self._objects.delete(sealed.id)
        except Unacceptable as error:
            await self._write_down(actor, error)
            raise
        return Outcome(instance, known)

    async def file_document(self, actor: Actor, study_id: str, file: bytes) -> Outcome:
        """Put a document of the platform, in the DICOM file format, into a study; it is durable when this returns.

        It lands in this very row, whose identifiers and patient it has to name; the same again changes nothing.

        Raises:
            Forbidden: nobody but the platform does this. NotFound: there is no such study. Unacceptable: the document
                is damaged, of another study or patient, or its identifier has other content.
        """
        require(actor, Action.IMAGING_FILE_DOCUMENT)
        async with self._database.reading() as session:
            study = await session.get(ImagingStudy, study_id)
        if study is None:
            raise NotFound("没有找到这份检查。")
        instance, sealed = await self._stage(_chained([file]))
        try:
            if instance.study_uid != study.study_uid or not same_patient(patient_of(study), instance.patient):
                raise refusal(instance, Reason.OTHER_STUDY)
            known = await self._commit(actor, instance, sealed, study_id)
        except Unacceptable:
            await self._objects.delete(sealed.id)
            raise
        if known:
            await self._objects.delete(sealed.id)
        return Outcome(instance, known)

    async def _stage(self, file: AsyncIterable[bytes]) -> tuple[Instance, SealedObject]:
        """Put a file into the store, and read it."""
        stream = _bounded(file)
        head: list[bytes] = []
        size = 0
        async for piece in stream:
            head.append(piece)
            size += len(piece)
            if size > SMALL_BYTES:
                return await self._stage_large(_chained(head, stream))
        with self._expected():
            instance, whole = await asyncio.to_thread(_read_and_sealed, b"".join(head))
            head.clear()
            return instance, await self._putting(self._objects.put_whole(whole))

    async def _stage_large(self, file: AsyncIterable[bytes]) -> tuple[Instance, SealedObject]:
        sealed = await self._putting(self._objects.put(file))
        try:
            return await read_object(self._objects, sealed, lambda file: read_instance(file, sealed.size)), sealed
        except BaseException:
            await asyncio.shield(self._objects.delete(sealed.id))
            raise

    async def _putting(self, put: Awaitable[SealedObject]) -> SealedObject:
        try:
            return await put
        except OSError as error:
            log.exception("object not stored")
            raise Unacceptable(Reason.NO_ROOM) from error

    async def _write_down(self, actor: Actor, error: Unacceptable) -> None:
        """Write a refusal down; the first of its kind is told of where a machine sent it."""
        uid = error.sop_instance_uid if valid_uid(error.sop_instance_uid) else ""
        institution_id, now = institution_of(actor), self._clock.now()
        same = (
            ImagingRefusal.sender_id == actor.person_id,
            ImagingRefusal.sop_instance_uid == uid,
            ImagingRefusal.reason == error.reason,
        )
        counted = update(ImagingRefusal).where(*same).values(times=ImagingRefusal.times + 1, last_at=now)
        async with self._database.transaction() as session:
            if (await session.execute(counted)).rowcount:  # type: ignore[attr-defined]  # of an UPDATE
                return
            row = ImagingRefusal(
                institution_id=institution_id,
                sender_id=actor.person_id,
                sop_instance_uid=uid,
                reason=error.reason,
                times=1,
                first_at=now,
                last_at=now,
            )
            try:
                async with session.begin_nested():
                    session.add(row)
            except IntegrityError:  # another process wrote the first one down
                await session.execute(counted)
                return
            subject = f"imaging_refusal:{row.id}"
            await self._audit.record(session, actor, Action.IMAGING_STORE, subject=subject, reason=error.reason.value)
            if Role.DEVICE not in actor.roles:
                return  # a person sees it where they send
            await self._events.publish(
                session,
                "imaging.instance_refused",
                refusal_id=row.id,
                institution_id=institution_id,
                reason=error.reason.value,
            )


def _check_announced(instance: Instance, announced: Announced) -> None:
    pairs = (
        (announced.sop_class_uid, instance.sop_class_uid, Reason.OTHER_CLASS),
        (announced.sop_instance_uid, instance.sop_instance_uid, Reason.OTHER_CLASS),
        (announced.study_uid, instance.study_uid, Reason.OTHER_STUDY),
    )
    for said, found, reason in pairs:
        if said and said != found:
            raise refusal(instance, reason)


async def _bounded(file: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for piece in file:
        size += len(piece)
        if size > LARGEST_BYTES:
            raise Unacceptable(Reason.TOO_LARGE)
        yield piece


async def _chained(head: Sequence[bytes], rest: AsyncIterable[bytes] | None = None) -> AsyncIterator[bytes]:
    for piece in head:
        yield piece
    if rest is not None:
        async for piece in rest:
            yield piece


def _read_and_sealed(file: bytes) -> tuple[Instance, SealedWhole]:
    """Read a file and seal it, in one call of a thread."""
    return read_instance(io.BytesIO(file), len(file)), seal(new_id(), file)
