"""Consultations: from the patient's words to the expert's opinion."""

from backend.consultation.calibration import ChangedChoice, Means, Trial
from backend.consultation.content import CaseContent
from backend.consultation.lookup import CaseReference
from backend.consultation.outcomes import CaseOutcome
from backend.consultation.ranking import Criterion
from backend.consultation.rules import Status, Step, Urgency
from backend.consultation.service import ConsultationService
from backend.consultation.steering import CaseFilter, CaseOverview, CasePage, CaseQueue
from backend.consultation.tables import OfferState
from backend.consultation.views import (
    AttachmentView,
    ConsultationSummary,
    ConsultationView,
    MessageView,
    OfferView,
    OpinionView,
    PictureView,
    RatingView,
    ResponseView,
    SupplementView,
    TimelineEntry,
)
from backend.consultation.vitals import VITAL_SIGNS, check_vitals, describe_vitals
from backend.consultation.weights_store import WeightsVersion

__all__ = [
    "VITAL_SIGNS",
    "AttachmentView",
    "CaseContent",
    "CaseFilter",
    "CaseOutcome",
    "CaseOverview",
    "CasePage",
    "CaseQueue",
    "CaseReference",
    "ChangedChoice",
    "ConsultationService",
    "ConsultationSummary",
    "ConsultationView",
    "Criterion",
    "Means",
    "MessageView",
    "OfferState",
    "OfferView",
    "OpinionView",
    "PictureView",
    "RatingView",
    "ResponseView",
    "Status",
    "Step",
    "SupplementView",
    "TimelineEntry",
    "Trial",
    "Urgency",
    "WeightsVersion",
    "check_vitals",
    "describe_vitals",
]
