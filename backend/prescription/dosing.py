"""How much people of an age and weight take of a medicine, and how many packs that makes. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from backend.prescription.rules import Line
from data.drugs import Dose, Frequency, Medicine, Preparation, Reference

YOUTH = 14
"""From this age on who has no dose of their own is measured by the adults'; with a warning."""
_AS_NEEDED = Decimal(4)


def years_old(born: date, today: date) -> Decimal:
    """Give an age in years, with the days since the last birthday as a part of one."""
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return years + Decimal((today - _birthday(born, born.year + years)).days) / 366


def _birthday(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:  # the 29th of February
        return date(year, 3, 1)


def doses_for(medicine: Medicine, route: str, age: Decimal) -> tuple[Dose, ...]:
    """The doses of a route for an age, in the order of the reference; several only where they go by weight."""
    fits = [one for one in medicine.doses if not one.routes or route in one.routes]
    return tuple(one for one in fits if one.ages[0] <= age and (one.ages[1] is None or age < one.ages[1]))


def dose_for(medicine: Medicine, route: str, age: Decimal, weight: Decimal | None) -> Dose | None:
    """The one dose that holds; None where there is none, or it goes by a weight that is not known."""
    for one in doses_for(medicine, route, age):
        if one.weight is None and not one.kg:
            return one
        if weight is None:
            return None
        low, high = one.weight or (Decimal(0), None)
        if low <= weight and (high is None or weight < high):
            return one
    return None


def per_day(frequency: Frequency, dose: Dose | None, reference: Reference) -> Decimal:
    """How often it is taken on a day when it is taken; as needed counts as often as its dose may be."""
    if frequency.per_day is not None:
        return max(frequency.per_day, Decimal(1))
    usual = [reference.frequencies[code].per_day for code in dose.frequencies] if dose else []
    return max((times for times in usual if times is not None), default=_AS_NEEDED if dose is None else Decimal(1))


@dataclass(frozen=True)
class Proposal:
    """What a writer may begin with.

    Args:
        dose: for one time, in the preparation's unit; frequency: its code; days: the usual course, None unknown.
        most_a_day: in the same unit.
    """

    dose: Decimal
    frequency: str
    route: str
    days: int | None
    most_a_day: Decimal


def propose(preparation: Preparation, reference: Reference, age: Decimal, weight: Decimal | None) -> Proposal | None:
    """The usual dose of a preparation for an age in years and a weight in kg, as it can be measured out.

    The lower end of the usual range, raised to what can be measured out as long as that is usual too, by the first
    frequency that keeps it within the most for a day. None where no dose is known, or it goes by a weight that is not
    known, or cannot be measured out.
    """
    medicine, route = preparation.medicine, preparation.routes[0]
    rule = dose_for(medicine, route, age, weight)
    if rule is None:
        return None
    low, high = rule.time
    most_a_day = rule.max_day
    if rule.kg and weight is not None and rule.max_kg_day is not None:
        low, high = low * weight, high * weight
        most_a_day = min(most_a_day, rule.max_kg_day * weight)
    high = min(high, rule.most_for_one_time)
    for code in rule.frequencies:
        most = min(high, most_a_day / per_day(reference.frequencies[code], rule, reference))
        dose = _measured(min(low, most), preparation, ROUND_CEILING)
        if dose > most:
            dose = _measured(most, preparation, ROUND_FLOOR)
        if dose > 0:
            return Proposal(dose, code, route, medicine.days[0] if medicine.days else None, most_a_day)
    return None


def packs(line: Line, preparation: Preparation, reference: Reference, age: Decimal, weight: Decimal | None) -> int:
    """How many packs a line comes to; as needed counts as often as its dose may be taken, a single dose once."""
    frequency = reference.frequencies[line.frequency]
    times: Decimal
    if frequency.once:
        times = Decimal(1)
    elif frequency.per_day is not None:
        times = (frequency.per_day * line.days).to_integral_value(ROUND_CEILING)
    else:
        rule = dose_for(preparation.medicine, line.route, age, weight)
        times = per_day(frequency, rule, reference) * line.days
    pieces = line.dose * times / preparation.strength
    return max(1, int((pieces / preparation.pack).to_integral_value(ROUND_CEILING)))


def _measured(dose: Decimal, preparation: Preparation, rounding: str) -> Decimal:
    part = preparation.strength * preparation.form.step
    return (dose / part).to_integral_value(rounding) * part
