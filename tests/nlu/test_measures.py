"""Measured values as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.measures import find_temperatures, find_vitals
from nlu.types import GlucoseTiming, Vitals


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("体温38.5度", 38.5),
        ("三十八度五", 38.5),
        ("38度5", 38.5),
        ("38.5°", 38.5),
        ("38度半", 38.5),
        ("烧到39.2了", 39.2),
        ("体温37", 37.0),
        ("38到39度", 39.0),
        ("三十九度", 39.0),
        ("体温39.5.", 39.5),
        ("38。5度", 38.5),
        ("38点5度", 38.5),
        ("101.3华氏度", 38.5),
        ("102°f", 38.9),
        ("华氏100.4度", 38.0),
    ],
)
def test_a_temperature_is_read(text: str, value: float) -> None:
    assert [found.value for found in find_temperatures(text)][-1:] == [value]


@pytest.mark.parametrize("text", ["近视300度", "今年38岁", "烧了38天", "二度烧伤", "水烧到90度", "没到38度", "37块钱"])
def test_what_is_no_body_temperature_is_left(text: str) -> None:
    assert find_temperatures(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("血压150/95 血糖6.5", Vitals(systolic=150, diastolic=95, glucose=6.5)),
        ("一百五比九十五,血压", Vitals()),
        ("血压一百五比九十五", Vitals(systolic=150, diastolic=95)),
        ("高压150低压95", Vitals(systolic=150, diastolic=95)),
        ("血压160,100", Vitals(systolic=160)),
        ("高压到了180", Vitals(systolic=180)),
        ("空腹血糖6.5", Vitals(glucose=6.5, glucose_timing=GlucoseTiming.FASTING)),
        ("餐后两小时血糖11.2", Vitals(glucose=11.2, glucose_timing=GlucoseTiming.AFTER_MEAL)),
        ("血糖126mg/dl", Vitals(glucose=7.0)),
        ("心率102次,血氧95%", Vitals(heart_rate=102, spo2=95)),
        ("呼吸每分钟30次", Vitals(respiratory_rate=30)),
        ("体重120斤", Vitals(weight=60)),
        ("体重65公斤", Vitals(weight=65)),
        ("血压3000/2000", Vitals()),
        ("血压160 95", Vitals(systolic=160, diastolic=95)),
        ("血压120—80", Vitals(systolic=120, diastolic=80)),
        ("血压150/95/80", Vitals(systolic=150, diastolic=95)),
        ("血压21.3/12.7kpa", Vitals(systolic=160, diastolic=95)),
        ("血压16/10千帕", Vitals(systolic=120, diastolic=75)),
        ("血压从160降到130", Vitals(systolic=130)),
        ("血压上面120下面80", Vitals(systolic=120, diastolic=80)),
        ("血糖5点6", Vitals(glucose=5.6)),
        ("心率偏快,110次/分", Vitals(heart_rate=110)),
        ("我60公斤", Vitals(weight=60)),
        ("宝宝20斤", Vitals(weight=10)),
        ("买了20斤苹果", Vitals()),
        ("体重减轻10斤", Vitals()),
        ("13812345678", Vitals()),
        ("血压95/150", Vitals()),
    ],
)
def test_vital_signs_are_read(text: str, expected: Vitals) -> None:
    assert find_vitals(text)[0] == expected


@given(st.integers(70, 250), st.integers(40, 65))
def test_every_plausible_pressure_is_read_in_any_of_its_forms(upper: int, lower: int) -> None:
    for text in (f"血压{upper}/{lower}", f"高压{upper}低压{lower}", f"血压{upper}比{lower}"):
        vitals = find_vitals(text)[0]
        assert (vitals.systolic, vitals.diastolic) == (upper, lower)
