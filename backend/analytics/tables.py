"""Tables of the figures: a row for each case for which an expert was asked, and their sums by day."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, UTCDateTime


class ConsultationFact(Base):
    """What one case counts for. `day` is that of the asking, in Asia/Shanghai; what is not known yet is NULL, and the
    ways and costs of a case are all known or none.

    Of a completed case, `hospital_id` is where the expert practised then, and `paid_fen` what the patient paid. What it
    spared was reckoned with `parameters` (their code), of which and of the places `reckoned_with` is a digest; both are
    empty where it was not.
    """

    __tablename__ = "consultation_facts"
    __table_args__ = (
        Index("ix_consultation_facts_cell", "day", "institution_id", "department_code"),
        Index("ix_consultation_facts_slow", "answer_seconds", "day", "institution_id", "department_code"),
        Base.__table_args__,
    )

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"), primary_key=True)
    day: Mapped[date]
    institution_id: Mapped[str] = mapped_column(Id)
    department_code: Mapped[str] = mapped_column(String(32))
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    completed: Mapped[bool]
    answer_seconds: Mapped[int | None]
    agreed: Mapped[bool | None]
    stars: Mapped[int | None]
    metres_instead: Mapped[int | None]
    metres_gone: Mapped[int | None]
    fen_instead: Mapped[int | None]
    fen_spent: Mapped[int | None]
    hospital_id: Mapped[str | None] = mapped_column(Id)
    paid_fen: Mapped[int | None]
    parameters: Mapped[str] = mapped_column(String(48), default="")
    reckoned_with: Mapped[str] = mapped_column(String(16), default="")


class DailyFigure(Base):
    """The sums of the facts of a day, an institution and a department; an empty one stands for all of them, so that no
    question has to read finer rows than it asks for. `within_5` counts answers that took five minutes at most, but
    longer than the bucket before it says."""

    __tablename__ = "daily_figures"
    __table_args__ = (Index("ix_daily_figures_department", "department_code", "day"), Base.__table_args__)

    institution_id: Mapped[str] = mapped_column(Id, primary_key=True)
    department_code: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    asked: Mapped[int] = mapped_column(default=0)
    completed: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int] = mapped_column(default=0)
    answer_seconds: Mapped[int] = mapped_column(BigInteger, default=0)
    compared: Mapped[int] = mapped_column(default=0)
    agreed: Mapped[int] = mapped_column(default=0)
    rated: Mapped[int] = mapped_column(default=0)
    satisfied: Mapped[int] = mapped_column(default=0)
    reckoned: Mapped[int] = mapped_column(default=0)
    metres_instead: Mapped[int] = mapped_column(BigInteger, default=0)
    metres_gone: Mapped[int] = mapped_column(BigInteger, default=0)
    fen_instead: Mapped[int] = mapped_column(BigInteger, default=0)
    fen_spent: Mapped[int] = mapped_column(BigInteger, default=0)
    within_1: Mapped[int] = mapped_column(default=0)
    within_2: Mapped[int] = mapped_column(default=0)
    within_3: Mapped[int] = mapped_column(default=0)
    within_5: Mapped[int] = mapped_column(default=0)
    within_10: Mapped[int] = mapped_column(default=0)
    within_15: Mapped[int] = mapped_column(default=0)
    within_20: Mapped[int] = mapped_column(default=0)
    within_30: Mapped[int] = mapped_column(default=0)
    within_60: Mapped[int] = mapped_column(default=0)
    within_120: Mapped[int] = mapped_column(default=0)
    longer: Mapped[int] = mapped_column(default=0)
