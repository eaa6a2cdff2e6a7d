"""Tables of prescriptions: what is being written, every version that was signed, its paper, and templates of lines.

What is clinical or names somebody is encrypted; identifiers, codes and times are not.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedBytes, EncryptedJSON, EncryptedText, Id, UTCDateTime, coded
from backend.prescription.rules import State


class Prescription(Base):
    """A prescription of a consultation. Its lines are those of the draft; what was signed lies in its versions.

    `revision` counts the edits. `version` is of the newest signed version, 0 before the first. Pharmacists of
    `review_institution_id` review it; `taken_by` is the one who has it before them. `code` leads to the verification
    page; `code_index` is what it is found by, and `pickup_index` by the eight digits for the counter.
    """

    __tablename__ = "prescriptions"
    __table_args__ = (
        Index("ix_prescriptions_consultation", "consultation_id", "id"),
        Index("ix_prescriptions_queue", "review_institution_id", "state", "signed_at"),
        Index("ix_prescriptions_patient", "patient_id", "approved_at"),
        Index("ix_prescriptions_created", "created_at", "id"),
        Index("ix_prescriptions_institution", "institution_id", "created_at", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    patient_id: Mapped[str] = mapped_column(Id)
    prescriber_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    state: Mapped[State] = mapped_column(coded(State))
    revision: Mapped[int]
    version: Mapped[int]
    chronic: Mapped[bool]
    in_person: Mapped[bool | None]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(EncryptedJSON("prescriptions.lines"))
    diagnoses: Mapped[list[str]] = mapped_column(EncryptedJSON("prescriptions.diagnoses"))
    overrides: Mapped[list[dict[str, Any]]] = mapped_column(EncryptedJSON("prescriptions.overrides"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    signed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    review_institution_id: Mapped[str | None] = mapped_column(ForeignKey("institutions.id"))
    taken_by: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    taken_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reviewer_id: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    return_reason: Mapped[str] = mapped_column(EncryptedText("prescriptions.return_reason"))
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revocation_reason: Mapped[str] = mapped_column(EncryptedText("prescriptions.revocation_reason"))
    code: Mapped[str | None] = mapped_column(EncryptedText("prescriptions.code"))
    code_index: Mapped[str | None] = mapped_column(String(64), unique=True)
    pickup_index: Mapped[str | None] = mapped_column(String(64), unique=True)


class SignedVersion(Base):
    """What was signed: the canonical document, the doctor's signature of it, and what the pharmacist signed in turn.

    It never changes but for the pharmacist's part, written once: an approval, or who returned it and why. `overridden`
    is how many warnings of the checks it passes over with a reason.
    """

    __tablename__ = "prescription_versions"
    __table_args__ = (UniqueConstraint("prescription_id", "version"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    prescription_id: Mapped[str] = mapped_column(ForeignKey("prescriptions.id"))
    version: Mapped[int]
    document: Mapped[str] = mapped_column(EncryptedText("prescription_versions.document"))
    signature: Mapped[bytes] = mapped_column(EncryptedBytes("prescription_versions.signature"))
    overridden: Mapped[int]
    signed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    approval: Mapped[str | None] = mapped_column(EncryptedText("prescription_versions.approval"))
    countersignature: Mapped[bytes | None] = mapped_column(EncryptedBytes("prescription_versions.countersignature"))
    returned_by: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    returned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    return_reason: Mapped[str] = mapped_column(EncryptedText("prescription_versions.return_reason"))


class PrescriptionPaper(Base):
    """The printed page of an approved prescription.

    `due_at` is the queue: when it is to be made next, and the lease while somebody does; empty once it is there.
    """

    __tablename__ = "prescription_papers"
    __table_args__ = (Index("ix_prescription_papers_due_at", "due_at"), Base.__table_args__)

    prescription_id: Mapped[str] = mapped_column(ForeignKey("prescriptions.id"), primary_key=True)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    pdf: Mapped[bytes | None] = mapped_column(EncryptedBytes("prescription_papers.pdf"))


class PrescriptionTemplate(Base):
    """Lines that a practitioner writes often, under a name of their own."""

    __tablename__ = "prescription_templates"
    __table_args__ = (Index("ix_prescription_templates_owner", "practitioner_id", "id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    name: Mapped[str] = mapped_column(EncryptedText("prescription_templates.name"))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(EncryptedJSON("prescription_templates.lines"))
    chronic: Mapped[bool]
