"""Statements as experts and administrators read them; amounts in yuan."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from backend.remuneration.rules import EntryKind, Payee


@dataclass(frozen=True)
class EntryView:
    """One amount: what for, and why, line by line."""

    kind: EntryKind
    consultation_id: str
    consultation_number: str
    amount: Decimal
    formula: str
    lines: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class StatementView:
    """What somebody gets for a month.

    Args:
        closed_at: None while the month runs: everything in it may still change.
        earned: the sum of the entries. carried_in: what earlier months could not be taken back in full, at most zero.
        payable: what is paid out, never below zero. carried_out: what is taken back in a later month, at most zero.
    """

    month: str
    payee: Payee
    payee_id: str
    name: str
    institution_name: str
    entries: tuple[EntryView, ...]
    earned: Decimal
    carried_in: Decimal
    payable: Decimal
    carried_out: Decimal
    closed_at: datetime | None
