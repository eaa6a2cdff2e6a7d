"""The outpatient record: what was told, in the terms of the field, and never a conclusion."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from nlu.conclusions import OutpatientRecord
from nlu.facts import CaseFacts
from nlu.summary import UNKNOWN, summarise
from nlu.types import Status, SymptomMention, Understanding

Understand = Callable[..., Understanding]


def record(understand: Understand, *texts: str) -> OutpatientRecord:
    case = CaseFacts()
    for text in texts:
        case = case.merge(understand(text))
    return summarise(case)


def test_the_chief_complaint_joins_symptoms_and_duration(understand: Understand) -> None:
    assert record(understand, "咳嗽三天了，还发烧").chief_complaint == "咳嗽伴发热3天"


def test_an_inexact_duration_stays_in_the_patients_words(understand: Understand) -> None:
    assert record(understand, "头疼两三天").chief_complaint == "头痛两三天"


def test_the_whole_record(understand: Understand) -> None:
    found = record(
        understand,
        "我妈60岁，昨天晚上开始拉肚子，没有发烧，血压150/95",
        "有糖尿病，吃二甲双胍，没吃别的，对青霉素过敏",
    )
    assert found.personal == "女，60岁，家属代述（病人为其母亲）"
    assert found.chief_complaint == "腹泻1天"
    assert found.present_illness == "昨天晚上起出现腹泻。自测血压150/95mmHg。否认发热。"
    assert found.past_history == "糖尿病"
    assert found.allergy_history == "青霉素过敏"
    assert found.medication == "二甲双胍"


def test_denied_histories_are_written_as_denied_and_unknown_ones_as_unknown(understand: Understand) -> None:
    found = record(understand, "头疼，没有过敏史，没吃药，没有慢性病")
    assert (found.allergy_history, found.medication, found.past_history) == (
        "否认药物及食物过敏",
        "否认用药",
        "否认慢性病史",
    )
    assert summarise(CaseFacts()).allergy_history == UNKNOWN


def test_the_general_symptom_gives_way_to_the_particular(understand: Understand) -> None:
    assert record(understand, "肚子疼，右下腹疼").chief_complaint == "右下腹痛"


def test_a_past_symptom_is_told_as_past(understand: Understand) -> None:
    found = record(understand, "去年胸痛过，今天头晕")
    assert "胸痛" not in found.chief_complaint
    assert "既往曾有胸痛" in found.present_illness


def test_nothing_asked_or_supposed_enters_the_record(understand: Understand) -> None:
    found = record(understand, "头疼，会不会是脑梗", "担心中风")
    assert "脑梗" not in found.as_text()
    assert "中风" not in found.as_text()


SYMPTOMS = [row.name for row in clinical_language().symptoms]


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(SYMPTOMS), st.sampled_from(Status), max_size=8))
def test_every_present_and_denied_symptom_stands_in_the_record_and_no_other(told: dict[str, Status]) -> None:
    mentions = tuple(SymptomMention(name=name, text=name, status=status) for name, status in told.items())
    found = summarise(CaseFacts(symptoms=mentions))
    terms = {row.name: row.record or row.name for row in clinical_language().symptoms}
    for name, status in told.items():
        assert (terms[name] in found.as_text()) or status is Status.UNKNOWN
    denied = found.present_illness.partition("否认")[2]
    for name, status in told.items():
        if status is Status.NEGATIVE:
            assert terms[name] in denied
