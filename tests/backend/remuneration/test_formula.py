"""The formula of pay: nobody gets more than there is, nobody owes for a consultation, and every amount says why."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InvalidInput
from backend.remuneration.rules import Pay, Work, end_of, month_of, next_month, pay, payable, said_month, subsidy
from data.errors import DataError
from data.remuneration import FOLDER, Formula, formula_on, formulas, load_formulas

SHIPPED = formulas()[0]
FEES = st.integers(0, 10**7).map(lambda fen: Decimal(fen) / 100)


def work(**facts: Any) -> Work:
    usual: dict[str, Any] = {
        "fee": Decimal("200.00"),
        "duration": timedelta(minutes=15),
        "urgency": "routine",
        "response": timedelta(minutes=5),
        "stars": 5,
        "has_report": False,
    }
    return Work(**(usual | facts))


@st.composite
def some_formula(draw: st.DrawFn) -> Formula:
    most = draw(st.integers(0, 100))
    share = st.integers(0, 100).map(lambda one: Decimal(one) / 100)
    bands = st.lists(st.tuples(st.integers(1, 1440), share), max_size=4, unique_by=lambda band: band[0])

    def ordered(found: list[tuple[int, Decimal]], falling: bool) -> list[dict[str, Any]]:
        shares = sorted((one for _, one in found), reverse=falling)
        return [
            {"minutes": minutes, "share": one} for minutes, one in zip(sorted(m for m, _ in found), shares, strict=True)
        ]

    return Formula.model_validate(
        {
            "code": "some",
            "name": "某办法",
            "from": "2026-01-01",
            "source": "test",
            "base": Decimal(draw(st.integers(0, most))) / 100,
            "duration": ordered(draw(bands), False),
            "urgency": draw(st.dictionaries(st.sampled_from(["critical", "urgent", "routine"]), share)),
            "report": draw(share),
            "response": ordered(draw(bands), True),
            "rating": draw(st.dictionaries(st.sampled_from(["1", "2", "3", "4", "5"]), share)),
            "most": Decimal(most) / 100,
            "institution": Decimal(draw(st.integers(0, 100 - most))) / 100,
            "subsidy_each": Decimal(draw(st.integers(0, 10_000))) / 100,
            "subsidy_month": Decimal(draw(st.integers(0, 100_000))) / 100,
        }
    )


SPAN = st.none() | st.integers(-3600, 10**6).map(lambda seconds: timedelta(seconds=seconds))
WORKS = st.builds(
    Work,
    fee=FEES,
    duration=SPAN,
    urgency=st.sampled_from(["critical", "urgent", "semi_urgent", "routine"]),
    response=SPAN,
    stars=st.none() | st.integers(1, 5),
    has_report=st.booleans(),
)


@given(WORKS, some_formula())
def test_whatever_the_formula_the_parts_sum_to_the_fee_and_none_is_below_zero(done: Work, formula: Formula) -> None:
    shared = pay(done, formula)
    assert shared.total == done.fee
    assert min(shared.expert, shared.institution, shared.hospital) >= 0
    assert all(part == part.quantize(Decimal("0.01")) for part in (shared.expert, shared.institution))


@given(WORKS, some_formula(), st.integers(0, 600), st.integers(0, 600))
def test_longer_work_never_pays_less_and_a_slower_answer_never_more(
    done: Work, formula: Formula, few: int, more: int
) -> None:
    def share(minutes: int, waited: int) -> Pay:
        spans = {"duration": timedelta(minutes=minutes), "response": timedelta(minutes=waited)}
        return pay(Work(**(vars(done) | spans)), formula)

    low, high = sorted((few, more))
    assert share(low, 5).expert <= share(high, 5).expert
    assert share(10, low).expert >= share(10, high).expert


@given(some_formula(), st.integers(1, 60))
def test_subsidies_of_a_month_never_exceed_their_limit(formula: Formula, consultations: int) -> None:
    already = Decimal("0.00")
    for _ in range(consultations):
        given_now = subsidy(formula, already)
        assert 0 <= given_now <= formula.subsidy_each
        already += given_now
    assert already <= formula.subsidy_month


@given(st.lists(st.integers(-(10**6), 10**6), max_size=12))
def test_what_is_carried_from_month_to_month_is_neither_lost_nor_paid_twice(months: list[int]) -> None:
    paid_out, carried = Decimal(0), Decimal(0)
    for earned in months:
        paid, carried = payable(Decimal(earned), carried)
        assert paid >= 0
        assert carried <= 0
        paid_out += paid
    assert paid_out + carried == sum(months)


def test_every_part_of_a_share_is_said_in_a_line() -> None:
    shared = pay(work(urgency="urgent", has_report=True, response=timedelta(seconds=90)), SHIPPED)
    assert shared.lines == (
        "诊费200元。",
        "基本劳务：50%。",
        "会诊15分钟：3%。",
        "难度（紧急）：6%。",
        "写了影像报告：5%。",
        "2分钟内接受邀请：5%。",
        "患者评了5颗星：5%。",
        "合计74%。",
        "劳务费148元。",
    )
    assert (shared.expert, shared.institution, shared.hospital) == (Decimal(148), Decimal(20), Decimal(32))


def test_more_than_the_most_is_said_and_not_paid() -> None:
    shared = pay(
        work(
            urgency="critical", has_report=True, response=timedelta(seconds=30), duration=timedelta(hours=2), stars=None
        ),
        SHIPPED,
    )
    assert "合计78%，按规定最多75%。" in shared.lines
    assert shared.expert == Decimal("150.00")


def test_what_is_not_known_counts_for_nothing_and_is_said() -> None:
    shared = pay(work(duration=None, response=None, stars=None), SHIPPED)
    assert shared.expert == Decimal("100.00")
    assert {"会诊时长没有记录：0%。", "由平台指派，不算接诊快慢：0%。", "患者还没有评价：0%。"} <= set(shared.lines)


@pytest.mark.parametrize("fee", ["-1.00", "1.005"])
def test_a_fee_that_cannot_be_is_refused(fee: str) -> None:
    with pytest.raises(ValueError, match="fee"):
        pay(work(fee=Decimal(fee)), SHIPPED)


def test_the_formula_of_a_day_is_the_one_that_holds_then(tmp_path: Path) -> None:
    [shipped] = json.loads((FOLDER / "formula.json").read_text())
    old = shipped | {"code": "old", "until": "2026-06-30", "base": "0.40"}
    new = shipped | {"code": "new", "from": "2026-07-01"}
    known = _load(tmp_path, [new, old])
    assert formula_on(date(2026, 6, 30), known).code == "old"
    assert formula_on(date(2026, 7, 1), known).code == "new"
    assert pay(work(), formula_on(date(2026, 3, 1), known)).expert < pay(work(), known[1]).expert
    with pytest.raises(DataError, match="2025-12-31"):
        formula_on(date(2025, 12, 31), known)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"most": "0.95"}, "more than the fee"),
        ({"base": "0.80"}, "more than the most"),
        ({"duration": [{"minutes": 20, "share": "0.05"}, {"minutes": 10, "share": "0.06"}]}, "bands"),
        ({"response": [{"minutes": 2, "share": "0.01"}, {"minutes": 10, "share": "0.05"}]}, "bands"),
        ({"until": "2025-01-01"}, "ends before"),
        ({"rating": {"6": "0.05"}}, "rating"),
        ({"bonus": "1"}, "bonus"),
        ({"base": "-0.1"}, "base"),
    ],
)
def test_a_formula_that_cannot_be_is_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    [shipped] = json.loads((FOLDER / "formula.json").read_text())
    with pytest.raises(DataError, match=complaint):
        _load(tmp_path, [shipped | change])


def test_two_formulas_of_one_day_are_refused(tmp_path: Path) -> None:
    [shipped] = json.loads((FOLDER / "formula.json").read_text())
    with pytest.raises(DataError, match="same day"):
        _load(tmp_path, [shipped, shipped | {"code": "other", "from": "2026-05-01"}])


def test_months_are_those_of_china() -> None:
    end = end_of("2026-12")
    assert end.isoformat() == "2027-01-01T00:00:00+08:00"
    assert month_of(end) == next_month("2026-12") == "2027-01"
    assert month_of(end - timedelta(seconds=1)) == "2026-12"
    assert said_month("2026-02") == "2026年2月"


@pytest.mark.parametrize("month", ["2026-13", "2026", "", "1999-01", "2026-1", "2026-01-01"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(InvalidInput):
        end_of(month)


def _load(folder: Path, rows: list[Any]) -> tuple[Formula, ...]:
    path = folder / "formula.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return load_formulas(path)
