"""Vital signs that can be measured pass, slips of the finger come back with a sentence."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation.vitals import VITAL_SIGNS, check_vitals, describe_vitals
from backend.errors import InvalidInput


def test_what_a_doctor_measures_is_kept_and_said_in_one_line() -> None:
    vitals = check_vitals({"systolic": 150, "diastolic": 95, "glucose": 6.5, "glucose_timing": "空腹", "spo2": None})
    assert vitals == {"systolic": 150, "diastolic": 95, "glucose": 6.5, "glucose_timing": "空腹"}
    assert describe_vitals(vitals) == "血压150/95mmHg，空腹血糖6.5mmol/L"


@pytest.mark.parametrize(
    ("vitals", "words"),
    [
        ({"systolic": 15, "diastolic": 95}, "收缩压（高压）15mmHg不太可能"),
        ({"systolic": 95, "diastolic": 150}, "高压要比低压高"),
        ({"temperature": 385}, "体温385℃不太可能"),
        ({"spo2": 101}, "血氧"),
        ({"temperature": "38.5"}, "数字"),
        ({"heart_rate": True}, "数字"),
        ({"mood": 3}, "不认识"),
        ({"glucose": 6.5, "glucose_timing": "昨天"}, "空腹"),
        ({"temperature": float("nan")}, "体温"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(vitals: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_vitals(vitals)
    assert words in refused.value.sentence


@given(st.sampled_from(sorted(VITAL_SIGNS)), st.floats(allow_nan=False, allow_infinity=False))
def test_a_sign_passes_exactly_inside_its_limits(code: str, value: float) -> None:
    sign = VITAL_SIGNS[code]
    if sign.lowest <= value <= sign.highest:
        assert check_vitals({code: value})[code] == round(value, sign.decimals)
    else:
        with pytest.raises(InvalidInput):
            check_vitals({code: value})
