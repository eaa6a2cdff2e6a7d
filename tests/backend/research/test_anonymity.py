"""Whatever the people are, every class that leaves has k of them, and nobody's diagnosis follows from the rest."""

import io
from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import hypothesis.strategies as st
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from backend.deidentification import Identifiers
from backend.research.anonymity import Column, Demand, Solution, Unreachable, generalise
from backend.research.hierarchies import HIERARCHIES
from backend.research.rules import MadeTable, RefusedTable, SourceCase, Wish
from backend.research.table import make_table
from data.research import research_rules

CODES = ("J18.9", "J20.9", "J45.9", "I10", "I25.1", "E11.9", "")
REGIONS = ("青岚县石桥镇", "青岚县黄坡镇", "桥县柳林乡", "")
FIRST = date(2026, 1, 1)


def case(patient: int, **changes: Any) -> SourceCase:
    values: dict[str, Any] = {
        "patient": patient,
        "opened_on": FIRST,
        "age_months": 12 * 45,
        "sex": "female",
        "region": REGIONS[0],
        "icd10": "J18.9",
        "urgency": "routine",
        "answer_minutes": 5,
        "consultation_minutes": 12,
        "agreed": True,
        "stars": 5,
        "red_flags": 0,
        "symptoms": ("咳嗽",),
        "vitals": {"temperature": 38.5, "height": 201.0},
        "texts": {},
        "known": Identifiers(),
    }
    return SourceCase(**(values | changes))


@st.composite
def populations(draw: st.DrawFn) -> list[SourceCase]:
    """People with one to three cases each, alike or not."""
    people = draw(st.integers(0, 60))
    cases = []
    for patient in range(people):
        sex = draw(st.sampled_from(["male", "female", "unknown"]))
        months = draw(st.none() | st.integers(0, 1200))
        region = draw(st.sampled_from(REGIONS))
        for _ in range(draw(st.integers(1, 3))):
            day = FIRST + timedelta(days=draw(st.integers(0, 500)))
            code = draw(st.sampled_from(CODES))
            cases.append(case(patient, sex=sex, age_months=months, region=region, icd10=code, opened_on=day))
    return cases


def read(made: MadeTable) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(made.content)).to_pylist()
    return rows


@settings(max_examples=15)
@given(populations(), st.integers(2, 7), st.booleans())
def test_every_class_that_leaves_has_k_people_and_no_diagnosis_follows(
    cases: list[SourceCase], k: int, with_months: bool
) -> None:
    made = make_table(cases, Wish(FIRST, FIRST, k, with_months=with_months))
    if isinstance(made, RefusedTable):
        assert "不能导出" in made.sentence
        return
    rows = read(made)
    names = [one.name for one in research_rules().quasi_identifiers if one.name in rows[0]]
    people, diagnoses = defaultdict(set), defaultdict(set)
    for row in rows:
        people[tuple(row[name] for name in names)].add(row["person"])
        diagnoses[tuple(row[name] for name in names if name != "diagnosis")].add(row["diagnosis"])
    assert min(map(len, people.values())) >= k
    assert min(map(len, diagnoses.values())) >= research_rules().different_at_least
    assert made.manifest["smallest_class"] == min(map(len, people.values()))
    assert made.manifest["classes"] == len(people)
    assert len(rows) >= (1 - research_rules().suppressed_at_most) * len(cases)
    assert made.manifest["rows"] == len(rows) == len(cases) - int(str(made.manifest["suppressed_rows"]))


def demand(k: int = 2, share: float = 0.0, different: int = 1) -> Demand:
    return Demand(k, "diagnosis", different, share)


def columns(**levels: list[list[str]]) -> list[Column]:
    return [Column(name, values) for name, values in levels.items()]


def test_nothing_is_made_coarser_than_it_has_to_be() -> None:
    told = columns(sex=[["m", "m", "f", "f"], ["*"] * 4], diagnosis=[["a", "a", "b", "b"], ["*"] * 4])
    found = generalise([0, 1, 2, 3], told, demand())
    assert isinstance(found, Solution)
    assert (found.levels, found.smallest_class, found.classes) == ((0, 0), 2, 2)


def test_who_comes_often_hides_nobody() -> None:
    told = columns(sex=[["m"] * 5, ["*"] * 5], diagnosis=[["a"] * 5, ["*"] * 5])
    assert generalise([0, 0, 0, 0, 1], told, demand(k=3)) == Unreachable(people=2, suppressed=1.0)


def test_a_few_who_are_like_nobody_are_left_out_rather_than_all_made_coarser() -> None:
    told = columns(
        sex=[["m"] * 9 + ["f"], ["*"] * 10],
        diagnosis=[["a"] * 5 + ["b"] * 5, ["*"] * 10],
    )
    found = generalise(range(10), told, demand(k=4, share=0.1))
    assert isinstance(found, Solution)
    assert found.levels == (0, 0)
    assert found.kept.tolist() == [True] * 9 + [False]


def test_who_is_known_by_the_rest_has_one_of_several_diagnoses() -> None:
    told = columns(
        sex=[["m"] * 4 + ["f"] * 4, ["*"] * 8],
        diagnosis=[["a"] * 4 + ["b"] * 4, ["A"] * 8],
    )
    found = generalise(range(8), told, demand(k=4, different=2))
    assert isinstance(found, Solution)
    assert found.levels == (1, 0)  # each sex had one diagnosis alone


def test_too_few_people_are_told_as_what_they_are() -> None:
    made = make_table([case(0), case(1), case(1)], Wish(FIRST, FIRST, 5))
    assert isinstance(made, RefusedTable)
    assert "只有2人，少于要求的5人" in made.sentence


def test_people_who_are_all_different_are_refused_with_the_share_that_is_left() -> None:
    many = [case(number, age_months=12 * (number * 17 % 90), icd10=CODES[number % 6]) for number in range(12)]
    made = make_table(many, Wish(FIRST, FIRST, 12))
    assert isinstance(made, RefusedTable)
    assert made.suppressed == 1.0
    assert "约100%" in made.sentence


def test_dates_of_one_person_move_together_and_away_from_where_they_were() -> None:
    ten = timedelta(days=10)
    cases = [
        case(n, icd10=code, opened_on=FIRST + step)
        for n in range(6)
        for code in ("J18.9", "J20.9")
        for step in (ten * 0, ten)
    ]
    made = make_table(cases, Wish(FIRST, FIRST, 5))
    assert isinstance(made, MadeTable)
    days = defaultdict(set)
    for row in read(made):
        days[row["person"]].add(row["opened_on"])
    assert len(days) == 6
    for told in days.values():
        first, second = sorted(told)
        assert second - first == ten
        assert first != FIRST
    assert len({min(told) for told in days.values()}) > 1


def test_height_and_weight_stay_out_and_with_months_no_day_is_told() -> None:
    cases = [case(n, icd10=code) for n in range(6) for code in ("J18.9", "J20.9")]
    made = make_table(cases, Wish(FIRST, FIRST, 5, with_months=True))
    assert isinstance(made, MadeTable)
    row = read(made)[0]
    assert (row["month"], row["temperature"], row["symptoms"]) == ("2026-01", 38.5, ["咳嗽"])
    assert not {"height", "weight", "opened_on", "chief_complaint"} & set(row)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("age", 12 * 45 + 3, ["45–49岁", "40–49岁", "40–59岁"]),
        ("age", 12 * 93, ["90岁以上", "90岁以上", "60岁以上"]),
        ("age", 4, ["不满6个月", "0–9岁", "0–19岁"]),
        ("age", None, ["不详", "不详", "不详"]),
        ("sex", "female", ["女", "全部"]),
        ("region", "青岚县石桥镇", ["青岚县石桥镇", "青岚县", "全部"]),
        ("region", "湖北省武汉市洪山区关山街道", ["湖北省武汉市洪山区关山街道", "湖北省武汉市洪山区", "全部"]),
        ("region", "仙桃市彭场镇", ["仙桃市彭场镇", "仙桃市", "全部"]),
        ("diagnosis", "j18.9", ["J18", "J09-J18", "J00-J99"]),
        ("diagnosis", "胡写", ["不详", "不详", "不详"]),
        ("month", date(2026, 11, 22), ["2026-11", "2026Q4", "2026"]),
    ],
)
def test_each_hierarchy_gets_coarser_as_it_is_declared(name: str, value: object, told: list[str]) -> None:
    [declared] = [one for one in research_rules().quasi_identifiers if one.name == name]
    assert [HIERARCHIES[name](level, value) for level in declared.levels] == told


def test_what_is_equal_at_a_fine_level_stays_equal_at_a_coarser_one() -> None:
    seen: Counter[str] = Counter()
    for one in research_rules().quasi_identifiers:
        values: list[Any] = {
            "age": [*range(1300), None],
            "sex": ["male", "female", ""],
            "region": [*REGIONS, "仙桃市彭场镇"],
            "diagnosis": list(CODES),
            "month": [FIRST + timedelta(days=day) for day in range(800)],
        }[one.name]
        for fine, coarse in zip(one.levels, one.levels[1:], strict=False):
            above: dict[str, str] = {}
            for value in values:
                told = HIERARCHIES[one.name](coarse, value)
                assert above.setdefault(HIERARCHIES[one.name](fine, value), told) == told, (one.name, fine, value)
            seen[one.name] += 1
    assert seen["age"] == 2
