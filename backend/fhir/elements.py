"""Elements of resources of FHIR R4 as JSON objects. Pure functions; an element that would be empty is left out."""

from datetime import datetime
from typing import Any

from backend.clock import local
from backend.fhir.systems import HL7, URI

Resource = dict[str, Any]


def reference(type_: str, identifier: str, display: str = "") -> Resource:
    """Refer to a resource of ours by its type and identifier."""
    named = {"reference": f"{type_}/{identifier}", "type": type_}
    return named | ({"display": display} if display else {})


def coding(system: str, code: str, display: str = "") -> Resource:
    """Give a code of a system."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


def concept(*codings: Resource, text: str = "") -> Resource:
    """Give a concept: codes, and the words people read."""
    given: Resource = {"coding": list(codings)} if codings else {}
    return given | ({"text": text} if text else {})


def hl7(system: str, code: str, display: str = "") -> Resource:
    """Give a code of one of HL7's own systems, such as "observation-category"."""
    return coding(HL7 + system, code, display)


def uuid_identifier(identifier: str) -> Resource:
    """Give an identifier of ours as one that is unique everywhere: other systems know our resources by it."""
    parts = (identifier[:8], identifier[8:12], identifier[12:16], identifier[16:20], identifier[20:])
    return {"use": "official", "system": URI, "value": "urn:uuid:" + "-".join(parts)}


def number_identifier(system: str, value: str) -> Resource:
    """Give a number that people read, such as that of a consultation."""
    return {"use": "usual", "system": system, "value": value}


def instant(moment: datetime) -> str:
    """Write a moment, in the time of China, as exactly as the tables hold it."""
    return local(moment).isoformat(timespec="microseconds")


def period(start: datetime | None, end: datetime | None) -> Resource:
    """Give a stretch of time; a side that is not known stays open."""
    given = {"start": start, "end": end}
    return {name: instant(moment) for name, moment in given.items() if moment is not None}


def without_empty(resource: Resource) -> Resource:
    """Leave out elements without a value: FHIR knows no empty ones."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {})}
