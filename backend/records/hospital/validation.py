"""Reads and validates what a hospital sent, against the R4B models of fhir.resources.

A resource takes a millisecond or two, a page of them holds Python's lock for long: this runs in a process of its own
(`backend.worker_processes`). R4B names the same elements as R4 for every type that is asked for here.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from backend.records.hospital.faults import FaultCode, HospitalFault

Resource = dict[str, Any]

_MOST_CODES = 5


@dataclass(frozen=True)
class Page:
    """One page of a search.

    Args:
        resources: those that are sound, as they were sent.
        left_out: how many were not: invalid, or of a type that was not asked for.
        next_link: of the page after it, as it was sent; "" for none.
        total: how many there are in all, where the hospital says so.
    """

    resources: tuple[Resource, ...]
    left_out: int
    next_link: str = ""
    total: int | None = None


@dataclass(frozen=True)
class EntryAnswer:
    """What became of one entry of a transaction, as it was sent."""

    status: str
    location: str
    etag: str


def read_page(body: bytes, type_: str) -> Page:
    """Read a Bundle of search results.

    Raises:
        HospitalFault: NOT_FHIR where it is no searchset, REFUSED where it is an OperationOutcome.
    """
    bundle = _object(body)
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "searchset" or not isinstance(entries, list):
        raise HospitalFault(FaultCode.NOT_FHIR, "no searchset")
    resources: list[Resource] = []
    left_out = 0
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "OperationOutcome":
            continue  # what the server remarks on the search
        if isinstance(resource, dict) and resource.get("resourceType") == type_ and is_sound(resource):
            resources.append(resource)
        else:
            left_out += 1
    total = bundle.get("total")
    return Page(tuple(resources), left_out, _next(bundle), total if type(total) is int and total >= 0 else None)


def read_resource(body: bytes, types: Collection[str]) -> Resource:
    """Read one resource of one of `types`.

    Raises:
        HospitalFault: NOT_FHIR where it is another or unsound, REFUSED where it is an OperationOutcome.
    """
    resource = _object(body)
    if resource.get("resourceType") not in types or not is_sound(resource):
        raise HospitalFault(FaultCode.NOT_FHIR, "no such resource")
    return resource


def read_identity(body: bytes, type_: str) -> tuple[str, str]:
    """Give the identifier and the version ("" for none stated) of a resource that was written.

    Raises:
        HospitalFault: as `read_resource`.
    """
    resource = read_resource(body, (type_,))
    return resource["id"], str((resource.get("meta") or {}).get("versionId", ""))


def read_capabilities(body: bytes) -> str:
    """Give the FHIR version that a CapabilityStatement states.

    Raises:
        HospitalFault: NOT_FHIR where it is none.
    """
    statement = _object(body)
    version = statement.get("fhirVersion")
    if statement.get("resourceType") != "CapabilityStatement" or not isinstance(version, str):
        raise HospitalFault(FaultCode.NOT_FHIR, "no CapabilityStatement")
    return version[:20]


def read_transaction(body: bytes) -> list[EntryAnswer]:
    """Read what became of the entries of a transaction.

    Raises:
        HospitalFault: NOT_FHIR where it is no such answer, REFUSED where it is an OperationOutcome.
    """
    bundle = _object(body)
    entries = bundle.get("entry", [])
    if bundle.get("type") != "transaction-response" or not isinstance(entries, list):
        raise HospitalFault(FaultCode.NOT_FHIR, "no transaction-response")
    return [_entry_answer(entry) for entry in entries]


def is_sound(resource: Resource) -> bool:
    """Tell whether a resource has an identifier and keeps to its model."""
    if not isinstance(resource.get("id"), str):
        return False
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except (ValidationError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return False
    return True


def issue_codes(body: bytes) -> str:
    """Give the codes of an OperationOutcome, such as "error/invalid"; "" where it is none. Its texts may tell of a
    patient and are left alone."""
    try:
        outcome = json.loads(body)
        issues = outcome["issue"] if outcome["resourceType"] == "OperationOutcome" else []
        codes = [f"{issue['severity']}/{issue['code']}" for issue in issues[:_MOST_CODES]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return " ".join(code for code in codes if code.isascii() and len(code) < 64)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise HospitalFault(FaultCode.NOT_FHIR, "no JSON") from None
    if not isinstance(value, dict):
        raise HospitalFault(FaultCode.NOT_FHIR, "no resource")
    if value.get("resourceType") == "OperationOutcome":
        raise HospitalFault(FaultCode.REFUSED, issue_codes(body))
    return value


def _entry_answer(entry: object) -> EntryAnswer:
    response = entry.get("response") if isinstance(entry, dict) else None
    if not isinstance(response, dict):
        raise HospitalFault(FaultCode.NOT_FHIR, "entry without a response")
    return EntryAnswer(*(str(response.get(name, "")) for name in ("status", "location", "etag")))


def _next(bundle: dict[str, Any]) -> str:
    links = bundle.get("link", [])
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return ""
