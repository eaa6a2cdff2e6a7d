"""What every use case of reporting needs."""

from typing import Any

from backend.clock import Clock
from backend.consultation import CaseReference, ConsultationService
from backend.db import Database
from backend.errors import NotFound
from backend.events import EventBus
from backend.imaging import ImagingService, StudyState, StudyView
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, allowed, require


class ReportingDesk:
    """Base of the services of reporting; none of its methods is public."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        imaging: ImagingService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._imaging = imaging

    async def _linked(
        self, actor: Actor, consultation_id: str, study_uid: str, action: Action
    ) -> tuple[StudyView, CaseReference]:
        reference = await self._reference(consultation_id)
        require_of(actor, action, reference)
        study = await self._imaging.study(actor, study_uid, consultation_id)
        if study.state is not StudyState.LINKED:
            raise NotFound
        return study, reference

    async def _reference(self, consultation_id: str) -> CaseReference:
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        return reference


def concerned(reference: CaseReference) -> dict[str, Any]:
    """Give whom an event about a case concerns."""
    return {
        "consultation_id": reference.id,
        "patient_id": reference.patient_id,
        "doctor_id": reference.doctor_id,
        "expert_id": reference.expert_id,
    }


def practitioner_of(actor: Actor) -> str:
    """Give who writes or confirms."""
    if actor.practitioner_id is None:
        raise ValueError("nobody but practitioners writes or confirms")  # the policy has seen that it is one
    return actor.practitioner_id


def allowed_of(actor: Actor, action: Action, reference: CaseReference) -> bool:
    """Tell whether the actor may do this in a case."""
    return allowed(actor, action, **_relations(actor, action, reference))


def require_of(actor: Actor, action: Action, reference: CaseReference) -> None:
    """See to it that the actor may do this in a case. Raises Forbidden."""
    require(actor, action, **_relations(actor, action, reference))


def _relations(actor: Actor, action: Action, reference: CaseReference) -> dict[str, Any]:
    # Writing is the expert's alone, also where the doctor of the case is somebody's expert elsewhere.
    writers = tuple(filter(None, (reference.expert_id,)))
    return {
        "patient_id": reference.patient_id,
        "participants": writers if action is Action.REPORT_WRITE else reference.participants,
        "institution_id": reference.institution_id,
    }
