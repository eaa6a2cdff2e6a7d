"""What the law lets be prescribed, by whom, and from afar."""

from collections.abc import Iterator

from backend.prescription.checks.case import Case, finding, within
from backend.prescription.rules import Finding, Severity
from backend.records.background import Source

YOUNG = 6
_CONTROLLED = {
    "narcotic": "麻醉药品",
    "psychotropic_1": "第一类精神药品",
    "psychotropic_2": "第二类精神药品",
    "toxic": "医疗用毒性药品",
    "precursor": "含易制毒成分的药",
}
_GRADES = {"non_restricted": "非限制使用级", "restricted": "限制使用级", "special": "特殊使用级"}


def check(case: Case) -> Iterator[Finding]:
    """How many medicines, controlled ones, antibiotics and the right to them, small children, first visits."""
    laws, limits = case.reference.laws, case.limits
    if (count := len(case.order.lines)) > limits.max_medicines:
        sentence = f"这张处方有{count}种药，一张处方最多{limits.max_medicines}种。"
        yield _whole(
            "law.max_medicines", Severity.STOP, sentence, "请去掉不急需的，或分两张开。", laws["max_medicines"].source
        )
    for item in case.items:
        if control := item.medicine.controlled:
            sentence = f"{item.name}是{_CONTROLLED[control]}，不能在网上开。"
            advice = "确实需要时，请病人到医院当面就诊，用专用处方开。"
            yield finding(
                "law.controlled", item, "stop", sentence, source=laws["controlled_online"].source, advice=advice
            )
    yield from _antibiotics(case)
    if not case.order.in_person:
        yield from _from_afar(case)


def _antibiotics(case: Case) -> Iterator[Finding]:
    laws = case.reference.laws
    for item in case.items:
        grade = item.medicine.antibiotic
        if grade is None:
            continue
        if grade == "special":
            sentence = f"{item.name}是特殊使用级抗菌药，门诊不能用。"
            advice = "请转上级医院住院治疗。"
            source = laws["special_antibiotics"].source
            yield finding("law.special_antibiotic", item, "stop", sentence, source=source, advice=advice)
        elif grade not in case.prescriber.antibiotic_grades:
            sentence = f"{item.name}是{_GRADES[grade]}抗菌药，您没有这一级的处方权。"
            advice = (
                "请换非限制使用级的药，或请有权限的医生开。" if grade == "restricted" else "请先取得抗菌药物处方权。"
            )
            source = laws["antibiotic_grades"].source
            yield finding("law.antibiotic_grade", item, "stop", sentence, source=source, advice=advice)


def _from_afar(case: Case) -> Iterator[Finding]:
    laws, unknown = case.reference.laws, case.order.in_person is None
    if case.age is not None and case.age < YOUNG:
        sentence = "孩子不满6岁，网上开药要有监护人和儿科相关医生陪着。"
        advice = "请写明谁陪着；没有人陪，请带孩子当面看。"
        yield _whole("law.young_child", Severity.WARNING, sentence, advice, laws["young_child_online"].source)
    if not _seen_before(case):
        severity = Severity.NOTE if unknown else Severity.STOP
        sentence = "没有看到病人当面看过这个病的记录，网上不能给第一次看病的人开药。"
        advice = "请确认病人以前当面看过这个病，或者这次有医生当面看着。"
        yield _whole("law.first_visit", severity, sentence, advice, laws["first_visit_online"].source)


def _seen_before(case: Case) -> bool:
    known = [one.icd10 for one in case.patient.conditions if one.source in (Source.HOSPITAL, Source.DOCTOR)]
    return any(within(code, diagnosis[:3]) for code in known for diagnosis in case.order.diagnoses)


def _whole(rule: str, severity: Severity, sentence: str, advice: str, source: str) -> Finding:
    return Finding(rule, "order", severity, (), sentence, advice, source)
