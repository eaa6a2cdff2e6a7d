"""The interview: danger first, nothing twice, nothing known, at most eight questions."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.clinical_language import clinical_language
from data.questions import QuestionRule, questions
from nlu.conditions import evidence
from nlu.embedded import EmbeddedProvider
from nlu.expected_gain import Gain
from nlu.facts import CaseFacts
from nlu.interview import MAX_QUESTIONS, is_answered, next_question
from nlu.types import Question, Sex, Slot, Status, SymptomMention, Understanding
from nlu.wording import OPENING, WHICH, put
from tests.support.interview import ask_all

Understand = Callable[..., Understanding]
SYMPTOMS = sorted(row.name for row in clinical_language().symptoms)
DISEASE_NAMES = sorted({name for row in clinical_language().diseases for name in (row.name, *row.synonyms)})
RULES = {rule.id: rule for rule in questions()}


def ids(asked: list[Question]) -> list[str]:
    """The ids of these questions."""
    return [question.id for question in asked]


def test_without_a_complaint_the_first_question_is_what_is_wrong() -> None:
    question = next_question(CaseFacts(), [])
    assert question is not None
    assert (question.id, question.slot) == (OPENING, Slot.COMPLAINT)


def test_danger_comes_before_everything_else(understand: Understand) -> None:
    question = next_question(CaseFacts().merge(understand("胸口疼")), [])
    assert question is not None
    assert question.values == ("出冷汗", "疼痛放射")
    assert question.danger


def test_a_bare_yes_to_several_is_followed_by_which(understand: Understand) -> None:
    case = CaseFacts().merge(understand("胸口疼"))
    question = next_question(case, [])
    assert question is not None
    case = case.merge(understand("有", context=question.context()), question.context())
    followed = next_question(case, [question.id])
    assert followed is not None
    assert followed.id == WHICH
    assert followed.quick_answers == ("出冷汗", "疼到胳膊或后背", "都有")


def test_what_is_known_is_not_asked(provider: EmbeddedProvider) -> None:
    first = "我妈60岁，咳嗽三天，有黄痰，不喘，胸口不疼，发烧38.5度，没打寒战，没有过敏史，有高血压吃着硝苯地平"
    asked, _ = ask_all(provider, first, lambda question: "不知道")
    assert set(ids(asked)).isdisjoint({"duration", "age_sex", "allergies", "past_history", "fever_temperature"})
    assert not {name for question in asked for name in question.values} & {"咳嗽", "黄痰", "发烧", "喘息", "胸痛"}
    assert len(asked) <= 4


def test_after_a_measured_temperature_nobody_asks_for_fever(provider: EmbeddedProvider) -> None:
    for first in ("我咳嗽，体温39度", "我咳嗽，体温36.5度"):
        asked, _ = ask_all(provider, first, lambda question: "没有")
        assert not any("发烧" in question.values or question.slot is Slot.TEMPERATURE for question in asked)


def test_several_facts_in_one_answer_are_all_taken(provider: EmbeddedProvider) -> None:
    said = iter(["没有，就是流鼻涕，烧到38度5，三天了，以前身体很好"] + ["没有"] * 10)
    asked, case = ask_all(provider, "我咳嗽", lambda question: next(said))
    assert case.has("流鼻涕")
    assert case.temperature == 38.5
    assert case.duration is not None
    assert case.duration.days == 3
    assert not {Slot.DURATION, Slot.TEMPERATURE} & {question.slot for question in asked[1:]}


def test_a_cold_that_somebody_thinks_they_have_is_no_history(provider: EmbeddedProvider) -> None:
    asked, _ = ask_all(provider, "我40岁，女，感冒三天了，咳嗽", lambda question: "没有")
    assert Slot.PAST_HISTORY in {question.slot for question in asked}


def test_allergies_that_nobody_answered_are_not_asked_for_again(provider: EmbeddedProvider) -> None:
    asked, _ = ask_all(provider, "我40岁，男，咳嗽三天", lambda question: "不知道")
    assert "past_history" in ids(asked)
    assert "allergies" not in ids(asked)


def test_allergies_left_out_of_an_answer_are_asked_for(provider: EmbeddedProvider) -> None:
    def answer(question: Question) -> str:
        return "有高血压" if question.id == "past_history" else "没有"

    asked, _ = ask_all(provider, "我40岁，男，咳嗽三天", answer)
    assert ids(asked)[-1] == "allergies"


def test_questions_that_the_caller_still_has_to_put_count(understand: Understand) -> None:
    case = CaseFacts().merge(understand("我35岁，男，咳嗽"))

    def asked(to_come: int) -> int:
        known: list[str] = []
        while question := next_question(case, known, to_come):
            known.append(question.id)
        return len(known)

    assert asked(2) < asked(0)


def test_a_denial_of_one_of_several_is_an_answer_but_not_for_danger() -> None:
    denied = CaseFacts(symptoms=(SymptomMention(name="呕吐", text="", status=Status.NEGATIVE),))
    question = put(RULES["nausea"], CaseFacts(), RULES["nausea"].symptoms)
    assert is_answered(question, denied)
    assert not is_answered(question.model_copy(update={"danger": True}), denied)


def test_the_parent_is_asked_about_the_child(understand: Understand) -> None:
    question = next_question(CaseFacts().merge(understand("宝宝发烧")), [])
    assert question is not None
    assert question.text.startswith("孩子")


def test_women_of_childbearing_age_are_asked_about_pregnancy_and_men_are_not(provider: EmbeddedProvider) -> None:
    woman, _ = ask_all(provider, "女，28岁，肚子疼一天", lambda question: "没有")
    man, _ = ask_all(provider, "男，28岁，肚子疼一天", lambda question: "没有")
    assert any(question.slot is Slot.PREGNANCY for question in woman)
    assert not any(question.slot is Slot.PREGNANCY for question in man)


def test_the_question_with_the_larger_gain_is_put(understand: Understand) -> None:
    def prefers(wanted: str) -> Callable[..., list[Gain]]:
        return lambda _facts, groups: [Gain(float(wanted in group), 0, 0) for group in groups]

    case = CaseFacts().merge(understand("我35岁，男，咳嗽三天"))
    for wanted in ("流鼻涕", "发烧"):
        question = next_question(case, [], gains=prefers(wanted))
        assert question is not None
        assert wanted in question.values


def test_a_question_that_promises_nothing_is_not_put(understand: Understand) -> None:
    case = CaseFacts().merge(understand("我35岁，男，咳嗽三天"))
    question = next_question(case, [], gains=lambda _facts, groups: [Gain(0, 0, 0)] * len(groups))
    assert question is not None
    assert question.slot is Slot.PAST_HISTORY


def applies_to(question: Question, sex: Sex | None, months: int) -> bool:
    """Whether a person of this sex and age can be asked this; written down apart from the limits of the questions."""
    women = {"白带异常", "外阴瘙痒", "月经不调", "月经量多", "痛经", "阴道出血", "胎动减少", "破水", "潮热", "乳房肿块"}
    babies = {"哭闹", "拒奶", "绿便", "流口水"}
    grown_up = {"夜尿多", "记忆力下降", "情绪低落", "焦虑", "胸闷", "心慌", "痛经", "月经不调", "潮热", "白带异常"}
    asked = set(question.values)
    if question.slot is Slot.PREGNANCY and (sex is Sex.MALE or months < 12 * 12 or months > 55 * 12):
        return False
    if months < 6 * 12 and asked & grown_up:
        return False
    return not (sex is Sex.MALE and asked & women) and not (months >= 12 * 12 and asked & babies)


CASES = st.builds(
    lambda present, absent, months, sex: CaseFacts(
        symptoms=tuple(SymptomMention(name=name, text="", status=Status.POSITIVE) for name in present)
        + tuple(SymptomMention(name=name, text="", status=Status.NEGATIVE) for name in absent if name not in present),
        age_months=months,
        sex=sex,
    ),
    present=st.lists(st.sampled_from(SYMPTOMS), min_size=1, max_size=4, unique=True),
    absent=st.lists(st.sampled_from(SYMPTOMS), max_size=4, unique=True),
    months=st.integers(0, 95 * 12),
    sex=st.sampled_from([None, Sex.MALE, Sex.FEMALE]),
)


def open_dangers(case: CaseFacts, asked: list[str]) -> list[str]:
    """The danger questions whose occasion has come and that nothing answers yet."""
    known = {name for id_ in asked for name in RULES[id_].symptoms if id_ in RULES}
    return [
        rule.id
        for rule in RULES.values()
        if rule.stage == "danger"
        and rule.slot == Slot.SYMPTOM
        and rule.id not in asked
        and any(evidence(condition, case) for condition in rule.when)
        and not any(case.has(name) for name in rule.symptoms)
        and any(case.status(name) is None and name not in known for name in rule.symptoms)
    ]


STATUSES = st.lists(st.sampled_from([*Status, None]), min_size=12, max_size=12)


@settings(max_examples=150)
@given(case=CASES, statuses=STATUSES)
def test_any_interview_keeps_the_rules(case: CaseFacts, statuses: list[Status | None]) -> None:
    asked: list[Question] = []
    months, sex = case.age_months or 0, case.sex
    while question := next_question(case, ids(asked)):
        assert question.id not in ids(asked)
        before = {name for earlier in asked for name in earlier.values}
        if question.slot is Slot.SYMPTOM:
            open_names = {name for name in question.values if case.status(name) is None}
            assert open_names - before, "names nothing that is open"
            if not question.danger:
                assert open_names == set(question.values), "asks what is known"
                assert not before & set(question.values), "asks twice"
        dangers = sum(earlier.danger for earlier in asked)
        assert question.danger or dangers >= 2 or not open_dangers(case, ids(asked)), "danger comes late"
        assert question.why
        assert applies_to(question, sex, months), question.text
        status = statuses[len(asked) % len(statuses)]
        if question.slot is Slot.SYMPTOM and status is not None:
            told = tuple(SymptomMention(name=name, text="", status=status) for name in question.values)
            kept = tuple(mention for mention in case.symptoms if mention.name not in question.values)
            case = case.model_copy(update={"symptoms": (*kept, *told)})
        asked.append(question)
        assert len(asked) <= MAX_QUESTIONS


COMPLAINTS = st.sampled_from(
    ["咳嗽", "发烧", "胸口疼", "肚子疼", "头晕", "拉肚子", "孩子发烧", "腰疼", "皮肤痒", "心情不好", "有高血压", "你好"]
)  # fmt: skip


@settings(max_examples=80)
@given(first=COMPLAINTS, choices=st.lists(st.integers(0, 8), min_size=12, max_size=12))
def test_any_answers_end_within_eight_questions_and_none_comes_twice(
    provider: EmbeddedProvider, first: str, choices: list[int]
) -> None:
    turn = iter(choices * 3)

    def answer(question: Question) -> str:
        texts = (*question.quick_answers, "有", "没有", "不知道", "跳过")
        return texts[next(turn) % len(texts)]

    asked, _ = ask_all(provider, first, answer)
    interview = [id_ for id_ in ids(asked) if id_ != OPENING]
    assert len(interview) <= MAX_QUESTIONS
    assert len(set(interview)) == len(interview)


@pytest.mark.parametrize("rule", questions(), ids=lambda rule: rule.id)
def test_no_question_suggests_a_disease(rule: QuestionRule) -> None:
    history = rule.slot == Slot.PAST_HISTORY
    words = [rule.why, *([] if history else [rule.text, *rule.signs.values(), *rule.quick_answers])]
    named = {name for name in DISEASE_NAMES for text in words if len(name) > 1 and name in text}
    assert named <= {name for name in SYMPTOMS if name in named}, named
