"""The words of questions: plain, answerable, and the tapped answers mean what they say."""

import pytest

from data.questions import QuestionRule, questions
from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.types import Expects, Question, Relation, Slot, Status
from nlu.wording import patient_word, put

ALL, NONE = "都有", ("没有", "都没有")
BY_ID = {rule.id: rule for rule in questions()}
AFTER_SYMPTOMS = [rule for rule in questions() if rule.slot == Slot.SYMPTOM]
CHOICES = [(rule, answer) for rule in AFTER_SYMPTOMS for answer in put(rule, CaseFacts(), rule.symptoms).quick_answers]


def full(rule: QuestionRule) -> Question:
    """The question with all of its symptoms open."""
    return put(rule, CaseFacts(), rule.symptoms)


@pytest.mark.parametrize("rule", questions(), ids=lambda rule: rule.id)
def test_questions_speak_plainly(rule: QuestionRule) -> None:
    question = full(rule)
    assert len(question.text) <= 45
    assert question.text.endswith(("？", "。"))
    assert "{" not in question.text
    assert len(question.quick_answers) <= 5
    assert all(len(answer) <= 12 for answer in question.quick_answers)
    assert question.why


@pytest.mark.parametrize(("rule", "answer"), CHOICES, ids=[f"{rule.id}-{answer}" for rule, answer in CHOICES])
def test_a_tapped_answer_is_heard_as_what_it_says(provider: EmbeddedProvider, rule: QuestionRule, answer: str) -> None:
    question = full(rule)
    said = provider.understand(answer, question.context())
    heard = {mention.name: mention.status for mention in said.symptoms if mention.name in question.values}
    if answer in NONE:
        assert set(heard.values()) == {Status.NEGATIVE}
        assert set(heard) == set(question.values)
    elif answer == ALL:
        assert set(heard.values()) == {Status.POSITIVE}
    elif rule.signs:
        meant = next(name for name, words in rule.signs.items() if words == answer)
        assert heard[meant] is Status.POSITIVE
        assert Status.POSITIVE not in [status for name, status in heard.items() if name != meant]
    else:
        assert heard


@pytest.mark.parametrize("rule", AFTER_SYMPTOMS, ids=lambda rule: rule.id)
def test_a_bare_no_denies_everything_that_was_asked(provider: EmbeddedProvider, rule: QuestionRule) -> None:
    question = full(rule)
    said = provider.understand("没有", question.context())
    assert {mention.name: mention.status for mention in said.symptoms} == dict.fromkeys(
        question.values, Status.NEGATIVE
    )


@pytest.mark.parametrize("rule", [rule for rule in AFTER_SYMPTOMS if len(rule.symptoms) == 1], ids=lambda rule: rule.id)
def test_a_bare_yes_affirms_the_one_that_was_asked(provider: EmbeddedProvider, rule: QuestionRule) -> None:
    said = provider.understand("有", full(rule).context())
    assert [mention.status for mention in said.symptoms] == [Status.POSITIVE]


def test_a_question_names_only_what_is_still_open() -> None:
    question = put(BY_ID["nose"], CaseFacts(), ("鼻塞", "打喷嚏"))
    assert question.text == "您有没有鼻子不通，或者打喷嚏？"
    assert question.values == ("鼻塞", "打喷嚏")
    assert question.quick_answers == ("鼻子不通", "打喷嚏", "都有", "都没有")


def test_a_question_after_one_thing_waits_for_yes_or_no() -> None:
    question = put(BY_ID["nose"], CaseFacts(), ("鼻塞",))
    assert question.expects is Expects.YES_NO
    assert question.quick_answers == ("鼻子不通", "没有")


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        (CaseFacts(), "您"),
        (CaseFacts(relation=Relation.CHILD), "孩子"),
        (CaseFacts(age_months=60), "孩子"),
        (CaseFacts(relation=Relation.MOTHER), "您母亲"),
        (CaseFacts(relation=Relation.GRANDPARENT, age_months=960), "老人家"),
    ],
)
def test_the_patient_is_spoken_of_as_who_they_are(facts: CaseFacts, word: str) -> None:
    assert patient_word(facts) == word
    assert put(BY_ID["fever"], facts, ("发烧",)).text == f"{word}有没有发烧？"
