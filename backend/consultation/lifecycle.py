"""The moves of a consultation's status: submitted, begun, closed, cancelled (assigned: see `offers`)."""

from typing import Any

from backend.consultation.appointments import Appointments
from backend.consultation.desk import NOBODY, role_in
from backend.consultation.icd10 import normalise
from backend.consultation.intake import TASK_TIMER, Intake
from backend.consultation.offers import Offers
from backend.consultation.opinions import Opinions
from backend.consultation.rules import Status, Step, Urgency, require_text, urgency_of
from backend.consultation.views import ConsultationView
from backend.errors import IllegalMove, InvalidInput
from backend.scheduling import BookingState
from backend.security.policy import Action, Actor, Role
from data.departments import departments

_FIELD_NAMES = {"diagnosis": "诊断", "plan": "治疗方案"}


class Lifecycle(Intake, Offers, Appointments, Opinions):
    """Every step that moves the status."""

    async def submit(
        self,
        actor: Actor,
        consultation_id: str,
        *,
        department_code: str | None = None,
        icd10: str | None = None,
        question: str = "",
        urgency: Urgency | str | None = None,
    ) -> ConsultationView:
        """Ask for an expert: 草稿 to 待分配; the first experts are asked in the same transaction.

        Args:
            department_code, urgency: the doctor's judgement in place of what was suggested.
            icd10: code of the disease that the doctor suspects; without it the department alone is searched.
            question: what the doctor wants to know, at most 1 000 characters.

        Raises:
            InvalidInput: an unknown department or urgency, or a code without the shape of ICD-10.
        """
        changes: dict[str, Any] = {}
        if department_code is not None:
            if department_code not in departments():
                raise InvalidInput("没有找到这个科室，请重新选择。", department_code=department_code)
            changes["department_code"] = department_code
        if urgency is not None:
            changes["urgency"] = urgency_of(urgency)
        code = normalise(icd10) if icd10 else ""
        asked = require_text(question, "会诊问题", longest=1000, required=False)
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_SUBMIT, Step.SUBMIT)
            was_critical = case.urgency is Urgency.CRITICAL
            now = self._clock.now()
            if actor.practitioner_id is not None and actor.practitioner_id != case.doctor_id:
                changes["doctor_id"] = actor.practitioner_id
            changes |= {"submitted_at": now, "acknowledged_at": case.acknowledged_at or now}
            clinical = await self._clinical(session, case)
            clinical.icd10, clinical.question = code, asked
            await self._move(session, actor, case, Step.SUBMIT, "提交了会诊申请", **changes)
            await session.refresh(case)
            await self._timers.cancel(session, TASK_TIMER, case.id)
            await self._publish(session, case, "consultation.submitted", urgency=case.urgency.value)
            if case.urgency is Urgency.CRITICAL and not was_critical:
                await self._publish(session, case, "consultation.critical")
            await self._start_matching(session, case)
            return await self._view(session, actor, case)

    async def give_back(self, actor: Actor, consultation_id: str, reason: str) -> None:
        """Give a case back, as its expert, before it begins: 已分配专家 to 待分配.

        The booking goes with it, and the search goes on without this expert.

        Args:
            reason: what the others read in the timeline, at most 200 characters.
        """
        why = require_text(reason, "退回原因", longest=200)
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_GIVE_BACK, Step.GIVE_BACK)
            expert_id = case.expert_id or ""
            booking = await self._end_booking(session, case, BookingState.CANCELLED)
            text = f"{await self._name(expert_id)}专家退回了会诊，原因：{why}"
            await self._move(session, actor, case, Step.GIVE_BACK, text, **NOBODY)
            await session.refresh(case)
            await self._publish(
                session,
                case,
                "consultation.given_back",
                actor_id=actor.person_id,
                expert_id=expert_id,
                booking_cancelled=booking is not None,
            )
            await self._resume_matching(session, case, expert_id)

    async def start(self, actor: Actor, consultation_id: str) -> ConsultationView:
        """Begin, as its expert: 已分配专家 to 进行中; a booking counts as kept."""
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_START, Step.START)
            await self._end_booking(session, case, BookingState.KEPT)
            await self._move(session, actor, case, Step.START, "专家开始了会诊", started_at=self._clock.now())
            await session.refresh(case)
            await self._publish(session, case, "consultation.started")
            return await self._view(session, actor, case)

    async def complete(self, actor: Actor, consultation_id: str) -> ConsultationView:
        """Close, as its expert: 进行中 to 已完成.

        Raises:
            InvalidInput: diagnosis or treatment plan have not been given yet.
        """
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_COMPLETE, Step.COMPLETE)
            missing = await self._missing(session, case)
            if missing:
                names = "和".join(_FIELD_NAMES[field] for field in missing)
                raise InvalidInput(f"还没有填写{names}，填好后才能结束会诊。", missing=list(missing))
            await self._move(session, actor, case, Step.COMPLETE, "专家给出意见，会诊结束", closed_at=self._clock.now())
            await session.refresh(case)
            await self._publish(session, case, "consultation.completed")
            return await self._view(session, actor, case)

    async def cancel(self, actor: Actor, consultation_id: str, reason: str) -> ConsultationView:
        """Cancel what has not ended: open invitations, the booking and all timers go with it.

        Raises:
            IllegalMove: it has ended; or it is being held, and the actor is the patient, who tells the doctor instead.
        """
        why = require_text(reason, "取消原因", longest=200)
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_CANCEL, Step.CANCEL)
            by = role_in(actor, case)
            if case.status is Status.IN_PROGRESS and by is Role.PATIENT:
                raise IllegalMove("会诊正在进行，想结束的话，请直接在会诊里告诉医生或专家。")
            await self._withdraw_offers(session, case)
            await self._end_booking(session, case, BookingState.CANCELLED)
            await self._timers.cancel(session, TASK_TIMER, case.id)
            text = f"取消了会诊，原因：{why}"
            await self._move(session, actor, case, Step.CANCEL, text, closed_at=self._clock.now())
            await session.refresh(case)
            await self._publish(session, case, "consultation.cancelled", reason=by.value, actor_id=actor.person_id)
            return await self._view(session, actor, case)
