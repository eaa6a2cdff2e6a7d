"""Figures about consultations: how many, how fast, how well, and what they spared patients."""

from backend.analytics.definitions import Definition, definitions
from backend.analytics.monthly import Month, Part, month_before, month_of
from backend.analytics.reckoning import Renewal
from backend.analytics.rules import Sums
from backend.analytics.service import AnalyticsService, Behind, FactView, Figures, Span

__all__ = [
    "AnalyticsService",
    "Behind",
    "Definition",
    "FactView",
    "Figures",
    "Month",
    "Part",
    "Renewal",
    "Span",
    "Sums",
    "definitions",
    "month_before",
    "month_of",
]
