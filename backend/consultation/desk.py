"""What every use case of a consultation needs: finding it, moving it, and writing down what happened."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import rules
from backend.consultation.rules import Status, Step
from backend.consultation.tables import ClinicalRecord, Consultation, Offer, OfferState, TimelineRow
from backend.db import Database
from backend.errors import Conflict, NotFound
from backend.events import EventBus
from backend.files import FileStore
from backend.people import PeopleService
from backend.scheduling import SchedulingService
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, Role, require
from backend.timers import Timers

_CHANGED = "这次会诊刚刚有变化，请重新打开看一下再操作。"
NOBODY: Mapping[str, None] = MappingProxyType({"expert_id": None, "expert_institution_id": None, "assigned_at": None})
"""What a case has of an expert while none has it."""


class CaseDesk:
    """Base of the groups of use cases that make up `ConsultationService`; none of its methods is public."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        scheduling: SchedulingService,
        files: FileStore,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._scheduling = scheduling
        self._files = files

    async def _case(self, session: AsyncSession, consultation_id: str, *, lock: bool = False) -> Consultation:
        """Find a consultation; `lock` keeps others from changing it until the transaction ends."""
        query = select(Consultation).where(Consultation.id == consultation_id)
        if lock:
            # What the turn read earlier may be old by now: read it again under the lock.
            query = query.with_for_update().execution_options(populate_existing=True)
        case: Consultation | None = await session.scalar(query)
        if case is None:
            raise NotFound("没有找到这次会诊。")
        return case

    async def _clinical(self, session: AsyncSession, case: Consultation) -> ClinicalRecord:
        return await session.get_one(ClinicalRecord, case.id)

    async def _name(self, practitioner_id: str) -> str:
        """Give the name of a doctor or expert."""
        return (await self._people.names([practitioner_id]))[practitioner_id]

    def _allow(self, actor: Actor, action: Action, case: Consultation, *others: str) -> None:
        """Ask the policy; `others` take part beside patient, doctor and expert."""
        require(
            actor,
            action,
            patient_id=case.patient_id,
            participants=_participants(case, others),
            institution_id=case.institution_id,
            answering_institution_id=case.expert_institution_id,
        )

    async def _begin(
        self, session: AsyncSession, actor: Actor, consultation_id: str, action: Action, step: Step
    ) -> Consultation:
        """Open a use case that changes a consultation: lock it, ask the policy, see that the step fits its status."""
        case = await self._case(session, consultation_id, lock=True)
        self._allow(actor, action, case)
        rules.check(case.status, step)
        await self._record(session, actor, action, case)
        return case

    async def _begin_reading(
        self, session: AsyncSession, actor: Actor, consultation_id: str, action: Action
    ) -> Consultation:
        """Open a use case that reads; an expert who is asked may read what they are asked about."""
        case = await self._case(session, consultation_id)
        self._allow(actor, action, case, *await self._asked(session, actor, case))
        await self._record(session, actor, action, case)
        return case

    async def _asked(self, session: AsyncSession, actor: Actor, case: Consultation) -> list[str]:
        if actor.practitioner_id is None or case.status is not Status.PENDING:
            return []
        query = select(Offer.expert_id).where(
            Offer.consultation_id == case.id,
            Offer.expert_id == actor.practitioner_id,
            Offer.state.in_([OfferState.OPEN, OfferState.EXPIRED]),
        )
        return list(await session.scalars(query))

    async def _move(
        self, session: AsyncSession, actor: Actor, case: Consultation, step: Step, text: str, **changes: Any
    ) -> datetime:
        """Move the status by compare-and-set, with its line in the timeline; give the moment.

        Raises:
            IllegalMove: the step does not lead anywhere from here.
            Conflict: somebody else moved it meanwhile.
        """
        source, target = case.status, rules.move(case.status, step)
        now = self._clock.now()
        await session.flush()
        moved = await session.execute(
            update(Consultation)
            .where(Consultation.id == case.id, Consultation.status == source)
            .values(status=target, **changes)
        )
        if moved.rowcount != 1:  # type: ignore[attr-defined]  # of an UPDATE
            raise Conflict(_CHANGED)
        await self._note(session, actor, case, step.value, f"{text}（{source.label}→{target.label}）")
        return now

    async def _note(self, session: AsyncSession, actor: Actor, case: Consultation, kind: str, text: str) -> None:
        """Write a line of the timeline: what, and the reason where one was given, but nothing clinical, for patients
        and administrators read it too."""
        session.add(
            TimelineRow(
                consultation_id=case.id,
                at=self._clock.now(),
                actor_id=actor.practitioner_id or actor.person_id,
                actor_role=role_in(actor, case).value,
                kind=kind,
                text=text,
            )
        )

    async def _record(
        self, session: AsyncSession, actor: Actor, action: Action, case: Consultation, reason: str = ""
    ) -> None:
        await self._audit.record(
            session, actor, action, patient_id=case.patient_id, subject=f"consultation:{case.id}", reason=reason
        )

    async def _publish(self, session: AsyncSession, case: Consultation, type_: str, **payload: Any) -> None:
        """Publish what happened, with the identifiers of those whom it concerns."""
        known = {
            "consultation_id": case.id,
            "patient_id": case.patient_id,
            "speaker_id": case.speaker_id,
            "doctor_id": case.doctor_id,
            "expert_id": case.expert_id,
        }
        await self._events.publish(session, type_, **{**known, **payload})


def role_in(actor: Actor, case: Consultation) -> Role:
    """Give the role in which `actor` acts upon `case`; who is none of its people acts as what they are."""
    if actor is SYSTEM or Role.SYSTEM in actor.roles:
        return Role.SYSTEM
    if actor.practitioner_id is not None and actor.practitioner_id == case.expert_id:
        return Role.EXPERT
    if actor.practitioner_id is not None and actor.practitioner_id == case.doctor_id:
        return Role.GRASSROOTS_DOCTOR
    if actor.person_id in own_people(case):
        return Role.PATIENT
    order = (Role.GRASSROOTS_DOCTOR, Role.EXPERT, Role.PHARMACIST, Role.ADMINISTRATOR)
    return next((role for role in order if role in actor.roles), Role.PATIENT)


def own_people(case: Consultation) -> frozenset[str]:
    """Give the persons whose own case it is: the patient, and who speaks for them."""
    return frozenset({case.patient_id, case.speaker_id})


def speaker(role: str, name: str) -> str:
    """Say who did or said something, as the others know them."""
    labels = {Role.SYSTEM: "系统", Role.PATIENT: "患者", Role.ADMINISTRATOR: "管理员"}
    titles = {Role.GRASSROOTS_DOCTOR: "医生", Role.EXPERT: "专家", Role.PHARMACIST: "药师"}
    return labels.get(Role(role)) or f"{name}{titles[Role(role)]}"


def _participants(case: Consultation, others: Collection[str]) -> list[str]:
    return [identifier for identifier in (case.doctor_id, case.expert_id, *others) if identifier]
