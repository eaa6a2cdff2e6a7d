"""Illnesses of relatives: family history (家族史), not the patient's own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nlu.lexicon import Match
from nlu.person import find_relation
from nlu.types import Relation

_CLAUSE = re.compile(r"[^,。!?;]+")
_RELATIVES = re.compile(r"父母|爸妈|爹妈|家里人|家人|家族|祖上|兄弟|姐妹|家里都|一家人|祖传|家里(?:有人|好几个)")
_WRITER = re.compile(r"^(?:我|俺|咱)(?:自己|本人|本身|以前|一直|也|都|就|是|早就)*(?:有|得过|得了|患|是)")
_WHOLE_FAMILY = "亲属"


@dataclass(frozen=True, slots=True)
class Relative:
    """A clause about the illness of somebody else than the patient: who that is, and its place in the text."""

    who: str
    start: int
    end: int


def find_relatives(text: str, matches: Iterable[Match], patient: Relation | None) -> tuple[Relative, ...]:
    """The clauses that name a disease of somebody who is not the patient.

    ``patient`` is who the patient is known to be; ``None`` where nobody has said it: then the message itself tells it
    ("我头晕，我妈有高血压"). "我妈有高血压" alone speaks of the patient, for all that is known.
    """
    found = tuple(matches)
    candidates = [
        relative
        for clause in _CLAUSE.finditer(text)
        if _tells_disease_alone(clause.start(), clause.end(), found)
        and (relative := _subject(clause.group(), clause.start(), clause.end())) is not None
    ]
    patient = patient or find_relation(without(text, candidates))
    return tuple(relative for relative in candidates if patient is not None and relative.who != patient.value)


def without(text: str, relatives: Iterable[Relative]) -> str:
    """``text`` with the clauses about relatives blanked, offsets kept."""
    for relative in relatives:
        text = text[: relative.start] + " " * (relative.end - relative.start) + text[relative.end :]
    return text


def without_others(text: str, patient: Relation | None) -> str:
    """``text`` less the relatives who are merely said to have it too (我爸也咳嗽): the patient stays who they are."""
    if patient is None:
        return text
    return _CLAUSE.sub(
        lambda clause: " " * len(clause.group()) if _has_it_too(clause.group(), patient) else clause.group(), text
    )


def _has_it_too(clause: str, patient: Relation) -> bool:
    relation = find_relation(clause)
    return "也" in clause and relation not in (None, Relation.SELF, patient)


def whose(match: Match, relatives: Iterable[Relative]) -> str | None:
    """Who is said to have what was found; ``None`` for the patient."""
    return next((one.who for one in relatives if one.start <= match.start < one.end), None)


def _tells_disease_alone(start: int, end: int, matches: tuple[Match, ...]) -> bool:
    kinds = {match.kind for match in matches if start <= match.start < end}
    return "disease" in kinds and "symptom" not in kinds


def _subject(clause: str, start: int, end: int) -> Relative | None:
    """Who the clause speaks of, where it names anybody."""
    if _RELATIVES.search(clause):
        return Relative(_WHOLE_FAMILY, start, end)
    relation = find_relation(clause)
    if relation is None or (relation is Relation.SELF and not _WRITER.match(clause.strip())):
        return None
    who = _WHOLE_FAMILY if relation is Relation.OTHER else relation.value
    return Relative(who, start, end)
