"""Alerts: opened by readings, told, handed on until somebody answers, closed when the values are back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.rules import require_text
from backend.errors import Conflict, Forbidden, NotFound
from backend.ids import new_id
from backend.records.monitoring.desk import MonitoringDesk
from backend.records.monitoring.limits import Level
from backend.records.monitoring.readings import Kind, Reading
from backend.records.monitoring.rules import (
    APART,
    LAST_STEP,
    LOOKED_AT,
    WINDOW,
    Decision,
    Rated,
    Standing,
    decide,
    escalates_at,
    waking,
)
from backend.records.monitoring.views import AlertView
from backend.records.monitoring_tables import Alert, DeviceReading, Monitored, Telling
from backend.security.policy import Action, Actor, Role

TELL_TIMER = "monitoring.tell"
ESCALATE_TIMER = "monitoring.unanswered"

_LONGEST_NOTE = 200
_MOST_SHOWN = 50


class Alerts(MonitoringDesk):
    """The part of `MonitoringService` about alerts."""

    async def alert(self, actor: Actor, alert_id: str) -> AlertView:
        """Give one alert; the read is audited.

        Raises:
            NotFound: there is none.
        """
        async with self._database.transaction() as session:
            row, monitored = await self._alert(session, actor, Action.MONITORING_READ, alert_id)
            await self._record(session, actor, Action.MONITORING_READ, row.patient_id, f"alert:{row.id}")
            return (await self._views([(row, monitored)]))[0]

    async def open_alerts(self, actor: Actor) -> list[AlertView]:
        """Give the open alerts of the patients of a grassroots doctor's institution, the gravest first; audited.

        Raises:
            Forbidden: the actor is no grassroots doctor.
        """
        if Role.GRASSROOTS_DOCTOR not in actor.roles or actor.institution_id is None:
            raise Forbidden
        async with self._database.transaction() as session:
            query = (
                select(Alert, Monitored)
                .join(Monitored, Monitored.patient_id == Alert.patient_id)
                .where(Monitored.institution_id == actor.institution_id, Alert.open_for.is_not(None))
                .order_by(Alert.latest_at.desc())
                .limit(_MOST_SHOWN)
            )
            rows = [(row, monitored) for row, monitored in await session.execute(query)]
            for row, _ in rows:
                await self._record(session, actor, Action.MONITORING_READ, row.patient_id, f"alert:{row.id}")
            return await self._views(sorted(rows, key=lambda pair: -pair[0].level.rank))

    async def alerts_of(self, actor: Actor, patient_id: str) -> list[AlertView]:
        """Give a patient's alerts, open and over, the newest first, at most fifty; the read is audited."""
        async with self._database.transaction() as session:
            await self._allowed_care(session, actor, Action.MONITORING_READ, patient_id)
            await self._record(session, actor, Action.MONITORING_READ, patient_id, "monitoring_alerts")
            monitored = await self._monitored(session, patient_id)
            query = select(Alert).where(Alert.patient_id == patient_id).order_by(Alert.opened_at.desc())
            return await self._views([(row, monitored) for row in await session.scalars(query.limit(_MOST_SHOWN))])

    async def acknowledge(self, actor: Actor, alert_id: str, note: str = "") -> AlertView:
        """Take an alert in hand: nobody else is told of it. A second call of the same doctor changes the note alone.

        Args:
            note: what was done, for the patient's record.

        Raises:
            NotFound: there is none. Forbidden: the actor is no doctor of the patient. Conflict: a colleague was first.
        """
        words = require_text(note, "处理记录", longest=_LONGEST_NOTE, required=False)
        async with self._database.transaction() as session:
            row, monitored = await self._alert(session, actor, Action.MONITORING_ACKNOWLEDGE, alert_id, lock=True)
            await self._take_in_hand(session, actor, row, words)
            return (await self._views([(row, monitored)]))[0]

    async def end(self, actor: Actor, alert_id: str) -> AlertView:
        """Close an alert by a doctor's decision, whatever the values are; what comes later may open another.

        Raises:
            NotFound, Forbidden: as in `acknowledge`.
        """
        async with self._database.transaction() as session:
            row, monitored = await self._alert(session, actor, Action.MONITORING_ACKNOWLEDGE, alert_id, lock=True)
            if row.open_for is not None:
                await self._close(session, row)
                row.closed_by = actor.practitioner_id
                await self._record(session, actor, "monitoring.end_alert", row.patient_id, f"alert:{row.id}")
            return (await self._views([(row, monitored)]))[0]

    async def _take_in_hand(self, session: AsyncSession, actor: Actor, row: Alert, note: str) -> None:
        if row.acknowledged_by not in (None, actor.practitioner_id):
            names = await self._people.names([row.acknowledged_by or ""])
            raise Conflict(f"{names.get(row.acknowledged_by or '', '同事')}医生已经在处理了，您不用再管。")
        is_first = row.acknowledged_by is None
        if is_first:
            row.acknowledged_by, row.acknowledged_at = actor.practitioner_id, self._clock.now()
            await self._timers.cancel(session, ESCALATE_TIMER, row.id)
            await self._events.publish(
                session,
                "monitoring.alert_acknowledged",
                alert_id=row.id,
                patient_id=row.patient_id,
                actor_id=actor.person_id,
            )
        row.note = note or row.note
        await self._record(session, actor, Action.MONITORING_ACKNOWLEDGE, row.patient_id, f"alert:{row.id}")
        if is_first and actor.institution_id is not None:
            for case in await self._consultations.running_references(row.patient_id, actor.institution_id):
                await self._consultations.note(actor, case.id, "monitoring", f"看过家里{row.kind.label}的提醒")

    # what readings and timers do

    async def _look_at(self, session: AsyncSession, new: DeviceReading, reading: Reading) -> None:
        """Let a fresh reading change the alert of its kind; the patient's row is locked."""
        alert = await session.scalar(select(Alert).where(Alert.open_for == _open_for(new.patient_id, new.kind)))
        told = await self._tellings(session, new.patient_id, new.kind)
        standing = Standing(alert.level if alert else Level.NORMAL, told)
        recent = await self._recent(session, new)
        decision = decide(standing, recent, Rated(new.level, new.side, new.calm), self._clock.now())
        if decision.rises and alert is None:
            alert = self._opened(new, reading, decision)
            session.add(alert)
        elif alert is not None:
            alert.readings += 1
            if new.taken_at >= alert.latest_at:
                alert.latest, alert.latest_at = reading.words, new.taken_at
        if alert is None:
            return
        if decision.closes:
            await self._close(session, alert)
            return
        await self._apply(session, alert, reading, decision)

    async def _apply(self, session: AsyncSession, alert: Alert, reading: Reading, decision: Decision) -> None:
        if decision.rises or decision.again:
            over = alert.acknowledged_by is not None or alert.step >= LAST_STEP[alert.level]
            if decision.rises or over:  # whatever was answered before was not an answer to this
                alert.step, alert.acknowledged_by, alert.acknowledged_at = 0, None, None
                await self._timers.cancel(session, ESCALATE_TIMER, alert.id)
            alert.level, alert.side, alert.told_at = decision.level, decision.side or alert.side, None
            alert.reading, alert.measured_at = reading.words, reading.taken_at
            await self._timers.cancel(session, TELL_TIMER, alert.id)
        if decision.tell_at is None:
            return
        if decision.tell_at <= self._clock.now():
            await self._tell(session, alert)
        else:
            await self._timers.set(session, TELL_TIMER, alert.id, decision.tell_at, alert_id=alert.id)

    async def _tell(self, session: AsyncSession, alert: Alert) -> None:
        """Tell people of an alert at its level; anything but danger waits for the last telling to be some time past."""
        now = self._clock.now()
        if alert.level is not Level.DANGER:
            monitored = await self._monitored(session, alert.patient_id)
            if monitored.told_at is not None and monitored.told_at + APART > now:
                later = waking(monitored.told_at + APART)
                await self._timers.set(session, TELL_TIMER, alert.id, later, alert_id=alert.id)
                return
            monitored.told_at = now
        alert.told_at = now
        await session.merge(
            Telling(patient_id=alert.patient_id, kind=alert.kind, level=alert.level, side=alert.side, told_at=now)
        )
        await self._events.publish(
            session,
            "monitoring.alert_told",
            alert_id=alert.id,
            patient_id=alert.patient_id,
            kind=alert.kind.value,
            level=alert.level.value,
            side=alert.side.value,
        )
        if alert.step == 0:
            await self._expect_answer(session, alert)

    async def _expect_answer(self, session: AsyncSession, alert: Alert) -> None:
        due = escalates_at(alert.level, alert.step, self._clock.now())
        if due is not None:
            await self._timers.set(session, ESCALATE_TIMER, alert.id, due, alert_id=alert.id)

    async def _close(self, session: AsyncSession, alert: Alert) -> None:
        alert.open_for, alert.closed_at = None, self._clock.now()
        for kind in (TELL_TIMER, ESCALATE_TIMER):
            await self._timers.cancel(session, kind, alert.id)

    async def _on_tell(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            alert = await self._locked(session, payload["alert_id"])
            if alert is None or alert.told_at is not None:
                return
            now = self._clock.now()
            if alert.level is not Level.DANGER and waking(now) > now:  # the timer was late
                await self._timers.set(session, TELL_TIMER, alert.id, waking(now), alert_id=alert.id)
                return
            await self._tell(session, alert)

    async def _on_unanswered(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            alert = await self._locked(session, payload["alert_id"])
            if alert is None or alert.acknowledged_by is not None or alert.step >= LAST_STEP[alert.level]:
                return
            alert.step += 1
            await self._events.publish(
                session, "monitoring.alert_unanswered", alert_id=alert.id, patient_id=alert.patient_id, step=alert.step
            )
            await self._expect_answer(session, alert)

    async def _locked(self, session: AsyncSession, alert_id: str) -> Alert | None:
        """Give an alert that is still open, with its patient's row locked; None where it is over."""
        patient_id = await session.scalar(select(Alert.patient_id).where(Alert.id == alert_id))
        if patient_id is None:
            return None
        await self._monitored(session, patient_id, lock=True)
        return await session.scalar(
            select(Alert)
            .where(Alert.id == alert_id, Alert.open_for.is_not(None))
            .execution_options(populate_existing=True)
        )

    async def _alert(
        self, session: AsyncSession, actor: Actor, action: Action, alert_id: str, *, lock: bool = False
    ) -> tuple[Alert, Monitored]:
        row = await session.get(Alert, alert_id)
        if row is None:
            raise NotFound("没有找到这条提醒。")
        await self._allowed_care(session, actor, action, row.patient_id)
        monitored = await self._monitored(session, row.patient_id, lock=lock)
        if lock:
            await session.refresh(row)
        return row, monitored

    def _opened(self, new: DeviceReading, reading: Reading, decision: Decision) -> Alert:
        assert decision.side is not None  # noqa: S101  # an alert is opened by a value on one side
        return Alert(
            id=new_id(),
            patient_id=new.patient_id,
            kind=new.kind,
            open_for=_open_for(new.patient_id, new.kind),
            level=decision.level,
            side=decision.side,
            opened_at=self._clock.now(),
            readings=1,
            reading=reading.words,
            measured_at=new.taken_at,
            latest=reading.words,
            latest_at=new.taken_at,
            step=0,
        )

    async def _recent(self, session: AsyncSession, new: DeviceReading) -> list[Rated]:
        query = (
            select(DeviceReading)
            .where(
                DeviceReading.patient_id == new.patient_id,
                DeviceReading.kind == new.kind,
                DeviceReading.taken_at >= self._clock.now() - WINDOW,
                DeviceReading.fresh,
            )
            .order_by(DeviceReading.taken_at.desc(), DeviceReading.id.desc())
            .limit(LOOKED_AT)
        )
        rows = list(await session.scalars(query))
        return [Rated(row.level, row.side, row.calm) for row in reversed(rows)]

    async def _tellings(self, session: AsyncSession, patient_id: str, kind: Kind) -> dict[Any, datetime]:
        query = select(Telling).where(Telling.patient_id == patient_id, Telling.kind == kind)
        return {(row.level, row.side): row.told_at for row in await session.scalars(query)}

    async def _views(self, rows: Sequence[tuple[Alert, Monitored]]) -> list[AlertView]:
        names = await self._people.names({row.patient_id for row, _ in rows})
        return [
            AlertView(
                id=row.id,
                patient_id=row.patient_id,
                patient_name=names.get(row.patient_id, ""),
                doctor_id=monitored.doctor_id,
                institution_id=monitored.institution_id,
                kind=row.kind,
                level=row.level,
                side=row.side,
                opened_at=row.opened_at,
                closed_at=row.closed_at,
                readings=row.readings,
                reading=row.reading,
                measured_at=row.measured_at,
                latest=row.latest,
                latest_at=row.latest_at,
                told_at=row.told_at,
                step=row.step,
                acknowledged_by=row.acknowledged_by,
                acknowledged_at=row.acknowledged_at,
                note=row.note,
            )
            for row, monitored in rows
        ]


def _open_for(patient_id: str, kind: Kind) -> str:
    return f"{patient_id}:{kind}"
