"""Table of receipts."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from backend.append_only import append_only
from backend.db import Base, EncryptedBytes, EncryptedJSON, Id, UTCDateTime


class InvoiceRow(Base):
    """The receipt of a charge: what it states, and the sealed file that was given out."""

    __tablename__ = "invoices"
    __table_args__ = {**Base.__table_args__, **append_only(but=("document", "pdf"))}  # their keys rotate

    charge_id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    issued_at: Mapped[datetime] = mapped_column(UTCDateTime)
    document: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("invoices.document"))
    pdf: Mapped[bytes] = mapped_column(EncryptedBytes("invoices.pdf"))
