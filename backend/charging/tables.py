"""Tables of charging: charges, what each owes the outside world, and the orders that patients were asked to pay.

Amounts are whole fen. What tells of somebody's insurance is encrypted; identifiers, codes, amounts and times are not.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.charging.rules import ChargeState, OrderState, Reason, StepKind, StepState
from backend.db import Base, EncryptedJSON, EncryptedText, Id, Sequence, UTCDateTime, coded


class Charge(Base):
    """What one booking of a consultation costs. `open_for` is the consultation while this is its charge: unique, so
    that it has one. `expected` is what our own tables say that insurance pays. `visit` is the claim's number towards
    the insurer, for ever. `posting` is the key of the settlement in the ledger, empty where none holds."""

    __tablename__ = "charges"
    __table_args__ = (
        Index("ix_charges_consultation", "consultation_id", "made_at"),
        Index("ix_charges_patient", "patient_id", "made_at"),
        Index("ix_charges_attention", "attention", "made_at"),
        Index("ix_charges_made", "made_at", "id"),
        Index("ix_charges_institution", "institution_id", "made_at", "id"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    open_for: Mapped[str | None] = mapped_column(Id, unique=True)
    patient_id: Mapped[str] = mapped_column(Id)
    expert_id: Mapped[str] = mapped_column(Id)
    institution_id: Mapped[str] = mapped_column(Id)
    state: Mapped[ChargeState] = mapped_column(coded(ChargeState))
    reason: Mapped[Reason] = mapped_column(coded(Reason), default=Reason.NONE)
    attention: Mapped[Reason] = mapped_column(coded(Reason), default=Reason.NONE)
    slot_id: Mapped[str] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    visit: Mapped[str] = mapped_column(Id, unique=True)
    insured: Mapped[bool]
    why_not: Mapped[str] = mapped_column(EncryptedText("charges.why_not"), default="")
    person_number: Mapped[str] = mapped_column(EncryptedText("charges.person_number"), default="")
    fee: Mapped[int] = mapped_column(BigInteger)
    service: Mapped[str] = mapped_column(String(64))
    tariff: Mapped[str] = mapped_column(String(48))
    no_show_fee: Mapped[int] = mapped_column(BigInteger)
    expected: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("charges.expected"))
    quote: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("charges.quote"))
    settled: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("charges.settled"))
    settlement: Mapped[str] = mapped_column(String(64), default="")
    posting: Mapped[str] = mapped_column(String(96), default="")
    kept: Mapped[int] = mapped_column(BigInteger, default=0)
    slow: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ChargeStep(Base):
    """Something that a charge owes the outside world, under a number that never changes: the message's id towards the
    insurer, the out-refund number towards the payment provider.

    `lane` is the insurance, or the order that it is about: steps of one lane are done one after the other. `due_at` is
    empty once nothing is to be done any more; `leased_until` keeps other workers off while one is at it. `silent_since`
    is when it was first asked about without a clear answer after the last one that was clear; `stalled_at` is when a
    person was told that it has been waited for too long.
    """

    __tablename__ = "charge_steps"
    __table_args__ = (
        Index("ix_charge_steps_due", "due_at", "id"),
        Index("ix_charge_steps_charge", "charge_id", "lane", "id"),
        Base.__table_args__,
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    charge_id: Mapped[str] = mapped_column(ForeignKey("charges.id"))
    lane: Mapped[str] = mapped_column(Id)
    kind: Mapped[StepKind] = mapped_column(coded(StepKind))
    number: Mapped[str] = mapped_column(Id, unique=True)
    state: Mapped[StepState] = mapped_column(coded(StepState))
    amount: Mapped[int] = mapped_column(BigInteger, default=0)
    code: Mapped[str] = mapped_column(String(64), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    silent_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stalled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ChargeOrder(Base):
    """What somebody was asked to pay; `number` is ours towards the provider (out_trade_no). `received` is what came."""

    __tablename__ = "charge_orders"
    __table_args__ = (Index("ix_charge_orders_charge", "charge_id", "number"), Base.__table_args__)

    number: Mapped[str] = mapped_column(Id, primary_key=True)
    charge_id: Mapped[str] = mapped_column(ForeignKey("charges.id"))
    payer_id: Mapped[str] = mapped_column(Id)
    amount: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[OrderState] = mapped_column(coded(OrderState))
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    transaction: Mapped[str] = mapped_column(String(64), default="")
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
