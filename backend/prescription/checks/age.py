"""Ages at which a medicine does harm."""

from collections.abc import Iterator
from decimal import Decimal

from backend.prescription.checks.case import VERDICTS, Case, Item, advise, finding
from backend.prescription.rules import Finding, Severity
from data.drugs import AgeLimit

_ORDER = ("stop", "warning", "note")


def check(case: Case) -> Iterator[Finding]:
    """Each line against the patient's age, which has to be known."""
    if case.age is None:
        sentence = "不知道病人的出生日期，没法核对年龄和用量。"
        law = case.reference.laws["suitability"].source
        yield Finding("missing.birth_date", "order", Severity.STOP, (), sentence, "请先补上出生日期。", law)
        return
    for item in case.items:
        facts = [fact for fact in item.medicine.ages if _meets(fact, case.age)]
        if facts:
            yield _found(case, item, min(facts, key=lambda fact: _ORDER.index(fact.severity)))


def _meets(fact: AgeLimit, age: Decimal) -> bool:
    return (fact.under is not None and age < fact.under) or (fact.over is not None and age >= fact.over)


def _found(case: Case, item: Item, fact: AgeLimit) -> Finding:
    verdict = VERDICTS[fact.severity]
    whom = f"{_years(fact.under)}以下" if fact.under is not None else f"{_years(fact.over)}及以上"
    sentence = f"{item.name}{whom}{verdict}：{fact.why}。"
    source = case.reference.cite(fact.source, item.medicine)
    return finding("age", item, fact.severity, sentence, source=source, advice=advise(fact))


def _years(years: Decimal | None) -> str:
    if years is None:
        return ""
    if years < 1:
        months = round(years * 12)
        return f"{months}个月" if months else f"{round(years * 365)}天"
    return f"{years.normalize():f}岁"
