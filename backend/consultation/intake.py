"""How a consultation begins, and what its grassroots doctor does with it before and beside the expert."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import rules
from backend.consultation.desk import CaseDesk, own_people
from backend.consultation.numbers import next_number
from backend.consultation.reading import Reading
from backend.consultation.rules import RUNNING, TASK_LIMITS, Status, Step, Urgency, require_text, urgency_of
from backend.consultation.tables import ClinicalRecord, Consultation
from backend.consultation.views import ConsultationView
from backend.consultation.vitals import check_vitals
from backend.errors import ConsentRequired, Forbidden, InvalidInput, NotFound
from backend.ids import new_id
from backend.security.policy import SYSTEM, Action, Actor, Role, require
from data.departments import departments

TASK_TIMER = "consultation.task"
_MOST_DOCTORS = 100
_LONGEST_RECORD = 100_000
_NOBODY = "这家机构暂时还没有医生在线，请换一家机构；如果不舒服加重，请直接去就近的医院。"


class Intake(Reading, CaseDesk):
    """Opening a consultation, and the task that its grassroots doctor gets."""

    async def open(
        self,
        actor: Actor,
        *,
        patient_id: str,
        institution_id: str,
        record: dict[str, Any],
        facts: dict[str, Any],
        department_code: str,
        urgency: Urgency | str,
        urgency_reason: str = "",
        red_flags: Collection[dict[str, Any]] = (),
    ) -> ConsultationView:
        """Open a consultation as the patient or who speaks for them: a draft, and a task of the doctor with the fewest
        cases there.

        Args:
            record: the outpatient record as JSON, as the patient confirmed it.
            facts: what is known of the case as JSON.
            red_flags: the danger signs that were seen, as JSON.

        Raises:
            ConsentRequired: the patient has not agreed to the present version.
            NotFound: no such institution, or none of its doctors uses the platform yet.
            InvalidInput: an unknown department or urgency, or a record that is too large.
        """
        require(actor, Action.CONSULTATION_OPEN, patient_id=patient_id)
        async with self._database.transaction() as session:
            if not await self._people.has_consent(patient_id):
                raise ConsentRequired
            await self._people.institution(institution_id)
            doctor_id = await self._least_busy_doctor(session, institution_id, {patient_id, actor.person_id})
            if doctor_id is None:
                raise NotFound(_NOBODY)
            case = await self._create(
                session,
                Consultation(
                    patient_id=patient_id,
                    speaker_id=actor.person_id or patient_id,
                    institution_id=institution_id,
                    doctor_id=doctor_id,
                    department_code=department_code,
                    urgency=urgency_of(urgency),
                ),
                _clinical(record, facts, urgency_reason, red_flags),
            )
            await self._note(session, actor, case, "opened", "患者提交了病情，等待基层医生查看")
            await self._set_task(session, case, tried=[])
            await self._tell_opened(session, actor, case)
            return await self._view(session, actor, case)

    async def open_by_doctor(
        self,
        actor: Actor,
        *,
        patient_id: str,
        record: dict[str, Any],
        facts: dict[str, Any],
        department_code: str,
        urgency: Urgency | str,
        urgency_reason: str = "",
        red_flags: Collection[dict[str, Any]] = (),
    ) -> ConsultationView:
        """Open a consultation as the doctor of the patient in front of them; arguments and errors as in `open`."""
        if actor.practitioner_id is None or actor.institution_id is None:
            raise Forbidden
        require(actor, Action.CONSULTATION_OPEN_BY_DOCTOR, institution_id=actor.institution_id)
        async with self._database.transaction() as session:
            case = await self._create(
                session,
                Consultation(
                    patient_id=patient_id,
                    speaker_id=patient_id,
                    institution_id=actor.institution_id,
                    doctor_id=actor.practitioner_id,
                    department_code=department_code,
                    urgency=urgency_of(urgency),
                    acknowledged_at=self._clock.now(),
                ),
                _clinical(record, facts, urgency_reason, red_flags),
            )
            await self._note(session, actor, case, "opened", "基层医生为面前的患者发起会诊")
            await self._tell_opened(session, actor, case)
            return await self._view(session, actor, case)

    async def acknowledge_task(self, actor: Actor, consultation_id: str) -> ConsultationView:
        """Take the task; a colleague of the same institution who does so becomes the doctor of the case."""
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_ACKNOWLEDGE, Step.ACKNOWLEDGE)
            if case.acknowledged_at is None or actor.practitioner_id != case.doctor_id:
                case.doctor_id = actor.practitioner_id or case.doctor_id
                case.acknowledged_at = self._clock.now()
                await self._timers.cancel(session, TASK_TIMER, case.id)
                await self._note(session, actor, case, "acknowledged", "基层医生已接收，正在查看")
            return await self._view(session, actor, case)

    async def add_findings(
        self, actor: Actor, consultation_id: str, *, vitals: Mapping[str, Any] | None = None, text: str = ""
    ) -> ConsultationView:
        """Add vital signs (a newer value replaces the older) and findings (text is added below what is there).

        Raises:
            InvalidInput: nothing given, a text over 2 000 characters, or a sign that cannot be (`vitals.check_vitals`).
        """
        checked = check_vitals(vitals or {})
        added = require_text(text, "检查结果", longest=2000, required=not checked)
        async with self._database.transaction() as session:
            case = await self._begin(
                session, actor, consultation_id, Action.CONSULTATION_ADD_FINDINGS, Step.ADD_FINDINGS
            )
            clinical = await self._clinical(session, case)
            clinical.vitals = {**clinical.vitals, **checked}
            findings = "\n".join(part for part in (clinical.findings, added) if part)
            clinical.findings = require_text(findings, "检查结果（连同以前写的）", longest=10_000, required=False)
            what = "、".join(part for part in ("体征" if checked else "", "文字记录" if added else "") if part)
            await self._note(session, actor, case, "findings", f"补充了检查结果：{what}")
            await self._publish(session, case, "findings.added")
            return await self._view(session, actor, case)

    async def _create(self, session: AsyncSession, case: Consultation, clinical: ClinicalRecord) -> Consultation:
        if case.department_code not in departments():
            raise InvalidInput("没有找到这个科室，请重新选择。", department_code=case.department_code)
        if case.patient_id not in await self._people.names([case.patient_id]):
            raise NotFound("没有找到这位患者。")
        case.id = clinical.consultation_id = new_id()
        case.status = Status.DRAFT
        case.opened_at = self._clock.now()
        case.number = await next_number(session, self._clock)
        session.add(case)
        await session.flush()
        await self._people.begin_record(case.patient_id)
        session.add(clinical)
        await session.flush()
        return case

    async def _tell_opened(self, session: AsyncSession, actor: Actor, case: Consultation) -> None:
        by_doctor = case.acknowledged_at is not None
        action = Action.CONSULTATION_OPEN_BY_DOCTOR if by_doctor else Action.CONSULTATION_OPEN
        await self._record(session, actor, action, case)
        await self._publish(session, case, "consultation.drafted", urgency=case.urgency.value, by_doctor=by_doctor)
        if case.urgency is Urgency.CRITICAL:
            await self._note(session, SYSTEM, case, "critical", "病情标记为危急，已提醒相关医生优先处理")
            await self._publish(session, case, "consultation.critical")

    async def _least_busy_doctor(
        self, session: AsyncSession, institution_id: str, but: Collection[str], without: Collection[str] = ()
    ) -> str | None:
        doctors = await self._people.practitioners(
            role=Role.GRASSROOTS_DOCTOR, institution_id=institution_id, joined_only=True, limit=_MOST_DOCTORS, offset=0
        )
        ids = sorted(one.id for one in doctors if one.id not in without and one.person_id not in but)
        if not ids:
            return None
        counted = await session.execute(
            select(Consultation.doctor_id, func.count())
            .where(Consultation.doctor_id.in_(ids), Consultation.status.in_(RUNNING))
            .group_by(Consultation.doctor_id)
        )
        running: dict[str, int] = dict(counted.all())
        return min(ids, key=lambda doctor_id: (running.get(doctor_id, 0), doctor_id))

    async def _set_task(self, session: AsyncSession, case: Consultation, tried: list[str]) -> None:
        due_at: datetime = self._clock.now() + TASK_LIMITS[case.urgency]
        await self._timers.set(session, TASK_TIMER, case.id, due_at, consultation_id=case.id, tried=tried)

    async def _hurry_task(self, session: AsyncSession, case: Consultation) -> None:
        """Give the doctor who has not looked yet the limit of the urgency that the case has now."""
        if case.status is Status.DRAFT and case.acknowledged_at is None:
            await self._set_task(session, case, tried=[])

    async def _on_task_overdue(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            case = await self._case(session, payload["consultation_id"], lock=True)
            if case.status is not Status.DRAFT or case.acknowledged_at is not None:
                return
            late = case.doctor_id
            tried = [*payload["tried"], late]
            fresh = await self._least_busy_doctor(session, case.institution_id, own_people(case), without=tried)
            if fresh is not None:
                case.doctor_id = fresh
                await self._note(session, SYSTEM, case, "reassigned", "超时未查看，已转给同机构的另一位医生")
                await self._set_task(session, case, tried)
            else:
                await self._note(session, SYSTEM, case, "overdue", "超时未查看，已提醒医生和平台管理员")
            await self._record(session, SYSTEM, Action.CONSULTATION_ACKNOWLEDGE, case, reason="overdue")
            await self._publish(session, case, "task.overdue", doctor_id=late, reassigned_to=fresh)


def _clinical(
    record: dict[str, Any], facts: dict[str, Any], urgency_reason: str, red_flags: Collection[dict[str, Any]]
) -> ClinicalRecord:
    if not record:
        raise InvalidInput("病情记录是空的，请先把不舒服的情况说一说。")
    for value in (record, facts, list(red_flags)):
        if len(json.dumps(value, ensure_ascii=False)) > _LONGEST_RECORD:
            raise InvalidInput("病情记录太长了，请精简后再提交。")
    return ClinicalRecord(
        record=record,
        facts=facts,
        red_flags=list(red_flags),
        urgency_reason=rules.require_text(urgency_reason, "紧急程度的理由", longest=500, required=False),
        icd10="",
        question="",
        vitals={},
        findings="",
    )
