"""Slips in the names of drugs, diseases, symptoms and examinations."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from nlu.lexicon import Lexicon
from nlu.segment import Segmenter
from nlu.types import Understanding
from nlu.typos import Typos

Understand = Callable[..., Understanding]

LEXICON = Lexicon(clinical_language())
TYPOS = Typos(LEXICON.words, Segmenter(LEXICON.words).is_word)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("吃了阿莫西令", "吃了阿莫西林"),
        ("布洛分两片", "布洛芬两片"),
        ("奥美啦唑", "奥美拉唑"),
        ("蒙拖石散", "蒙脱石散"),
        ("流鼻替", "流鼻涕"),
        ("支气官炎", "支气管炎"),
        ("血长规正常", "血常规正常"),
        ("核磁公振", "核磁共振"),
        ("呼吸困南", "呼吸困难"),
        ("剖妇产", "剖腹产"),
    ],
)
def test_a_slip_is_restored(written: str, meant: str) -> None:
    assert TYPOS.restored(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "感冒要吃什么药",
        "止咳要多喝水",
        "有没有进行过检查",
        "容易惊醒",
        "嗓子感觉有东西",
        "身体免疫力下降",
        "治气管炎",
        "子宫内膜炎",
        "肠息肉炎",
        "撤退性出血",
        "胸口青了一块",
        "眼睛长得一样",
        "肚子大了",
        "宝宝肚子咕咕叫",
        "轻微肠炎",
        "胃",
        "",
    ],
)
def test_what_makes_sense_is_left_alone(text: str) -> None:
    assert TYPOS.restored(text) == text


@pytest.mark.parametrize(
    ("text", "drug"), [("孩子吃了阿莫西令", "阿莫西林"), ("给他喝了点头抱", "头孢"), ("吃阿奇每素", "阿奇霉素")]
)
def test_a_misspelt_drug_is_understood_and_quoted_as_written(understand: Understand, text: str, drug: str) -> None:
    found = understand(text).drugs
    assert [statement.name for statement in found] == [drug]
    assert text[found[0].start : found[0].end] == found[0].text


@pytest.mark.parametrize(
    ("text", "symptom"), [("拉肚仔三天", "腹泻"), ("啦肚子", "腹泻"), ("肚子涨", "腹胀"), ("咳漱", "咳嗽")]
)
def test_a_misspelt_symptom_is_understood(understand: Understand, text: str, symptom: str) -> None:
    assert symptom in [mention.name for mention in understand(text).symptoms]


WORDS = sorted(word for word in LEXICON.words if len(word) > 2)


@settings(max_examples=200)
@given(st.sampled_from(WORDS))
def test_a_right_word_stays_as_it_is(word: str) -> None:
    assert TYPOS.restored(word) == word


@settings(max_examples=200)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from("阿莫西令林头孢克污肚子拉心电途图。，a1 "), max_size=40).map("".join)
)
def test_no_text_changes_its_length(text: str) -> None:
    assert len(TYPOS.restored(text)) == len(text)
