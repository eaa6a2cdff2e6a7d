"""Two programs that do not know each other, ours and the played insurer's, come to the same amounts."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.insurance.coverage import Claim, Fee, Insured, split
from data.insurance import FOLDER, CoverageTable, coverage_tables
from sandbox.insurer.rules import Fees, Standing, read_rules, rule_for, shared

ROWS = {row["code"]: row["rules"] for row in json.loads((FOLDER / "coverage.json").read_text(encoding="utf-8"))}
FEN = st.one_of(st.integers(0, 500_000), st.integers(0, 300))
FEES = st.lists(st.tuples(FEN, st.sampled_from(["甲", "乙", "丙"])), max_size=5).map(tuple)


def yuan(fen: int) -> Decimal:
    return Decimal(fen) / 100


def ours(fees: Fees) -> tuple[Fee, ...]:
    return tuple(Fee("药", yuan(amount), grade) for amount, grade in fees)  # type: ignore[arg-type]


@settings(max_examples=200)
@given(
    st.sampled_from(coverage_tables()),
    st.sampled_from(["employee", "resident", "special"]),
    st.sampled_from(["remote_consultation", "revisit", "medicine"]),
    st.sampled_from(["primary", "secondary", "tertiary"]),
    FEES,
    FEES,
    FEN,
    FEN,
    FEN,
)
def test_both_share_every_claim_alike(
    table: CoverageTable,
    insurance: Any,
    service: Any,
    level: Any,
    fees: Fees,
    today: Fees,
    deductible: int,
    paid: int,
    account: int,
) -> None:
    insured = Insured(insurance, yuan(deductible), yuan(paid), ours(today), yuan(account))
    mine = split(Claim(service, level, ours(fees)), insured, table)
    rule = rule_for(ROWS[table.code], insurance, service, level)
    theirs = shared(rule, fees, Standing(deductible, paid, today, account))
    parts = (mine.insurance, mine.account, mine.subsidy, mine.cash)
    assert (theirs.fund, theirs.account, theirs.aid, theirs.cash) == tuple(int(part * 100) for part in parts)
    assert theirs.total == theirs.fund + theirs.aid + theirs.account + theirs.cash
    own = (theirs.own_whole, theirs.own_first, theirs.deductible, theirs.total - theirs.own_whole - theirs.own_first)
    assert min(own) >= 0


def test_the_played_insurer_has_the_amounts_of_our_example() -> None:
    example = next(table for table in coverage_tables() if table.region == "")
    theirs = json.loads((Path("sandbox/insurer/coverage.json")).read_text(encoding="utf-8"))
    assert theirs == read_rules() == ROWS[example.code]


@pytest.mark.parametrize("service", ["remote_consultation", "revisit", "medicine"])
def test_a_claim_without_a_rule_is_the_patients(service: str) -> None:
    assert rule_for([], "employee", service, "primary") is None
    assert shared(None, ((12_345, "甲"),), Standing(account=50_000)).cash == 12_345
