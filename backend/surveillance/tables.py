"""Tables of the surveillance: what cases count for, days on which the platform ran, and alarms. They name nobody."""

from datetime import date, datetime

from sqlalchemy import Double, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, UTCDateTime


class SyndromeFact(Base):
    """One case and one syndrome of it; the empty syndrome stands for the case itself, so that each has a row.

    `case_key` is a keyed digest of the consultation's identifier: good for finding the rows of a case again when it is
    counted anew, and for nobody who has the database alone and wants to know whose it is. `day` is that of the opening,
    in Asia/Shanghai.
    """

    __tablename__ = "syndrome_facts"
    __table_args__ = (
        Index("ix_syndrome_facts_syndrome", "syndrome", "day", "area"),
        Base.__table_args__,
    )

    case_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    syndrome: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date]
    area: Mapped[str] = mapped_column(String(64))


class SurveillanceDay(Base):
    """A day on which the platform ran: in how many hours, the last of them, and whether alarms were looked for.

    `due_at` is set when they shall be, and taken away when they were.
    """

    __tablename__ = "surveillance_days"
    __table_args__ = (Index("ix_surveillance_days_due", "due_at"), Base.__table_args__)

    day: Mapped[date] = mapped_column(primary_key=True)
    hours: Mapped[int] = mapped_column(default=0)
    last_hour: Mapped[int] = mapped_column(default=-1)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    assessed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SyndromeAlarm(Base):
    """More cases of a syndrome in a day and an area than is usual; the empty area is the whole county.

    The numbers are those that everybody may see (`publication`): the count lies between `low` and `high`, and `bound`
    is the most that is usual.
    """

    __tablename__ = "syndrome_alarms"
    __table_args__ = (
        UniqueConstraint("day", "syndrome", "area"),
        Index("ix_syndrome_alarms_open", "acknowledged_at", "day"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    day: Mapped[date]
    syndrome: Mapped[str] = mapped_column(String(32))
    area: Mapped[str] = mapped_column(String(64))
    methods: Mapped[str] = mapped_column(String(16))
    low: Mapped[int]
    high: Mapped[int]
    bound: Mapped[float | None] = mapped_column(Double())
    raised_at: Mapped[datetime] = mapped_column(UTCDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    acknowledged_by: Mapped[str] = mapped_column(Id, default="")
    note: Mapped[str] = mapped_column(EncryptedText("syndrome_alarms.note"), default="")
