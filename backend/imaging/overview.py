"""Images on their way, from above: what arrived, what goes where, what does not and why. No image, and no header."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.imaging.desk import ImagingDesk
from backend.imaging.reasons import Reason
from backend.imaging.rules import QuarantineReason, StudyState
from backend.imaging.tables import (
    ImagingDestination,
    ImagingForwarding,
    ImagingInstance,
    ImagingRefusal,
    ImagingSeries,
    ImagingStudy,
    ImagingTransfer,
    Purpose,
    sent_by_machine,
)
from backend.imaging.transfer_rules import Failure, TransferState
from backend.people import masked_name
from backend.security.policy import Action, Actor, only_institution


@dataclass(frozen=True)
class StudyFilter:
    """Which studies; what is None or empty does not matter.

    Attributes:
        institution_ids: who sent them. since, until: of their first arrival; `until` itself is not among them.
        failed: those alone of which something came to a dead end, or does not go on.
    """

    state: StudyState | None = None
    institution_ids: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    failed: bool = False


@dataclass(frozen=True)
class Sent:
    """How far a study is on its way to one destination, in images.

    Attributes:
        retried: that needed more than one try. dead: that are not tried any more. failure: why it does not go on.
    """

    destination: str
    purpose: Purpose
    total: int
    arrived: int
    dead: int
    retried: int
    failure: Failure | None


@dataclass(frozen=True)
class StudyOverview:
    """A study in a list; the patient's name is that of the consultation, masked, and "" where there is none.

    Attributes:
        bytes: as they came.
    """

    id: str
    institution_id: str
    state: StudyState
    reason: QuarantineReason | None
    consultation_id: str | None
    patient_name: str = field(repr=False)
    modalities: tuple[str, ...]
    images: int
    bytes: int
    created_at: datetime
    last_at: datetime | None
    sent: list[Sent]


@dataclass(frozen=True)
class StudyPage:
    """A page of a list, and what the next one is asked with; empty at the end."""

    items: list[StudyOverview]
    next_cursor: str


@dataclass(frozen=True)
class Route:
    """A destination and how it goes there.

    Attributes:
        failures: in a row, of the line; resume_at: when it is tried again after them.
        oldest_at: since when the oldest instance waits. errors: how many instances have not arrived, by code.
    """

    id: str
    label: str
    institution_id: str
    purpose: Purpose
    active: bool
    waiting: int
    arrived: int
    dead: int
    retried: int
    oldest_at: datetime | None
    failures: int
    resume_at: datetime | None
    errors: dict[Failure, int]


@dataclass(frozen=True)
class RefusalSum:
    """How many instances of an institution were not taken for a reason, how often they were sent, and when last."""

    institution_id: str
    reason: Reason
    instances: int
    times: int
    last_at: datetime


class StudyOverviews(ImagingDesk):
    """The part of `ImagingService` for those who oversee it: of the platform, or of what their institution sends and
    receives."""

    async def studies_overseen(
        self, actor: Actor, wanted: StudyFilter, *, limit: int = 20, cursor: str = ""
    ) -> StudyPage:
        """List studies, the latest arrived first; audited as a list.

        Raises:
            Forbidden: the actor oversees none. InvalidInput: it is no cursor.
        """
        row = ImagingStudy
        query = select(row).where(*_conditions(actor, wanted)).order_by(row.created_at.desc(), row.id.desc())
        if cursor:
            query = query.where(paging.older(cursor, row.created_at, row.id))
        limit = min(max(limit, 1), paging.LONGEST)
        async with self._database.transaction() as session:
            rows, more = paging.cut(list(await session.scalars(query.limit(limit + 1))), limit)
            await self._audit.record(session, actor, Action.IMAGING_OVERSEE, subject=f"imaging_studies:{len(rows)}")
            facts = await _facts(session, [one.id for one in rows])
        names = await self._people.names({one.patient_id for one in rows if one.patient_id})
        items = [_overview(one, facts, masked_name(names.get(one.patient_id or "", ""))) for one in rows]
        return StudyPage(items, paging.cursor(rows[-1].created_at, rows[-1].id) if more else "")

    async def routes(self, actor: Actor) -> list[Route]:
        """Give the destinations with what waits for them, arrived there, and came to a dead end, and why.

        Raises:
            Forbidden: the actor oversees none.
        """
        own = only_institution(actor, Action.IMAGING_OVERSEE)
        place, way = ImagingDestination, ImagingTransfer
        query = select(place).order_by(place.id)
        counted = select(
            way.destination_id,
            way.state,
            way.failure,
            func.count(),
            func.sum(case((way.attempts > 1, 1), else_=0)),
            func.min(ImagingForwarding.created_at),
        ).join(ImagingForwarding, ImagingForwarding.id == way.forwarding_id)
        if own is not None:
            query = query.where(place.institution_id == own)
            counted = counted.join(place, place.id == way.destination_id).where(place.institution_id == own)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
            grouped = await session.execute(counted.group_by(way.destination_id, way.state, way.failure))
            counts = defaultdict(list)
            for destination_id, *rest in grouped:
                counts[destination_id].append(rest)
        return [_route(row, counts[row.id]) for row in rows]

    async def refusals(self, actor: Actor, institution_ids: Collection[str] | None = None) -> list[RefusalSum]:
        """Give what was not taken, by institution and reason, the latest first.

        Raises:
            Forbidden: the actor oversees none.
        """
        own = only_institution(actor, Action.IMAGING_OVERSEE)
        row = ImagingRefusal
        query = select(row.institution_id, row.reason, func.count(), func.sum(row.times), func.max(row.last_at))
        if own is not None:
            query = query.where(row.institution_id == own)
        if institution_ids is not None:
            query = query.where(row.institution_id.in_(institution_ids))
        async with self._database.reading() as session:
            found = await session.execute(query.group_by(row.institution_id, row.reason))
            sums = [RefusalSum(place, reason, count, int(times), at) for place, reason, count, times, at in found]
        return sorted(sums, key=lambda one: one.last_at, reverse=True)


@dataclass(frozen=True)
class _Facts:
    """What belongs to the studies of a page, by their identifiers."""

    modalities: Mapping[str, list[str]]
    images: Mapping[str, tuple[int, int, datetime | None]]
    sent: Mapping[str, list[Sent]]


async def _facts(session: AsyncSession, ids: Sequence[str]) -> _Facts:
    modalities = defaultdict(list)
    series = select(ImagingSeries.study_id, ImagingSeries.modality).where(ImagingSeries.study_id.in_(ids)).distinct()
    for study_id, modality in await session.execute(series):
        modalities[study_id].append(modality)
    one = ImagingInstance
    counted = select(one.study_id, func.count(), func.sum(one.received_size), func.max(one.received_at))
    counted = counted.where(one.study_id.in_(ids), sent_by_machine()).group_by(one.study_id)
    images = {row[0]: (row[1], int(row[2]), row[3]) for row in await session.execute(counted)}
    return _Facts(modalities, images, await _sent(session, ids))


async def _sent(session: AsyncSession, ids: Sequence[str]) -> Mapping[str, list[Sent]]:
    going, way = ImagingForwarding, ImagingTransfer
    query = (
        select(going, ImagingDestination.label, ImagingDestination.purpose)
        .join(ImagingDestination, ImagingDestination.id == going.destination_id)
        .where(going.study_id.in_(ids))
    )
    rows = (await session.execute(query.order_by(going.id))).all()
    counted = (
        select(way.forwarding_id, way.state, func.count(), func.sum(case((way.attempts > 1, 1), else_=0)))
        .join(ImagingInstance, ImagingInstance.id == way.instance_id)
        .where(way.forwarding_id.in_([row[0].id for row in rows]), sent_by_machine())
    )
    counts: dict[str, dict[TransferState, tuple[int, int]]] = defaultdict(dict)
    for forwarding_id, state, count, retried in await session.execute(counted.group_by(way.forwarding_id, way.state)):
        counts[forwarding_id][state] = (count, int(retried))
    found = defaultdict(list)
    for forwarding, label, purpose in rows:
        of = counts[forwarding.id]
        found[forwarding.study_id].append(
            Sent(
                destination=label,
                purpose=purpose,
                total=sum(count for count, _ in of.values()),
                arrived=of.get(TransferState.ARRIVED, (0, 0))[0],
                dead=of.get(TransferState.DEAD, (0, 0))[0],
                retried=sum(retried for _, retried in of.values()),
                failure=forwarding.stuck,
            )
        )
    return found


def _conditions(actor: Actor, wanted: StudyFilter) -> list[ColumnElement[bool]]:
    row, own = ImagingStudy, only_institution(actor, Action.IMAGING_OVERSEE)
    conditions: list[ColumnElement[bool]] = [] if own is None else [row.institution_id == own]
    if wanted.state is not None:
        conditions.append(row.state == wanted.state)
    if wanted.institution_ids is not None:
        conditions.append(row.institution_id.in_(wanted.institution_ids))
    if wanted.since is not None:
        conditions.append(row.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(row.created_at < wanted.until)
    if wanted.failed:
        going, way = ImagingForwarding, ImagingTransfer
        dead = exists().where(way.forwarding_id == going.id, way.state == TransferState.DEAD)
        conditions.append(exists().where(going.study_id == row.id, going.stuck.is_not(None) | dead))
    return conditions


def _overview(row: ImagingStudy, facts: _Facts, patient_name: str) -> StudyOverview:
    images, size, last_at = facts.images.get(row.id, (0, 0, None))
    return StudyOverview(
        id=row.id,
        institution_id=row.institution_id,
        state=row.state,
        reason=row.reason,
        consultation_id=row.consultation_id,
        patient_name=patient_name,
        modalities=tuple(sorted(facts.modalities.get(row.id, ()))),
        images=images,
        bytes=size,
        created_at=row.created_at,
        last_at=last_at,
        sent=facts.sent.get(row.id, []),
    )


def _route(row: ImagingDestination, counts: Sequence[Sequence[Any]]) -> Route:
    by_state: dict[TransferState, int] = defaultdict(int)
    errors: dict[Failure, int] = defaultdict(int)
    for state, failure, count, _, _ in counts:
        by_state[state] += count
        if failure is not None and state is not TransferState.ARRIVED:
            errors[failure] += count
    return Route(
        id=row.id,
        label=row.label,
        institution_id=row.institution_id,
        purpose=row.purpose,
        active=row.active,
        waiting=by_state[TransferState.WAITING],
        arrived=by_state[TransferState.ARRIVED],
        dead=by_state[TransferState.DEAD],
        retried=sum(int(retried) for _, _, _, retried, _ in counts),
        oldest_at=min((at for state, _, _, _, at in counts if state is TransferState.WAITING), default=None),
        failures=row.failures,
        resume_at=row.resume_at,
        errors=dict(errors),
    )
