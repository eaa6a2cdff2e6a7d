"""Habits and the general condition of a patient: smoking, drinking, sleep, diet, excretion, spirits."""

import re
from collections.abc import Iterable

from data.clinical_language import Habit
from nlu.normalise import Normalised
from nlu.types import Statement, Status

_ASKED_AFTER = re.compile(r"^[^,。!?;]{0,4}(?:吗|么\b|嘛|不\?|没有?\?|怎么样|如何|\?)")
_ASKED_BEFORE = re.compile(
    r"(?:有没有|是不是|是否|会不会|有无|能不能|可不可以|能|可以|不要|别|少|避免|注意|戒|忌|禁止?|防止|不能|禁忌)[^,。!?;]{0,4}$"
)


class HabitRules:
    """The words of the habits, compiled: one search for all of them, then the words of the one that was found."""

    def __init__(self, habits: Iterable[Habit]) -> None:
        self._rules = [
            (habit.name, re.compile("|".join(habit.negative)), re.compile("|".join(habit.positive))) for habit in habits
        ]

    def find(self, source: Normalised) -> tuple[Statement, ...]:
        """One statement a habit: positive where somebody smokes or drinks, or sleeps, eats … well; negative otherwise.

        Where words speak both ways the one that is denied or disturbed counts: it is what a doctor asks about.
        """
        found = []
        for name, negative, positive in self._rules:
            statement = _first(source, name, negative, Status.NEGATIVE) or _first(
                source, name, positive, Status.POSITIVE
            )
            if statement is not None:
                found.append(statement)
        return tuple(found)


def _first(source: Normalised, name: str, pattern: re.Pattern[str], status: Status) -> Statement | None:
    match = pattern.search(source.text)
    if match is None or match.end() == match.start():
        return None
    before = source.text[max(0, match.start() - 10) : match.start()]
    if _ASKED_BEFORE.search(before) or _ASKED_AFTER.match(source.text[match.end() :]):
        status = Status.UNKNOWN
    first, last = source.span(match.start(), match.end())
    return Statement(name=name, text=source.original[first:last], status=status, start=first, end=last)
