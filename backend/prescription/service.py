"""The use cases of prescriptions: written, signed, reviewed, read, verified, revoked and ended."""

import base64
import hashlib
from json import loads
from typing import Any

from sqlalchemy import func, select

from backend.clock import Clock
from backend.consultation import CaseReference, ConsultationService
from backend.db import Database
from backend.errors import NotFound
from backend.events import EventBus
from backend.people import PeopleService, masked_name
from backend.prescription.context import EXPIRY_TIMER, NO_SUCH_PRESCRIPTION, VALID_DAYS, Backgrounds, may_see
from backend.prescription.document import line_text, read_moment
from backend.prescription.formulary import Formulary
from backend.prescription.handing import Handing
from backend.prescription.overview import Overseeing
from backend.prescription.review import Review
from backend.prescription.tables import Prescription, SignedVersion
from backend.prescription.views import PrescriptionView, Verification
from backend.prescription.writing import Writing
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor, require
from backend.signing import SigningService
from backend.timers import Timers


class PrescriptionService(Writing, Review, Handing, Overseeing):
    """All use cases of prescriptions.

    Raises (besides what each method names):
        NotFound: no such prescription, or the actor may not know of it. Forbidden: the policy refuses.

    Args:
        valid_days: how many days a prescription can be used, the day of its issue counted (`VALID_DAYS`).
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
        backgrounds: Backgrounds,
        signing: SigningService,
        formulary: Formulary | None = None,
        valid_days: int = VALID_DAYS,
    ) -> None:
        super().__init__(
            database,
            clock,
            events,
            timers,
            audit,
            people,
            consultations,
            backgrounds,
            signing,
            formulary or Formulary(),
            valid_days,
        )
        timers.on(EXPIRY_TIMER, self._on_expiry)

    async def prescription(self, actor: Actor, prescription_id: str) -> PrescriptionView:
        """Give a prescription to those who may know of it; the read is audited."""
        async with self._database.transaction() as session:
            row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_READ)
            await self._record(session, actor, Action.PRESCRIPTION_READ, row)
            return await self._view(session, row)

    async def approved(self, actor: Actor, consultation_id: str) -> int:
        """Give how many prescriptions of a consultation were approved, to those who may read them."""
        await self._readable(actor, consultation_id)
        async with self._database.reading() as session:
            query = select(func.count(Prescription.id)).where(
                Prescription.consultation_id == consultation_id, Prescription.approved_at.is_not(None)
            )
            return await session.scalar(query) or 0

    async def prescriptions_of(self, actor: Actor, consultation_id: str) -> list[PrescriptionView]:
        """Give the prescriptions of a consultation that the actor may know of, the oldest first; audited."""
        async with self._database.transaction() as session:
            reference = await self._readable(actor, consultation_id)
            query = select(Prescription).where(Prescription.consultation_id == consultation_id)
            rows = (await session.scalars(query.order_by(Prescription.id))).all()
            subject = f"consultation:{consultation_id}"
            await self._audit.record(
                session, actor, Action.PRESCRIPTION_READ, patient_id=reference.patient_id, subject=subject
            )
            return [await self._view(session, row) for row in rows if may_see(actor, row)]

    async def _readable(self, actor: Actor, consultation_id: str) -> CaseReference:
        reference = await self._reference(consultation_id)
        require(
            actor,
            Action.PRESCRIPTION_READ,
            patient_id=reference.patient_id,
            participants=reference.participants,
            institution_id=reference.institution_id,
        )
        return reference

    async def verify(self, code: str) -> Verification:
        """Give what a paper with this code should say. Whoever holds the paper may ask; each look is audited.

        Raises:
            NotFound: no prescription has this code.
        """
        async with self._database.transaction() as session:
            row = await self._coded(session, code)
            version = await self._signed_version(session, row)
            if version.approval is None:
                raise ValueError("only what was approved has a code")
            await self._record(session, SYSTEM, "prescription.verify", row)
            document, approval = loads(version.document), loads(version.approval)
            return Verification(
                number=row.number,
                state=row.state,
                genuine=await self._genuine(row, version),
                patient_name=masked_name(document["patient"]["name"]),
                age=document["patient"]["age"],
                sex=document["patient"]["sex"],
                institution=document["institution"],
                lines=tuple(line_text(one) for one in document["lines"]),
                prescriber_name=document["prescriber"]["name"],
                pharmacist_name=approval["pharmacist"]["name"],
                approved_at=read_moment(approval["approved_at"]),
                valid_until=read_moment(approval["valid_until"]),
                changed_at=row.revoked_at,
            )

    async def approval(self, prescription_id: str) -> dict[str, Any]:
        """Give what the pharmacist signed of an approved prescription, for its paper.

        Raises:
            NotFound: there is no such prescription, or it is not approved.
        """
        async with self._database.reading() as session:
            row = await session.get(Prescription, prescription_id)
            version = await self._version(session, row) if row is not None else None
            if version is None or version.approval is None:
                raise NotFound(NO_SUCH_PRESCRIPTION)
            approval: dict[str, Any] = loads(version.approval)
            return approval

    async def genuine(self, prescription_id: str) -> bool:
        """Tell whether both signatures of an approved prescription hold over what is stored."""
        async with self._database.reading() as session:
            row = await session.get(Prescription, prescription_id)
            version = await self._version(session, row) if row is not None else None
            return row is not None and version is not None and await self._genuine(row, version)

    async def _genuine(self, row: Prescription, version: SignedVersion) -> bool:
        """Verify the doctor's signature of the document, the pharmacist's of the approval, and that one covers the
        other; and that each was made by who the documents say."""
        if version.approval is None or version.countersignature is None:
            return False
        document = version.document.encode()
        doctor = await self._signing.verify(document, version.signature)
        pharmacist = await self._signing.verify(version.approval.encode(), version.countersignature)
        approval = loads(version.approval)
        return (
            doctor.holds
            and pharmacist.holds
            and approval["document_sha256"] == hashlib.sha256(document).hexdigest()
            and approval["signature"] == base64.b64encode(version.signature).decode()
            and doctor.practitioner_id == loads(version.document)["prescriber"]["id"] == row.prescriber_id
            and pharmacist.practitioner_id == approval["pharmacist"]["id"] == row.reviewer_id
        )
