"""Observations: recorded, corrected and read. A row never changes; what was wrong is replaced by another."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.errors import Conflict, Forbidden, NotFound
from backend.ids import new_id
from backend.records.background import Source
from backend.records.desk import RecordDesk, source_of
from backend.records.rules import PRESSURE, Checked, NewObservation, check_observations, check_pressures, check_value
from backend.records.tables import Observation
from backend.records.views import ObservationView
from backend.security.policy import Action, Actor

LONGEST_HISTORY = 2000
_NO_SUCH = "没有找到这条记录。"
_TWICE = "这条测量刚刚已经收到了。"
_REPLACED = "这条记录已经改过了，请看最新的一条。"


@dataclass(frozen=True)
class Provenance:
    """Where rows come from: what kind of source, which person, practitioner or device, and in which consultation."""

    source: Source
    recorded_by: str
    consultation_id: str | None = None


class Observations(RecordDesk):
    """The part of `RecordService` about what is measured."""

    async def record(
        self,
        actor: Actor,
        patient_id: str,
        observations: Sequence[NewObservation],
        *,
        source: Source | None = None,
        consultation_id: str | None = None,
        recorded_by: str | None = None,
    ) -> list[ObservationView]:
        """Keep what was measured of a patient; all of it or none. The same `origin` again is the row that is there.

        Args:
            source: None for the actor's own word.
            consultation_id: the patient's consultation in which it was said, if any.
            recorded_by: the device or the hospital that the platform speaks for; None for the actor.

        Raises:
            NotFound: no such consultation of this patient.
        """
        await self._check_case(patient_id, consultation_id)
        where = Provenance(
            source or source_of(actor, patient_id),
            recorded_by or actor.practitioner_id or actor.person_id,
            consultation_id,
        )
        checked = check_observations(observations, self._clock.now())
        async with self._database.transaction() as session:
            return await self._add(session, actor, patient_id, checked, where)

    async def correct(self, actor: Actor, observation_id: str, value: str | float | Decimal) -> ObservationView:
        """Replace an observation by one of another value, in the kind's own unit; moment and source stay.

        Raises:
            NotFound: no such observation, or it is of somebody whom the actor may not read. Conflict: it has been
                replaced already.
        """
        return (await self.correct_together(actor, {observation_id: value}))[0]

    async def correct_together(
        self, actor: Actor, values: Mapping[str, str | float | Decimal]
    ) -> list[ObservationView]:
        """Replace several observations, each id by its value, all or none; raises as `correct`.

        Both pressures are corrected together, for one alone may not fit the other that is wrong too.
        """
        async with self._database.transaction() as session:
            rows = [await self._mine(session, actor, observation_id) for observation_id in values]
            checked = {row.id: check_value(view_of(row).kind, values[row.id]) for row in rows}
            for batch_id in {row.batch_id for row in rows if row.kind in PRESSURE}:
                await self._check_pair(session, rows, checked, batch_id)
            return [view_of(await self._replace(session, actor, row, checked[row.id])) for row in rows]

    async def withdraw(self, actor: Actor, observation_id: str) -> None:
        """Take an observation back that should not be there; raises as `correct`."""
        async with self._database.transaction() as session:
            row = await self._mine(session, actor, observation_id)
            await self._replace(session, actor, row, None)

    async def latest(self, actor: Actor, patient_id: str, kinds: Collection[str]) -> dict[str, ObservationView]:
        """Give the newest observation of each of `kinds` that there is one of; the read is audited."""
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.RECORDS_READ, patient_id, "observations")
            return await self._newest(session, patient_id, kinds)

    async def history(
        self,
        actor: Actor,
        patient_id: str,
        *,
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
        limit: int = 100,
    ) -> list[ObservationView]:
        """Give a patient's observations as they stand, the newest first; the read is audited.

        Args:
            kinds: keys of `data.observations`; None for all.
            since: the earliest moment of measurement.
            limit: at most 2 000.
        """
        query = _standing(patient_id).order_by(Observation.taken_at.desc(), Observation.id.desc())
        if kinds is not None:
            query = query.where(Observation.kind.in_(list(kinds)))
        if since is not None:
            query = query.where(Observation.taken_at >= since)
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.RECORDS_READ, patient_id, "observations")
            rows = await session.scalars(query.limit(min(limit, LONGEST_HISTORY)))
            return [view_of(row) for row in rows]

    async def batch(self, actor: Actor, batch_id: str) -> list[ObservationView]:
        """Give the observations that were noted together, as they stand, in the order in which they were.

        Raises:
            NotFound: there are none, or they are of somebody whom the actor may not read.
        """
        async with self._database.transaction() as session:
            of_batch = Observation.batch_id == batch_id
            patient_id = await session.scalar(select(Observation.patient_id).where(of_batch).limit(1))
            if patient_id is None or not await self._may(actor, Action.RECORDS_READ, patient_id):
                raise NotFound(_NO_SUCH)
            await self._allow(session, actor, Action.RECORDS_READ, patient_id, f"observations:{batch_id}")
            return [
                view_of(row)
                for row in await session.scalars(_standing(patient_id).where(of_batch).order_by(Observation.id))
            ]

    async def observation(self, actor: Actor, observation_id: str) -> ObservationView:
        """Give one observation, also one that was replaced since; raises as `correct`."""
        async with self._database.transaction() as session:
            return view_of(await self._mine(session, actor, observation_id, Action.RECORDS_READ))

    # inside

    async def _add(
        self, session: AsyncSession, actor: Actor, patient_id: str, checked: Sequence[Checked], where: Provenance
    ) -> list[ObservationView]:
        """Write what was checked; what is there under its origin already is given as it is."""
        batch_id = new_id()
        await self._allow(session, actor, Action.RECORDS_WRITE, patient_id, f"observations:{batch_id}")
        known = await self._by_origin(session, patient_id, [one.origin for one in checked if one.origin])
        rows, fresh = [], []
        for one in checked:
            row = known.get(one.origin) if one.origin else None
            if row is None:
                row = self._row(patient_id, one, where, batch_id)
                fresh.append(row)
                if one.origin:
                    known[one.origin] = row
            rows.append(row)
        try:
            async with session.begin_nested():
                session.add_all(fresh)
        except IntegrityError:  # the unique key of `origin`: the same reading came twice at once
            raise Conflict(_TWICE) from None
        if fresh:
            await self._tell(session, fresh)
        return [view_of(row) for row in rows]

    def _row(self, patient_id: str, one: Checked, where: Provenance, batch_id: str) -> Observation:
        return Observation(
            id=new_id(),
            patient_id=patient_id,
            kind=one.kind.key,
            value=one.value,
            reference=one.reference,
            taken_at=one.taken_at,
            source=where.source,
            recorded_by=where.recorded_by,
            recorded_at=self._clock.now(),
            consultation_id=where.consultation_id,
            batch_id=batch_id,
            origin=one.origin,
            replaces_id=None,
        )

    async def _by_origin(
        self, session: AsyncSession, patient_id: str, origins: Collection[str]
    ) -> dict[str, Observation]:
        if not origins:
            return {}
        query = select(Observation).where(Observation.patient_id == patient_id, Observation.origin.in_(list(origins)))
        return {row.origin: row for row in await session.scalars(query) if row.origin}

    async def _mine(
        self, session: AsyncSession, actor: Actor, observation_id: str, action: Action = Action.RECORDS_WRITE
    ) -> Observation:
        row = await session.get(Observation, observation_id)
        if row is None or row.value is None:
            raise NotFound(_NO_SUCH)
        try:
            await self._allow(session, actor, action, row.patient_id, f"observation:{row.id}")
        except Forbidden:
            raise NotFound(_NO_SUCH) from None
        return row

    async def _replace(self, session: AsyncSession, actor: Actor, row: Observation, value: str | None) -> Observation:
        fresh = Observation(
            id=new_id(),
            patient_id=row.patient_id,
            kind=row.kind,
            value=value,
            reference=row.reference,
            taken_at=row.taken_at,
            source=row.source,
            recorded_by=actor.practitioner_id or actor.person_id,
            recorded_at=self._clock.now(),
            consultation_id=row.consultation_id,
            batch_id=row.batch_id,
            origin=None,
            replaces_id=row.id,
        )
        try:
            async with session.begin_nested():
                session.add(fresh)
        except IntegrityError:  # the unique key of `replaces_id`: somebody was first
            raise Conflict(_REPLACED) from None
        await self._tell(session, [fresh])
        return fresh

    async def _check_pair(
        self, session: AsyncSession, rows: Sequence[Observation], checked: Mapping[str, str], batch_id: str
    ) -> None:
        """See that the pressures of a batch fit each other once those of `rows` have the values in `checked`."""
        query = _standing(rows[0].patient_id).where(Observation.batch_id == batch_id, Observation.kind.in_(PRESSURE))
        pair = {one.kind: Decimal(one.value or 0) for one in await session.scalars(query)}
        new = {row.kind: Decimal(checked[row.id]) for row in rows if row.batch_id == batch_id and row.kind in PRESSURE}
        check_pressures({**pair, **new})

    async def _tell(self, session: AsyncSession, rows: Sequence[Observation]) -> None:
        await self._events.publish(
            session,
            "observations.recorded",
            patient_id=rows[0].patient_id,
            observation_ids=[row.id for row in rows],
            kinds=sorted({row.kind for row in rows}),
            source=rows[0].source.value,
            consultation_id=rows[0].consultation_id,
        )

    async def _newest(
        self, session: AsyncSession, patient_id: str, kinds: Collection[str]
    ) -> dict[str, ObservationView]:
        newest = {}
        for kind in kinds:
            query = _standing(patient_id).where(Observation.kind == kind)
            row = await session.scalar(query.order_by(Observation.taken_at.desc(), Observation.id.desc()).limit(1))
            if row is not None:
                newest[kind] = view_of(row)
        return newest

    async def _of_consultation(
        self, session: AsyncSession, patient_id: str, consultation_id: str
    ) -> dict[str, set[str | None]]:
        """Give what of each kind need not be taken over from a consultation again: what it was last, with and without
        the corrections that it has had since."""
        query = select(Observation).where(
            Observation.patient_id == patient_id, Observation.consultation_id == consultation_id
        )
        rows = (await session.scalars(query.order_by(Observation.recorded_at, Observation.id))).all()
        last = {row.kind: row.value for row in rows}
        original = {row.kind: row.value for row in rows if row.replaces_id is None}
        return {kind: {value, original.get(kind)} for kind, value in last.items()}


def _standing(patient_id: str) -> Select[Observation]:
    """Select the observations of a patient as they stand: not replaced, not taken back."""
    newer = aliased(Observation)
    return select(Observation).where(
        Observation.patient_id == patient_id,
        Observation.value.is_not(None),
        ~exists().where(newer.replaces_id == Observation.id),
    )


def view_of(row: Observation) -> ObservationView:
    """Show a row."""
    if row.value is None:
        raise ValueError("a row that takes another back shows nothing")
    return ObservationView(
        id=row.id,
        patient_id=row.patient_id,
        kind_key=row.kind,
        value=row.value,
        reference=row.reference,
        taken_at=row.taken_at,
        source=row.source,
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
        consultation_id=row.consultation_id,
        batch_id=row.batch_id,
        origin=row.origin,
        replaces_id=row.replaces_id,
    )
