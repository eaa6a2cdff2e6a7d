"""Tables of payment: which notifications were taken. Who paid what is the ledger's to know."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UTCDateTime


class PaymentNotificationRow(Base):
    """A notification whose effect is in the same transaction as this row, so that it has it once."""

    __tablename__ = "payment_notifications"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)
