"""Whether the facts of a case meet a condition of the reference data."""

from collections.abc import Callable, Iterator

from data.conditions import Condition
from nlu.facts import CaseFacts
from nlu.types import Relation, Status

YOUNG_CHILD_MONTHS = 60
"""Under five years: the young children of WHO IMCI."""

GROWN_UP_MONTHS = 144
"""From twelve years the limits of vital signs are those of adults (《急诊预检分诊专家共识》, 2018)."""


def evidence(condition: Condition, facts: CaseFacts, present: frozenset[str] | None = None) -> tuple[str, ...]:
    """What meets the condition, in Chinese words; empty where any part of it is not met.

    ``present`` are the findings of ``facts.present``, from a caller that looks at many conditions.
    """
    present = frozenset(facts.present) if present is None else present
    found: list[str] = []
    for group in condition.groups:
        if present.isdisjoint(group):
            return ()
        found += [name for name in group if name in present]
    if condition.any_disease:
        known = _known_diseases(condition, facts)
        if not known:
            return ()
        found += known
    for met_limit in _limits(condition, facts):
        if met_limit is None:
            return ()
        found.append(met_limit)
    return tuple(dict.fromkeys(found))


def missing(condition: Condition, facts: CaseFacts, present: frozenset[str]) -> tuple[str, ...]:
    """The findings any one of which, found present besides ``present``, would meet the condition; none where more than
    one is wanting."""
    wanting = [group for group in condition.groups if present.isdisjoint(group)]
    if len(wanting) != 1 or (condition.any_disease and not _known_diseases(condition, facts)):
        return ()
    return () if None in _limits(condition, facts) else wanting[0]


def _known_diseases(condition: Condition, facts: CaseFacts) -> list[str]:
    """Which of the diseases and operations that the condition names the patient has told of."""
    told = (*facts.diseases, *facts.operations)
    return [d.name for d in told if d.status is Status.POSITIVE and d.name in condition.any_disease]


def _limits(condition: Condition, facts: CaseFacts) -> Iterator[str | None]:
    """For every limit that the condition sets: the value that meets it in words, or ``None``."""
    for measure, at_least, below in condition.limits:
        value = _age_months(facts, condition) if measure == "age" else _MEASURED[measure](facts)
        met = value is not None and (at_least is None or value >= at_least) and (below is None or value < below)
        yield _WORDS[measure](value, facts) if met else None
    if condition.sex:
        yield condition.sex if facts.sex == condition.sex else None
    if condition.severity:
        yield condition.severity if facts.severity == condition.severity else None
    if condition.pregnant:
        yield "怀孕" if facts.pregnancy is not None and facts.pregnancy.status is Status.POSITIVE else None


_MEASURED: dict[str, Callable[[CaseFacts], float | None]] = {
    "temperature": lambda facts: facts.temperature,
    "systolic": lambda facts: facts.vitals.systolic,
    "diastolic": lambda facts: facts.vitals.diastolic,
    "glucose": lambda facts: facts.vitals.glucose,
    "spo2": lambda facts: facts.vitals.spo2,
    "respiratory_rate": lambda facts: facts.vitals.respiratory_rate,
    "heart_rate": lambda facts: facts.vitals.heart_rate,
}
_WORDS: dict[str, Callable[[float | None, CaseFacts], str]] = {
    "age": lambda _value, facts: _age_text(facts),
    "temperature": lambda value, _facts: f"体温{value}℃",
    "systolic": lambda value, _facts: f"收缩压{value}mmHg",
    "diastolic": lambda value, _facts: f"舒张压{value}mmHg",
    "glucose": lambda value, _facts: f"血糖{value}mmol/L",
    "spo2": lambda value, _facts: f"血氧{value}%",
    "respiratory_rate": lambda value, _facts: f"呼吸{value}次/分",
    "heart_rate": lambda value, _facts: f"心率{value}次/分",
}


def _age_months(facts: CaseFacts, condition: Condition) -> float | None:
    """The age, and where it is unknown the safe side.

    A child counts as a young one where the limit is five years or more; whoever is not spoken of as a child counts as
    grown up where a limit merely keeps children out.
    """
    if facts.age_months is not None:
        return float(facts.age_months)
    start = condition.age_from_months
    if start is not None and condition.age_below_months is None and facts.relation is not Relation.CHILD:
        return float(start) if start <= GROWN_UP_MONTHS else None
    limit = condition.age_below_months
    if facts.relation is Relation.CHILD and limit is not None and limit >= YOUNG_CHILD_MONTHS:
        return YOUNG_CHILD_MONTHS - 1.0
    return None


def _age_text(facts: CaseFacts) -> str:
    if facts.age_months is None:
        return "孩子" if facts.relation is Relation.CHILD else "成人"
    months = facts.age_months
    return f"{months // 12}岁" if months >= 24 else f"{months}个月"
