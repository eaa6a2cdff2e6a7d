"""What imaging shows of its tables."""

from dataclasses import dataclass, field
from datetime import datetime

from backend.imaging.dicomfile import Instance
from backend.imaging.rules import Comparison, QuarantineReason, StudyState
from backend.imaging.sealing import SealedObject
from backend.imaging.texts import PatientData


@dataclass(frozen=True)
class Outcome:
    """An instance that is kept; `known` where it was already, the same."""

    instance: Instance
    known: bool


@dataclass(frozen=True)
class StudyView:
    """A study, with whom its headers say that it is of; nothing in it was ever changed by us.

    Args:
        consultation_id, patient_id: what it belongs to, once it is linked.
        instances: all there are; images: those that were sent, without the reports that the platform has added.
        modalities: such as ("CT", "SR"). study_date: YYYYMMDD; study_time: HHMMSS; "" where not sent.
    """

    id: str
    study_uid: str
    state: StudyState
    reason: QuarantineReason | None
    institution_id: str
    consultation_id: str | None
    patient_id: str | None
    patient: PatientData = field(repr=False)
    accession_number: str = field(repr=False)
    description: str = field(repr=False)
    study_date: str
    study_time: str
    modalities: tuple[str, ...]
    series: int
    instances: int
    images: int
    created_at: datetime


@dataclass(frozen=True)
class SeriesView:
    """A series of a study; `instances` is how many it has."""

    series_uid: str
    modality: str
    number: int | None
    description: str = field(repr=False)
    body_part: str
    instances: int


@dataclass(frozen=True)
class InstanceView:
    """An instance, as it is stored, with what opens its object.

    Args:
        rows, columns, frames: zero where it is no image.
    """

    id: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax: str
    number: int | None
    rows: int
    columns: int
    frames: int
    sealed: SealedObject = field(repr=False)


@dataclass(frozen=True)
class SenderView:
    """A machine that may send; `ae_title` and `network` where it sends by C-STORE."""

    id: str
    institution_id: str
    label: str
    arrival: str
    ae_title: str | None
    network: str | None
    active: bool


@dataclass(frozen=True)
class NewToken:
    """A token for DICOMweb. It is shown once and never stored."""

    sender_id: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class TraitView:
    """What the header of a study and a consultation say of the patient's name, sex or birth date; "" where not said."""

    trait: str
    sent: str = field(repr=False)
    known: str = field(repr=False)
    result: Comparison


@dataclass(frozen=True)
class CaseChoice:
    """A consultation to which a study may be assigned."""

    id: str
    number: str
    patient_name: str = field(repr=False)
