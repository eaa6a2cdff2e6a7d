"""Who pays what: never below zero, never above fee or cap, the parts are the whole, more fee is never less coverage."""

from datetime import date
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.insurance.coverage import Claim, Fee, Insured, Split, split
from data.errors import DataError
from data.insurance import CoverageTable, coverage_tables, load_coverage, table_for

TABLE = table_for("", date(2026, 11, 22))
YUAN = st.decimals(0, 5000, places=2)
FEES = st.lists(st.builds(Fee, st.just("药"), YUAN, st.sampled_from(["甲", "乙", "丙"])), max_size=6).map(tuple)
TABLES = st.sampled_from(coverage_tables())
CLAIMS = st.builds(
    Claim,
    st.sampled_from(["remote_consultation", "revisit", "medicine"]),
    st.sampled_from(["primary", "secondary", "tertiary"]),
    FEES,
)
INSURED = st.builds(
    Insured,
    st.sampled_from(["employee", "resident", "special", None]),
    deductible_met=YUAN,
    paid_year=YUAN,
    today=FEES,
    account=YUAN,
    use_account=st.booleans(),
)


def consultation(amount: str, level: str = "tertiary") -> Claim:
    return Claim("remote_consultation", level, (Fee("远程会诊", Decimal(amount)),))  # type: ignore[arg-type]


def parts(one: Split) -> tuple[str, str, str, str]:
    return str(one.insurance), str(one.account), str(one.subsidy), str(one.cash)


@given(TABLES, CLAIMS, INSURED)
def test_the_parts_are_the_whole_and_none_is_below_zero_or_above_its_cap(
    table: CoverageTable, claim: Claim, insured: Insured
) -> None:
    found = split(claim, insured, table)
    assert found.total == claim.total
    assert min(found.insurance, found.account, found.subsidy, found.cash) >= 0
    assert found.account <= insured.account
    rule = insured.insurance and table.rule(insured.insurance, claim.service, claim.level)
    if not rule:
        assert found.cash == claim.total
        return
    assert found.insurance <= rule.cap_each
    assert found.insurance <= max(Decimal(0), rule.cap_year - insured.paid_year)
    assert found.insurance <= claim.total


@given(TABLES, CLAIMS, INSURED, YUAN)
def test_more_fee_never_means_less_coverage(
    table: CoverageTable, claim: Claim, insured: Insured, more: Decimal
) -> None:
    larger = Claim(claim.service, claim.level, (*claim.fees, Fee("药", more)))
    assert split(larger, insured, table).insurance >= split(claim, insured, table).insurance


@given(TABLES, INSURED, st.lists(YUAN, min_size=2, max_size=4))
def test_the_order_of_a_days_claims_does_not_matter_where_the_rule_adds_them_up(
    table: CoverageTable, insured: Insured, amounts: list[Decimal]
) -> None:
    sums = set()
    for order in permutations(amounts):
        today: tuple[Fee, ...] = ()
        paid = Decimal(0)
        for amount in order:
            claim = Claim("medicine", "primary", (Fee("药", amount),))
            known = Insured(insured.insurance, insured.deductible_met, insured.paid_year, today)
            paid += split(claim, known, table).insurance
            today = (*today, *claim.fees)
        sums.add(paid)
    assert len(sums) == 1


@pytest.mark.parametrize(
    ("insured", "claim", "expected"),
    [
        (Insured("employee"), consultation("200"), ("140.00", "0.00", "0.00", "60.00")),
        (Insured("employee"), consultation("300"), ("150", "0.00", "0.00", "150.00")),
        (Insured("employee"), consultation("300", "primary"), ("200", "0.00", "0.00", "100.00")),
        (Insured("employee", account=Decimal(50)), consultation("200"), ("140.00", "50", "0.00", "10.00")),
        (Insured("employee", paid_year=Decimal("2950")), consultation("200"), ("50.00", "0.00", "0.00", "150.00")),
        (Insured("special"), consultation("200"), ("160.00", "0.00", "32.00", "8.00")),
        (Insured(None), consultation("200"), ("0.00", "0.00", "0.00", "200.00")),
    ],
)
def test_what_a_consultation_costs(insured: Insured, claim: Claim, expected: tuple[str, ...]) -> None:
    found = split(claim, insured, TABLE)
    assert [Decimal(one) for one in parts(found)] == [Decimal(one) for one in expected]


def test_every_result_is_explained_line_by_line() -> None:
    claim = Claim("medicine", "primary", (Fee("甲药", Decimal(500)), Fee("丙药", Decimal(100), "丙")))
    insured = Insured("employee", deductible_met=Decimal(100), paid_year=Decimal(50), account=Decimal(30))
    found = split(claim, insured, TABLE)
    assert found.lines == (
        "费用一共600元。",
        "其中100元按规定先由个人付，剩下500元可以报销。",
        "起付线：今年还有200元没到，这部分个人付。",
        "报销比例：75%，每次最多600元，一年最多6000元。",
        "今年已经报销了50元。",
        "医保付225元。",
        "个人（家庭）账户付30元。",
        "您要付345元。",
    )


def test_a_fee_with_parts_of_a_fen_or_below_zero_is_a_mistake() -> None:
    for amount in ("0.001", "-1"):
        with pytest.raises(ValueError, match="fee"):
            split(consultation(amount), Insured("employee"), TABLE)


def test_the_narrowest_region_counts_and_a_day_before_all_tables_has_none() -> None:
    assert table_for("江西省青岚县石桥镇", date(2026, 5, 1)).code == "jiangxi-2026"
    assert table_for("青海省", date(2026, 5, 1)).region == ""
    with pytest.raises(DataError):
        table_for("江西省", date(2020, 1, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"rate": "0.70"', '"rate": "1.70"'),
        ('"cap_each": "150"', '"cap_each": "-1"'),
        ('"insurance": "special"', '"insurance": "rich"'),
        ('"region": ""', '"region": "某省"'),
        ('"code": "jiangxi-2026"', '"code": "example-county-2026"'),
        ('"region": "江西省"', '"region": ""'),
        ('"level": "secondary"', '"level": "tertiary"'),
        ('"from": "2026-01-01"', '"from": "soon"'),
    ],
)
def test_a_table_that_is_damaged_is_not_read(tmp_path: Path, old: str, new: str) -> None:
    text = (Path("data/insurance/coverage.json")).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "coverage.json"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError):
        load_coverage(path)
