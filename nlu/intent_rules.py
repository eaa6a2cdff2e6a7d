"""What is certain of an intent: which one a message must have, and which it cannot have."""

import re
from dataclasses import dataclass
from typing import Protocol

from nlu.types import Command, Context, Intent, Slot, YesNo

_MEDICAL = re.compile(r"病|不舒服|难受|医|药|疼|痛|痒|肿|晕|吐|血|烧|咳|检查|手术|症状|住院|复查|孩子|宝宝")
_ACCOMPANYING = frozenset(
    {
        Intent.ASK_PRESCRIPTION,
        Intent.COMPLAIN,
        Intent.GREET,
        Intent.THANK,
        Intent.ASK_HOWTO,
        Intent.START_CONSULTATION,
    }
)
"""Said along with what tells of the case: 你好，我头疼 describes symptoms."""
_ABOUT_PAPERS = frozenset({Intent.ASK_REPORT, Intent.SEND_PICTURE})
"""What names symptoms without complaining of them: 这个疹子我拍了照."""
_BARE = frozenset({Intent.AFFIRM, Intent.DENY})
_TELLING = frozenset({Intent.ANSWER, Intent.DESCRIBE_SYMPTOMS})
_OF_COMMAND = {
    Command.BACK: Intent.GO_BACK,
    Command.RESTART: Intent.RESTART,
    Command.HUMAN: Intent.TALK_TO_PERSON,
    Command.DONT_KNOW: Intent.DONT_KNOW,
    Command.HELP: Intent.ASK_HOWTO,
    Command.WHY: Intent.ASK_HOWTO,
    Command.SKIP: Intent.DONT_KNOW,
    Command.CANCEL: Intent.DENY,
}


@dataclass(frozen=True, slots=True)
class Signs:
    """What was found in the message, as far as it tells the intent; ``named``: the intents whose patterns it shows."""

    symptoms: bool
    facts: bool
    answers: bool
    danger: bool
    correction: bool
    asks_drug: bool
    yes_no: YesNo | None
    command: Command | None
    named: tuple[Intent, ...]


class IntentJudge(Protocol):
    """Whatever decides on the intent of a message."""

    def judge(self, text: str, context: Context, signs: Signs) -> tuple[Intent, float]:
        """The intent of the normalised ``text`` and how probable it is (0–1). Never raises for any text."""
        ...


class RulesAlone:
    """The judge that knows no more than the rules; what a trained one is compared with, and learns from."""

    def judge(self, text: str, context: Context, signs: Signs) -> tuple[Intent, float]:
        """The intent of the rules. They know no probabilities: what they say counts as certain."""
        return rule_intent(text, context, signs), 1.0


def settled(signs: Signs) -> tuple[Intent, str] | None:
    """The intent that a message has whatever else it says, and which rule says so: steering words, danger, a cry."""
    if signs.command is not None:
        return _OF_COMMAND[signs.command], "command"
    if signs.danger:
        return Intent.EMERGENCY, "danger"
    if Intent.EMERGENCY in signs.named:
        return Intent.EMERGENCY, "cry"
    return None


def possible(text: str, context: Context, signs: Signs) -> frozenset[Intent]:
    """The intents that the message can have.

    What tells of the case is never taken for a courtesy beside it. Numbers, signs and pictures without a word want
    nothing; they tell of the case or answer where they are understood.
    """
    can_be = frozenset(Intent) - _barred(context, signs)
    if any(character.isalpha() for character in text):
        return can_be
    return can_be & (_TELLING | {Intent.CORRECT} if signs.facts else {Intent.OUT_OF_SCOPE, Intent.ANSWER})


def _barred(context: Context, signs: Signs) -> set[Intent]:
    barred = {Intent.DESCRIBE_SYMPTOMS} if waits_for_answer(context) else {Intent.ANSWER}
    if signs.symptoms or signs.answers:
        barred |= _ACCOMPANYING
    if signs.symptoms or (signs.answers and waits_for_answer(context)):
        barred |= _BARE
    if signs.facts and not signs.symptoms:
        barred.add(Intent.EMERGENCY)  # a measured value or an age is no cry for help
    if signs.answers and waits_for_answer(context):
        barred |= _ABOUT_PAPERS
        barred |= {Intent.OUT_OF_SCOPE, Intent.EMERGENCY}  # the danger in an answer is for the red flags to find
    if signs.correction and signs.facts:
        barred |= _TELLING
    return barred


def waits_for_answer(context: Context) -> bool:
    """Whether a question is open; the one for the complaint is no question, whoever answers it describes symptoms."""
    return context.asked is not None and context.asked.slot is not Slot.COMPLAINT


def is_medical(text: str) -> bool:
    """Whether a word of the message has to do with illness."""
    return _MEDICAL.search(text) is not None


def rule_intent(text: str, context: Context, signs: Signs) -> Intent:
    """The intent by rules alone: what must be, then patterns, then what the message tells."""
    certain = settled(signs)
    if certain is not None:
        return certain[0]
    if signs.named and not _overruled(signs.named[0], signs):
        return signs.named[0]
    if signs.correction and signs.facts:
        return Intent.CORRECT
    if waits_for_answer(context) and signs.answers:
        return Intent.ANSWER
    return _by_content(text, signs)


def _by_content(text: str, signs: Signs) -> Intent:
    if signs.yes_no is not None and not signs.symptoms:
        return Intent.AFFIRM if signs.yes_no is YesNo.YES else Intent.DENY
    if signs.asks_drug and not signs.symptoms:
        return Intent.ASK_PRESCRIPTION
    if signs.symptoms or signs.facts or is_medical(text):
        return Intent.DESCRIBE_SYMPTOMS
    return Intent.OUT_OF_SCOPE


def _overruled(intent: Intent, signs: Signs) -> bool:
    """Whether a polite or asking phrase only accompanies what the message tells."""
    if intent is Intent.CORRECT:
        return not signs.facts
    return intent in _ACCOMPANYING | _ABOUT_PAPERS and (signs.symptoms or signs.answers)
