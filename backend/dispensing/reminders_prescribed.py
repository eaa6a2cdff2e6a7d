"""The reminders of what was prescribed: proposed, begun when the patient wants it, moved, ended with it."""

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import LOCAL_ZONE, Clock, local
from backend.consultation import ConsultationService
from backend.db import Database
from backend.dispensing.reminders import LineView, ReminderService, line_view, times_of
from backend.dispensing.reminders_rules import PlanLine, checked, first_day, moved, prescribed_line
from backend.dispensing.reminders_tables import MedicineLine, MedicinePlan
from backend.errors import IllegalMove, InvalidInput
from backend.events import Event, EventBus
from backend.prescription import PrescriptionService, PrescriptionView, State
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor
from backend.timers import Timers

_TAKEN_HOME = (State.VALID, State.PARTLY_DISPENSED, State.DISPENSED)


class PrescribedReminders(ReminderService):
    """Reminders of prescribed medicines.

    A line of a prescription becomes a plan of its own, once however often it is begun, for its medicines may come from
    two pharmacies on two days.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        consultations: ConsultationService,
        prescriptions: PrescriptionService,
    ) -> None:
        super().__init__(database, clock, events, timers, audit, consultations)
        self._prescriptions = prescriptions
        events.subscribe("medicine_reminders", ["prescription.revoked"], self._on_revoked)

    async def proposal(
        self, actor: Actor, prescription_id: str, only: Collection[int] | None = None
    ) -> tuple[PlanLine, ...]:
        """Give what somebody would be reminded of, but for what was begun already; the read is audited.

        Args:
            only: indices of the lines of the prescription that the patient has; all of them unless told otherwise.
        """
        async with self._database.transaction() as session:
            view = await self._prescriptions.prescription(actor, prescription_id)
            await self._allow(session, actor, Action.REMINDERS_READ, view.patient_id)
            return tuple((await self._not_begun(session, view, only)).values())

    async def begin(
        self, actor: Actor, prescription_id: str, only: Collection[int] | None = None
    ) -> Sequence[LineView]:
        """Remind of prescribed medicines from now on, and give everything that the patient is reminded of.

        Where the same medicine still runs from an earlier prescription, one that is taken alike goes on when that ends,
        at the hours that the patient has chosen; one that is taken otherwise takes its place.

        Args:
            only: as in `proposal`.

        Raises:
            IllegalMove: there are no medicines of this prescription to take.
        """
        async with self._database.transaction() as session:
            view = await self._prescriptions.prescription(actor, prescription_id)
            await self._allow(session, actor, Action.REMINDERS_PLAN, view.patient_id)
            if view.state not in _TAKEN_HOME:
                raise IllegalMove(f"这张处方现在是“{view.state.label}”，不能照着它吃药，请问医生。")
            await self._locked(session, view.patient_id)
            for index, line in (await self._not_begun(session, view, only)).items():
                await self._begin(session, actor, view, index, line)
            return [line_view(row) for row in await self._running(session, view.patient_id)]

    async def move(self, actor: Actor, patient_id: str, old: time, new: time) -> Sequence[LineView]:
        """Put everything that is taken at one time of day to another, and give what the patient is reminded of.

        What was to be taken today at the old time is not reminded of a second time at the new one.

        Raises:
            InvalidInput: nothing is taken then, or the new time does not suit a medicine (`reminders_rules.moved`).
        """
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.REMINDERS_PLAN, patient_id)
            clock = await self._locked(session, patient_id)
            rows = await self._running(session, patient_id)
            chosen = [row for row in rows if old in times_of(row)]
            if not chosen:
                raise InvalidInput("这个时间没有吃药提醒。", field="times")
            today = local(self._clock.now()).date()
            passed = datetime.combine(today, old, LOCAL_ZONE) <= self._clock.now()
            for row in chosen:
                times = moved(times_of(row), old, new, by_night=row.by_night)
                row.times = [one.isoformat("minutes") for one in times]
                if passed:
                    row.since = max(row.since, datetime.combine(today, new, LOCAL_ZONE))
            await session.flush()
            await self._wait(session, clock)
            return [line_view(row) for row in rows]

    async def _begin(
        self, session: AsyncSession, actor: Actor, view: PrescriptionView, index: int, line: PlanLine
    ) -> None:
        start = first_day(line, self._clock.now())
        for row in await self._running(session, view.patient_id):
            if row.name != line.name:
                continue
            if row.how == line.how and len(row.times) == len(line.times):
                line = PlanLine(line.name, times_of(row), line.days, line.how, line.every, line.by_night)
                start = max(start, row.last_day + timedelta(days=1))
            else:
                row.stopped_at = self._clock.now()
        await session.flush()
        await self.plan(actor, view.patient_id, [line], start, origin=_origin(view.id, index))

    async def _not_begun(
        self, session: AsyncSession, view: PrescriptionView, only: Collection[int] | None
    ) -> dict[int, PlanLine]:
        origins = select(MedicinePlan.origin).where(
            MedicinePlan.origin.in_([_origin(view.id, index) for index in range(len(view.document["lines"]))])
        )
        begun = set(await session.scalars(origins))
        found = {
            index: prescribed_line(line)
            for index, line in enumerate(view.document["lines"])
            if (only is None or index in only) and _origin(view.id, index) not in begun
        }
        return {index: checked(line) for index, line in found.items() if line is not None}

    async def _on_revoked(self, event: Event) -> None:
        """A prescription that was taken back is not to be taken: remind of nothing of it any more."""
        async with self._database.transaction() as session:
            clock = await self._locked(session, event.payload["patient_id"])
            query = (
                select(MedicineLine)
                .join(MedicinePlan, MedicinePlan.id == MedicineLine.plan_id)
                .where(MedicinePlan.origin.startswith(_origin(event.payload["prescription_id"], "")))
            )
            for row in await session.scalars(query):
                row.stopped_at = row.stopped_at or self._clock.now()
            await session.flush()
            await self._wait(session, clock)


def _origin(prescription_id: str, index: int | str) -> str:
    return f"prescription:{prescription_id}:{index}"
