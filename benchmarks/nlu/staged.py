"""The interview before expected gain: fixed stages, questions in the order of a file. A peer to measure against."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from data.questions import QuestionRule, load_questions
from nlu.conditions import evidence
from nlu.facts import CaseFacts
from nlu.interview import MAX_QUESTIONS, is_answered
from nlu.types import Question, Slot, Status
from nlu.wording import put

PATH = Path(__file__).with_name("staged_questions.json")
_STAGES = ("danger", "specific", "general", "optional")
_ENOUGH = 5
_MAX_OF_STAGE = 2
_MAX_CLINICAL = 3


@cache
def _rules() -> tuple[QuestionRule, ...]:
    return load_questions(PATH)


def staged_question(facts: CaseFacts, asked: Sequence[str]) -> Question | None:
    """The first question of the first stage that applies and is not settled."""
    if len(asked) >= MAX_QUESTIONS:
        return None
    for stage in _STAGES:
        if _is_over(stage, asked):
            continue
        for rule in _rules():
            applies = not rule.when or any(evidence(condition, facts) for condition in rule.when)
            if rule.stage == stage and rule.id not in asked and applies and not _is_settled(rule, facts, asked):
                return put(rule, facts, ())
    return None


def _is_over(stage: str, asked: Sequence[str]) -> bool:
    counts = {name: sum(rule.stage == name and rule.id in asked for rule in _rules()) for name in _STAGES}
    if stage == "optional":
        return len(asked) >= _ENOUGH
    if stage == "specific" and counts["danger"] + counts["specific"] >= _MAX_CLINICAL:
        return True
    return stage in ("danger", "specific") and counts[stage] >= _MAX_OF_STAGE


def _is_settled(rule: QuestionRule, facts: CaseFacts, asked: Sequence[str]) -> bool:
    if rule.slot == Slot.SYMPTOM:
        known = [facts.status(name) for name in rule.values]
        return Status.POSITIVE in known or None not in known
    already = any(other.slot == rule.slot and other.id in asked for other in _rules())
    question = put(rule, facts, ()).model_copy(update={"also": ()})
    return already or is_answered(question, facts)
