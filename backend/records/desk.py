"""What every use case of records needs: who may do it, and writing down that it was done."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.errors import Forbidden, NotFound
from backend.events import EventBus
from backend.people import PeopleService
from backend.records.background import Source
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, allowed


class RecordDesk:
    """Base of the groups of use cases that make up `RecordService`; none of its methods is public."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._audit = audit
        self._people = people
        self._consultations = consultations

    async def _allow(
        self, session: AsyncSession, actor: Actor, action: Action, patient_id: str, subject: str, reason: str = ""
    ) -> None:
        """Ask the policy about this patient, whose doctors and experts are those of their consultations; audit it.

        Raises:
            Forbidden: none of the actor's roles may do it in any relation that holds.
        """
        if not await self._may(actor, action, patient_id):
            raise Forbidden(action=action.value)
        await self._audit.record(session, actor, action, patient_id=patient_id, subject=subject, reason=reason)

    async def _may(self, actor: Actor, action: Action, patient_id: str) -> bool:
        if allowed(actor, action, patient_id=patient_id):
            return True
        return any(
            allowed(
                actor,
                action,
                patient_id=patient_id,
                participants=reference.participants,
                institution_id=reference.institution_id,
            )
            for reference in await self._consultations.references_of(patient_id)
        )

    async def _check_case(self, patient_id: str, consultation_id: str | None) -> None:
        """See that a consultation is the patient's.

        Raises:
            NotFound: it is somebody else's, or there is none.
        """
        if consultation_id is None:
            return
        reference = await self._consultations.reference(consultation_id)
        if reference is None or reference.patient_id != patient_id:
            raise NotFound("没有找到这位患者的这次会诊。")


def source_of(actor: Actor, patient_id: str) -> Source:
    """Give where a patient's fact comes from that `actor` tells: their own or their family's word, or a doctor's."""
    by_doctor = actor.practitioner_id is not None and not actor.owns(patient_id)
    return Source.DOCTOR if by_doctor else Source.PATIENT
