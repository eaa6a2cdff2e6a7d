"""Tables of the audit log. All only ever grow (`backend.append_only`)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from backend.append_only import append_only
from backend.db import Base, EncryptedText, Id, Sequence, UTCDateTime

_DIGEST = LargeBinary().with_variant(mysql.VARBINARY(32), "mysql")


class AuditEntry(Base):
    """That somebody did something, written in the transaction in which they did it."""

    __tablename__ = "audit_entries"
    # Only the ciphertext of a reason may be replaced, by a rotation of keys: another text there does not verify.
    __table_args__ = (
        Index("ix_audit_entries_patient", "patient_id", "id"),
        Index("ix_audit_entries_actor", "actor_id", "id"),
        {**Base.__table_args__, **append_only(but=("reason",))},
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[str] = mapped_column(Id)
    actor_roles: Mapped[str] = mapped_column(String(96))
    action: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str | None] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(String(96))
    # A reason may quote a person, so it is encrypted; what is hashed is what it says, so that keys can be rotated.
    reason: Mapped[str | None] = mapped_column(EncryptedText("audit_entries.reason"))
    # 32 hexadecimal digits that make every entry another, and its HMAC: who has no key ring can write none.
    nonce: Mapped[str] = mapped_column(Id, unique=True)
    mac: Mapped[bytes] = mapped_column(_DIGEST)


class AuditLeaf(Base):
    """An entry's place in the tree, given by the sequencer after the commit."""

    __tablename__ = "audit_leaves"
    __table_args__ = {**Base.__table_args__, **append_only()}

    position: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("audit_entries.id"), unique=True)
    leaf_hash: Mapped[bytes] = mapped_column(_DIGEST)
    seal: Mapped[bytes] = mapped_column(_DIGEST)


class AuditBlock(Base):
    """The root over a whole block of leaves, so that proofs need not read them."""

    __tablename__ = "audit_blocks"
    __table_args__ = {**Base.__table_args__, **append_only()}

    number: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(_DIGEST)
