"""Charging: the one orchestration of insurance, payment and booking (docs/money.md)."""

from backend.charging.desk import PaymentDown
from backend.charging.ending import Decision
from backend.charging.overview import ChargeDossier, ChargeFilter, ChargeOverview, ChargeSum, ChargeTotals
from backend.charging.reconciliation import ReconciliationService, Report
from backend.charging.reconciliation_records import DifferenceView, RunView
from backend.charging.rules import CANCELLABLE, UNPAID, ChargeState, Reason
from backend.charging.service import ChargingService
from backend.charging.views import ChargeView

__all__ = [
    "CANCELLABLE",
    "UNPAID",
    "ChargeDossier",
    "ChargeFilter",
    "ChargeOverview",
    "ChargeState",
    "ChargeSum",
    "ChargeTotals",
    "ChargeView",
    "ChargingService",
    "Decision",
    "DifferenceView",
    "PaymentDown",
    "Reason",
    "ReconciliationService",
    "Report",
    "RunView",
]
