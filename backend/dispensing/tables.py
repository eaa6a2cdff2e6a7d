"""Tables of dispensing: what pharmacies have, what patients ordered there, and requests to prescribe once more.

Addresses, telephones and reasons are encrypted; identifiers, codes and times are not.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, PersonalText, UTCDateTime, coded
from backend.dispensing.rules import Method, OrderState


class PharmacyStock(Base):
    """How many packs of a preparation a pharmacy can still promise; what is ordered is taken off at once."""

    __tablename__ = "pharmacy_stock"
    __table_args__ = (Index("ix_pharmacy_stock_preparation", "preparation"), Base.__table_args__)

    pharmacy_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"), primary_key=True)
    preparation: Mapped[str] = mapped_column(String(64), primary_key=True)
    packs: Mapped[int]
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class MedicineOrder(Base):
    """What a patient orders at one pharmacy of one prescription. `placed_by` is the person who did."""

    __tablename__ = "medicine_orders"
    __table_args__ = (
        Index("ix_medicine_orders_pharmacy", "pharmacy_id", "state", "placed_at"),
        Index("ix_medicine_orders_patient", "patient_id", "placed_at"),
        Index("ix_medicine_orders_prescription", "prescription_id", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    prescription_id: Mapped[str] = mapped_column(ForeignKey("prescriptions.id"))
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    patient_id: Mapped[str] = mapped_column(Id)
    pharmacy_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    method: Mapped[Method] = mapped_column(coded(Method))
    state: Mapped[OrderState] = mapped_column(coded(OrderState))
    placed_by: Mapped[str] = mapped_column(Id)
    placed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_by: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    packed_by: Mapped[str | None] = mapped_column(ForeignKey("practitioners.id"))
    packed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(EncryptedText("medicine_orders.reason"), default="")
    carrier: Mapped[str] = mapped_column(EncryptedText("medicine_orders.carrier"), default="")
    tracking_number: Mapped[str] = mapped_column(EncryptedText("medicine_orders.tracking_number"), default="")
    address: Mapped[str] = mapped_column(PersonalText("medicine_orders.address"))
    phone: Mapped[str] = mapped_column(PersonalText("medicine_orders.phone"))

    def owner_id(self, _column: str) -> str:
        """Give whose own this is."""
        return self.patient_id


class LineClaim(Base):
    """That a line of a prescription belongs to one order: its key makes that no line is handed out twice. A line that a
    pharmacy could not hand out is free again: its row goes."""

    __tablename__ = "prescription_line_claims"
    __table_args__ = (Index("ix_prescription_line_claims_order", "order_id"), Base.__table_args__)

    prescription_id: Mapped[str] = mapped_column(ForeignKey("prescriptions.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[str] = mapped_column(ForeignKey("medicine_orders.id"))


class RefillRequest(Base):
    """That a patient asks to be prescribed the same once more. `open_for` is the prescription while nobody has
    answered: unique, so that there is one such request."""

    __tablename__ = "refill_requests"
    __table_args__ = (Index("ix_refill_requests_doctor", "practitioner_id", "answered_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    prescription_id: Mapped[str] = mapped_column(ForeignKey("prescriptions.id"))
    open_for: Mapped[str | None] = mapped_column(Id, unique=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    patient_id: Mapped[str] = mapped_column(Id)
    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    note: Mapped[str] = mapped_column(EncryptedText("refill_requests.note"))
    requested_by: Mapped[str] = mapped_column(Id)
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    agreed: Mapped[bool | None]
    reason: Mapped[str] = mapped_column(EncryptedText("refill_requests.reason"), default="")
