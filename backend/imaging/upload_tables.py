"""Tables of uploads: what a doctor's page sends, piece by piece, and what became of the files in it."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, EncryptedText, Id, Sequence, UTCDateTime, coded
from backend.imaging.sealing import SealedObject
from backend.imaging.upload_rules import UploadState


class ImagingUpload(Base):
    """A file, or an archive of files, that somebody sends to a consultation.

    `fingerprint` is the blind index of what the page knows its content by: the same again is the same upload. `batch`
    holds the uploads of one choice together. `received` counts bytes, `position` the entries that are dealt with.
    `due_at` is the queue of those that wait, and the lease of the one who works on it under `claim`; `fault` says why
    it failed, or why it has to wait. `chosen_at` is when somebody last chose it.
    """

    __tablename__ = "imaging_uploads"
    __table_args__ = (
        UniqueConstraint("person_id", "consultation_id", "fingerprint"),
        Index("ix_imaging_uploads_batch", "person_id", "consultation_id", "batch"),
        Index("ix_imaging_uploads_due_at", "due_at"),
        Base.__table_args__,
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultations.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    batch: Mapped[str] = mapped_column(Id)
    fingerprint: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(EncryptedText("imaging_uploads.name"))
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[UploadState] = mapped_column(coded(UploadState))
    fault: Mapped[str | None] = mapped_column(String(24))
    entries: Mapped[int | None]
    position: Mapped[int] = mapped_column(default=0)
    stored: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    claim: Mapped[str | None] = mapped_column(Id)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    chosen_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ImagingUploadPiece(Base):
    """A stretch of an upload's bytes from `start` on, and the object in which it lies."""

    __tablename__ = "imaging_upload_pieces"

    upload_id: Mapped[str] = mapped_column(ForeignKey("imaging_uploads.id"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    object_id: Mapped[str] = mapped_column(Id, unique=True)
    object_key: Mapped[str] = mapped_column(EncryptedText("imaging_upload_pieces.object_key"))


class ImagingUploadFault(Base):
    """A file of an upload that was not taken, and why: a `Reason` or a `Fault`."""

    __tablename__ = "imaging_upload_faults"
    __table_args__ = (Index("ix_imaging_upload_faults_upload", "upload_id", "id"), Base.__table_args__)

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    upload_id: Mapped[str] = mapped_column(ForeignKey("imaging_uploads.id"))
    name: Mapped[str] = mapped_column(EncryptedText("imaging_upload_faults.name"))
    fault: Mapped[str] = mapped_column(String(24))


class ImagingUploadStudy(Base):
    """How many instances of an upload are of a study, which may have been removed since."""

    __tablename__ = "imaging_upload_studies"

    upload_id: Mapped[str] = mapped_column(ForeignKey("imaging_uploads.id"), primary_key=True)
    study_id: Mapped[str] = mapped_column(Id, primary_key=True)
    instances: Mapped[int]


def sealed_piece(row: ImagingUploadPiece) -> SealedObject:
    """Give what opens the object of a piece."""
    return SealedObject(row.object_id, bytes.fromhex(row.object_key), row.size)
