"""Is the patient whom a hospital has under a citizen identity number the one that we mean? Pure.

One wrong character in a number is another person's history. So the number alone is not enough: the name and the birth
date have to be the same, and the sex must not be another one.
"""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from backend.people.views import IdentityView
from backend.records.hospital.validation import Resource


class Match(StrEnum):
    """What a search by identity number came to."""

    ONE = "one"
    NOBODY = "nobody"
    SEVERAL = "several"
    ANOTHER = "another"  # one, but of another name, sex or birth date


def match(identity: IdentityView, system: str, found: Sequence[Resource]) -> tuple[Match, str]:
    """Tell whom a hospital has under an identity number, and their identifier there where it is the one.

    Args:
        system: the system of identity numbers at that hospital.
        found: Patients; those that do not carry the number are passed over, and so are those that are no longer used.
    """
    theirs = [one for one in found if _in_use(one) and _has_number(one, system, identity.number)]
    if not theirs:
        return Match.NOBODY, ""
    if len({one["id"] for one in theirs}) > 1:
        return Match.SEVERAL, ""
    patient = theirs[0]
    same_day = patient.get("birthDate") == identity.birth_date.isoformat()
    if not same_day or not _same_sex(patient, identity.sex) or _plain(identity.name) not in _names(patient):
        return Match.ANOTHER, ""
    return Match.ONE, str(patient["id"])


def _in_use(patient: Resource) -> bool:
    replaced = any(link.get("type") == "replaced-by" for link in patient.get("link", []))
    return patient.get("active") is not False and not replaced


def _has_number(patient: Resource, system: str, number: str) -> bool:
    return any(
        one.get("system") == system and str(one.get("value", "")).strip().upper() == number.upper()
        for one in patient.get("identifier", [])
    )


def _same_sex(patient: Resource, sex: str) -> bool:
    said = {patient.get("gender", "unknown"), sex} - {"unknown"}
    return len(said) <= 1


def _names(patient: Resource) -> set[str]:
    """Give the names that the patient has there, as they are written in China: family name first, without blanks."""
    names = set()
    for name in patient.get("name", []):
        names.add(_plain(str(name.get("text", ""))))
        names.add(_plain(str(name.get("family", "")) + "".join(map(str, name.get("given", [])))))
    return names - {""}


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())
