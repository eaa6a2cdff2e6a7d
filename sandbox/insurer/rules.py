"""What the played insurer pays of which fee: its own computation, in whole fen and exact fractions.

A rule is a row of ``coverage.json``; docs/money.md says what its fields mean.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

Rule = Mapping[str, Any]
Fees = tuple[tuple[int, str], ...]
"""Amounts in fen, each with its class: 甲, 乙 or 丙."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who claims: what is used up this year in fen, the fees of earlier claims of today, and what the account holds."""

    deductible_met: int = 0
    paid_year: int = 0
    today: Fees = ()
    account: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """Who pays what, in fen; fund, aid, account and cash sum to the total."""

    total: int
    own_whole: int
    own_first: int
    deductible: int
    fund: int
    aid: int
    account: int
    cash: int


def read_rules() -> list[Rule]:
    """The rules of the played insurer."""
    rules: list[Rule] = json.loads(Path(__file__).with_name("coverage.json").read_text("utf-8"))
    return rules


def rule_for(rules: Iterable[Rule], insurance: str, service: str, level: str) -> Rule | None:
    """The rule that a claim falls under; None where nothing is paid."""
    for rule in rules:
        if rule["insurance"] == insurance and rule["service"] == service and rule["level"] in ("any", level):
            return rule
    return None


def shared(rule: Rule | None, fees: Fees, standing: Standing) -> Shares:
    """Share fees between fund, aid, account and the patient. Without a rule the patient pays everything."""
    total = sum(amount for amount, _ in fees)
    if rule is None:
        return Shares(total, total, 0, 0, 0, 0, 0, total)
    before = standing.today if rule.get("accumulates") == "day" else ()
    everything = before + fees
    counted = _counted(rule, everything) - _counted(rule, before)
    left = max(0, _fen(rule.get("deductible_year", "0")) - standing.deductible_met)
    fund = _fund(rule, everything, left, standing) - _fund(rule, before, left, standing)
    deductible = min(left, _counted(rule, everything)) - min(left, _counted(rule, before))
    aid = min(counted - fund, _nearest((counted - fund) * Fraction(rule.get("subsidy_rate", "0"))))
    rest = total - fund - aid
    account = min(rest, standing.account) if rule.get("account", True) else 0
    whole = sum(amount for amount, grade in fees if grade == "丙")
    return Shares(total, whole, total - counted - whole, deductible, fund, aid, account, rest - account)


def _counted(rule: Rule, fees: Fees) -> int:
    first = rule.get("self_first", {})
    shares = {grade: 1 - Fraction(first.get(grade, "0")) for grade in ("甲", "乙")} | {"丙": Fraction(0)}
    return _nearest(sum((amount * shares[grade] for amount, grade in fees), Fraction(0)))


def _fund(rule: Rule, fees: Fees, deductible_left: int, standing: Standing) -> int:
    covered = max(0, _counted(rule, fees) - deductible_left)
    most = min(_fen(rule["cap_each"]), max(0, _fen(rule["cap_year"]) - standing.paid_year))
    return min(most, _nearest(covered * Fraction(rule["rate"])))


def _fen(yuan: str) -> int:
    return int(Fraction(yuan) * 100)


def _nearest(fen: Fraction) -> int:
    """Whole fen; a half goes up."""
    return (fen + Fraction(1, 2)).__floor__()
