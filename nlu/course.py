"""How long the complaint has lasted, and since when."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nlu.lexicon import Match
from nlu.person import months_of_age
from nlu.times import find_durations, find_onset
from nlu.types import Duration, Slot

_CLAUSE_MARK = re.compile(r"[,。!?;]")
_LONG_AGO_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class Course:
    """What a message says of it: the length as stated and the beginning, each with its place in the text."""

    stated: tuple[Duration, int, int] | None
    onset: tuple[str, float, int, int] | None

    def duration(self, answered: Duration | None) -> Duration | None:
        """The duration as stated, else counted from the onset, else the bare number that was ``answered``."""
        if self.stated is not None or self.onset is None:
            return self.stated[0] if self.stated is not None else answered
        words, days = self.onset[:2]
        if days < 0.1:
            return Duration(value=1, unit="小时", days=days, text=words, vague="1小时内")
        if days >= _LONG_AGO_DAYS:  # nobody counts in days from last year
            return Duration(value=days, unit="天", days=days, text=words, vague=f"（{words}起）")
        return Duration(value=max(0.5, days), unit="天", days=days, text=words)


def find_course(text: str, matches: Sequence[Match], asked: Collection[Slot]) -> Course:
    """The course that ``text`` tells, in which ``matches`` were found; ``asked`` are the slots of the question."""
    stated = _stated(text, matches, asked)
    # With a length beside it, a time without 开始 tells of something else.
    symptoms = () if stated else tuple(match.start for match in matches if match.kind == "symptom")
    return Course(stated, find_onset(text, bool({Slot.ONSET, Slot.DURATION} & set(asked)), symptoms))


def _stated(text: str, matches: Sequence[Match], asked: Collection[Slot]) -> tuple[Duration, int, int] | None:
    """The length that belongs to the complaint: best one beside a symptom, never one beside a known disease alone."""
    if Slot.AGE in asked:
        return None
    found = find_durations(text, Slot.DURATION in asked)
    if Slot.DURATION in asked:
        return found[0] if found else None
    rest = []
    age = months_of_age(text)
    for candidate in found:
        if age is not None and age.start() <= candidate[1] < age.end():
            continue
        kinds = _kinds_in_clause(text, matches, candidate[1])
        if "symptom" in kinds:
            return candidate
        if not kinds & {"disease", "operation"}:
            rest.append(candidate)
    return rest[0] if rest else None


def _kinds_in_clause(text: str, matches: Sequence[Match], position: int) -> set[str]:
    """The kinds of matches in the clause around a position."""
    marks = [mark.start() for mark in _CLAUSE_MARK.finditer(text)]
    start = max((mark for mark in marks if mark < position), default=-1)
    end = min((mark for mark in marks if mark >= position), default=len(text))
    return {match.kind for match in matches if start < match.start < end}
