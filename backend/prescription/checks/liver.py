"""What a sick liver means for a medicine."""

from collections.abc import Iterator

from backend.prescription.checks.case import VERDICTS, Case, Item, finding
from backend.prescription.rules import Finding
from data.drugs import LiverLimit

_DISEASES = ("B15-B19", "K70", "K71", "K72", "K73", "K74", "K75", "C22")


def check(case: Case) -> Iterator[Finding]:
    """Each line that a liver limit is known of, against ALT and diseases of the liver."""
    for item in case.items:
        if fact := item.medicine.liver:
            yield from _against(case, item, fact)


def _against(case: Case, item: Item, fact: LiverLimit) -> Iterator[Finding]:
    alt, source = case.patient.alt, case.reference.cite(fact.source, item.medicine)
    sick = [one.name for one in case.diseases_in(_DISEASES)]
    high = alt is not None and alt.value > fact.alt_over
    old = alt is None or case.days_since(alt) > case.limits.liver_days
    if high and alt is not None:
        verdict = VERDICTS[fact.severity]
        sentence = f"病人转氨酶{alt.value.normalize():f}，太高了，{item.name}{verdict}：{fact.why}。"
        advice = f"{fact.instead}。" if fact.instead else "请先查清肝病，或换一种药。"
        yield finding("liver", item, fact.severity, sentence, source=source, advice=advice)
    elif sick:
        severity = "note" if fact.severity == "note" else "warning"
        sentence = f"病人有{'、'.join(sick)}，{item.name}要慎用：{fact.why}。"
        advice = f"{fact.instead}。" if fact.instead else "请先查肝功能，写明为什么可以用。"
        yield finding("liver", item, severity, sentence, source=source, advice=advice)
    if old:
        reason = "没有肝功能结果" if alt is None else "肝功能结果太旧"
        sentence = f"{reason}，{item.name}肝不好的人要当心：{fact.why}。"
        yield finding("liver.unknown", item, "note", sentence, source=source, advice="肝不好的人请先查肝功能。")
