"""The interview: danger first, nothing twice, at most eight questions."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from data.questions import questions
from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.interview import MAX_QUESTIONS, OPENING, WHICH, next_question
from nlu.types import Context, Question, Slot, Understanding

Understand = Callable[..., Understanding]


def ask_all(provider: EmbeddedProvider, first: str, answer: Callable[[Question], str]) -> tuple[list[str], CaseFacts]:
    """Play an interview; the ids that were asked and what is known at its end."""
    case = CaseFacts().merge(provider.understand(first, Context()))
    asked: list[str] = []
    while question := next_question(case, asked):
        context = question.context()
        case = case.merge(provider.understand(answer(question), context), context)
        asked.append(question.id)
        assert len(asked) < 20
    return asked, case


def test_without_a_complaint_the_first_question_is_what_is_wrong() -> None:
    question = next_question(CaseFacts(), [])
    assert question is not None
    assert (question.id, question.slot) == (OPENING, Slot.COMPLAINT)


def test_danger_comes_before_everything_else(understand: Understand) -> None:
    question = next_question(CaseFacts().merge(understand("胸口疼")), [])
    assert question is not None
    assert question.values == ("出冷汗", "疼痛放射")


def test_a_bare_yes_to_several_is_followed_by_which(understand: Understand) -> None:
    case = CaseFacts().merge(understand("胸口疼"))
    question = next_question(case, [])
    assert question is not None
    case = case.merge(understand("有", context=question.context()), question.context())
    followed = next_question(case, [question.id])
    assert followed is not None
    assert followed.id == WHICH
    assert "出冷汗" in followed.quick_answers


def test_what_is_known_is_not_asked(provider: EmbeddedProvider) -> None:
    first = "我妈60岁，咳嗽三天，有黄痰，不喘，胸口不疼，发烧38.5度，没打寒战，没有过敏史，有高血压吃着硝苯地平"
    asked, _ = ask_all(provider, first, lambda question: "不知道")
    assert set(asked).isdisjoint(
        {"duration", "age_sex", "allergies", "past_history", "fever_temperature", "cough_sputum"}
    )
    assert len(asked) <= 2


def test_a_usual_interview_of_a_known_patient_takes_four_to_six_questions(provider: EmbeddedProvider) -> None:
    for first in ("我35岁，女，头晕三天", "男，50岁，腰疼一个月", "我40岁女，咳嗽两天，有白痰，不喘"):
        asked, _ = ask_all(provider, first, lambda question: question.quick_answers[-1])
        assert 3 <= len(asked) <= 7


def test_the_parent_is_asked_about_the_child(understand: Understand) -> None:
    question = next_question(CaseFacts().merge(understand("宝宝发烧")), [])
    assert question is not None
    assert question.text.startswith("孩子")


def test_women_of_childbearing_age_are_asked_about_pregnancy_and_men_are_not(provider: EmbeddedProvider) -> None:
    woman, _ = ask_all(provider, "女，28岁，肚子疼一天", lambda question: "没有")
    man, _ = ask_all(provider, "男，28岁，肚子疼一天", lambda question: "没有")
    assert any(id_.startswith("pregnancy") for id_ in woman)
    assert not any(id_.startswith("pregnancy") for id_ in man)


COMPLAINTS = st.sampled_from(
    [
        "咳嗽",
        "发烧",
        "胸口疼",
        "肚子疼",
        "头晕",
        "拉肚子",
        "孩子发烧",
        "腰疼",
        "皮肤痒",
        "心情不好",
        "有高血压",
        "尿痛",
        "你好",
        "女，30岁，月经不准",
    ]
)


@settings(max_examples=150, deadline=None)
@given(first=COMPLAINTS, choices=st.lists(st.integers(0, 8), min_size=12, max_size=12))
def test_any_interview_ends_within_eight_questions_and_repeats_none(
    provider: EmbeddedProvider, first: str, choices: list[int]
) -> None:
    turn = iter(choices * 3)

    def answer(question: Question) -> str:
        texts = (*question.quick_answers, "有", "没有", "不知道", "跳过")
        return texts[next(turn) % len(texts)]

    asked, _ = ask_all(provider, first, answer)
    interview = [id_ for id_ in asked if id_ != OPENING]
    assert len(interview) <= MAX_QUESTIONS
    assert len(set(interview)) == len(interview)


def test_questions_speak_plainly() -> None:
    for rule in questions():
        assert len(rule.text) <= 45, rule.id
        assert rule.why
        assert all(len(answer) <= 10 for answer in rule.quick_answers), rule.id
        Slot(rule.slot)
        for slot in rule.also:
            Slot(slot)
