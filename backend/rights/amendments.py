"""Putting a finished record right: a patient asks, who wrote it answers (《个人信息保护法》 article 46).

Nothing that was written is changed: an addendum stands beside it, or a new version of the report beside the old one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import CaseReference, ConsultationService, ConsultationView
from backend.consultation.rules import require_text
from backend.db import Database
from backend.errors import Conflict, IllegalMove, InvalidInput, NotFound
from backend.events import Event, EventBus
from backend.ids import new_id
from backend.people import PeopleService, masked_name
from backend.reporting import ReportService, ReportState, ReportView
from backend.rights.amendment_rules import (
    LONGEST,
    OVERDUE_REMINDERS,
    AmendmentState,
    AmendmentStep,
    AmendmentView,
    Part,
    PartView,
    WaitingAmendment,
    move,
    next_reminder,
)
from backend.rights.tables import Amendment
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, only_institution, require
from backend.timers import Timers

CONSUMER = "amendments"
REMIND_TIMER = "rights.amendment_unanswered"

_MOST_WAITING = 100
_NO_SUCH = "没有找到这个更正请求。"
_ASKED_ALREADY = "这一处您已经提过了，医生还没有答复。"
_NOT_OVER = "这次会诊还没有结束，哪里不对，直接跟医生说就行。"
_NO_SUCH_PART = "这次会诊里没有这一部分。"
_NEW_VERSION = "影像检查报告要出新的一版来更正，请点“写更正”。"
_NOTED = {
    AmendmentStep.WRITE: "写了更正，原来的内容还在",
    AmendmentStep.SIGN: "照患者提的，报告出了新的一版",
    AmendmentStep.DECLINE: "答复了更正请求：没有改",
    AmendmentStep.TAKE_BACK: "撤回了更正请求",
}


class Amendments:
    """Takes requests, asks again until they are answered, and keeps the addenda.

    Raises (besides what each method names):
        NotFound: no such request or consultation. Forbidden: the policy refuses.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        reports: ReportService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._reports = reports
        timers.on(REMIND_TIMER, self._on_unanswered)
        events.subscribe(CONSUMER, ["report.signed"], self._on_signed)

    async def parts(self, actor: Actor, consultation_id: str) -> list[PartView]:
        """Give what of a finished consultation the actor may ask to be put right, with what it says now.

        Raises:
            IllegalMove: it has not ended.
        """
        case = await self._finished(actor, consultation_id)
        view = await self._consultations.get(actor, case.id)
        reports = await self._reports.reports_of(actor, case.id) if case.expert_id else []
        found: list[tuple[Part, str, ReportView | None]] = [(part, said, None) for part, said in _written(view).items()]
        found += [(Part.REPORT, _said(one), one) for one in reports if one.state is ReportState.SIGNED]
        names = await self._people.names(case.participants)
        async with self._database.reading() as session:
            query = select(Amendment.open_for, Amendment.id).where(
                Amendment.consultation_id == case.id, Amendment.open_for.is_not(None)
            )
            waiting = {row.open_for: row.id for row in await session.execute(query)}
        return [
            PartView(
                part,
                case.patient_id,
                standing,
                report.id if report else "",
                waiting.get(_open_for(case, part, report), ""),
                names.get(_answerer(case, part), ""),
            )
            for part, standing, report in found
        ]

    async def ask(
        self, actor: Actor, consultation_id: str, part: Part, text: str, report_id: str = ""
    ) -> AmendmentView:
        """Ask who wrote a part of a finished consultation to put it right.

        Args:
            text: what is wrong and how it should be, in the patient's words. report_id: which report, of that part.

        Raises:
            IllegalMove: it has not ended. Conflict: the same waits for an answer. InvalidInput: no such part, no text.
        """
        said = require_text(text, "要更正的内容", longest=LONGEST)
        async with self._database.transaction() as session:
            case = await self._finished(actor, consultation_id)
            report = await self._reports.report(actor, report_id) if part is Part.REPORT else None
            if (part.by_expert and case.expert_id is None) or (report is not None and not _stands(report, case)):
                raise InvalidInput(_NO_SUCH_PART)
            answerer = await self._people.practitioner(_answerer(case, part))
            now = self._clock.now()
            row = Amendment(
                id=new_id(),
                consultation_id=case.id,
                patient_id=case.patient_id,
                part=part,
                report_id=report.id if report else "",
                report_number=report.number if report else "",
                open_for=_open_for(case, part, report),
                text=said,
                asked_by=actor.person_id,
                asked_at=now,
                state=AmendmentState.ASKED,
                answerer_id=answerer.id,
                institution_id=answerer.institution_id,
                answer="",
                version=0,
                reminders=0,
            )
            try:
                async with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                raise Conflict(_ASKED_ALREADY) from None
            await self._timers.set(session, REMIND_TIMER, row.id, now + next_reminder(0), amendment_id=row.id)
            await self._consultations.note(actor, case.id, "amendment", "请医生更正病历")
            await self._tell(session, actor, Action.AMENDMENT_ASK, "asked", row, case)
            return await self._view(row)

    async def take_back(self, actor: Actor, amendment_id: str) -> AmendmentView:
        """Take a request back as who may ask.

        Raises:
            IllegalMove: it was answered.
        """
        async with self._database.transaction() as session:
            row, case = await self._row(session, amendment_id, lock=True)
            require(actor, Action.AMENDMENT_ASK, patient_id=row.patient_id)
            return await self._settle(session, actor, AmendmentStep.TAKE_BACK, row, case)

    async def write(self, actor: Actor, amendment_id: str, text: str) -> AmendmentView:
        """Write an addendum, as who wrote what is said to be wrong (or a colleague of the doctor); it stands beside the
        old text from now on.

        Raises:
            IllegalMove: it was answered or taken back; or it is about a report, which is amended instead.
        """
        said = require_text(text, "更正的内容", longest=LONGEST)
        async with self._database.transaction() as session:
            row, case = await self._to_answer(session, actor, amendment_id)
            if row.part is Part.REPORT:
                raise IllegalMove(_NEW_VERSION)
            row.answer = said
            return await self._settle(session, actor, AmendmentStep.WRITE, row, case)

    async def decline(self, actor: Actor, amendment_id: str, reason: str) -> AmendmentView:
        """Say, as the same, that nothing is changed; the patient reads the reason.

        Raises:
            IllegalMove: it was answered or taken back. InvalidInput: no reason.
        """
        said = require_text(reason, "原因", longest=LONGEST)
        async with self._database.transaction() as session:
            row, case = await self._to_answer(session, actor, amendment_id)
            row.answer = said
            return await self._settle(session, actor, AmendmentStep.DECLINE, row, case)

    async def amendment(self, actor: Actor, amendment_id: str) -> AmendmentView:
        """Give one request; the read is audited."""
        async with self._database.transaction() as session:
            row, case = await self._row(session, amendment_id)
            _require_reading(actor, case)
            await self._record(session, actor, Action.AMENDMENT_READ, case)
            return await self._view(row)

    async def addenda(self, actor: Actor, consultation_id: str) -> list[AmendmentView]:
        """Give what was put right in a consultation, in order; the read is audited where there is any."""
        async with self._database.transaction() as session:
            case = await self._case(consultation_id)
            _require_reading(actor, case)
            query = select(Amendment).where(
                Amendment.consultation_id == case.id, Amendment.state == AmendmentState.AMENDED
            )
            rows = list(await session.scalars(query.order_by(Amendment.answered_at, Amendment.id)))
            if rows:
                await self._record(session, actor, Action.AMENDMENT_READ, case)
            return [await self._view(row) for row in rows]

    async def waiting(self, actor: Actor) -> list[WaitingAmendment]:
        """Give the hundred requests that wait longest, of the actor's institution where they watch over one alone:
        who has to answer, not what is written. That it was read is audited."""
        institution_id = only_institution(actor, Action.AMENDMENT_OVERSEE)
        of_institution = [] if institution_id is None else [Amendment.institution_id == institution_id]
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.AMENDMENT_OVERSEE)
            query = select(Amendment).where(Amendment.state == AmendmentState.ASKED, *of_institution)
            rows = list(await session.scalars(query.order_by(Amendment.asked_at, Amendment.id).limit(_MOST_WAITING)))
        return await self._overviews(rows)

    async def _overviews(self, rows: Sequence[Amendment]) -> list[WaitingAmendment]:
        numbers = await self._consultations.opened({row.consultation_id for row in rows})
        names = await self._people.names({one for row in rows for one in (row.patient_id, row.answerer_id)})
        return [
            WaitingAmendment(
                id=row.id,
                consultation_id=row.consultation_id,
                number=numbers[row.consultation_id][0],
                part=row.part,
                patient_name=masked_name(names.get(row.patient_id, "")),
                answers=names.get(row.answerer_id, ""),
                institution_id=row.institution_id,
                asked_at=row.asked_at,
                overdue=row.reminders >= OVERDUE_REMINDERS,
            )
            for row in rows
        ]

    async def _finished(self, actor: Actor, consultation_id: str) -> CaseReference:
        case = await self._case(consultation_id)
        require(actor, Action.AMENDMENT_ASK, patient_id=case.patient_id)
        if case.running:
            raise IllegalMove(_NOT_OVER)
        return case

    async def _case(self, consultation_id: str) -> CaseReference:
        case = await self._consultations.reference(consultation_id)
        if case is None:
            raise NotFound("没有找到这次会诊。")
        return case

    async def _row(
        self, session: AsyncSession, amendment_id: str, *, lock: bool = False
    ) -> tuple[Amendment, CaseReference]:
        row = await session.get(Amendment, amendment_id, with_for_update=lock, populate_existing=True)
        if row is None:
            raise NotFound(_NO_SUCH)
        return row, await self._case(row.consultation_id)

    async def _to_answer(
        self, session: AsyncSession, actor: Actor, amendment_id: str
    ) -> tuple[Amendment, CaseReference]:
        row, case = await self._row(session, amendment_id, lock=True)
        # A colleague stands in for the doctor, nobody for the expert.
        place = None if row.part.by_expert else case.institution_id
        require(actor, Action.AMENDMENT_ANSWER, participants=[row.answerer_id], institution_id=place)
        return row, case

    async def _settle(
        self, session: AsyncSession, actor: Actor, step: AmendmentStep, row: Amendment, case: CaseReference
    ) -> AmendmentView:
        row.state, row.open_for, row.answered_at = move(row.state, step), None, self._clock.now()
        if step is not AmendmentStep.TAKE_BACK and actor.practitioner_id is not None:
            row.answerer_id = actor.practitioner_id  # a colleague may have stood in
        await self._timers.cancel(session, REMIND_TIMER, row.id)
        await self._consultations.note(actor, case.id, "amendment", _NOTED[step])
        if step is AmendmentStep.TAKE_BACK:
            await self._tell(session, actor, Action.AMENDMENT_ASK, "taken_back", row, case)
        else:
            await self._tell(session, actor, Action.AMENDMENT_ANSWER, "answered", row, case)
        return await self._view(row)

    async def _on_signed(self, event: Event) -> None:
        """A new version of a report answers what was asked about the one before."""
        if event.payload["version"] == 1:
            return
        report = await self._reports.report(SYSTEM, event.payload["report_id"])
        async with self._database.transaction() as session:
            query = select(Amendment).where(
                Amendment.consultation_id == report.consultation_id,
                Amendment.report_number == report.number,
                Amendment.state == AmendmentState.ASKED,
            )
            row = await session.scalar(query.with_for_update())
            if row is not None:
                row.answer, row.version, row.answerer_id = report.amendment_reason, report.version, report.author_id
                case = await self._case(row.consultation_id)
                await self._settle(session, SYSTEM, AmendmentStep.SIGN, row, case)

    async def _on_unanswered(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            row = await session.get(Amendment, payload["amendment_id"], with_for_update=True)
            if row is None or row.state is not AmendmentState.ASKED:
                return
            row.reminders += 1
            due_at = self._clock.now() + next_reminder(row.reminders)
            await self._timers.set(session, REMIND_TIMER, row.id, due_at, amendment_id=row.id)
            await self._publish(session, SYSTEM, "unanswered", row, await self._case(row.consultation_id))

    async def _tell(
        self, session: AsyncSession, actor: Actor, action: Action, what: str, row: Amendment, case: CaseReference
    ) -> None:
        await self._record(session, actor, action, case, what)
        await self._publish(session, actor, what, row, case)

    async def _record(
        self, session: AsyncSession, actor: Actor, action: Action, case: CaseReference, what: str = ""
    ) -> None:
        subject = f"consultation:{case.id}"
        await self._audit.record(session, actor, action, patient_id=case.patient_id, subject=subject, reason=what)

    async def _publish(
        self, session: AsyncSession, actor: Actor, what: str, row: Amendment, case: CaseReference
    ) -> None:
        await self._events.publish(
            session,
            f"amendment.{what}",
            amendment_id=row.id,
            consultation_id=case.id,
            patient_id=case.patient_id,
            doctor_id=case.doctor_id,
            expert_id=case.expert_id,
            actor_id=actor.person_id,
        )

    async def _view(self, row: Amendment) -> AmendmentView:
        names = await self._people.names([row.answerer_id])
        return AmendmentView(
            id=row.id,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            part=row.part,
            name=f"{row.part.label}（{row.report_number}）" if row.report_number else row.part.label,
            report_id=row.report_id,
            text=row.text,
            state=row.state,
            asked_by=row.asked_by,
            asked_at=row.asked_at,
            answerer_id=row.answerer_id,
            answers=names.get(row.answerer_id, ""),
            answer=row.answer,
            version=row.version,
            answered_at=row.answered_at,
            reminders=row.reminders,
        )


def _require_reading(actor: Actor, case: CaseReference) -> None:
    require(
        actor,
        Action.AMENDMENT_READ,
        patient_id=case.patient_id,
        participants=case.participants,
        institution_id=case.institution_id,
    )


def _answerer(case: CaseReference, part: Part) -> str:
    return case.expert_id if part.by_expert and case.expert_id else case.doctor_id


def _open_for(case: CaseReference, part: Part, report: ReportView | None) -> str:
    return f"{case.id}:{part}:{report.number if report else ''}"


def _stands(report: ReportView, case: CaseReference) -> bool:
    return report.state is ReportState.SIGNED and report.consultation_id == case.id


def _written(view: ConsultationView) -> dict[Part, str]:
    """Give what a consultation says, by part; an opinion only where there is one."""
    told = (view.record.get("chief_complaint", ""), view.record.get("present_illness", ""))
    parts = {
        Part.HISTORY: "\n".join(str(one) for one in told if one),
        Part.EXAMINATION: "\n".join(one for one in (view.vitals_text, view.findings) if one),
    }
    if view.opinion is not None:
        parts[Part.OPINION] = f"诊断：{view.opinion.diagnosis}\n怎么治：{view.opinion.plan}"
    return {part: said for part, said in parts.items() if said} | {Part.OTHER: ""}


def _said(report: ReportView) -> str:
    return f"{report.examination}\n所见：{report.findings}\n印象：{report.impression}"
