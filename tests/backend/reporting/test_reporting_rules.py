"""Slips of the pen, and names on a page that everybody may open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reporting.rules import Slip, masked, slips_in


@pytest.mark.parametrize(
    ("findings", "impression", "sex", "slips"),
    [
        pytest.param("右肺上叶结节。", "右肺上叶结节。", "male", [], id="all well"),
        pytest.param("右肺上叶结节。", "左肺上叶结节。", "male", [Slip.OTHER_SIDE], id="the other side"),
        pytest.param("双肺见斑片影。", "左肺炎症。", "male", [], id="both sides were seen"),
        pytest.param("子宫增大。", "子宫肌瘤。", "male", [Slip.OTHER_SEX], id="an organ he does not have"),
        pytest.param("子宫增大。", "子宫肌瘤。", "unknown", [], id="nobody knows the sex"),
        pytest.param("未见前列腺。", "未见异常。", "female", [], id="said to be absent"),
        pytest.param("前列腺增大，膀胱未见异常。", "前列腺增生。", "female", [Slip.OTHER_SEX], id="not the absent one"),
        pytest.param("左右肺野清晰。", "右肺未见异常。", "male", [], id="left and right in one word"),
    ],
)
def test_what_may_be_a_slip(findings: str, impression: str, sex: str, slips: list[Slip]) -> None:
    assert slips_in(findings, impression, sex) == slips


@given(st.text(st.characters(categories=["Lo"]), max_size=12))
def test_a_masked_name_tells_at_most_the_first_and_the_last_character(name: str) -> None:
    shown = masked(name)
    assert len(shown) == max(len(name), 1)
    assert shown[1:-1] == "*" * max(len(name) - 2, 0)
    assert len(name) > 1 or shown == "*"
