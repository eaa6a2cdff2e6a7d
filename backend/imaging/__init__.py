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
from backend.imaging.photographs import PhotographView
from backend.imaging.reasons import PROCESSING_FAILURE, STATUS, Reason, Unacceptable
from backend.imaging.retention import REJECTED_KEPT
from backend.imaging.rules import QuarantineReason, StudyState
from backend.imaging.service import ImagingService
from backend.imaging.spool import Spool, SpoolFailed
from backend.imaging.tables import Purpose
from backend.imaging.texts import PatientData
from backend.imaging.transfer_rules import SENTENCES as TRANSFER_SENTENCES
from backend.imaging.transfer_rules import Failure, TransferState
from backend.imaging.views import InstanceView, NewToken, Outcome, SenderView, SeriesView, StudyView

__all__ = [
    "PROCESSING_FAILURE",
    "REJECTED_KEPT",
    "STATUS",
    "TRANSFER_SENTENCES",
    "TRANSFER_SYNTAXES",
    "Announced",
    "DestinationView",
    "Failure",
    "FolderStore",
    "ImagingService",
    "InstanceView",
    "KeyImageView",
    "Limits",
    "NewToken",
    "ObjectStore",
    "Outcome",
    "PatientData",
    "PhotographView",
    "Probe",
    "Purpose",
    "QuarantineReason",
    "Reason",
    "Reference",
    "Savings",
    "SealedObjects",
    "SenderView",
    "SeriesView",
    "Spool",
    "SpoolFailed",
    "StoreAddress",
    "StowAddress",
    "StudyBasis",
    "StudyState",
    "StudyView",
    "TransferState",
    "TransferView",
    "Unacceptable",
    "valid_uid",
]
