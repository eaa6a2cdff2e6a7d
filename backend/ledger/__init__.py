"""Double entry: every yuan of a fee has a place, and every balance can be proved from its lines (docs/money.md)."""

from backend.ledger.rules import BadPosting, Line
from backend.ledger.service import LedgerService, Posting

__all__ = ["BadPosting", "LedgerService", "Line", "Posting"]
