"""Reporting: what the expert writes of a study, signs and amends, and the critical values that cannot wait."""

from backend.reporting.critical import CriticalValueService
from backend.reporting.documents import ReportDocuments, ReportedStudy
from backend.reporting.rules import SLIP_SENTENCES, ReportState, Slip, blank_in, blanks_in, fill_blank
from backend.reporting.service import ReportService, SlipsFound
from backend.reporting.templates import critical_findings_for, templates_for
from backend.reporting.views import CriticalView, ReportView, Verification

__all__ = [
    "SLIP_SENTENCES",
    "CriticalValueService",
    "CriticalView",
    "ReportDocuments",
    "ReportService",
    "ReportState",
    "ReportView",
    "ReportedStudy",
    "Slip",
    "SlipsFound",
    "Verification",
    "blank_in",
    "blanks_in",
    "critical_findings_for",
    "fill_blank",
    "templates_for",
]
