"""Tables of the people, their consents, the institutions and those who practise there."""

from datetime import date, datetime

from sqlalchemy import Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, PersonalText, Sequence, UTCDateTime, coded
from data.consent import ConsentKind

CONTACT_DETAILS = frozenset({"phone", "address", "region"})
"""What of a person no medical record needs: their own for ever."""


class Person(Base):
    """Somebody who uses the platform, whatever channel they came by.

    `record_since`: when the first consultation was opened of them. Until then all this is their own; from then on it
    says whose a medical record is, and is kept as long as that, but for telephone number and address.
    """

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(PersonalText("people.name"))
    sex: Mapped[str] = mapped_column(String(8), default="unknown")
    birth_date: Mapped[str | None] = mapped_column(PersonalText("people.birth_date"))
    phone: Mapped[str | None] = mapped_column(PersonalText("people.phone"))
    phone_index: Mapped[str | None] = mapped_column(String(64), index=True)
    id_number: Mapped[str | None] = mapped_column(PersonalText("people.id_number"))
    id_number_index: Mapped[str | None] = mapped_column(String(64), index=True)
    address: Mapped[str | None] = mapped_column(PersonalText("people.address"))
    region: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    record_since: Mapped[datetime | None] = mapped_column(UTCDateTime)

    def owner_id(self, column: str) -> str | None:
        """Give whose own a value is: nobody's, once it belongs to a medical record."""
        return self.id if self.record_since is None or column in CONTACT_DETAILS else None


class PersonRole(Base):
    """A role that a person has."""

    __tablename__ = "person_roles"

    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(24), primary_key=True)


class Relative(Base):
    """A patient for whom somebody else speaks: a child, a parent, a spouse who does not write themselves."""

    __tablename__ = "relatives"

    speaker_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True, index=True)
    relation: Mapped[str] = mapped_column(String(16))
    added_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Consent(Base):
    """What a person decided about one version of a consent document; the latest decision holds."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_person", "person_id", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[ConsentKind] = mapped_column(coded(ConsentKind))
    version: Mapped[str] = mapped_column(String(16))
    decision: Mapped[str] = mapped_column(String(16))
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Institution(Base):
    """A township health centre, a hospital or a pharmacy; its level and code are those that insurers know it by."""

    __tablename__ = "institutions"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16))
    insurance_code: Mapped[str | None] = mapped_column(String(12), unique=True)
    region: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(128))
    # Degrees in GCJ-02, as WeChat's location messages give them; both or neither.
    latitude: Mapped[float | None] = mapped_column(Double())
    longitude: Mapped[float | None] = mapped_column(Double())


class InstitutionDepartment(Base):
    """A department that an institution has (data/departments.json); one without any has not told of them."""

    __tablename__ = "institution_departments"

    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"), primary_key=True)
    department_code: Mapped[str] = mapped_column(String(48), primary_key=True)


class Practitioner(Base):
    """A grassroots doctor, expert, pharmacist or administrator, known before the person behind them joins in WeChat."""

    __tablename__ = "practitioners"
    __table_args__ = (
        Index("ix_practitioners_search", "role", "active", "department_code"),
        Index("ix_practitioners_institution", "institution_id", "role"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("people.id"), unique=True)
    role: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(EncryptedText("practitioners.name"))
    licence_number: Mapped[str] = mapped_column(EncryptedText("practitioners.licence_number"))
    licence_number_index: Mapped[str] = mapped_column(String(64), unique=True)
    licence_expires_on: Mapped[date | None]
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    department_code: Mapped[str] = mapped_column(String(48))
    title: Mapped[str] = mapped_column(String(24))
    practising_since: Mapped[int]
    on_call: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)


class Expertise(Base):
    """A part of the ICD-10 tree that a practitioner knows well; `first` to `last` as in `rules.icd10_span`."""

    __tablename__ = "practitioner_expertise"
    __table_args__ = (Index("ix_practitioner_expertise_span", "first", "last"), Base.__table_args__)

    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(16))
    first: Mapped[str] = mapped_column(String(12))
    last: Mapped[str] = mapped_column(String(12))


class Invitation(Base):
    """A one-time scene by which the person behind a practitioner joins; only its digest is kept."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    scene_digest: Mapped[str] = mapped_column(String(64), unique=True)
    practitioner_id: Mapped[str] = mapped_column(ForeignKey("practitioners.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    used_by: Mapped[str | None] = mapped_column(ForeignKey("people.id"))
