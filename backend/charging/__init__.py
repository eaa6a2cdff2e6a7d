"""Charging: the one orchestration of insurance, payment and booking (docs/money.md)."""

from backend.charging.desk import PaymentDown
from backend.charging.ending import Decision
from backend.charging.reconciliation import ReconciliationService, Report
from backend.charging.rules import CANCELLABLE, UNPAID, ChargeState, Reason
from backend.charging.service import ChargingService
from backend.charging.views import ChargeView

__all__ = [
    "CANCELLABLE",
    "UNPAID",
    "ChargeState",
    "ChargeView",
    "ChargingService",
    "Decision",
    "PaymentDown",
    "Reason",
    "ReconciliationService",
    "Report",
]
