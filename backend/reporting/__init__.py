"""Reporting: what the expert writes of a study, signs and amends, and the critical values that cannot wait."""

from backend.reporting.rules import SLIP_SENTENCES, ReportState, Slip
from backend.reporting.service import ReportService, SlipsFound
from backend.reporting.views import CriticalView, ReportView, Verification

__all__ = [
    "SLIP_SENTENCES",
    "CriticalView",
    "ReportService",
    "ReportState",
    "ReportView",
    "Slip",
    "SlipsFound",
    "Verification",
]
