"""What a patient spared by not going to the expert's hospital: ways in metres, costs in fen. Pure.

What would have been: from home to the township centre and on to the hospital where the expert practises, and back; the
time away, and the hospital's registration fee. What was: from home to the township centre and back, the time there, and
what the patient paid themselves for the consultation (docs/console.md).
"""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal

from backend.money import rounded, to_fen
from backend.people.rules import distance_km
from data.savings import Parameters

Place = tuple[float, float]
"""Latitude and longitude in degrees."""


@dataclass(frozen=True)
class Saving:
    """One case: what it would have been, and what it was."""

    metres_instead: int
    metres_gone: int
    fen_instead: int
    fen_spent: int


def saving(held: Parameters, centre: Place, hospital: Place, paid_fen: int) -> Saving:
    """Give what a case spared its patient.

    Where the expert practises at the same place there was no further way to go: nothing is spared.

    Args:
        centre: of the township centre that asked. hospital: of where the expert practises.
        paid_fen: what the patient paid themselves for the consultation.
    """
    straight = Decimal(str(round(distance_km(centre, hospital), 3)))
    home = 2 * held.home_km.value
    there = home + 2 * straight * held.road_factor.value
    gone = _journey(held, home, held.township_days.value)
    instead = _journey(held, there, held.hospital_days.value) + held.registration_fee.value if straight else gone
    return Saving(round(there * 1000), round(home * 1000), to_fen(rounded(instead)), to_fen(rounded(gone)) + paid_fen)


def basis(held: Parameters, centre: Place, hospital: Place) -> str:
    """Give a digest of what a case is reckoned with but for what its patient paid: it changes when a number or a place
    does."""
    numbers = [str(one.value) for one in held.all]
    told = json.dumps([held.code, numbers, *(f"{one:.6f}" for one in (*centre, *hospital))])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _journey(held: Parameters, kilometres: Decimal, days: Decimal) -> Decimal:
    """Give what it costs everybody who goes, in yuan."""
    return held.travellers.value * (kilometres * held.fare_per_km.value + days * held.day_income.value)
