"""What a patient reacts to, and what is like it."""

from collections.abc import Iterator
from dataclasses import dataclass

from backend.clock import LOCAL_ZONE
from backend.prescription.checks.case import VERDICTS, Case, Item, finding, token
from backend.prescription.rules import Finding, Severity
from backend.records.background import Allergy

_ORDER = (Severity.STOP, Severity.WARNING, Severity.NOTE)
_ELSE = "请换别类药"


@dataclass(frozen=True)
class _Reaction:
    """Why a line is like what the patient reacts to."""

    rule: str
    severity: Severity
    why: str
    instead: str
    source: str


def check(case: Case) -> Iterator[Finding]:
    """Each line against each allergy: the same substance, its class, and what reacts across classes.

    Also that nobody has asked, and what was said and is not known here.
    """
    law = case.reference.laws["suitability"].source
    if case.patient.allergies_asked is None:
        classes = {code for item in case.items for code in case.reference.classes_of(item.medicine.code)}
        stops = any(case.reference.classes[code].allergy == "stop" for code in classes)
        severity = Severity.STOP if stops else Severity.WARNING
        sentence = "还没有问过病人对什么药过敏。"
        yield Finding("allergy.not_asked", "allergies", severity, (), sentence, "请先问清过敏史，再开药。", law)
    for allergy in case.patient.allergies:
        if not _known(case, allergy):
            sentence = f"病人说对“{allergy.substance}”过敏，药品资料里没有这个名字，没法自动核对。"
            advice = "请自己核对这些药里有没有它，并写明已核对。"
            yield Finding("allergy.unmapped", token(allergy.substance), Severity.WARNING, (), sentence, advice, law)
        for item in case.items:
            yield from _against(case, item, allergy)
    for hospital in case.patient.unreachable:
        sentence = f"没能读到{hospital}的病历，过敏和用药可能不全。"
        advice = "请当面问清过敏史和正在用的药。"
        yield Finding("history.unread", token(hospital), Severity.WARNING, (), sentence, advice, law)


def _known(case: Case, allergy: Allergy) -> bool:
    codes = (case.reference.classes, case.reference.ingredients)
    return bool(case.resolve(allergy.code)) or any(allergy.code in known for known in codes)


def _against(case: Case, item: Item, allergy: Allergy) -> Iterator[Finding]:
    """The gravest that the allergy means for the line, if anything."""
    reactions = [*_same(case, item, allergy), *_like(case, item, allergy), *_across(case, item, allergy)]
    if not reactions:
        return
    worst = min(reactions, key=lambda one: _ORDER.index(one.severity))
    told = allergy.source.label
    if allergy.recorded_at is not None:
        told += f"，{allergy.recorded_at.astimezone(LOCAL_ZONE):%Y-%m-%d}"
    sentence = f"病人对{allergy.substance}过敏（{told}），{worst.why}，{item.name}{VERDICTS[worst.severity]}。"
    advice, subject = f"{worst.instead or _ELSE}。", allergy.code or token(allergy.substance)
    yield finding(worst.rule, item, worst.severity, sentence, source=worst.source, advice=advice, subject=subject)


def _same(case: Case, item: Item, allergy: Allergy) -> Iterator[_Reaction]:
    """The substance itself: a medicine with an ingredient in common, or a member of the class that was named."""
    reference, medicine = case.reference, item.medicine
    if named := reference.classes.get(allergy.code or ""):
        if medicine.code in reference.members(named.code):
            why, source = f"它属于{named.name}", reference.cite(named.source, medicine)
            yield _Reaction("allergy.class", Severity.STOP, why, named.instead, source)
        return
    parts = {part for code in case.resolve(allergy.code) for part in reference.medicines[code].ingredients}
    if {*parts, allergy.code} & {*medicine.ingredients, medicine.code}:
        instead = next(
            (
                one.instead
                for code in sorted(reference.classes_of(medicine.code))
                if (one := reference.classes[code]).instead
            ),
            "",
        )
        yield _Reaction(
            "allergy.same", Severity.STOP, "这种药就是或含有它", instead, reference.cite("insert", medicine)
        )


def _like(case: Case, item: Item, allergy: Allergy) -> Iterator[_Reaction]:
    """Other members of the classes of what the patient reacts to."""
    reference = case.reference
    for code in sorted(_classes(case, allergy) & reference.classes_of(item.medicine.code)):
        shared = reference.classes[code]
        if shared.allergy:
            severity = Severity.STOP if allergy.severe else Severity(shared.allergy)
            source = reference.cite(shared.source, item.medicine)
            yield _Reaction("allergy.class", severity, f"它们同属{shared.name}", shared.instead, source)


def _across(case: Case, item: Item, allergy: Allergy) -> Iterator[_Reaction]:
    """What reacts across classes."""
    reference, medicine = case.reference, item.medicine
    causes = {*_classes(case, allergy), *case.resolve(allergy.code), allergy.code}
    given = {*reference.classes_of(medicine.code), medicine.code}
    for crossing in reference.cross_reactions:
        if crossing.allergic_to in causes and crossing.given in given:
            severity = Severity(crossing.severe if allergy.severe else crossing.severity)
            source = reference.cite(crossing.source, medicine)
            yield _Reaction("allergy.cross", severity, crossing.why, crossing.instead, source)


def _classes(case: Case, allergy: Allergy) -> frozenset[str]:
    """The classes that hold what the patient reacts to; a class that was named, and those that hold it."""
    if allergy.code and allergy.code in case.reference.classes:
        return case.reference.classes_above(allergy.code)
    return frozenset(code for one in case.resolve(allergy.code) for code in case.reference.classes_of(one))
