"""Finished consultations as a table for research, in which nobody can be found (docs/governance.md)."""

from backend.research.rules import ExportState, Wish
from backend.research.service import ExportView, ResearchExports

__all__ = ["ExportState", "ExportView", "ResearchExports", "Wish"]
