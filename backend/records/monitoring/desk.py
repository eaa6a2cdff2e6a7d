"""What every part of the service of the devices at home works with."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.errors import IllegalMove, NotFound
from backend.events import EventBus
from backend.people import PeopleService
from backend.records.monitoring_tables import Monitored
from backend.records.service import RecordService
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, Role, require
from backend.timers import Timers

_NO_DOCTOR = "要先有一位卫生院的医生照看您，才能绑定设备。请先问诊一次，或者去卫生院请医生帮您绑定。"


@dataclass(frozen=True)
class Care:
    """Who takes care of a patient: for questions to the policy.

    Args:
        doctor_id: who hears of their alerts; None where they were never at a township centre's doctor.
        institution_id: whose colleagues stand in.
        participants: everybody who takes part in one of their consultations, and that doctor.
    """

    patient_id: str
    doctor_id: str | None
    institution_id: str | None
    participants: tuple[str, ...]


class MonitoringDesk:
    """Base of the parts of `MonitoringService`; none of its methods is public."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        records: RecordService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._records = records

    async def _care(self, session: AsyncSession, patient_id: str) -> Care:
        """Give who takes care of a patient."""
        references = await self._consultations.references_of(patient_id)
        monitored = await session.get(Monitored, patient_id)
        among = {identifier for reference in references for identifier in reference.participants}
        nearest = monitored or next(iter(references), None)
        if nearest is None:
            return Care(patient_id, None, None, ())
        return Care(patient_id, nearest.doctor_id, nearest.institution_id, tuple(among | {nearest.doctor_id}))

    async def _allowed_care(self, session: AsyncSession, actor: Actor, action: Action, patient_id: str) -> Care:
        """Give who takes care of a patient, once the policy lets the actor do `action`."""
        care = await self._care(session, patient_id)
        _require(actor, action, care)
        return care

    async def _monitored(self, session: AsyncSession, patient_id: str, *, lock: bool = False) -> Monitored:
        """Give the row of a patient with devices, locked where alerts may change.

        Raises:
            NotFound: the patient never had one.
        """
        query = select(Monitored).where(Monitored.patient_id == patient_id)
        row = await session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)
        if row is None:
            raise NotFound("这位患者还没有绑定设备。")
        return row

    async def _watched_by(self, session: AsyncSession, actor: Actor, care: Care) -> Monitored:
        """Put a patient under watch; a doctor who does something for them is from then on the one who hears of them.

        Raises:
            IllegalMove: no doctor takes care of the patient.
        """
        is_doctor = Role.GRASSROOTS_DOCTOR in actor.roles and not actor.owns(care.patient_id)
        row = await session.get(Monitored, care.patient_id)
        if row is None:
            if care.doctor_id is None or care.institution_id is None:
                raise IllegalMove(_NO_DOCTOR)
            row = Monitored(
                patient_id=care.patient_id,
                doctor_id=care.doctor_id,
                institution_id=care.institution_id,
                since=self._clock.now(),
            )
            session.add(row)
        if is_doctor and actor.practitioner_id and actor.institution_id:
            row.doctor_id, row.institution_id = actor.practitioner_id, actor.institution_id
        await session.flush()
        return row

    async def _record(self, session: AsyncSession, actor: Actor, action: str, patient_id: str, subject: str) -> None:
        await self._audit.record(session, actor, action, patient_id=patient_id, subject=subject)


def _require(actor: Actor, action: Action, care: Care) -> None:
    require(
        actor,
        action,
        patient_id=care.patient_id,
        participants=care.participants,
        institution_id=care.institution_id,
    )
