"""People and orders that the tests of prescribing begin with."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from backend.prescription.checks import check
from backend.prescription.rules import Finding, Line, Order, Prescriber, Severity
from backend.records.background import Allergy, Answered, Background, CurrentMedicine, Measured
from data.drugs import Dose, Medicine, Preparation, reference

REFERENCE = reference()
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
DOCTOR = Prescriber("doctor", "主治医师", frozenset({"non_restricted", "restricted"}))


def born(years: float) -> date:
    """The birth date of somebody of so many years."""
    return date.fromordinal(TODAY.toordinal() - round(years * 365.25) - 1)


def somebody(**known: Any) -> Background:
    """A healthy man of 45 of whom everything is known; `known` is what is otherwise."""
    return replace(
        Background(
            "patient",
            birth_date=date(1981, 1, 1),
            sex="male",
            named=True,
            weight=Measured(Decimal(70), NOW),
            creatinine=Measured(Decimal(70), NOW),
            alt=Measured(Decimal(20), NOW),
            pregnant=Answered(False, NOW),
            lactating=Answered(False, NOW),
            allergies_asked=NOW,
            medicines_asked=NOW,
        ),
        **known,
    )


def allergic_to(code: str | None, substance: str = "那种药", severe: bool = False) -> Background:
    """The same man with an allergy."""
    return somebody(allergies=(Allergy(substance, code, severe=severe, recorded_at=NOW),))


def who_takes(*codes: str) -> Background:
    """The same man who takes medicines."""
    return somebody(medicines=tuple(CurrentMedicine(REFERENCE.name_of(code), code) for code in codes))


def preparation(medicine: str, form: str | None = None) -> Preparation:
    """A preparation of a medicine, the first of the form."""
    return next(one for one in REFERENCE.preparations_of(medicine) if form in (None, one.form.code))


def line(
    medicine: str, dose: float | None = None, frequency: str | None = None, days: int = 3, form: str | None = None
) -> Line:
    """A line; what is not said is usual for an adult, or for whom there is a dose at all."""
    made = preparation(medicine, form)
    rule = usual_dose(made)
    amount = Decimal(str(dose)) if dose is not None else rule.time[0] * (70 if rule.kg else 1)
    return Line(made.code, amount, frequency or rule.frequencies[0], made.routes[0], days)


def usual_dose(made: Preparation) -> Dose:
    """The first dose for adults, or the first."""
    doses = [one for one in made.medicine.doses if not one.routes or made.routes[0] in one.routes]
    return next((one for one in doses if one.ages[1] is None), doses[0])


def order(*lines: Line, diagnoses: tuple[str, ...] = ("J03.9",), **rest: Any) -> Order:
    """An order with the patient before the doctor."""
    return Order(lines, diagnoses, **{"in_person": True, **rest})


def findings(
    lines: Order | Line, patient: Background | None = None, prescriber: Prescriber = DOCTOR
) -> tuple[Finding, ...]:
    """What is found against an order, or against one line."""
    what = lines if isinstance(lines, Order) else order(lines)
    return check(what, patient or somebody(), prescriber, REFERENCE, today=TODAY)


def severity(found: tuple[Finding, ...], rule: str) -> Severity | None:
    """The gravest of a rule's findings, or None."""
    gravity = [Severity.NOTE, Severity.WARNING, Severity.STOP]
    return max((one.severity for one in found if one.rule == rule), key=gravity.index, default=None)


def for_adults(medicine: Medicine) -> bool:
    """Whether there is a dose for the man of 45 by the first route of its first preparation."""
    route = REFERENCE.preparations_of(medicine.code)[0].routes[0]
    return any(
        (not one.routes or route in one.routes) and one.ages[0] <= 45 and (one.ages[1] is None or one.ages[1] > 46)
        for one in medicine.doses
    )
