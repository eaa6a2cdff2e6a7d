"""Table of what was changed of a person, so that both versions can be shown: 《个人信息保护法》 article 46."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, Id, PersonalText, UTCDateTime


class Correction(Base):
    """One value of a person before and after it was changed, by whom and when; both empty where there was none.

    `own`: it is the person's own and goes with the rest of that, not with a medical record.
    """

    __tablename__ = "person_corrections"
    __table_args__ = (Index("ix_person_corrections_person", "person_id", "id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    field: Mapped[str] = mapped_column(String(16))
    before: Mapped[str] = mapped_column(PersonalText("person_corrections.before"))
    after: Mapped[str] = mapped_column(PersonalText("person_corrections.after"))
    changed_by: Mapped[str] = mapped_column(Id)
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    own: Mapped[bool]

    def owner_id(self, _column: str) -> str | None:
        """Give whose own this is; nobody's where it belongs to a medical record."""
        return self.person_id if self.own else None
