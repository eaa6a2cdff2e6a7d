"""Plays an interview: questions of `nlu.interview`, answers in words."""

from collections.abc import Callable

from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.interview import next_question
from nlu.types import Context, Question


def ask_all(
    provider: EmbeddedProvider, first: str, answer: Callable[[Question], str]
) -> tuple[list[Question], CaseFacts]:
    """The questions that were put, and what is known at the end."""
    case = CaseFacts().merge(provider.understand(first, Context()))
    asked: list[Question] = []
    while question := next_question(case, [earlier.id for earlier in asked]):
        context = question.context(case.age_months, case.sex, case.relation)
        case = case.merge(provider.understand(answer(question), context), context)
        asked.append(question)
        assert len(asked) < 20
    return asked, case
