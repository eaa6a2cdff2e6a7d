"""Kinds of observations, their units and ranges: complete, consistent, and converted without a loss."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import DataError
from data.observations import (
    Group,
    ObservationKind,
    UnknownUnit,
    dangers,
    dangers_in,
    kinds_named,
    load_dangers,
    load_kinds,
    load_units,
    observation_kinds,
    unit_code,
    units,
)
from nlu.facts import CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.types import Vitals

CONVERTED = [
    (kind, conversion.unit) for kind in observation_kinds().values() for conversion in kind.units
]  # every pair of a kind and another unit that it takes


def test_there_is_a_kind_for_what_a_county_measures() -> None:
    wanted = {"血常规", "尿常规", "肝功能", "肾功能", "电解质", "血脂", "凝血", "甲功"}
    held = {group: [kind for kind in observation_kinds().values() if kind.group is group] for group in Group}
    assert all(held.values())
    assert sum(len(kinds) for kinds in held.values()) >= 100
    assert wanted <= {group.label for group in Group}


@given(st.sampled_from(CONVERTED), st.data())
def test_a_value_comes_back_from_another_unit_as_it_was(pair: tuple[ObservationKind, str], data: st.DataObject) -> None:
    kind, unit = pair
    own = data.draw(st.decimals(kind.lowest, kind.highest, places=kind.decimals))
    back = kind.to_own_unit(kind.from_own_unit(own, unit), unit)
    smallest = Decimal(1).scaleb(-kind.decimals)
    assert abs(back - own) <= smallest / 2, (kind.key, unit, own, back)


@pytest.mark.parametrize(
    ("key", "value", "unit", "own"),
    [
        ("haemoglobin", "13.5", "g/dL", "135"),
        ("creatinine", "1.1", "mg/dL", "97.24"),
        ("glucose", "118", "mg/dl", "6.549879"),
        ("temperature", "101.3", "℉", "38.5"),
        ("systolic", "20", "kPa", "150.0124"),
        ("troponin_i", "40", "ng/L", "0.04"),
        ("haematocrit", "0.42", "L/L", "42"),
    ],
)
def test_units_are_converted_as_the_literature_does(key: str, value: str, unit: str, own: str) -> None:
    assert observation_kinds()[key].to_own_unit(Decimal(value), unit) == Decimal(own)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("10^9/L", "10*9/L"),
        ("×10⁹/L", "10*9/L"),
        ("X10^12/L", "10*12/L"),
        ("10E9/L", "10*9/L"),
        ("µmol/L", "umol/L"),
        ("μmol/l", "umol/L"),
        ("umol／L", "umol/L"),
        ("uIU/mL", "m[IU]/L"),
        ("g/L", "g/L"),
        ("MMOL/L", "mmol/L"),
        ("mm/h", "mm/h"),
        ("公斤", "kg"),
        ("只", None),
    ],
)
def test_a_unit_is_known_however_it_is_written(written: str, code: str | None) -> None:
    assert unit_code(written) == code


def test_a_unit_of_something_else_is_refused() -> None:
    with pytest.raises(UnknownUnit):
        observation_kinds()["glucose"].to_own_unit(Decimal(6), "g/L")


def test_a_name_that_blood_and_urine_share_means_both() -> None:
    assert {kind.key for kind in kinds_named("白细胞")} == {"wbc", "urine_leukocytes"}
    assert [kind.key for kind in kinds_named("γ-谷氨酰转移酶")] == ["ggt"]
    assert [kind.key for kind in kinds_named(" k+ ")] == ["potassium"]
    assert kinds_named("没有这一项") == ()


def test_ranges_differ_by_sex_and_age() -> None:
    haemoglobin = observation_kinds()["haemoglobin"]
    man, woman = haemoglobin.reference("male", 600), haemoglobin.reference("female", 600)
    assert man is not None
    assert woman is not None
    assert (man.low, woman.low) == (Decimal(130), Decimal(115))
    assert haemoglobin.reference("male", 24) is None  # the standard is for grown-ups
    assert haemoglobin.reference("unknown", 600) is None


def test_every_range_lies_within_what_can_be() -> None:
    for kind in observation_kinds().values():
        for one in kind.ranges:
            assert all(kind.is_believable(end) for end in (one.low, one.high) if end is not None), kind.key


def test_every_danger_lies_within_what_can_be_and_outside_the_range_of_the_healthy() -> None:
    for danger in dangers():
        kind = observation_kinds()[danger.kind]
        limit = danger.value_from if danger.value_from is not None else danger.value_below
        assert limit is not None
        assert kind.is_believable(limit)
        for sex in ("male", "female"):
            healthy = kind.reference(sex, 480)
            if healthy is None or danger.age_below_months is not None:
                continue
            for inside in (healthy.low, healthy.high):
                assert inside is None or not danger.holds(inside, 480), (danger.kind, inside)


def test_every_danger_says_what_to_do_and_names_no_disease() -> None:
    for danger in dangers():
        assert re.search("120|医院|医生", danger.advice), danger.advice
        assert not re.search("您得了|诊断|病是", danger.advice), danger.advice


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "systolic": st.integers(50, 260),
            "glucose": st.decimals(1, 40, places=1).map(float),
            "spo2": st.integers(60, 100),
            "heart_rate": st.integers(25, 240),
        },
    ),
    st.sampled_from([None, 6, 30, 100, 300, 900]),
)
def test_whatever_raises_a_red_flag_by_itself_is_a_danger(values: dict[str, float], age: int | None) -> None:
    vitals = Vitals.model_validate(values)
    if not assess_red_flags(CaseFacts(vitals=vitals, age_months=480 if age is None else age)):
        return
    assert dangers_in({key: Decimal(str(value)) for key, value in values.items()}, age)


def test_the_worst_danger_of_a_value_is_told_and_the_most_urgent_first() -> None:
    found = dangers_in({"glucose": Decimal("2.5"), "systolic": Decimal(185), "weight": Decimal(60)}, None)
    assert [(danger.kind, danger.level) for danger in found] == [("glucose", 1), ("systolic", 2)]


def test_a_pregnant_womans_pressure_is_dangerous_earlier() -> None:
    values = {"systolic": Decimal(165)}
    assert dangers_in(values, 360) == ()
    assert [danger.level for danger in dangers_in(values, 360, pregnant=True)] == [1]


@pytest.mark.parametrize("load", [load_units, load_kinds, load_dangers])
def test_a_wrong_file_is_named(load: object, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    for content in ("[]", "{", json.dumps([{"key": "x"}])):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=r"wrong\.json"):
            load(path)  # type: ignore[operator]


def test_a_unit_that_is_nowhere_explained_is_found(tmp_path: Path) -> None:
    path = tmp_path / "kinds.json"
    row = {"key": "mood", "name": "心情", "loinc": "1-1", "group": "vital", "unit": "smile", "lowest": 0, "highest": 9}
    path.write_text(json.dumps([row]), encoding="utf-8")
    with pytest.raises(DataError, match="smile"):
        load_kinds(path)
    assert "smile" not in units()
