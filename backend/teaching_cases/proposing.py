"""Recommending a consultation for teaching: the patient is asked, and its text made anonymous."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import ConsultationView, Status
from backend.consultation.rules import require_text
from backend.errors import Conflict, ConsentRequired, Forbidden, IllegalMove, NotFound
from backend.events import Event
from backend.ids import new_id
from backend.people import ConsentKind
from backend.security.policy import SYSTEM, Action, Actor, require
from backend.teaching_cases.desk import LibraryDesk
from backend.teaching_cases.material import Material
from backend.teaching_cases.rules import CaseState
from backend.teaching_cases.searching import forget_terms
from backend.teaching_cases.tables import TeachingCase

CONSENTS = ("consent.given", "consent.refused", "consent.withdrawn")
_DECLINED = "患者不同意把这次看病的经过用于教学，不能推荐。"
_LONGEST_REASON = 500
_TAKEN_BACK = "患者收回了同意"


class Proposing(LibraryDesk):
    """The part of `TeachingCaseService` about recommending.

    Events: `teaching_case.asked` where the patient is to be asked, `teaching_case.queued` where the text is to be made,
    `teaching_case.drafted` where a reviewer may read, `teaching_case.declined`.
    """

    async def propose(self, actor: Actor, consultation_id: str, reason: str = "") -> CaseState:
        """Recommend a consultation that has ended and has a signed report. Recommended twice is recommended once.

        Args:
            reason: what can be learned from it, in words; may be empty.

        Raises:
            NotFound: there is none. Forbidden: the actor neither took part nor is an administrator.
            IllegalMove: it has not ended, or has no signed report. ConsentRequired: the patient does not agree.
        """
        said = require_text(reason, "推荐理由", longest=_LONGEST_REASON, required=False)
        view = await self._proposable(actor, consultation_id)
        async with self._database.transaction() as session:
            held = await self._of(session, consultation_id, lock=True)
            if held is not None and held.state is not CaseState.DECLINED:
                return held.state
            agrees = await self._agrees(view.patient_id)
            row = held or await self._new(session, actor, view, said)
            row.state = CaseState.QUEUED if agrees else CaseState.ASKED
            await self._record(session, actor, Action.TEACHING_PROPOSE, row)
            if agrees:
                await self._publish(session, "teaching_case.queued", actor, row)
            else:
                await self._publish(session, "teaching_case.asked", actor, row)
            return row.state

    async def propose_by_number(self, actor: Actor, number: str, reason: str = "") -> CaseState:
        """As `propose`, by the number of the consultation."""
        reference = await self._consultations.reference_by_number(number.strip())
        if reference is None:
            raise NotFound("没有找到这个编号的会诊。")
        return await self.propose(actor, reference.id, reason)

    async def proposal(self, actor: Actor, consultation_id: str) -> tuple[bool, CaseState | None]:
        """Tell whether the actor may recommend a consultation now, and where it stands if somebody has.

        Whom the recommending of it is no business of is told neither.
        """
        async with self._database.reading() as session:
            held = await self._of(session, consultation_id)
        state = held.state if held is not None else None
        try:
            await self._proposable(actor, consultation_id)
        except IllegalMove:
            return False, state
        except Forbidden:
            return False, None
        return state in (None, CaseState.DECLINED), state

    async def _proposable(self, actor: Actor, consultation_id: str) -> ConsultationView:
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        require(
            actor,
            Action.TEACHING_PROPOSE,
            participants=[one for one in (reference.doctor_id, reference.expert_id) if one],
            institution_id=reference.institution_id,
        )
        view = await self._consultations.get(SYSTEM, consultation_id)
        if view.status is not Status.COMPLETED:
            raise IllegalMove("会诊结束以后才能推荐为教学病例。")
        if not await self._reports.signed(SYSTEM, consultation_id):
            raise IllegalMove("这例会诊还没有签发的影像报告，不能推荐为教学病例。")
        return view

    async def _agrees(self, patient_id: str) -> bool:
        if await self._people.has_consent(patient_id, ConsentKind.CASES):
            return True
        declined = await self._people.has_declined(patient_id, ConsentKind.CASES)
        if declined or not await self._people.has_consent(patient_id):
            raise ConsentRequired(_DECLINED)
        return False

    async def _new(self, session: AsyncSession, actor: Actor, view: ConsultationView, reason: str) -> TeachingCase:
        row = TeachingCase(
            id=new_id(),
            consultation_id=view.id,
            patient_id=view.patient_id,
            state=CaseState.QUEUED,
            department_code=view.department_code,
            proposed_by=actor.practitioner_id or actor.person_id,
            proposed_reason=reason,
            proposed_at=self._clock.now(),
            content={},
            removed=[],
        )
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:
            raise Conflict("这例会诊刚刚有人推荐过了。") from None
        return row

    async def _of(self, session: AsyncSession, consultation_id: str, *, lock: bool = False) -> TeachingCase | None:
        query = select(TeachingCase).where(TeachingCase.consultation_id == consultation_id)
        if lock:
            query = query.with_for_update().execution_options(populate_existing=True)
        found: TeachingCase | None = await session.scalar(query)
        return found

    async def _on_queued(self, event: Event) -> None:
        """Make the text anonymous, unless it has been made or the patient thought otherwise meanwhile."""
        async with self._database.transaction() as session:
            row = await self._case(session, event.payload["case_id"], lock=True)
            if row.state is not CaseState.QUEUED:
                return
            material = Material(self._people, self._consultations, self._reports)
            content, taken = await material.draft(row.consultation_id)
            row.content, row.removed = content.to_json(), [vars(one) for one in taken]
            row.state = CaseState.DRAFT
            row.revision += 1
            await self._record(session, SYSTEM, "teaching.draft", row)
            await self._publish(session, "teaching_case.drafted", SYSTEM, row)

    async def _on_consent(self, event: Event) -> None:
        """Go on with what waited for the patient's word; take everything back when they do."""
        patients = await self._people.spoken_for(str(event.payload["person_id"]))
        kind, given = event.payload["kind"], event.type == "consent.given"
        if kind not in (ConsentKind.CASES, ConsentKind.CARE):
            return
        query = select(TeachingCase).where(TeachingCase.patient_id.in_(patients)).with_for_update()
        async with self._database.transaction() as session:
            for row in (await session.scalars(query)).all():
                if given:
                    await self._go_on(session, row)
                elif kind == ConsentKind.CASES or event.type == "consent.withdrawn":
                    await self._take_back(session, row)

    async def _go_on(self, session: AsyncSession, row: TeachingCase) -> None:
        if row.state is CaseState.ASKED and await self._people.has_consent(row.patient_id, ConsentKind.CASES):
            row.state = CaseState.QUEUED
            await self._publish(session, "teaching_case.queued", SYSTEM, row)

    async def _take_back(self, session: AsyncSession, row: TeachingCase) -> None:
        """What nobody has read ends as declined; what was written is thrown away."""
        if row.state in (CaseState.DECLINED, CaseState.REJECTED):
            return
        was_asked = row.state is CaseState.ASKED
        row.state = CaseState.DECLINED
        row.content, row.removed, row.decision_reason, row.published_at = {}, [], _TAKEN_BACK, None
        row.revision += 1
        await forget_terms(session, row)
        await self._record(session, SYSTEM, "teaching.withdraw", row)
        if was_asked:
            await self._publish(session, "teaching_case.declined", SYSTEM, row)
