"""Imaging: DICOM studies from the township centre, stored, checked, linked to consultations or held in quarantine."""

from backend.imaging.compression import Savings
from backend.imaging.delivery import Probe, StoreAddress, StowAddress
from backend.imaging.destinations import DestinationView, Limits
from backend.imaging.dicomfile import TRANSFER_SYNTAXES, valid_uid
from backend.imaging.documents import Reference, StudyBasis
from backend.imaging.forwarding import TransferView
from backend.imaging.intake import Announced
from backend.imaging.keyimages import KeyImageView
from backend.imaging.objects import FolderStore, ObjectStore, SealedObjects
from backend.imaging.overview import RefusalSum, Route, Sent, StudyFilter, StudyOverview
from backend.imaging.photographs import PhotographView
from backend.imaging.reasons import PROCESSING_FAILURE, STATUS, Reason, Unacceptable
from backend.imaging.reasons import WORDS as REASON_WORDS
from backend.imaging.retention import REJECTED_KEPT
from backend.imaging.rules import QUARANTINE_WORDS, Comparison, QuarantineReason, StudyState
from backend.imaging.service import ImagingService
from backend.imaging.spool import Spool, SpoolFailed
from backend.imaging.tables import Purpose
from backend.imaging.teaching_overview import (
    PatientsWord,
    TeachingOverview,
    TeachingPlace,
    TeachingRequest,
    TeachingState,
)
from backend.imaging.texts import PatientData, readable_name
from backend.imaging.transfer_rules import SENTENCES as TRANSFER_SENTENCES
from backend.imaging.transfer_rules import Failure, TransferState
from backend.imaging.upload_rules import UploadState, words_of
from backend.imaging.uploads import BatchView, NewUpload, StoreAway, UploadView
from backend.imaging.views import (
    CaseChoice,
    InstanceView,
    NewToken,
    Outcome,
    SenderView,
    SeriesView,
    StudyView,
    TraitView,
)

__all__ = [
    "PROCESSING_FAILURE",
    "QUARANTINE_WORDS",
    "REASON_WORDS",
    "REJECTED_KEPT",
    "STATUS",
    "TRANSFER_SENTENCES",
    "TRANSFER_SYNTAXES",
    "Announced",
    "BatchView",
    "CaseChoice",
    "Comparison",
    "DestinationView",
    "Failure",
    "FolderStore",
    "ImagingService",
    "InstanceView",
    "KeyImageView",
    "Limits",
    "NewToken",
    "NewUpload",
    "ObjectStore",
    "Outcome",
    "PatientData",
    "PatientsWord",
    "PhotographView",
    "Probe",
    "Purpose",
    "QuarantineReason",
    "Reason",
    "Reference",
    "RefusalSum",
    "Route",
    "Savings",
    "SealedObjects",
    "SenderView",
    "Sent",
    "SeriesView",
    "Spool",
    "SpoolFailed",
    "StoreAddress",
    "StoreAway",
    "StowAddress",
    "StudyBasis",
    "StudyFilter",
    "StudyOverview",
    "StudyState",
    "StudyView",
    "TeachingOverview",
    "TeachingPlace",
    "TeachingRequest",
    "TeachingState",
    "TraitView",
    "TransferState",
    "TransferView",
    "Unacceptable",
    "UploadState",
    "UploadView",
    "readable_name",
    "valid_uid",
    "words_of",
]
