"""What a place where the people of a case meet (the video room) needs of it: who they are, when, and a line of what
came of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.desk import CaseDesk, role_in
from backend.consultation.rules import Status
from backend.consultation.tables import Consultation
from backend.errors import ConsentRequired
from backend.scheduling import BookingView
from backend.security.policy import SYSTEM, Action, Actor, Role

_PATIENT_HAS_NOT_AGREED = "患者还没有同意《隐私与知情同意书》，请先请患者在公众号里同意。"


@dataclass(frozen=True)
class MeetingPerson:
    """One of those who meet; `person_id` is None for a practitioner who has not joined."""

    person_id: str | None
    name: str
    role: Role


@dataclass(frozen=True)
class MeetingView:
    """A case as the place of its meeting sees it: nothing clinical.

    Args:
        you: the reader, in the role in which they come; a colleague who stands in for the doctor comes as a doctor.
        people: patient, doctor and, where there is one, expert.
        region: where the township centre of the case is, by name.
        consented: whether the patient's consent stands.
    """

    id: str
    number: str
    status: Status
    started_at: datetime | None
    booking: BookingView | None
    you: MeetingPerson
    people: tuple[MeetingPerson, ...]
    region: str
    consented: bool

    def require_consent(self) -> None:
        """Let a meeting be held.

        Raises:
            ConsentRequired: the patient has not agreed to the present consent; the sentence fits the reader.
        """
        if not self.consented:
            raise ConsentRequired(None if self.you.role is Role.PATIENT else _PATIENT_HAS_NOT_AGREED)


class Meetings(CaseDesk):
    """The part of `ConsultationService` for the place where its people meet."""

    async def meeting(self, actor: Actor, consultation_id: str, action: Action) -> MeetingView:
        """Give a case as the place of its meeting sees it, if the policy lets `actor` do `action`; it is audited."""
        async with self._database.transaction() as session:
            case = await self._case(session, consultation_id)
            self._allow(actor, action, case)
            await self._record(session, actor, action, case)
            return await self._meeting_view(actor, case)

    async def note_meeting(self, consultation_id: str, text: str) -> None:
        """Write into the timeline, as the platform, what came of a meeting; nothing clinical."""
        async with self._database.transaction() as session:
            await self._note(session, SYSTEM, await self._case(session, consultation_id), "meeting", text)

    async def publish_meeting(self, session: AsyncSession, consultation_id: str, type_: str, **payload: object) -> None:
        """Publish, in the caller's transaction, what happened where a case's people meet, with their identifiers."""
        await self._publish(session, await self._case(session, consultation_id), type_, **payload)

    async def _meeting_view(self, actor: Actor, case: Consultation) -> MeetingView:
        staff = [
            await self._people.practitioner(identifier) for identifier in (case.doctor_id, case.expert_id) if identifier
        ]
        known = {case.patient_id, actor.person_id}
        names = await self._people.names(known) | await self._people.practitioner_names({actor.person_id})
        if case.speaker_id != case.patient_id:
            names[case.speaker_id] = f"{names.get(case.patient_id, '')}（家属）"
        people = [MeetingPerson(case.speaker_id, names.get(case.speaker_id, ""), Role.PATIENT)]
        roles = (Role.GRASSROOTS_DOCTOR, Role.EXPERT)
        people += [MeetingPerson(one.person_id, one.name, role) for one, role in zip(staff, roles, strict=False)]
        role = role_in(actor, case)
        return MeetingView(
            id=case.id,
            number=case.number,
            status=case.status,
            started_at=case.started_at,
            booking=await self._scheduling.booking(case.id),
            you=MeetingPerson(actor.person_id or None, names.get(actor.person_id, ""), role),
            people=tuple(people),
            region=(await self._people.institution(case.institution_id)).region,
            consented=await self._people.has_consent(case.patient_id),
        )
