"""How long a medicine may be taken."""

from collections.abc import Iterator

from backend.prescription.checks.case import Case, Item, finding
from backend.prescription.rules import Finding

_ANTIMICROBIAL = ("J01", "J02", "J04", "J05", "P01")


def check(case: Case) -> Iterator[Finding]:
    """What the law lets be prescribed at once, and the longest course of the medicine."""
    for item in case.items:
        yield from _chronic(case, item) if case.order.chronic else _acute(case, item)
        usual_and_longest = item.medicine.days
        if usual_and_longest and item.line.days > usual_and_longest[1]:
            sentence = (
                f"{item.name}开了{item.line.days}天，一般用{usual_and_longest[0]}天，最长{usual_and_longest[1]}天。"
            )
            source = case.reference.cite(item.medicine.source, item.medicine)
            advice = f"请改到{usual_and_longest[1]}天以内，或写明为什么要更久。"
            yield finding("course.longest", item, "warning", sentence, source=source, advice=advice)


def _acute(case: Case, item: Item) -> Iterator[Finding]:
    limits, laws, days = case.limits, case.reference.laws, item.line.days
    if days > limits.chronic_days:
        yield _too_long(case, item)
    elif days > limits.acute_days:
        sentence = f"{item.name}开了{days}天，一般处方不超过{limits.acute_days}天。"
        advice = f"请改到{limits.acute_days}天以内；慢性病要长期吃的，请选“慢性病长期处方”，或写明理由。"
        yield finding("course.acute", item, "warning", sentence, source=laws["acute_days"].source, advice=advice)


def _chronic(case: Case, item: Item) -> Iterator[Finding]:
    limits, laws, days = case.limits, case.reference.laws, item.line.days
    if days > limits.chronic_days:
        yield _too_long(case, item)
    elif days > limits.acute_days and not item.medicine.long_course:
        excluded = item.medicine.antibiotic is not None or item.medicine.atc.startswith(_ANTIMICROBIAL)
        sentence = f"{item.name}不是慢性病长期用的药，开了{days}天。"
        advice = f"请改到{limits.acute_days}天以内。" if excluded else f"请改到{limits.acute_days}天以内，或写明理由。"
        severity = "stop" if excluded else "warning"
        yield finding(
            "course.not_chronic", item, severity, sentence, source=laws["chronic_excluded"].source, advice=advice
        )
    elif days > limits.chronic_usual_days:
        sentence = f"{item.name}开了{days}天，超过{limits.chronic_usual_days}天要先评估病情是不是稳定。"
        advice = "请写明病情稳定的依据。"
        yield finding("course.long", item, "warning", sentence, source=laws["chronic_reason"].source, advice=advice)


def _too_long(case: Case, item: Item) -> Finding:
    most = case.limits.chronic_days
    sentence = f"{item.name}开了{item.line.days}天，一张处方最多{most}天。"
    source = case.reference.laws["chronic_days"].source
    return finding("course.most", item, "stop", sentence, source=source, advice=f"请改到{most}天以内，到期复诊再开。")
