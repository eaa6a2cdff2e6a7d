"""Tables of signing: whose certificate is which, and the private keys that lie here.

A certificate names a person, so it is encrypted as the keys are; only the local authority's keys are here at all.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedBytes, EncryptedText, Id, UTCDateTime, coded
from backend.signing.rules import Holder


class Certificate(Base):
    """A certificate of X.509, DER. It never changes; it can be revoked once.

    `private_key` is PKCS #8, DER; empty where the key lies with its holder or in a device.
    """

    __tablename__ = "signing_certificates"
    __table_args__ = (Index("ix_signing_certificates_holder", "holder", "practitioner_id"), Base.__table_args__)

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[Holder] = mapped_column(coded(Holder))
    practitioner_id: Mapped[str | None] = mapped_column(Id, ForeignKey("practitioners.id"))
    certificate: Mapped[bytes] = mapped_column(EncryptedBytes("signing_certificates.certificate"))
    private_key: Mapped[bytes | None] = mapped_column(EncryptedBytes("signing_certificates.private_key"))
    not_before: Mapped[datetime] = mapped_column(UTCDateTime)
    not_after: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revocation_reason: Mapped[str] = mapped_column(EncryptedText("signing_certificates.revocation_reason"), default="")
