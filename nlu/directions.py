"""Which direction a case belongs to: a log-linear model over the words of ``data/nlu/directions``.

Nothing in it is trained on patients save one number, the temperature that turns sums of weights into probabilities.
"""

import math
from dataclasses import dataclass
from functools import cache

from data.clinical_language import clinical_language
from data.departments import departments
from data.directions import Direction, directions
from nlu.cues import cue_weights
from nlu.facts import FEVER, CaseFacts
from nlu.types import Relation, Status

CHILD_BELOW_MONTHS = 14 * 12
"""Paediatrics sees patients up to 14 years (国家卫生健康委《医疗机构诊疗科目名录》, 儿科)."""

GENERAL = "general_internal"
"""Where those go of whom nothing points anywhere."""

TEMPERATURE = 3.0
"""From ``python -m benchmarks.nlu.department_calibration`` on a set that may be trained on (docs/nlu/department.md)."""

_LEAD = 2.0
"""The words of the first message, the chief complaint, count twice."""

_PREGNANCY = "prenatal"
_NOTHING_FITS = 1.0
_PREGNANT = 4.0
_CHILD_STAGE = {"children": 8.0, "all": 0.0, "adults": -4.0}
_PERHAPS_CHILD = 6.0
_NO_WORD_OF_A_CHILD = 0.4
_GROWN_UP = (Relation.SELF, Relation.FATHER, Relation.MOTHER, Relation.SPOUSE, Relation.GRANDPARENT)
_NORMALISED = 2.0
"""A finding that the reference data assign to a department, where its words are no cue."""

_MEASURED = {"systolic": "血压", "glucose": "血糖", "heart_rate": "心率", "spo2": "血氧"}


@dataclass(frozen=True, slots=True)
class DirectionSuggestion:
    """A direction with its probability (0–1) and the words that point to it, the strongest first."""

    code: str
    probability: float
    words: tuple[str, ...]


def rank_directions(facts: CaseFacts, temperature: float = TEMPERATURE) -> list[DirectionSuggestion]:
    """Every direction that anything points to and that fits age and sex, the likeliest first; probabilities add to 1.

    Where nothing points anywhere, the general direction alone.
    """
    support = _support(facts)
    scores = {
        code: _stage(directions()[code], sum(words.values()), facts)
        for code, words in support.items()
        if fits(directions()[code], facts)
    }
    scores[GENERAL] = scores.get(GENERAL, 0.0) + _NOTHING_FITS
    best = max(scores.values())
    odds = {code: math.exp((score - best) / temperature) for code, score in scores.items()}
    total = sum(odds.values())
    return [
        DirectionSuggestion(code, odds[code] / total, _strongest(support.get(code, {})))
        for code in sorted(odds, key=lambda code: (-odds[code], code))
    ]


def fits(direction: Direction, facts: CaseFacts) -> bool:
    """Whether a patient of this age and sex can belong there; what is unknown rules nothing out."""
    if direction.sex != "all" and facts.sex is not None and facts.sex != direction.sex:
        return False
    if facts.age_months is None:
        return direction.patients != "children" or facts.relation not in _GROWN_UP
    if direction.patients == "children" and facts.age_months >= CHILD_BELOW_MONTHS:
        return False
    first, below = direction.ages
    return first * 12 <= facts.age_months < below * 12


def _support(facts: CaseFacts) -> dict[str, dict[str, float]]:
    """For every direction the words that point to it, with their weights."""
    support: dict[str, dict[str, float]] = {}
    weights = cue_weights()
    absent = {word for name in facts.absent for word in _synonyms().get(name, (name,))}
    told = {cue.word: _LEAD if cue.lead else 1.0 for cue in facts.cues if cue.word not in absent}
    for word, factor in told.items():
        for code, weight in weights.get(word, {}).items():
            support.setdefault(code, {})[word] = weight * factor
    for name, text in _findings(facts):
        word = next((word for word in told if word in text or text in word), name)
        for code, weight in (weights.get(name) or _by_department(name)).items():
            words = support.setdefault(code, {})
            words[word] = max(words.get(word, 0.0), weight * told.get(word, 1.0))
    if facts.pregnancy is not None and facts.pregnancy.status is Status.POSITIVE:
        support.setdefault(_PREGNANCY, {})["正在怀孕"] = _PREGNANT
    return support


def _findings(facts: CaseFacts) -> list[tuple[str, str]]:
    """What is known to be there, each by its normalised name and in the patient's words."""
    present = facts.present
    found = [(symptom.name, symptom.text) for symptom in facts.symptoms if symptom.name in present]
    found += [(disease.name, disease.text) for disease in facts.diseases if disease.status is Status.POSITIVE]
    found += [(word, word) for value, word in _MEASURED.items() if getattr(facts.vitals, value) is not None]
    if facts.has_high_temperature:
        found.append((FEVER, FEVER))
    return found


def _stage(direction: Direction, evidence: float, facts: CaseFacts) -> float:
    """The evidence for a direction, weighed by how well it suits the patient's stage of life.

    Without an age, words that fit children and adults alike (咳嗽) make nobody a child: they count less there.
    """
    if facts.age_months is not None:
        child = facts.age_months < CHILD_BELOW_MONTHS
        return evidence + (_CHILD_STAGE[direction.patients] if child else 0.0)
    if direction.patients != "children":
        return evidence
    pregnant = facts.pregnancy is not None and facts.pregnancy.status is Status.POSITIVE
    if facts.relation is Relation.CHILD and not pregnant:
        return evidence + _PERHAPS_CHILD
    return evidence * _NO_WORD_OF_A_CHILD


def _by_department(name: str) -> dict[str, float]:
    """The directions of a finding that is no cue itself, from the departments that the reference data give it."""
    return {_main_direction()[code]: _NORMALISED * weight for code, weight in _departments().get(name, {}).items()}


@cache
def _departments() -> dict[str, dict[str, float]]:
    language = clinical_language()
    symptoms = {row.name: row.departments for row in language.symptoms}
    return {row.name: row.departments for row in (*language.findings, *language.diseases)} | symptoms


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    return {row.name: (row.name, *row.synonyms) for row in clinical_language().symptoms}


@cache
def _main_direction() -> dict[str, str]:
    """For every department the direction that stands for it: the one of its name, else the first with its share."""
    main: dict[str, str] = {}
    for code in departments():
        shares = {row.code: row.departments.get(code, 0.0) + (row.code == code) for row in directions().values()}
        main[code] = max(shares, key=lambda direction: shares[direction])
    return main


def _strongest(words: dict[str, float]) -> tuple[str, ...]:
    return tuple(sorted(words, key=lambda word: -words[word]))
