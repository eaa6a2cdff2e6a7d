"""What kidneys that filter less mean for a medicine."""

from collections.abc import Iterator

from backend.prescription.checks.case import ADULT, VERDICTS, Case, Item, advise, finding
from backend.prescription.checks.dose import day_dose
from backend.prescription.rules import Finding
from data.drugs import KidneyLimit

_AT_RISK = ("I10-I15", "I50", "E10-E14", "N00-N19", "M10", "N20")
_KNOWN_BAD = ("N17-N19",)
_OLD = 65


def check(case: Case) -> Iterator[Finding]:
    """Each line against the filtration rate; that it is not known is said as gravely as it may matter."""
    for item in case.items:
        if not item.medicine.kidney:
            continue
        if case.gfr is not None:
            facts = [fact for fact in item.medicine.kidney if case.gfr < fact.below]
            if facts:
                yield _found(case, item, min(facts, key=lambda fact: fact.below))
        if case.gfr is None or case.gfr_is_old:
            yield _unknown(case, item)


def _found(case: Case, item: Item, fact: KidneyLimit) -> Finding:
    dose = day_dose(case, item)
    over = fact.max_day is not None and dose > fact.max_day
    severity = "stop" if over else fact.severity
    verdict = "不能用这么多" if over else VERDICTS[severity]
    most = f"每天最多{fact.max_day.normalize():f}{item.medicine.unit}" if fact.max_day is not None else ""
    reason = f"{fact.why}，{most}" if most else fact.why
    sentence = f"病人肾功能差（滤过率约{round(case.gfr or 0)}），{item.name}{verdict}：{reason}。"
    source = case.reference.cite(fact.source, item.medicine)
    advice = f"请减到{most}。" if over else advise(fact)
    return finding("kidney", item, severity, sentence, source=source, advice=advice)


def _unknown(case: Case, item: Item) -> Finding:
    stops = any(fact.severity == "stop" for fact in item.medicine.kidney)
    at_risk = case.has(*_AT_RISK) or (case.age is not None and case.age >= _OLD)
    severity = "note"
    if case.gfr is None and case.has(*_KNOWN_BAD):
        severity = "stop" if stops else "warning"
    elif at_risk:
        severity = "warning"
    reason = "没有肾功能结果" if case.patient.creatinine is None else "肾功能结果太旧"
    if case.gfr is None and case.age is not None and case.age < ADULT:
        reason = "孩子的肾功能这里算不出来"
    fact = max(item.medicine.kidney, key=lambda one: one.below)
    sentence = f"{reason}，{item.name}肾功能差的人要当心：{fact.why}。"
    source = case.reference.cite(fact.source, item.medicine)
    advice = "请先查肌酐，或写明为什么现在可以用。" if severity != "note" else "肾不好的人请先查肌酐。"
    return finding("kidney.unknown", item, severity, sentence, source=source, advice=advice)
