"""Whether the facts of a case meet a condition of the reference data."""

from collections.abc import Iterator

from data.conditions import Condition
from nlu.facts import CaseFacts
from nlu.types import Relation, Status

YOUNG_CHILD_MONTHS = 60
"""Under five years: the young children of WHO IMCI."""


def evidence(condition: Condition, facts: CaseFacts) -> tuple[str, ...]:
    """What meets the condition, in Chinese words; empty where any part of it is not met."""
    present = set(facts.present)
    groups = [(name,) for name in condition.all_of] + [
        group for group in (condition.any_of, condition.also_any) if group
    ]
    found: list[str] = []
    for group in groups:
        met = [name for name in group if name in present]
        if not met:
            return ()
        found += met
    if condition.any_disease:
        told = (*facts.diseases, *facts.operations)
        known = [d.name for d in told if d.status is Status.POSITIVE and d.name in condition.any_disease]
        if not known:
            return ()
        found += known
    for met_limit in _limits(condition, facts):
        if met_limit is None:
            return ()
        found.append(met_limit)
    return tuple(dict.fromkeys(found))


def _limits(condition: Condition, facts: CaseFacts) -> Iterator[str | None]:
    """For every limit that the condition sets: the value that meets it in words, or ``None``."""
    vitals = facts.vitals
    age = _age_months(facts, condition)
    checks = (
        (age, condition.age_from_months, condition.age_below_months, _age_text(facts)),
        (facts.temperature, condition.temperature_from, None, f"体温{facts.temperature}℃"),
        (vitals.systolic, condition.systolic_from, condition.systolic_below, f"收缩压{vitals.systolic}mmHg"),
        (vitals.diastolic, condition.diastolic_from, None, f"舒张压{vitals.diastolic}mmHg"),
        (vitals.glucose, condition.glucose_from, condition.glucose_below, f"血糖{vitals.glucose}mmol/L"),
        (vitals.spo2, None, condition.spo2_below, f"血氧{vitals.spo2}%"),
        (vitals.respiratory_rate, condition.respiratory_rate_from, None, f"呼吸{vitals.respiratory_rate}次/分"),
        (vitals.heart_rate, condition.heart_rate_from, condition.heart_rate_below, f"心率{vitals.heart_rate}次/分"),
    )
    for value, at_least, below, words in checks:
        if at_least is not None:
            yield words if value is not None and value >= at_least else None
        if below is not None:
            yield words if value is not None and value < below else None
    if condition.sex:
        yield condition.sex if facts.sex == condition.sex else None
    if condition.severity:
        yield condition.severity if facts.severity == condition.severity else None
    if condition.pregnant:
        yield "怀孕" if facts.pregnancy is not None and facts.pregnancy.status is Status.POSITIVE else None


def _age_months(facts: CaseFacts, condition: Condition) -> float | None:
    """The age; a child of unknown age counts as a young one where the limit is five years or more: the safe side."""
    if facts.age_months is not None:
        return float(facts.age_months)
    limit = condition.age_below_months
    if facts.relation is Relation.CHILD and limit is not None and limit >= YOUNG_CHILD_MONTHS:
        return YOUNG_CHILD_MONTHS - 1.0
    return None


def _age_text(facts: CaseFacts) -> str:
    if facts.age_months is None:
        return "孩子"
    months = facts.age_months
    return f"{months // 12}岁" if months >= 24 else f"{months}个月"
