"""Tables of the audit log. Both only ever grow; triggers of the database refuse everything else."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, MetaData, String, event
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, Sequence, UTCDateTime


class AuditEntry(Base):
    """That somebody did something, written in the transaction in which they did it."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_patient", "patient_id", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    actor_id: Mapped[str] = mapped_column(Id)
    actor_roles: Mapped[str] = mapped_column(String(96))
    action: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str | None] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(String(96))
    # A reason may quote a person, so it is encrypted; the chain covers what it says, so that keys can be rotated.
    reason: Mapped[str | None] = mapped_column(EncryptedText("audit_entries.reason"))


class AuditSeal(Base):
    """An entry's place in the chain: its digest covers the entry and the digest before it."""

    __tablename__ = "audit_seals"

    position: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("audit_entries.id"), unique=True)
    digest: Mapped[str] = mapped_column(String(64))


_FROZEN = {
    "audit_entries": ("id", "at", "actor_id", "actor_roles", "action", "patient_id", "subject"),
    "audit_seals": ("position", "entry_id", "digest"),
}


def protect_audit_log(connection: Connection) -> None:
    """Make the database refuse to change or delete what the audit log holds; harmless where it does already.

    Only the ciphertext of a reason may be replaced, by a rotation of keys: another text there breaks the chain.
    """
    statements = _sqlite_triggers if connection.dialect.name == "sqlite" else _mysql_triggers
    for table, columns in _FROZEN.items():
        for statement in statements(table, columns):
            connection.exec_driver_sql(statement)


def _sqlite_triggers(table: str, columns: tuple[str, ...]) -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
    refuse = "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} WHEN {changed} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} {refuse}",
    ]


def _mysql_triggers(table: str, columns: tuple[str, ...]) -> list[str]:
    changed = " OR ".join(f"NOT (OLD.{column} <=> NEW.{column})" for column in columns)
    refuse = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'append-only'"
    guarded = f"BEGIN IF {changed} THEN {refuse}; END IF; END"
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {guarded}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
    ]


@event.listens_for(Base.metadata, "after_create")
def _after_create(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    protect_audit_log(connection)
