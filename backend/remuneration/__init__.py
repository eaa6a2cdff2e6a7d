"""Experts' pay, subsidies of township institutions, monthly statements (docs/money.md)."""

from backend.remuneration.rules import EntryKind, Payee
from backend.remuneration.service import RemunerationService
from backend.remuneration.views import EntryView, StatementView

__all__ = ["EntryKind", "EntryView", "Payee", "RemunerationService", "StatementView"]
