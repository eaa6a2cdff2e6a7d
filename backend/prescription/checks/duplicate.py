"""The same thing twice: one ingredient under two names, two members of one class."""

from collections.abc import Iterator
from itertools import combinations

from backend.prescription.checks.case import Case, Item
from backend.prescription.rules import Finding, Severity
from data.drugs import DrugClass, Medicine

_CONTINUED = "如果是续方，不用改，请提醒病人别两份一起吃；如果是换药，请写明停哪一种。"


def check(case: Case) -> Iterator[Finding]:
    """Each pair of lines, and each line with each current medicine."""
    for one, other in combinations(case.items, 2):
        yield from _two_lines(case, one, other)
    prescribed = {item.medicine.code for item in case.items}
    for item in case.items:
        for current in case.patient.medicines:
            codes = case.resolve(current.code)
            if current.code in case.reference.classes:
                continue  # a class was named: which member it is nobody knows
            for code in sorted(codes):
                if code == item.medicine.code or code not in prescribed:
                    yield from _with_current(case, item, case.reference.medicines[code])


def _two_lines(case: Case, one: Item, other: Item) -> Iterator[Finding]:
    lines, law = (one.index, other.index), case.reference.laws["suitability"].source
    first, second = one.medicine, other.medicine
    if first.code == second.code:
        sentence = f"{first.plain_name}开了两次。"
        advice = "同一种药请合成一行；确实要两种规格，请写明怎么吃。"
        yield Finding("duplicate.medicine", first.code, Severity.WARNING, lines, sentence, advice, law)
    elif shared := _shared(case, first, second):
        local = case.reference.local & {first.code, second.code}
        sentence = f"{one.name}和{other.name}都含{shared}，重复用药。"
        severity = Severity.WARNING if local else Severity.STOP
        yield Finding("duplicate.ingredient", _pair(first, second), severity, lines, sentence, "请去掉一种。", law)
    elif group := _class(case, first, second):
        sentence = f"{one.name}和{other.name}同属{group.name}：{group.why}。"
        source = case.reference.cite(group.source, first)
        severity = Severity(group.duplicate or "note")
        yield Finding("duplicate.class", _pair(first, second), severity, lines, sentence, "请只留一种。", source)


def _with_current(case: Case, item: Item, taken: Medicine) -> Iterator[Finding]:
    """Less grave than among lines: the new one may be meant to take the other's place."""
    lines, law = (item.index,), case.reference.laws["suitability"].source
    if taken.code == item.medicine.code:
        sentence = f"病人已经在用{taken.plain_name}。"
        yield Finding("current.medicine", taken.code, Severity.NOTE, lines, sentence, _CONTINUED, law)
    elif shared := _shared(case, item.medicine, taken):
        sentence = f"病人正在用的{taken.plain_name}和{item.name}都含{shared}，重复用药。"
        subject = _pair(item.medicine, taken)
        yield Finding("current.ingredient", subject, Severity.WARNING, lines, sentence, "请让病人停一种，并写明。", law)
    elif group := _class(case, item.medicine, taken):
        severity = Severity.NOTE if group.duplicate == "note" else Severity.WARNING
        sentence = f"病人正在用的{taken.plain_name}和{item.name}同属{group.name}：{group.why}。"
        source = case.reference.cite(group.source, item.medicine)
        subject = _pair(item.medicine, taken)
        yield Finding("current.class", subject, severity, lines, sentence, "如果是换药，请写明停哪一种。", source)


def _shared(case: Case, one: Medicine, other: Medicine) -> str:
    both = sorted({*one.ingredients} & {*other.ingredients})
    return "、".join(case.reference.name_of(code) for code in both)


def _class(case: Case, one: Medicine, other: Medicine) -> DrugClass | None:
    """The class of both in which two are too many; the gravest, then the first by its code.

    What acts only where it is put adds nothing to what goes through the body.
    """
    if case.reference.local & {one.code, other.code}:
        return None
    both = case.reference.classes_of(one.code) & case.reference.classes_of(other.code)
    groups = [group for code in sorted(both) if (group := case.reference.classes[code]).duplicate]
    return min(groups, key=lambda group: ("stop", "warning", "note").index(group.duplicate or "note"), default=None)


def _pair(one: Medicine, other: Medicine) -> str:
    return "+".join(sorted((one.code, other.code)))
