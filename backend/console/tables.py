"""Tables of the console's accounts and sessions. Secrets are hashed, digested or encrypted; names are encrypted."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, UTCDateTime, coded
from backend.security.policy import Role


class ConsoleAccount(Base):
    """Somebody who signs in to the console; without a password until they have used their link.

    `totp_step` is the time step of the last accepted code: neither it nor an earlier one is accepted again.
    """

    __tablename__ = "console_accounts"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(EncryptedText("console_accounts.name"))
    name_index: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[Role] = mapped_column(coded(Role))
    institution_id: Mapped[str | None] = mapped_column(ForeignKey("institutions.id"))
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    totp_secret: Mapped[str | None] = mapped_column(EncryptedText("console_accounts.totp_secret"))
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ConsoleLink(Base):
    """The one link of an account by which its person sets password and second factor; a newer one replaces it."""

    __tablename__ = "console_links"

    account_id: Mapped[str] = mapped_column(ForeignKey("console_accounts.id"), primary_key=True)
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    totp_secret: Mapped[str] = mapped_column(EncryptedText("console_links.totp_secret"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)


class RecoveryCode(Base):
    """A code that stands in for the second factor; its row goes when it is used."""

    __tablename__ = "console_recovery_codes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("console_accounts.id"), index=True)


class SignInAttempts(Base):
    """How often a name was tried in vain, whether or not somebody has it."""

    __tablename__ = "console_sign_in_attempts"
    __table_args__ = (Index("ix_console_sign_in_attempts_last", "last_at"), Base.__table_args__)

    name_index: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    locked_until: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ConsoleSession(Base):
    """That somebody is signed in; its token is known by its digest alone."""

    __tablename__ = "console_sessions"
    __table_args__ = (Index("ix_console_sessions_account", "account_id", "began_at"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("console_accounts.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    began_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    address: Mapped[str] = mapped_column(EncryptedText("console_sessions.address"))
    browser: Mapped[str] = mapped_column(EncryptedText("console_sessions.browser"))
