"""What hospitals tell joins what a prescriber has to know. Pure."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from backend.records.background import Background, Measured
from backend.records.hospital.reading import instant
from backend.records.hospital.stored import HospitalFacts
from data.observations import UnknownUnit, observation_kinds


def with_hospitals(background: Background, facts: HospitalFacts) -> Background:
    """Give `background` with what the hospitals tell beside what was said here.

    The newest weight, creatinine and ALT count, whoever measured them. That a hospital noted that there are no
    allergies is an answer where nobody was asked here.
    """
    return replace(
        background,
        weight=_newer(background.weight, _measured(facts, "weight")),
        creatinine=_newer(background.creatinine, _measured(facts, "creatinine")),
        alt=_newer(background.alt, _measured(facts, "alt")),
        allergies=(*background.allergies, *facts.allergies),
        allergies_asked=background.allergies_asked or facts.no_known_allergies,
        medicines=(*background.medicines, *facts.medicines),
        conditions=(*background.conditions, *facts.conditions),
        unreachable=facts.unreachable,
    )


def _measured(facts: HospitalFacts, key: str) -> Measured | None:
    """Give the newest value of a kind in its own unit; None where it cannot be converted, or be at all."""
    kind = observation_kinds()[key]
    one = next((one for one in facts.measurements if one.code == kind.loinc), None)
    taken = instant(one.taken) if one else None
    if one is None or taken is None:
        return None
    try:
        value = kind.to_own_unit(Decimal(one.value), one.unit)
    except (UnknownUnit, InvalidOperation):
        return None
    return Measured(value, taken) if kind.is_believable(value) else None


def _newer(one: Measured | None, other: Measured | None) -> Measured | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda measured: measured.taken_at)
