"""What a careful pharmacist would say of an order. Pure: the same order, patient and day give the same findings."""

from datetime import date

from backend.prescription.checks import (
    age,
    allergy,
    caution,
    course,
    disease,
    dose,
    duplicate,
    indication,
    interaction,
    kidney,
    law,
    line,
    liver,
    motherhood,
    patient,
)
from backend.prescription.checks.case import Case, Limits
from backend.prescription.rules import Finding, Order, Prescriber, Severity
from backend.records.background import Background
from data.drugs import Reference

__all__ = ["Limits", "check"]

_RULES = (
    line.check,
    law.check,
    patient.check,
    allergy.check,
    interaction.check,
    duplicate.check,
    dose.check,
    course.check,
    indication.check,
    disease.check,
    motherhood.check,
    age.check,
    kidney.check,
    liver.check,
    caution.check,
)
_GRAVITY = {Severity.STOP: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def check(
    order: Order,
    patient: Background,
    prescriber: Prescriber,
    reference: Reference,
    today: date,
    limits: Limits | None = None,
) -> tuple[Finding, ...]:
    """Find everything that speaks against an order or should be minded: stops first, then warnings, then notes.

    What a rule needs and is not known is a finding of its own. `today` is the day in China; ages and how old a value
    is are counted to it.
    """
    case = Case.of(order, patient, prescriber, reference, today, limits or Limits())
    found = [finding for rule in _RULES for finding in rule(case)]
    return tuple(sorted(found, key=lambda one: (_GRAVITY[one.severity], one.lines, one.rule, one.subject)))
