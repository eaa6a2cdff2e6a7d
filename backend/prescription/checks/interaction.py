"""What two medicines do to each other: among the lines, and with what the patient takes."""

from collections.abc import Iterator
from itertools import combinations

from backend.prescription.checks.case import Case, Item, token
from backend.prescription.rules import Finding, Severity
from data.drugs import Interaction


def check(case: Case) -> Iterator[Finding]:
    """Each pair of lines, each line with each current medicine, and current medicines that are not known here."""
    law = case.reference.laws["suitability"].source
    for one, other in combinations(case.items, 2):
        for interaction in case.reference.between(one.medicine.code, other.medicine.code):
            yield _found(case, interaction, (one, other), other.medicine.code, other.name)
    yield from _with_current(case)
    if case.patient.medicines_asked is None:
        codes = {
            code for item in case.items for code in (item.medicine.code, *case.reference.classes_of(item.medicine.code))
        }
        stops = any(one.severity == "stop" and codes & {*one.between} for one in case.reference.interactions)
        severity = Severity.STOP if stops else Severity.WARNING
        sentence = "还没有问过病人正在用什么药。"
        yield Finding("medicines.not_asked", "medicines", severity, (), sentence, "请先问清正在用的药，再开药。", law)
    for current in case.patient.medicines:
        if not case.resolve(current.code):
            sentence = f"病人正在用“{current.name}”，药品资料里没有这个名字，没法自动核对。"
            advice = "请看药盒上的成分，自己核对能不能一起用，并写明已核对。"
            yield Finding("medicines.unmapped", token(current.name), Severity.WARNING, (), sentence, advice, law)


def _with_current(case: Case) -> Iterator[Finding]:
    """What is prescribed too is looked at as a line; of a class that was named each member may be meant."""
    prescribed = {item.medicine.code for item in case.items}
    for item in case.items:
        seen: set[tuple[str, str]] = set()
        for current in case.patient.medicines:
            for code in sorted(case.resolve(current.code) - prescribed):
                for interaction in case.reference.between(item.medicine.code, code):
                    about = (current.code or "", "+".join(interaction.between))
                    if about not in seen:
                        seen.add(about)
                        yield _found(case, interaction, (item,), current.code or code, f"正在用的{current.name}")


def _found(case: Case, interaction: Interaction, items: tuple[Item, ...], other: str, name: str) -> Finding:
    medicine = items[0].medicine
    pair = "+".join(sorted((medicine.code, other)))
    between = "+".join(sorted(interaction.between))
    subject = pair if pair == between else f"{pair}+{between}"
    verdict = {"stop": "不能一起用", "warning": "一起用要小心", "note": "一起用请留意"}[interaction.severity]
    sentence = f"{items[0].name}和{name}{verdict}：{interaction.how}。"
    lines = tuple(item.index for item in items)
    source = case.reference.cite(interaction.source, medicine)
    return Finding(
        "interaction", subject, Severity(interaction.severity), lines, sentence, f"{interaction.act}。", source
    )
