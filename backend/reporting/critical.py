"""Critical values: what an expert sees and cannot wait is told at once, and told again until a doctor confirms it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.consultation.rules import require_text
from backend.errors import NotFound
from backend.ids import new_id
from backend.reporting.desk import ReportingDesk, concerned, practitioner_of, require_of
from backend.reporting.rules import MOST_REMINDERS, REMIND_AFTER
from backend.reporting.tables import CriticalValue
from backend.reporting.views import CriticalView
from backend.security.policy import Action, Actor
from backend.timers import Timers

REMIND_TIMER = "report.critical_unanswered"

_TOLD = "有要紧的情况，已通知医生马上处理"
_CONFIRMED = "收到专家的紧急通知，马上处理"


class CriticalValueService(ReportingDesk):
    """All use cases of critical values.

    Raises (besides what each method names):
        NotFound: no such study or critical value. Forbidden: the policy refuses.
    """

    def __init__(self, timers: Timers, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers = timers
        timers.on(REMIND_TIMER, self._on_unanswered)

    async def mark(self, actor: Actor, consultation_id: str, study_uid: str, text: str) -> CriticalView:
        """Tell, as the expert, of something that cannot wait; the doctor hears it at once, and until it is confirmed.

        Args:
            text: what was seen, at most 500 characters.
        """
        said = require_text(text, "危急值", longest=500)
        async with self._database.transaction() as session:
            study, reference = await self._linked(actor, consultation_id, study_uid, Action.REPORT_WRITE)
            now = self._clock.now()
            row = CriticalValue(
                id=new_id(),
                study_id=study.id,
                consultation_id=reference.id,
                text=said,
                marked_by=practitioner_of(actor),
                marked_at=now,
                reminders=0,
            )
            session.add(row)
            await self._consultations.note(actor, reference.id, "critical_value", _TOLD)
            await self._timers.set(session, REMIND_TIMER, row.id, now + REMIND_AFTER, critical_id=row.id)
            await self._record(session, actor, "report.mark_critical", row, reference)
            await self._events.publish(session, "report.critical_marked", **_news(row, reference))
            return _view(row)

    async def confirm(self, actor: Actor, critical_id: str) -> CriticalView:
        """Confirm receipt of a critical value, as a doctor of the case or a colleague there; the first one counts."""
        async with self._database.transaction() as session:
            row = await session.get(CriticalValue, critical_id, with_for_update=True)
            if row is None:
                raise NotFound
            reference = await self._reference(row.consultation_id)
            require_of(actor, Action.REPORT_CONFIRM_CRITICAL, reference)
            if row.confirmed_by is None:
                row.confirmed_by, row.confirmed_at = practitioner_of(actor), self._clock.now()
                await self._timers.cancel(session, REMIND_TIMER, row.id)
                await self._consultations.note(actor, reference.id, "critical_value", _CONFIRMED)
                await self._record(session, actor, Action.REPORT_CONFIRM_CRITICAL, row, reference)
                await self._events.publish(session, "report.critical_confirmed", **_news(row, reference))
            return _view(row)

    async def values_of(self, actor: Actor, consultation_id: str) -> list[CriticalView]:
        """Give the critical values of a consultation to those who treat, the oldest first; the read is audited."""
        reference = await self._reference(consultation_id)
        require_of(actor, Action.REPORT_READ_CRITICAL, reference)
        async with self._database.transaction() as session:
            query = select(CriticalValue).where(CriticalValue.consultation_id == consultation_id)
            rows = (await session.scalars(query.order_by(CriticalValue.id))).all()
            subject = f"consultation:{consultation_id}"
            await self._audit.record(
                session, actor, Action.REPORT_READ_CRITICAL, patient_id=reference.patient_id, subject=subject
            )
            return [_view(row) for row in rows]

    async def _on_unanswered(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get_one(CriticalValue, payload["critical_id"], with_for_update=True)
            if row.confirmed_by is not None:
                return
            row.reminders += 1
            if row.reminders < MOST_REMINDERS:
                due_at = self._clock.now() + REMIND_AFTER
                await self._timers.set(session, REMIND_TIMER, row.id, due_at, critical_id=row.id)
            reference = await self._reference(row.consultation_id)
            await self._events.publish(session, "report.critical_unanswered", **_news(row, reference))

    async def _record(
        self, session: AsyncSession, actor: Actor, action: str, row: CriticalValue, reference: CaseReference
    ) -> None:
        subject = f"critical_value:{row.id}"
        await self._audit.record(session, actor, action, patient_id=reference.patient_id, subject=subject)


def _news(row: CriticalValue, reference: CaseReference) -> dict[str, Any]:
    return {"critical_id": row.id, "reminders": row.reminders, **concerned(reference)}


def _view(row: CriticalValue) -> CriticalView:
    return CriticalView(
        id=row.id,
        study_id=row.study_id,
        consultation_id=row.consultation_id,
        text=row.text,
        marked_by=row.marked_by,
        marked_at=row.marked_at,
        reminders=row.reminders,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )
