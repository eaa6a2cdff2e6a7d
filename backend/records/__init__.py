"""What is known of a patient: observations, allergies, medicines, conditions (docs/records.md)."""

from backend.records.background import (
    Allergy,
    Answered,
    Background,
    Condition,
    CurrentMedicine,
    Measured,
    Source,
)
from backend.records.learned import of_vitals
from backend.records.observations import Provenance
from backend.records.rules import NewObservation, Question
from backend.records.service import RecordService
from backend.records.trend import Subject, Trend, subject_of
from backend.records.views import Assessment, Mark, ObservationView, mark

__all__ = [
    "Allergy",
    "Answered",
    "Assessment",
    "Background",
    "Condition",
    "CurrentMedicine",
    "Mark",
    "Measured",
    "NewObservation",
    "ObservationView",
    "Provenance",
    "Question",
    "RecordService",
    "Source",
    "Subject",
    "Trend",
    "mark",
    "of_vitals",
    "subject_of",
]
