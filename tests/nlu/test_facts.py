"""What is known of a case grows, is corrected and survives storage."""

import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.embedded import EmbeddedProvider
from nlu.facts import FEVER, CaseFacts
from nlu.types import Asked, Context, Sex, Slot, Status, Understanding

Understand = Callable[..., Understanding]


def told(understand: Understand, *texts: str) -> CaseFacts:
    case = CaseFacts()
    for text in texts:
        case = case.merge(understand(text))
    return case


def test_facts_of_several_messages_add_up(understand: Understand) -> None:
    case = told(understand, "咳嗽三天", "体温38.5度", "没有胸痛", "我35岁，女的")
    assert case.present == ("咳嗽", FEVER)
    assert case.absent == ("胸痛",)
    assert (case.temperature, case.age_months, case.sex) == (38.5, 420, Sex.FEMALE)


def test_the_last_statement_wins(understand: Understand) -> None:
    case = told(understand, "没有发烧", "现在发烧了")
    assert case.has(FEVER)
    assert told(understand, "咳嗽", "不咳嗽").status("咳嗽") is Status.NEGATIVE


def test_a_correction_replaces_the_withdrawn_value(understand: Understand) -> None:
    assert told(understand, "体温38度", "不是38度，是39度").temperature == 39.0
    case = told(understand, "头疼三天", "不是头疼，是头晕")
    assert case.present == ("头晕",)


def test_a_question_back_does_not_hide_what_is_known(understand: Understand) -> None:
    assert told(understand, "发烧了", "会不会是发烧引起的").has(FEVER)


def test_a_denied_fever_takes_the_measured_one_back(understand: Understand) -> None:
    case = told(understand, "体温39度", "没有发烧")
    assert (case.temperature, case.has(FEVER)) == (None, False)


def test_a_measured_temperature_makes_a_fever(understand: Understand) -> None:
    assert told(understand, "量了38.2度").has(FEVER)
    assert not told(understand, "体温36.8度").has(FEVER)


def test_naming_a_drug_ends_the_denial_of_drugs(understand: Understand) -> None:
    case = told(understand, "没吃药", "哦对了，吃了布洛芬")
    assert Slot.DRUGS not in case.denies
    assert [drug.name for drug in case.drugs] == ["布洛芬"]


def test_the_past_is_kept_apart_from_the_present(understand: Understand) -> None:
    case = told(understand, "去年胸痛过", "今天咳嗽")
    assert case.present == ("咳嗽",)


def test_a_bare_yes_to_several_symptoms_stays_unclear_until_told(understand: Understand) -> None:
    context = Context(asked=Asked(slot=Slot.SYMPTOM, values=("出冷汗", "疼痛放射")))
    case = CaseFacts().merge(understand("有", context=context), context)
    assert case.unclear == ("出冷汗", "疼痛放射")
    assert case.merge(understand("出冷汗", context=context), context).unclear == ()


def test_the_profile_fills_what_nobody_said(understand: Understand) -> None:
    context = Context(patient_age_months=420, patient_sex=Sex.MALE)
    case = CaseFacts().merge(understand("头疼"), context)
    assert (case.age_months, case.sex) == (420, Sex.MALE)
    assert case.merge(understand("我36岁"), context).age_months == 432


SENTENCES = st.sampled_from(
    [
        "咳嗽三天",
        "没有发烧",
        "体温39度",
        "不是39度，是38度",
        "血压150/95",
        "宝宝两个月",
        "青霉素过敏",
        "没吃药",
        "怀孕三个月",
        "去年胸痛过",
        "头疼得厉害",
        "不知道",
        "有高血压",
    ]
)


@settings(max_examples=60)
@given(st.lists(SENTENCES, max_size=6))
def test_facts_survive_json_and_repetition_changes_nothing(provider: EmbeddedProvider, texts: list[str]) -> None:
    case = CaseFacts()
    for text in texts:
        understanding = provider.understand(text, Context())
        case = case.merge(understanding)
        assert case.merge(understanding) == case
    assert CaseFacts.from_json(json.loads(json.dumps(case.to_json()))) == case
    assert not set(case.present) & set(case.absent)
