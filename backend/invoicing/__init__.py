"""Receipts of settled charges, as sealed PDF files (docs/money.md)."""

from backend.invoicing.service import InvoicingService

__all__ = ["InvoicingService"]
