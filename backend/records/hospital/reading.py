"""Small readings of FHIR's data types. Pure."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from backend.clock import LOCAL_ZONE
from backend.records.hospital.validation import Resource

_LONGEST = 300
_SUBJECTS = ("subject", "patient")


def text_of(concept: Any) -> str:
    """Give the words of a CodeableConcept: its text, else the first name of a code in it."""
    if not isinstance(concept, dict):
        return ""
    named = [str(coding.get("display", "")) for coding in concept.get("coding", [])]
    return " ".join((str(concept.get("text", "")) or next(filter(None, named), "")).split())[:_LONGEST]


def coded(concept: Any, systems: Collection[str]) -> str:
    """Give the code of the first coding whose system begins with one of `systems`, "" for none."""
    codings = concept.get("coding", []) if isinstance(concept, dict) else []
    for coding in codings:
        if any(str(coding.get("system", "")).startswith(system) for system in systems):
            return str(coding.get("code", ""))[:64]
    return ""


def has_code(concept: Any, codes: Collection[str]) -> bool:
    """Tell whether a CodeableConcept has one of `codes`, whatever their system."""
    codings = concept.get("coding", []) if isinstance(concept, dict) else []
    return any(coding.get("code") in codes for coding in codings)


def day(resource: Resource, *names: str) -> str:
    """Give the first of these elements that says when: a date, a moment, or the beginning of a period."""
    for name in names:
        value = resource.get(name)
        if isinstance(value, dict):
            value = value.get("start") or value.get("end")
        if isinstance(value, str) and value:
            return value
    return ""


def instant(text: str) -> datetime | None:
    """Give the moment that FHIR's date or dateTime names; a date is its first moment in China, a year its first day."""
    missing = "-01" * (2 - text.count("-")) if len(text) in (4, 7) else ""
    try:
        moment = datetime.fromisoformat(text + missing)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=LOCAL_ZONE)


def reference_of(reference: Any, type_: str) -> str:
    """Give the identifier in a reference to a resource of `type_`, whichever server it names; "" for none."""
    target = str(reference.get("reference", "")) if isinstance(reference, dict) else ""
    parts = target.partition("/_history/")[0].split("/")
    return parts[-1] if len(parts) >= 2 and parts[-2] == type_ else ""


def subject_of(resource: Resource) -> str:
    """Give the identifier of the patient that a resource is about."""
    return next((found for name in _SUBJECTS if (found := reference_of(resource.get(name), "Patient"))), "")
