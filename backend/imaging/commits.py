"""Writing instances down: many in one transaction, each once, and refused where another has its identifier.

Arrivals share transactions: those that are ready while one runs, and those that are about to be. A transaction takes
some milliseconds of work and of the disk whether it brings one slice or forty.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import after_commit, is_transient
from backend.ids import new_id
from backend.imaging.contentdigest import NATIVE_FORM, decoded_digest
from backend.imaging.dicomfile import Instance
from backend.imaging.headerkeeping import HeaderKeeping
from backend.imaging.linking import SETTLED_AFTER, SETTLED_TIMER, Linking, institution_of
from backend.imaging.randomread import read_object
from backend.imaging.reasons import Reason, Unacceptable
from backend.imaging.sealing import SealedObject
from backend.imaging.tables import ImagingInstance, ImagingSeries, ImagingStudy, sealed_object
from backend.imaging.texts import PatientData
from backend.security.policy import Actor

log = logging.getLogger(__name__)

_TOGETHER = 50
_PATIENCE_SECONDS = 0.03
"""How long one that is ready waits for others that are being stored; it waits for none where there are none."""
_ATTEMPTS = 5

_Verdict = bool | Reason | ImagingInstance
"""Whether an instance was known already, or why it is refused, or the row whose pixels have to be compared with its."""


@dataclass(frozen=True)
class _Arrival:
    actor: Actor
    instance: Instance
    sealed: SealedObject
    done: "asyncio.Future[_Verdict]"
    study_id: str | None


@dataclass
class _Page:
    """Studies and series that one transaction has found or made, the studies that have grown in it, its instances."""

    studies: dict[tuple[str, str, PatientData], ImagingStudy] = field(default_factory=dict)
    series: dict[tuple[str, str], ImagingSeries] = field(default_factory=dict)
    grown: set[str] = field(default_factory=set)
    added: list[ImagingInstance] = field(default_factory=list)


class Commits(Linking, HeaderKeeping):
    """The part of `ImagingService` that writes instances down."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._coming = 0
        self._ready: list[_Arrival] = []
        self._patience: asyncio.TimerHandle | None = None
        self._committing: asyncio.Task[None] | None = None

    @contextmanager
    def _expected(self) -> Iterator[None]:
        """Inside, an instance is on its way to being committed."""
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    async def _commit(
        self, actor: Actor, instance: Instance, sealed: SealedObject, study_id: str | None = None
    ) -> bool:
        """Write the instance down together with others that are ready; tell whether it was known already.

        Args:
            study_id: the row that a document of the platform belongs to; None where its headers decide.
        """
        done: asyncio.Future[_Verdict] = asyncio.get_running_loop().create_future()
        arrival = _Arrival(actor, instance, sealed, done, study_id)
        self._ready.append(arrival)
        self._commit_soon()
        verdict = await done
        if isinstance(verdict, ImagingInstance):
            verdict = await self._compare(arrival, verdict)
        if isinstance(verdict, Reason):
            raise refusal(instance, verdict)
        return verdict

    def _commit_soon(self) -> None:
        """Begin to commit what is ready: at once where nothing more is about to be, else in a moment."""
        if self._committing is not None or not self._ready:
            return
        if not self._coming or len(self._ready) >= _TOGETHER:
            self._begin_commit()
        elif self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._begin_commit)

    def _begin_commit(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        together = self._ready[:_TOGETHER]
        del self._ready[:_TOGETHER]
        self._committing = asyncio.create_task(self._commit_all(together))

    async def _commit_all(self, together: Sequence[_Arrival]) -> None:
        await self._commit_or_fail(together)
        self._committing = None
        self._commit_soon()

    async def _commit_or_fail(self, together: Sequence[_Arrival]) -> None:
        try:
            await self._commit_together(together)
        except Exception as error:
            if len(together) == 1:
                _fail(together[0], error)
                return
            log.warning("arrivals not committed together, now one by one: %s", type(error).__name__)
            for arrival in together:
                await self._commit_or_fail([arrival])

    async def _commit_together(self, arrivals: Sequence[_Arrival]) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                verdicts = await self._transact(arrivals)
                break
            except Exception as error:
                # Another process was first with an instance, its series or its study, or in the way: look again.
                again = isinstance(error, IntegrityError) or is_transient(error)
                if not again or attempt == _ATTEMPTS - 1:
                    raise
        for arrival, verdict in zip(arrivals, verdicts, strict=True):
            if not arrival.done.done():  # else its sender has gone meanwhile
                arrival.done.set_result(verdict)

    async def _transact(self, arrivals: Sequence[_Arrival]) -> list["_Verdict"]:
        """Write down those that are not known yet, all in one transaction."""
        async with self._database.transaction() as session:
            uids = {arrival.instance.sop_instance_uid for arrival in arrivals}
            query = select(ImagingInstance).where(ImagingInstance.sop_instance_uid.in_(uids))
            known = {row.sop_instance_uid: row for row in await session.scalars(query)}
            page = _Page()
            verdicts: dict[int, _Verdict] = {}
            # In one order everywhere, so that two processes do not wait for one another.
            for place in sorted(range(len(arrivals)), key=lambda place: arrivals[place].instance.sop_instance_uid):
                arrival = arrivals[place]
                row = known.get(arrival.instance.sop_instance_uid)
                if row is None:
                    known[arrival.instance.sop_instance_uid] = await self._add(session, arrival, page)
                verdicts[place] = False if row is None else _judge(row, arrival)
            await session.flush()
            after_commit(session, lambda: self._want_headers(page.added))
            due_at = self._clock.now() + SETTLED_AFTER
            for study_id in page.grown:
                await self._timers.set(session, SETTLED_TIMER, study_id, due_at, study_id=study_id)
            return [verdicts[place] for place in range(len(arrivals))]

    async def _add(self, session: AsyncSession, arrival: _Arrival, page: "_Page") -> ImagingInstance:
        instance, sealed = arrival.instance, arrival.sealed
        study = await self._study_on(page, session, arrival)
        if (study.id, instance.series_uid) not in page.series:
            page.series[study.id, instance.series_uid] = await _series(session, study, instance)
        if arrival.study_id is None:
            page.grown.add(study.id)
        else:
            await self._publish_filed(session, study)
        now = self._clock.now()
        row = ImagingInstance(
            id=new_id(),
            sop_instance_uid=instance.sop_instance_uid,
            study_id=study.id,
            series_id=page.series[study.id, instance.series_uid].id,
            sop_class_uid=instance.sop_class_uid,
            transfer_syntax=instance.transfer_syntax,
            number=instance.instance_number,
            rows=instance.rows,
            columns=instance.columns,
            frames=instance.frames,
            header_digest=instance.header_digest,
            pixel_form=instance.pixel_form,
            pixel_digest=instance.pixel_digest,
            object_id=sealed.id,
            object_key=sealed.key.hex(),
            size=sealed.size,
            received_size=sealed.size,
            sender_id=arrival.actor.person_id,
            received_at=now,
            compress_at=now if instance.pixel_form == NATIVE_FORM else None,
        )
        session.add(row)
        page.added.append(row)
        return row

    def _want_headers(self, rows: Sequence[ImagingInstance]) -> None:
        for row in rows:
            self._want_header(row.id, sealed_object(row))

    async def _study_on(self, page: "_Page", session: AsyncSession, arrival: _Arrival) -> ImagingStudy:
        if arrival.study_id is not None:
            return await session.get_one(ImagingStudy, arrival.study_id)
        instance = arrival.instance
        of = (institution_of(arrival.actor), instance.study_uid, instance.patient)
        if of not in page.studies:
            page.studies[of] = await self._study(session, arrival.actor, instance)
        return page.studies[of]

    async def _compare(self, arrival: _Arrival, row: ImagingInstance) -> bool | Reason:
        """Compare pixels that came in another form by decoding both; refuse what cannot be told to be the same."""
        instance = arrival.instance
        stored = row.pixel_digest if row.pixel_form == NATIVE_FORM else await self._decoded(sealed_object(row))
        sent = instance.pixel_digest if instance.pixel_form == NATIVE_FORM else await self._decoded(arrival.sealed)
        if stored is None or stored != sent:
            return Reason.OTHER_CONTENT
        if row.pixel_form != NATIVE_FORM:
            async with self._database.transaction() as session:
                unchanged = ImagingInstance.object_id == row.object_id
                await session.execute(
                    update(ImagingInstance)
                    .where(ImagingInstance.id == row.id, unchanged)
                    .values(pixel_form=NATIVE_FORM, pixel_digest=stored)
                )
        return True

    async def _decoded(self, sealed: SealedObject) -> str | None:
        return await read_object(self._objects, sealed, decoded_digest)


def refusal(instance: Instance, reason: Reason) -> Unacceptable:
    """Give the refusal of an instance that could be read."""
    return Unacceptable(reason, instance.sop_class_uid, instance.sop_instance_uid)


def _judge(row: ImagingInstance, arrival: _Arrival) -> _Verdict:
    instance = arrival.instance
    if row.object_id == arrival.sealed.id:
        return False  # written down by a commit of which we were told that it had failed
    if row.header_digest != instance.header_digest or bool(row.pixel_form) != bool(instance.pixel_form):
        return Reason.OTHER_CONTENT
    if row.pixel_form == instance.pixel_form and row.pixel_digest == instance.pixel_digest:
        return True
    if row.pixel_form == instance.pixel_form == NATIVE_FORM:
        return Reason.OTHER_CONTENT
    return row


async def _series(session: AsyncSession, study: ImagingStudy, instance: Instance) -> ImagingSeries:
    query = select(ImagingSeries).where(
        ImagingSeries.study_id == study.id, ImagingSeries.series_uid == instance.series_uid
    )
    series: ImagingSeries | None = await session.scalar(query)
    if series is None:
        series = ImagingSeries(
            id=new_id(),
            study_id=study.id,
            series_uid=instance.series_uid,
            modality=instance.modality,
            number=instance.series_number,
            description=instance.series_description,
            body_part=instance.body_part,
        )
        session.add(series)
        await session.flush()
    return series


def _fail(arrival: _Arrival, error: Exception) -> None:
    if not arrival.done.done():
        arrival.done.set_exception(error)
