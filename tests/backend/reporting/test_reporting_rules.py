"""Slips of the pen, and names on a page that everybody may open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reporting.rules import Slip, blank_in, blanks_in, fill_blank, slips_in
from backend.reporting.templates import critical_findings_for, templates_for


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


@pytest.mark.parametrize(
    ("text", "place", "count"),
    [
        ("双肺清晰。", "", 0),
        ("双肺：____。心影：____。", "双肺：____", 2),
        ("直径__mm", "直径__", 1),
        ("见A_1结节", "", 0),
        ("右侧＿＿＿", "右侧＿＿＿", 1),
    ],
)
def test_what_is_not_filled_in_is_found_with_the_words_before_it(text: str, place: str, count: int) -> None:
    assert (blank_in(text), blanks_in(text)) == (place, count)


@given(st.text(st.characters(exclude_characters="_＿"), max_size=20), st.integers(1, 5))
def test_filling_in_place_after_place_leaves_none_and_keeps_the_words(words: str, count: int) -> None:
    text = "部位：____。" * count
    for _ in range(count):
        text = fill_blank(text, words)
    assert blanks_in(text) == 0
    assert text == f"部位：{words}。" * count


def test_the_skeletons_of_a_study_are_of_its_modality_and_of_the_patients_sex() -> None:
    assert templates_for(["CT", "SR"], "头颅平扫", "male")[0].code == "ct_head"
    assert templates_for(["CT"], "CHEST HRCT", "male")[0].code == "ct_chest"
    assert {one.code for one in templates_for(["CT"], "", "unknown")} > {"ct_pelvis_female", "ct_pelvis_male"}
    assert "ct_pelvis_female" not in {one.code for one in templates_for(["CT"], "盆腔", "male")}
    assert templates_for(["NM"], "", "male") == []


def test_what_cannot_wait_is_what_the_modality_can_show() -> None:
    shown = {one.code for one in critical_findings_for(["DX"])}
    assert "tension_pneumothorax" in shown
    assert "ectopic_pregnancy" not in shown
