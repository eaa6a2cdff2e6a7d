"""Tables of imaging: who may send, what came, of whom it says that it is, and what was refused.

What names the patient or tells of the illness is encrypted; identifiers of the standard, codes and times are not.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedBytes, EncryptedText, Id, Sequence, UTCDateTime, coded
from backend.imaging.reasons import Reason
from backend.imaging.rules import QuarantineReason, StudyState
from backend.imaging.sealing import SealedObject
from backend.imaging.transfer_rules import Failure, TransferState

UniqueIdentifier = String(64)
"""Type of a column that holds a unique identifier of DICOM (PS3.5, section 9.1)."""


class Arrival(StrEnum):
    """The way by which a machine sends."""

    STOW = "stow"
    C_STORE = "c_store"


class Protocol(StrEnum):
    """How a destination takes instances."""

    STOW = "stow"
    C_STORE = "c_store"


class Purpose(StrEnum):
    """What a destination gets images for."""

    CARE = "care"
    TEACHING = "teaching"  # only de-identified copies, only where somebody asks for it


class ImagingSender(Base):
    """A machine that may send: known by a token over DICOMweb, by its AE title and address over DIMSE."""

    __tablename__ = "imaging_senders"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    label: Mapped[str] = mapped_column(String(64))
    arrival: Mapped[Arrival] = mapped_column(coded(Arrival))
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    ae_title: Mapped[str | None] = mapped_column(String(16), unique=True)
    network: Mapped[str | None] = mapped_column(String(64))
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ImagingStudy(Base):
    """A study as one institution sent it, of one patient as the headers say.

    Where instances of one Study Instance UID say that they are of different people, each person has a row of their own,
    told apart by `variant`: nothing is mixed, and nobody's images are shown as another's.
    """

    __tablename__ = "imaging_studies"
    __table_args__ = (
        UniqueConstraint("study_uid", "variant"),
        Index("ix_imaging_studies_consultation", "consultation_id", "id"),
        Index("ix_imaging_studies_state", "institution_id", "state", "id"),
        Index("ix_imaging_studies_decided", "state", "decided_at"),
        Index("ix_imaging_studies_created", "created_at", "id"),
        Index("ix_imaging_studies_accession", "accession_index"),
        Index("ix_imaging_studies_patient", "patient_index"),
        Index("ix_imaging_studies_identity", "identity_index"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    study_uid: Mapped[str] = mapped_column(UniqueIdentifier)
    variant: Mapped[int]
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    state: Mapped[StudyState] = mapped_column(coded(StudyState))
    reason: Mapped[QuarantineReason | None] = mapped_column(coded(QuarantineReason))
    consultation_id: Mapped[str | None] = mapped_column(ForeignKey("consultations.id"))
    patient_id: Mapped[str | None] = mapped_column(Id)
    # As the headers say; never changed, whatever a person decides.
    dicom_patient_id: Mapped[str] = mapped_column(EncryptedText("imaging_studies.dicom_patient_id"))
    patient_name: Mapped[str] = mapped_column(EncryptedText("imaging_studies.patient_name"))
    patient_sex: Mapped[str] = mapped_column(EncryptedText("imaging_studies.patient_sex"))
    patient_birth_date: Mapped[str] = mapped_column(EncryptedText("imaging_studies.patient_birth_date"))
    accession_number: Mapped[str] = mapped_column(EncryptedText("imaging_studies.accession_number"))
    description: Mapped[str] = mapped_column(EncryptedText("imaging_studies.description"))
    patient_index: Mapped[str | None] = mapped_column(String(64))
    identity_index: Mapped[str | None] = mapped_column(String(64))
    accession_index: Mapped[str | None] = mapped_column(String(64))
    study_date: Mapped[str] = mapped_column(String(8))
    study_time: Mapped[str] = mapped_column(String(14))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # How many instances those concerned were last told of; more than that is news.
    announced: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[str | None] = mapped_column(Id)
    decided_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    decision_reason: Mapped[str | None] = mapped_column(EncryptedText("imaging_studies.decision_reason"))


class ImagingSeries(Base):
    """A series of a study."""

    __tablename__ = "imaging_series"
    __table_args__ = (UniqueConstraint("study_id", "series_uid"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("imaging_studies.id"))
    series_uid: Mapped[str] = mapped_column(UniqueIdentifier)
    modality: Mapped[str] = mapped_column(String(16))
    number: Mapped[int | None]
    description: Mapped[str] = mapped_column(EncryptedText("imaging_series.description"))
    body_part: Mapped[str] = mapped_column(String(16))


class ImagingInstance(Base):
    """One instance, and the object in which it lies.

    `transfer_syntax` and `size` are of the stored file, `received_size` is of the file as it came. `compress_at` is
    the queue of the compression: when it is to be looked at next, empty once it has been.
    """

    __tablename__ = "imaging_instances"
    __table_args__ = (
        Index("ix_imaging_instances_series", "series_id", "number", "id"),
        Index("ix_imaging_instances_study", "study_id"),
        Index("ix_imaging_instances_compress_at", "compress_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    sop_instance_uid: Mapped[str] = mapped_column(UniqueIdentifier, unique=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("imaging_studies.id"))
    series_id: Mapped[str] = mapped_column(ForeignKey("imaging_series.id"))
    sop_class_uid: Mapped[str] = mapped_column(UniqueIdentifier)
    transfer_syntax: Mapped[str] = mapped_column(UniqueIdentifier)
    number: Mapped[int | None]
    rows: Mapped[int]
    columns: Mapped[int]
    frames: Mapped[int]
    header_digest: Mapped[str] = mapped_column(String(64))
    pixel_form: Mapped[str] = mapped_column(UniqueIdentifier)
    pixel_digest: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[str] = mapped_column(Id, unique=True)
    object_key: Mapped[str] = mapped_column(EncryptedText("imaging_instances.object_key"))
    size: Mapped[int] = mapped_column(BigInteger)
    received_size: Mapped[int] = mapped_column(BigInteger)
    sender_id: Mapped[str] = mapped_column(Id)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    compress_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    compress_attempts: Mapped[int] = mapped_column(default=0)


class ImagingHeader(Base):
    """The header of an instance in the DICOM JSON model, compressed; none yet, or none because it is too long.

    Beside its row and not in it, for only viewers want it. The transfer syntax stands in that row alone.
    """

    __tablename__ = "imaging_headers"

    instance_id: Mapped[str] = mapped_column(ForeignKey("imaging_instances.id"), primary_key=True)
    header: Mapped[bytes] = mapped_column(EncryptedBytes("imaging_headers.header"))


class ImagingRefusal(Base):
    """That an instance was not taken: from whom, which, and why. Repeated ones are counted in one row."""

    __tablename__ = "imaging_refusals"
    __table_args__ = (
        UniqueConstraint("sender_id", "sop_instance_uid", "reason"),
        Index("ix_imaging_refusals_institution", "institution_id", "last_at"),
        Base.__table_args__,
    )

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"))
    sender_id: Mapped[str] = mapped_column(Id)
    sop_instance_uid: Mapped[str] = mapped_column(UniqueIdentifier)
    reason: Mapped[Reason] = mapped_column(coded(Reason))
    times: Mapped[int]
    first_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ImagingPatientNumber(Base):
    """Whom an institution's own patient number is known to be, because a person there said so of a study."""

    __tablename__ = "imaging_patient_numbers"

    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"), primary_key=True)
    number_index: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    confirmed_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ImagingDestination(Base):
    """A PACS of an institution, to which studies are forwarded.

    `window_start` and `window_end` are minutes after midnight in China, both empty where it takes instances all day.
    `line_free_at` is the token bucket of the bandwidth limit; `resume_at` is when to knock again after `failures`
    in a row.
    """

    __tablename__ = "imaging_destinations"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institutions.id"), index=True)
    label: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[Purpose] = mapped_column(coded(Purpose))
    protocol: Mapped[Protocol] = mapped_column(coded(Protocol))
    url: Mapped[str] = mapped_column(String(512))
    authorization: Mapped[str] = mapped_column(EncryptedText("imaging_destinations.authorization"))
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int]
    ae_title: Mapped[str] = mapped_column(String(16))
    own_ae_title: Mapped[str] = mapped_column(String(16))
    bytes_per_second: Mapped[int | None]
    window_start: Mapped[int | None]
    window_end: Mapped[int | None]
    active: Mapped[bool]
    failures: Mapped[int] = mapped_column(default=0)
    resume_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    line_free_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ImagingForwarding(Base):
    """That a study goes to a destination. `told` is how many arrived instances people last heard of, `stuck` why it
    does not go on, once they heard of that. Who asked for a copy for teaching, and why, stands in the last two."""

    __tablename__ = "imaging_forwardings"
    __table_args__ = (UniqueConstraint("study_id", "destination_id"), Base.__table_args__)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("imaging_studies.id"))
    destination_id: Mapped[str] = mapped_column(ForeignKey("imaging_destinations.id"))
    told: Mapped[int] = mapped_column(default=0)
    stuck: Mapped[Failure | None] = mapped_column(coded(Failure))
    asked_by: Mapped[str | None] = mapped_column(Id)
    asked_reason: Mapped[str | None] = mapped_column(EncryptedText("imaging_forwardings.asked_reason"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ImagingTransfer(Base):
    """One instance on its way to one destination.

    `due_at` is when it may be sent, and the lease while it is being sent under `claim`. `attempts` counts claims,
    `refusals` what the destination said of this instance.
    """

    __tablename__ = "imaging_transfers"
    __table_args__ = (
        UniqueConstraint("destination_id", "instance_id"),
        Index("ix_imaging_transfers_queue", "destination_id", "state", "attempts", "id"),
        Index("ix_imaging_transfers_forwarding", "forwarding_id", "state"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    forwarding_id: Mapped[str] = mapped_column(ForeignKey("imaging_forwardings.id"))
    destination_id: Mapped[str] = mapped_column(ForeignKey("imaging_destinations.id"))
    instance_id: Mapped[str] = mapped_column(ForeignKey("imaging_instances.id"))
    state: Mapped[TransferState] = mapped_column(coded(TransferState))
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    claim: Mapped[str | None] = mapped_column(Id)
    attempts: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[int] = mapped_column(default=0)
    decode: Mapped[bool] = mapped_column(default=False)
    failure: Mapped[Failure | None] = mapped_column(coded(Failure))
    status: Mapped[int | None]


def sealed_object(row: ImagingInstance) -> SealedObject:
    """Give what opens the object of an instance."""
    return SealedObject(row.object_id, bytes.fromhex(row.object_key), row.size)


def sent_by_machine() -> ColumnElement[bool]:
    """Give what tells the instances that somebody sent from the documents that the platform has put beside them, which
    have no sender."""
    return ImagingInstance.sender_id != ""
