"""Pregnancy and breast-feeding."""

from collections.abc import Iterator

from backend.prescription.checks.case import VERDICTS, Case, Item, finding
from backend.prescription.rules import Finding
from backend.records.background import Answered
from data.drugs import Lactation, Pregnancy

_ORDER = ("stop", "warning", "note")
_TRIMESTERS = {1: "头三个月", 2: "中间三个月", 3: "最后三个月"}


def check(case: Case) -> Iterator[Finding]:
    """Each line for a woman who is pregnant or breast-feeds, or may be and was not asked: then it is as grave."""
    if not _can_be(case):
        return
    pregnant = True if case.has("O00-O48", "Z33-Z36") else _state(case, case.patient.pregnant)
    lactating = _state(case, case.patient.lactating)
    for item in case.items:
        if pregnant is not False and item.medicine.pregnancy:
            fact = min(item.medicine.pregnancy, key=lambda one: _ORDER.index(one.severity))
            yield _pregnancy(case, item, fact, bool(pregnant))
        if lactating is not False and item.medicine.lactation:
            yield _lactation(case, item, item.medicine.lactation, bool(lactating))


def _can_be(case: Case) -> bool:
    first, last = case.limits.fertile_from, case.limits.fertile_until
    return case.patient.sex != "male" and (case.age is None or first <= case.age < last + 1)


def _state(case: Case, answer: Answered | None) -> bool | None:
    """What was answered; a "no" of long ago is no answer."""
    if answer is None or (not answer.yes and case.days_since(answer) > case.limits.answer_days):
        return None
    return answer.yes


def _pregnancy(case: Case, item: Item, fact: Pregnancy, known: bool) -> Finding:
    when = "" if len(fact.trimesters) == 3 else "、".join(_TRIMESTERS[one] for one in fact.trimesters)
    harm = f"{item.name}孕妇{when}{VERDICTS[fact.severity]}：{fact.why}"
    sentence = f"病人怀孕了，{harm}。" if known else f"还没有问清病人是不是怀孕，{harm}。"
    instead = f"{fact.instead}。" if fact.instead else "请换一种药，或请产科医生决定。"
    advice = instead if known else "请先问清是不是怀孕，拿不准先验孕。"
    source = case.reference.cite(fact.source, item.medicine)
    return finding("pregnancy", item, fact.severity, sentence, source=source, advice=advice)


def _lactation(case: Case, item: Item, fact: Lactation, known: bool) -> Finding:
    harm = f"{item.name}喂奶的人{VERDICTS[fact.severity]}：{fact.why}"
    sentence = f"病人在喂奶，{harm}。" if known else f"还没有问清病人是不是在喂奶，{harm}。"
    instead = f"{fact.instead}。" if fact.instead else "请换一种药，或用药期间停喂母乳。"
    source = case.reference.cite(fact.source, item.medicine)
    advice = instead if known else "请先问清是不是在喂奶。"
    return finding("lactation", item, fact.severity, sentence, source=source, advice=advice)
