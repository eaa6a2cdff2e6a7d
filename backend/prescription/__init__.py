"""Prescriptions: written by a doctor, checked, signed, reviewed by a pharmacist, and read by the patient after that."""

from backend.prescription.checks import Limits
from backend.prescription.code_picture import draw_code
from backend.prescription.context import VALID_DAYS, read_line, stored_line
from backend.prescription.document import line_text
from backend.prescription.formulary import Formulary, Proposal, ReferenceUnreadable, Said
from backend.prescription.overview import (
    PrescriptionDossier,
    PrescriptionFilter,
    PrescriptionOverview,
    PrescriptionTotals,
)
from backend.prescription.papers import PrescriptionPapers
from backend.prescription.review import BrokenDocument, FindingsLeft
from backend.prescription.rules import (
    PICKUP_DIGITS,
    Finding,
    Line,
    Order,
    Override,
    Prescriber,
    Severity,
    State,
    Step,
    pickup_number_said,
)
from backend.prescription.service import PrescriptionService
from backend.prescription.views import PrescriptionView, QueueItem, TemplateView, Verification
from data.drugs import ROUTES

__all__ = [
    "PICKUP_DIGITS",
    "ROUTES",
    "VALID_DAYS",
    "BrokenDocument",
    "Finding",
    "FindingsLeft",
    "Formulary",
    "Limits",
    "Line",
    "Order",
    "Override",
    "Prescriber",
    "PrescriptionDossier",
    "PrescriptionFilter",
    "PrescriptionOverview",
    "PrescriptionPapers",
    "PrescriptionService",
    "PrescriptionTotals",
    "PrescriptionView",
    "Proposal",
    "QueueItem",
    "ReferenceUnreadable",
    "Said",
    "Severity",
    "State",
    "Step",
    "TemplateView",
    "Verification",
    "draw_code",
    "line_text",
    "pickup_number_said",
    "read_line",
    "stored_line",
]
