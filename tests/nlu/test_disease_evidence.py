"""A doctor reads why a disease is on the list, and what speaks against it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.disease_evidence import explain
from nlu.disease_model import disease_model
from nlu.facts import CaseFacts
from nlu.types import Pregnancy, Sex, Statement, Status, SymptomMention, Vitals
from tests.support.case_facts import cases


def case(*present: str, absent: tuple[str, ...] = (), **more: object) -> CaseFacts:
    symptoms = [SymptomMention(name=name, text=name, status=Status.POSITIVE) for name in present]
    symptoms += [SymptomMention(name=name, text=name, status=Status.NEGATIVE) for name in absent]
    return CaseFacts(symptoms=tuple(symptoms), **more)  # type: ignore[arg-type]


def test_findings_speak_in_the_words_of_a_record() -> None:
    facts = case("发烧", "咳嗽", temperature=39.0, vitals=Vitals(spo2=91))
    supporting, opposing = explain("肺炎", facts)
    assert {"咳嗽", "体温39℃", "血氧91%"} <= set(supporting)
    assert opposing == ()


def test_what_most_patients_have_and_this_one_denies_speaks_against_it() -> None:
    _, opposing = explain("肺炎", case("发烧", absent=("咳嗽", "意识不清")))
    assert "无咳嗽（几乎都有）" in opposing
    assert not any("意识" in words for words in opposing)  # few have it


def test_what_the_disease_does_not_show_speaks_against_it() -> None:
    _, opposing = explain("肺炎", case("咳嗽", "瘙痒"))
    assert "瘙痒少见于此病" in opposing


def test_a_kind_of_a_symptom_supports_what_lists_the_symptom_and_the_reverse() -> None:
    assert "右下腹痛" in explain("阑尾炎", case("右下腹痛"))[0]
    assert not any("下腹痛" in words for words in explain("阑尾炎", case("下腹痛"))[1])


def test_history_age_and_pregnancy_are_named() -> None:
    facts = case("胸痛", age_months=30 * 12, diseases=(Statement(name="高血压", text="高血压"),))
    supporting, opposing = explain("冠心病", facts)
    assert "有高血压史" in supporting
    assert "此年龄少见" in opposing
    pregnant = case("阴道出血", sex=Sex.FEMALE, pregnancy=Pregnancy(status=Status.POSITIVE))
    assert "妊娠" in explain("先兆流产", pregnant)[0]


def test_who_cannot_have_the_disease_is_told_so_first() -> None:
    assert explain("前列腺增生", case("尿频", sex=Sex.FEMALE))[1][0] == "女性不发病"
    assert explain("小儿支气管炎", case("咳嗽", age_months=600))[1][0] == "此年龄不发病"


def test_a_normal_value_speaks_against_a_disease_of_that_value() -> None:
    _, opposing = explain("高血压", case("头晕", age_months=600, vitals=Vitals(systolic=116, diastolic=72)))
    assert "收缩压116mmHg" in opposing


def test_the_rest_has_no_evidence_and_an_unknown_disease_is_refused() -> None:
    assert explain("其他", case("咳嗽")) == ((), ())
    with pytest.raises(KeyError):
        explain("没有这个", case("咳嗽"))


@settings(max_examples=50)
@given(cases(), st.sampled_from(disease_model().diseases))
def test_nothing_speaks_both_for_and_against(facts: CaseFacts, name: str) -> None:
    supporting, opposing = explain(name, facts)
    assert not set(supporting) & set(opposing)
    assert all(words.strip() for words in (*supporting, *opposing))
