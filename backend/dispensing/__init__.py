"""From an approved prescription to the patient's hands: pharmacies, orders, refills (docs/prescription.md)."""

from backend.dispensing.handovers import Handover
from backend.dispensing.overview import OrderOverview
from backend.dispensing.rules import Item, Method, Option, OrderState
from backend.dispensing.service import DispensingService
from backend.dispensing.views import OrderView, Presented, RefillView, StockItem

__all__ = [
    "DispensingService",
    "Handover",
    "Item",
    "Method",
    "Option",
    "OrderOverview",
    "OrderState",
    "OrderView",
    "Presented",
    "RefillView",
    "StockItem",
]
