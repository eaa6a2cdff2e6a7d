"""Giving studies out: which, to whom, and what of them; what leaves is decrypted and decoded piece by piece."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, BinaryIO, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import after_commit
from backend.errors import NotFound
from backend.imaging.decoding import decoded_file, plan_decoding
from backend.imaging.frames import NoSuchFrame, read_frame
from backend.imaging.headerkeeping import HeaderKeeping
from backend.imaging.quarantine import Quarantine, study_views
from backend.imaging.randomread import read_object
from backend.imaging.rules import StudyState
from backend.imaging.tables import ImagingHeader, ImagingInstance, ImagingSeries, ImagingStudy, sealed_object
from backend.imaging.views import InstanceView, SeriesView, StudyView
from backend.rendering import DecodedFrame, StoredFrame, Undecodable, Window, decode, prepare, render
from backend.security.policy import Action, Actor, allowed
from backend.worker_processes import WorkerDied, WorkerProcesses

T = TypeVar("T")

OPENED_FOR = timedelta(minutes=10)
"""A study that somebody goes on looking at is written into the audit log once in so long."""

_MOST_OPENINGS = 10_000
_PROCESSES = 2
_FRAMES_AT_ONCE = 8


class Retrieval(Quarantine, HeaderKeeping):
    """The part of `ImagingService` that gives studies out.

    A study that is linked is given to those whom the policy lets read the images of its consultation, one in quarantine
    to those who decide about it, a rejected one to nobody. Whoever may not see it does not learn that it is there.
    An `InstanceView` is the right to read that instance.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._openings: dict[tuple[str, str], datetime] = {}
        self._decoders = WorkerProcesses(_PROCESSES, niceness=5)
        self._preparing: asyncio.Task[None] | None = None
        self._frames = asyncio.Semaphore(_FRAMES_AT_ONCE)

    def close(self) -> None:
        """End the processes that decode, and what goes on in the background."""
        super().close()
        if self._preparing is not None:
            self._preparing.cancel()
        self._decoders.close()

    def prepare_decoders(self) -> None:
        """Begin to start a process that decodes, so that the first picture does not wait for it."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self._prepare_decoders())

    async def _prepare_decoders(self) -> None:
        with suppress(Undecodable):  # it is started again with the first picture
            await self._in_process(prepare)

    async def study(self, actor: Actor, study_uid: str, consultation_id: str = "") -> StudyView:
        """Give a study; opening it is audited.

        Args:
            consultation_id: which one, where instances of one Study Instance UID belong to several; "" for any that
                the actor may read, one of a consultation before one in quarantine.

        Raises:
            NotFound: there is none, or none that the actor may see.
        """
        async with self._database.transaction() as session:
            of = (ImagingStudy.consultation_id == consultation_id,) if consultation_id else ()
            row = await self._open(session, actor, ImagingStudy.study_uid == study_uid, *of)
            return (await study_views(session, [row]))[0]

    async def study_moments(self, ids: Collection[str]) -> dict[str, tuple[str, str]]:
        """Give the date and the time (YYYYMMDD, HHMMSS) of studies by their ids, for a subject above that asked the
        policy and audits what it shows."""
        query = select(ImagingStudy.id, ImagingStudy.study_date, ImagingStudy.study_time)
        async with self._database.reading() as session:
            rows = await session.execute(query.where(ImagingStudy.id.in_(ids)))
            return {row.id: (row.study_date, row.study_time) for row in rows}

    async def series_of(self, study: StudyView) -> list[SeriesView]:
        """Give the series of a study by their numbers."""
        async with self._database.reading() as session:
            counted = select(ImagingInstance.series_id, func.count()).where(ImagingInstance.study_id == study.id)
            instances = {row[0]: row[1] for row in await session.execute(counted.group_by(ImagingInstance.series_id))}
            query = select(ImagingSeries).where(ImagingSeries.study_id == study.id)
            rows = await session.scalars(query.order_by(ImagingSeries.number, ImagingSeries.id))
            return [
                SeriesView(
                    series_uid=row.series_uid,
                    modality=row.modality,
                    number=row.number,
                    description=row.description,
                    body_part=row.body_part,
                    instances=instances.get(row.id, 0),
                )
                for row in rows
            ]

    async def instances_of(
        self, study: StudyView, series_uid: str = "", *, offset: int = 0, limit: int
    ) -> list[InstanceView]:
        """Give instances of a study, or of one of its series, by their numbers."""
        async with self._database.reading() as session:
            query = _instances().where(ImagingInstance.study_id == study.id)
            if series_uid:
                query = query.where(ImagingSeries.series_uid == series_uid)
            found = await session.execute(_in_order(query).offset(offset).limit(limit))
            return [instance_view(study.study_uid, row, series) for row, series in found.all()]

    async def transfer_syntaxes(self, study: StudyView, series_uid: str = "") -> set[str]:
        """Give in which transfer syntaxes the instances of a study, or of one of its series, are stored."""
        async with self._database.reading() as session:
            query = select(ImagingInstance.transfer_syntax).where(ImagingInstance.study_id == study.id).distinct()
            if series_uid:
                series = ImagingSeries.id == ImagingInstance.series_id
                query = query.join(ImagingSeries, series).where(ImagingSeries.series_uid == series_uid)
            return set(await session.scalars(query))

    async def instance(self, actor: Actor, study_uid: str, series_uid: str, sop_instance_uid: str) -> InstanceView:
        """Give one instance.

        Raises:
            NotFound: there is none, or none that the actor may see.
        """
        async with self._database.transaction() as session:
            query = _instances().where(ImagingInstance.sop_instance_uid == sop_instance_uid)
            found = (await session.execute(query)).one_or_none()
            if found is None or found[1] != series_uid:
                raise NotFound(_NO_SUCH_STUDY)
            row: ImagingInstance = found[0]
            study = await self._open(session, actor, ImagingStudy.id == row.study_id)
            if study.study_uid != study_uid:
                raise NotFound(_NO_SUCH_STUDY)
            return instance_view(study_uid, row, series_uid)

    async def headers_of(self, study: StudyView, series_uid: str = "", *, offset: int = 0, limit: int) -> list[bytes]:
        """Give headers in the DICOM JSON model (`backend.imaging.headers`), of the instances of a study or of one of
        its series, by their numbers."""
        async with self._database.reading() as session:
            query = _instances(ImagingHeader.header).where(ImagingInstance.study_id == study.id)
            if series_uid:
                query = query.where(ImagingSeries.series_uid == series_uid)
            found = await session.execute(_in_order(query).offset(offset).limit(limit))
            rows = [(instance_view(study.study_uid, row, series), header) for row, series, header in found.all()]
        return [
            await self._header(instance.id, instance.sealed, instance.transfer_syntax, one) for instance, one in rows
        ]

    async def header(self, instance: InstanceView) -> bytes:
        """Give the header of one instance, as `headers_of`."""
        async with self._database.reading() as session:
            query = select(ImagingHeader.header).where(ImagingHeader.instance_id == instance.id)
            packed = await session.scalar(query)
        return await self._header(instance.id, instance.sealed, instance.transfer_syntax, packed)

    def stored_file(self, instance: InstanceView) -> AsyncIterator[bytes]:
        """Stream an instance as it is stored."""
        return self._objects.get(instance.sealed)

    async def decoded_file(self, instance: InstanceView) -> AsyncIterator[bytes]:
        """Stream an instance as Explicit VR Little Endian; one frame of it is held.

        Raises:
            Undecodable: it cannot be given so; before anything is given, unless a later frame is damaged.
        """
        sealed = instance.sealed
        plan = await read_object(self._objects, sealed, lambda file: plan_decoding(file, sealed.size))
        pieces = decoded_file(
            plan,
            lambda start, end: self._objects.get(sealed, start, end),
            lambda number: self.decoded_frame(instance, number),
        )
        async for piece in pieces:
            yield piece

    async def stored_frame(self, instance: InstanceView, number: int) -> StoredFrame:
        """Give a frame, counted from 1, as it is stored.

        Raises:
            NotFound: the instance has none of this number. Undecodable: it cannot be told apart from the others.
        """
        async with self._frames:
            return await self._read_frame(instance, number)

    async def decoded_frame(self, instance: InstanceView, number: int) -> DecodedFrame:
        """Give a frame decoded. Raises: as `stored_frame`."""
        return await self._of_frame(instance, number, decode)

    async def rendered(
        self, instance: InstanceView, number: int, window: Window | None, viewport: tuple[int, int] | None
    ) -> bytes:
        """Give a frame as a PNG file; arguments as in `backend.rendering.render`. Raises: as `stored_frame`."""
        return await self._of_frame(instance, number, render, window, viewport)

    async def _of_frame(self, instance: InstanceView, number: int, work: Callable[..., T], *arguments: Any) -> T:
        async with self._frames:  # so many are held in memory
            return await self._in_process(work, await self._read_frame(instance, number), *arguments)

    async def _in_process(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await self._decoders.run(work, *arguments)
        except WorkerDied as error:
            raise Undecodable from error

    async def _read_frame(self, instance: InstanceView, number: int) -> StoredFrame:
        def read(file: BinaryIO) -> StoredFrame:
            return read_frame(file, number)

        try:
            return await read_object(self._objects, instance.sealed, read)
        except NoSuchFrame:
            raise NotFound("这张图像里没有这一幅。") from None

    async def _open(self, session: AsyncSession, actor: Actor, *which: ColumnElement[bool]) -> ImagingStudy:
        """Give the first study that the actor may see, those of consultations before those in quarantine."""
        rows = (await session.scalars(select(ImagingStudy).where(*which).order_by(ImagingStudy.variant))).all()
        for row in sorted(rows, key=lambda row: row.state is not StudyState.LINKED):
            action = await self._may_see(actor, row)
            if action is not None:
                await self._audit_opening(session, actor, action, row)
                return row
        raise NotFound(_NO_SUCH_STUDY)

    async def _may_see(self, actor: Actor, study: ImagingStudy) -> Action | None:
        """Give the action by which the actor may see a study; None where they may not."""
        if study.state is StudyState.QUARANTINED:
            action = Action.IMAGING_READ_QUARANTINE
            return action if allowed(actor, action, institution_id=study.institution_id) else None
        reference = await self._consultations.reference(study.consultation_id or "")
        if study.state is not StudyState.LINKED or reference is None:
            return None
        may = allowed(
            actor,
            Action.IMAGING_READ,
            patient_id=reference.patient_id,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )
        return Action.IMAGING_READ if may else None

    async def _audit_opening(self, session: AsyncSession, actor: Actor, action: Action, study: ImagingStudy) -> None:
        now, key = self._clock.now(), (actor.person_id, study.id)
        until = self._openings.get(key)
        if until is not None and now < until:
            return
        await self._record_study(session, actor, action, study)
        if len(self._openings) >= _MOST_OPENINGS:
            self._openings.clear()
        after_commit(session, lambda: self._openings.update({key: now + OPENED_FOR}))


_NO_SUCH_STUDY = "没有找到这份检查。"


def _instances(*more: Any) -> Any:
    """Select instances with the identifiers of their series, and what else of each is asked for."""
    joined = select(ImagingInstance, ImagingSeries.series_uid, *more)
    joined = joined.join(ImagingSeries, ImagingSeries.id == ImagingInstance.series_id)
    return joined.outerjoin(ImagingHeader, ImagingHeader.instance_id == ImagingInstance.id) if more else joined


def _in_order(query: Any) -> Any:
    return query.order_by(ImagingSeries.number, ImagingSeries.id, ImagingInstance.number, ImagingInstance.id)


def instance_view(study_uid: str, row: ImagingInstance, series_uid: str) -> InstanceView:
    """Show an instance to whoever may read it."""
    return InstanceView(
        id=row.id,
        study_uid=study_uid,
        series_uid=series_uid,
        sop_instance_uid=row.sop_instance_uid,
        sop_class_uid=row.sop_class_uid,
        transfer_syntax=row.transfer_syntax,
        number=row.number,
        rows=row.rows,
        columns=row.columns,
        frames=row.frames,
        sealed=sealed_object(row),
    )
