"""Reporting: what the expert writes of a study, signs and amends, and the critical values that cannot wait."""

from backend.reporting.documents import ReportDocuments, ReportedStudy
from backend.reporting.rules import SLIP_SENTENCES, ReportState, Slip
from backend.reporting.service import ReportService, SlipsFound
from backend.reporting.views import CriticalView, ReportView, Verification

__all__ = [
    "SLIP_SENTENCES",
    "CriticalView",
    "ReportDocuments",
    "ReportService",
    "ReportState",
    "ReportView",
    "ReportedStudy",
    "Slip",
    "SlipsFound",
    "Verification",
]
