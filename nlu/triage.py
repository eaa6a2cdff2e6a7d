"""Which department a case belongs to, and how urgent it is."""

import math
from collections import defaultdict

from data.departments import departments
from data.directions import directions
from data.urgency import urgency_rules
from nlu.conclusions import DepartmentSuggestion, Urgency
from nlu.conditions import evidence
from nlu.directions import CHILD_BELOW_MONTHS, rank_directions
from nlu.facts import CaseFacts
from nlu.types import RedFlag, Sex

URGENCY_NAMES = {1: "危急", 2: "急重", 3: "急症", 4: "亚急症或非急症"}
"""The four levels of 《急诊预检分诊专家共识》(2018)."""

SURE_FROM = 0.6
"""Below this probability of the likeliest department the patient is asked."""

_WORTH_NAMING = 0.01
_MAXIMUM = 5
_FALLBACK = "general_practice"


def suggest_department(facts: CaseFacts) -> list[DepartmentSuggestion]:
    """At most five departments, likeliest first; ``weight`` is the probability, together at most 1.

    The directions of ``rank_directions`` share their probability among their departments; a child goes to paediatrics
    instead of a department for adults, and a man to no department for women.
    """
    shares: dict[str, float] = defaultdict(float)
    words: dict[str, list[str]] = defaultdict(list)
    for suggestion in rank_directions(facts):
        for code, share in directions()[suggestion.code].departments.items():
            department = _for_patient(code, facts)
            shares[department] += share * suggestion.probability
            words[department] += suggestion.words
    best = sorted(shares, key=lambda code: (-shares[code], code))[:_MAXIMUM]
    return [
        DepartmentSuggestion(
            code=code, weight=math.floor(shares[code] * 1000) / 1000, reason=_reason(code, words[code])
        )
        for code in best
        if shares[code] >= _WORTH_NAMING or code == best[0]
    ]


def is_unsure(suggestions: list[DepartmentSuggestion]) -> bool:
    """Whether the likeliest department is no more than a guess: the patient should be asked.

    Where nothing points anywhere there is only general practice to name, and that is a guess as well.
    """
    codes = [suggestion.code for suggestion in suggestions]
    return codes in ([], [_FALLBACK]) or suggestions[0].weight < SURE_FROM


def assess_urgency(facts: CaseFacts, red_flags: list[RedFlag]) -> Urgency:
    """The most urgent level that a red flag or a rule of ``data/nlu/urgency.json`` calls for, with its reasons."""
    reasons: dict[int, list[str]] = defaultdict(list)
    for flag in red_flags:
        reasons[flag.level].append(flag.title)
    present = frozenset(facts.present)
    for rule in urgency_rules():
        found = next((met for condition in rule.when if (met := evidence(condition, facts, present))), ())
        if found:
            reasons[rule.level].append(f"{rule.reason}（{'、'.join(found)}）")
    level = min(reasons, default=4)
    return Urgency(level=level, name=URGENCY_NAMES[level], reasons=tuple(reasons[level]) or ("没有发现紧急情况",))


def _for_patient(code: str, facts: CaseFacts) -> str:
    """The department itself, or the one that sees patients of this age and sex in its place."""
    department = departments()[code]
    if facts.sex is Sex.MALE and department.sex == "female":
        return _FALLBACK
    if facts.age_months is None:
        return code
    child = facts.age_months < CHILD_BELOW_MONTHS
    if child and department.patients == "adults":
        return "pediatrics"
    return _FALLBACK if not child and department.patients == "children" else code


def _reason(code: str, words: list[str]) -> str:
    """What speaks for a department, in Chinese words."""
    if not words:
        return "还不清楚主要问题，先由全科看" if code == _FALLBACK else "可能与此有关"
    return "提到" + "、".join(dict.fromkeys(words[:_MAXIMUM]))
