"""Figures about consultations: how many, how fast, how well."""

from backend.analytics.rules import Sums
from backend.analytics.service import AnalyticsService, Behind, Figures, Span

__all__ = ["AnalyticsService", "Behind", "Figures", "Span", "Sums"]
