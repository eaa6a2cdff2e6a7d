"""What every use case of prescriptions needs: the rows, the policy's questions, what is known of a patient."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from json import loads
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock, local
from backend.consultation import CaseReference, ConsultationService
from backend.consultation.icd10 import disease_name
from backend.db import Database, key_ring
from backend.errors import Conflict, NotFound
from backend.events import EventBus
from backend.people import PeopleService, PractitionerView
from backend.prescription.formulary import Formulary, Said
from backend.prescription.rules import Finding, Line, Order, Override, Prescriber, State
from backend.prescription.tables import Prescription, SignedVersion
from backend.prescription.views import PrescriptionView
from backend.records.background import Background
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, allowed, require
from backend.signing import SigningService
from backend.timers import Timers

EXPIRY_TIMER = "prescription.expired"

VALID_DAYS = 3
"""A prescription is for the day of its issue; its doctor may state up to three days (处方管理办法 第18条), and here
does, because medicines reach a village the day after."""

NO_SUCH_PRESCRIPTION = "没有找到这张处方。"
_CHANGED_MEANWHILE = "这张处方刚在别的地方改过，请重新打开再改。"
_CHECKED = (State.DRAFT, State.SIGNED)
_GRADES = {
    "主任医师": frozenset({"non_restricted", "restricted", "special"}),
    "副主任医师": frozenset({"non_restricted", "restricted", "special"}),
    "主治医师": frozenset({"non_restricted", "restricted"}),
}
_LEAST_GRADES = frozenset({"non_restricted"})


class Backgrounds(Protocol):
    """What is needed of `backend.records`."""

    async def background(self, actor: Actor, patient_id: str) -> Background:
        """Give what is known of a patient for prescribing; the read is audited."""


class PrescriptionContext:
    """Base of the parts of `PrescriptionService`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
        backgrounds: Backgrounds,
        signing: SigningService,
        formulary: Formulary,
        valid_days: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._timers = timers
        self._audit = audit
        self._people = people
        self._consultations = consultations
        self._backgrounds = backgrounds
        self._signing = signing
        self.formulary = formulary
        self.valid_days = valid_days

    def _today(self) -> date:
        return local(self._clock.now()).date()

    async def _reference(self, consultation_id: str) -> CaseReference:
        reference = await self._consultations.reference(consultation_id)
        if reference is None:
            raise NotFound("没有找到这次会诊。")
        return reference

    async def _row(
        self, session: AsyncSession, actor: Actor, prescription_id: str, action: Action, *, lock: bool = False
    ) -> Prescription:
        """Give a prescription that the actor may do `action` with; who may not know of it finds none.

        A draft is its writer's alone, one that waits for review its pharmacists' too; the patient and the others who
        take part in the care see it from its approval on.
        """
        row = await session.get(Prescription, prescription_id, with_for_update=lock, populate_existing=True)
        if row is None:
            raise NotFound(NO_SUCH_PRESCRIPTION)
        await self._require(actor, action, row)
        if action is Action.PRESCRIPTION_READ and not may_see(actor, row):
            raise NotFound(NO_SUCH_PRESCRIPTION)
        return row

    async def _require(self, actor: Actor, action: Action, row: Prescription) -> None:
        reference = await self._reference(row.consultation_id)
        writes = action in (Action.PRESCRIPTION_WRITE, Action.PRESCRIPTION_REVOKE)
        # Reviewing is for the pharmacists of one institution; of doctors, those of the case's own stand in.
        if Action.PRESCRIPTION_REVIEW is action or _is_reviewer(actor, row):
            institution_id = row.review_institution_id
        else:
            institution_id = reference.institution_id
        require(
            actor,
            action,
            patient_id=reference.patient_id,
            participants=(row.prescriber_id,) if writes else reference.participants,
            institution_id=institution_id,
        )

    async def _background(self, row: Prescription) -> Background:
        return await self._backgrounds.background(SYSTEM, row.patient_id)

    async def _prescriber(self, practitioner_id: str) -> Prescriber:
        return prescriber_of(await self._people.practitioner(practitioner_id))

    async def _found(self, row: Prescription) -> tuple[Finding, ...]:
        if row.state not in _CHECKED or not row.lines:
            return ()
        prescriber = await self._prescriber(row.prescriber_id)
        background = await self._background(row)
        return self.formulary.check(order_of(row), background, prescriber, self._today())

    async def _view(self, session: AsyncSession, row: Prescription) -> PrescriptionView:
        version = await self._version(session, row)
        return _view(row, await self._found(row), await self._said(row), loads(version.document) if version else {})

    async def _said(self, row: Prescription) -> tuple[Said, ...]:
        if row.state is not State.DRAFT or not row.lines:
            return ()
        background, today = await self._background(row), self._today()
        return tuple(self.formulary.said(one, background, today) for one in lines_of(row.lines))

    async def _version(self, session: AsyncSession, row: Prescription) -> SignedVersion | None:
        if row.version == 0:
            return None
        query = select(SignedVersion).where(
            SignedVersion.prescription_id == row.id, SignedVersion.version == row.version
        )
        return await session.scalar(query)

    async def _record(self, session: AsyncSession, actor: Actor, action: str, row: Prescription) -> None:
        await self._audit.record(session, actor, action, patient_id=row.patient_id, subject=f"prescription:{row.id}")

    async def _publish(self, session: AsyncSession, type_: str, row: Prescription, **more: Any) -> None:
        await self._events.publish(
            session,
            type_,
            prescription_id=row.id,
            consultation_id=row.consultation_id,
            patient_id=row.patient_id,
            prescriber_id=row.prescriber_id,
            **more,
        )


def prescriber_of(practitioner: PractitionerView) -> Prescriber:
    """Give the rights of a doctor by their title (抗菌药物临床应用管理办法 第24条)."""
    grades = _GRADES.get(practitioner.title, _LEAST_GRADES)
    return Prescriber(practitioner.id, practitioner.title, grades)


def check_revision(row: Prescription, revision: int | None) -> None:
    """Refuse an edit of something else than is there. Raises Conflict."""
    if revision is not None and revision != row.revision:
        raise Conflict(_CHANGED_MEANWHILE, revision=row.revision)


def pickup_index(number: str) -> str:
    """Give what a prescription is found by when its eight digits are read aloud."""
    return key_ring().blind_index(number, "prescriptions.pickup")


def practitioner_of(actor: Actor) -> str:
    """Give the practitioner that the actor is; the policy has seen that they are one."""
    if actor.practitioner_id is None:
        raise ValueError("nobody but practitioners writes or reviews")
    return actor.practitioner_id


def order_of(row: Prescription) -> Order:
    """Give what a draft asks for."""
    return Order(lines_of(row.lines), tuple(row.diagnoses), row.chronic, row.in_person)


def lines_of(stored: Sequence[dict[str, Any]]) -> tuple[Line, ...]:
    """Give lines as `stored_line` wrote them."""
    return tuple(read_line(one) for one in stored)


def read_line(stored: Mapping[str, Any]) -> Line:
    """Give back what `stored_line` wrote."""
    return Line(**{**stored, "dose": Decimal(stored["dose"])})


def stored_line(line: Line) -> dict[str, Any]:
    """Give a line as a JSON value."""
    return {
        "preparation": line.preparation,
        "dose": f"{line.dose:f}",
        "frequency": line.frequency,
        "route": line.route,
        "days": line.days,
        "note": line.note,
    }


def overrides_of(stored: Sequence[dict[str, Any]]) -> tuple[Override, ...]:
    """Give overrides as `stored_override` wrote them."""
    return tuple(Override(**{**one, "given_at": datetime.fromisoformat(one["given_at"])}) for one in stored)


def stored_override(override: Override) -> dict[str, Any]:
    """Give an override as a JSON value."""
    return {
        "rule": override.rule,
        "subject": override.subject,
        "reason": override.reason,
        "given_at": override.given_at.isoformat(),
    }


def named(diagnoses: Sequence[str]) -> list[tuple[str, str]]:
    """Give diagnoses with their names; the code stands for a name that is not known."""
    return [(code, disease_name(code) or code) for code in diagnoses]


def _is_reviewer(actor: Actor, row: Prescription) -> bool:
    return allowed(actor, Action.PRESCRIPTION_REVIEW, institution_id=row.review_institution_id)


def may_see(actor: Actor, row: Prescription) -> bool:
    """Tell whether the actor, who may read prescriptions of this care, may know of this one yet."""
    if row.approved_at is not None or allowed(actor, Action.PRESCRIPTION_WRITE, participants=(row.prescriber_id,)):
        return True
    if row.state is State.SIGNED and _is_reviewer(actor, row):
        return True
    return actor is SYSTEM


def _view(
    row: Prescription, findings: tuple[Finding, ...], said: tuple[Said, ...], document: dict[str, Any]
) -> PrescriptionView:
    return PrescriptionView(
        id=row.id,
        number=row.number,
        consultation_id=row.consultation_id,
        patient_id=row.patient_id,
        prescriber_id=row.prescriber_id,
        institution_id=row.institution_id,
        state=row.state,
        revision=row.revision,
        version=row.version,
        chronic=row.chronic,
        in_person=row.in_person,
        said=said,
        lines=lines_of(row.lines),
        diagnoses=tuple(row.diagnoses),
        overrides=overrides_of(row.overrides),
        findings=findings,
        document=document,
        updated_at=row.updated_at,
        signed_at=row.signed_at,
        taken_by=row.taken_by,
        reviewer_id=row.reviewer_id,
        approved_at=row.approved_at,
        valid_until=row.valid_until,
        return_reason=row.return_reason,
        revocation_reason=row.revocation_reason,
        code=row.code,
    )
