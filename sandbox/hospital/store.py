"""The resources of a hospital: versions, conditional writes, searches. In memory."""

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Resource = dict[str, Any]

TYPES = frozenset(
    {
        "AllergyIntolerance",
        "Composition",
        "Condition",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "ImagingStudy",
        "Medication",
        "MedicationRequest",
        "MedicationStatement",
        "Observation",
        "Patient",
        "Practitioner",
        "Provenance",
        "ServiceRequest",
    }
)
"""What the hospital keeps."""

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_DATES = {
    "date": ("effectiveDateTime", "date"),
    "started": ("started",),
    "authoredon": ("authoredOn",),
    "effective": ("effectiveDateTime",),
    "recorded-date": ("recordedDate",),
    "_lastUpdated": ("lastUpdated",),
}
_COUNT = 50
_MOST = 500


class Refusal(Exception):
    """A request that is answered by an OperationOutcome."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


class Store:
    """The present version of each resource."""

    def __init__(self) -> None:
        self._of_type: dict[str, dict[str, Resource]] = {}

    def snapshot(self) -> dict[str, dict[str, Resource]]:
        """What is there now, to return to where a transaction fails. Resources are replaced, never changed."""
        return {type_: dict(held) for type_, held in self._of_type.items()}

    def restore(self, snapshot: dict[str, dict[str, Resource]]) -> None:
        """Forget what came after ``snapshot``."""
        self._of_type = snapshot

    def all(self, type_: str) -> list[Resource]:
        """Every resource of a type."""
        require_type(type_)
        return list(self._of_type.get(type_, {}).values())

    def read(self, type_: str, id_: str) -> Resource:
        """One resource; 404 where there is none."""
        require_type(type_)
        try:
            return self._of_type[type_][id_]
        except KeyError:
            raise Refusal(404, "not-found", f"{type_}/{id_[:64]}") from None

    def create(self, resource: Resource, id_: str = "") -> Resource:
        """Keep a new resource."""
        return self._put(resource, id_ or uuid.uuid4().hex, 1)

    def update(self, resource: Resource, type_: str, id_: str, if_match: str) -> tuple[Resource, bool]:
        """Replace a resource, or make it under this id; gives it, and whether it is new.

        409 where the body is of another, 412 where ``if_match`` names a version that is over.
        """
        if resource.get("resourceType") != type_ or resource.get("id") != id_ or not _ID.fullmatch(id_):
            raise Refusal(400, "invalid", "the body is of another resource")
        held = self._of_type.get(type_, {}).get(id_)
        version = held["meta"]["versionId"] if held else ""
        if if_match and if_match != f'W/"{version}"':
            raise Refusal(412, "conflict", "another version is there")
        return self._put(resource, id_, int(version or 0) + 1), held is None

    def matching(self, type_: str, parameters: Iterable[tuple[str, str]]) -> list[Resource]:
        """What a search finds, in the order that it asks for."""
        found, order = self.all(type_), ""
        for name, value in parameters:
            if name == "_sort":
                order = value
            elif not name.startswith("_") or name == "_id":
                found = [resource for resource in found if matches(resource, name, value)]
        if order:
            found.sort(key=lambda resource: moment(resource, order.lstrip("-")), reverse=order.startswith("-"))
        return found

    def _put(self, resource: Resource, id_: str, version: int) -> Resource:
        type_ = str(resource.get("resourceType"))
        require_type(type_)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept = resource | {"id": id_, "meta": {"versionId": str(version), "lastUpdated": now}}
        self._of_type.setdefault(type_, {})[id_] = kept
        return kept


def require_type(type_: str) -> None:
    """404 for a type that the hospital does not keep."""
    if type_ not in TYPES:
        raise Refusal(404, "not-supported", "no such type")


def bounds(parameters: Mapping[str, str]) -> tuple[int, int]:
    """How many are passed over, and how many are shown."""
    try:
        offset, count = int(parameters.get("_offset", "0")), int(parameters.get("_count", str(_COUNT)))
    except ValueError:
        raise Refusal(400, "invalid", "a number is needed") from None
    return max(offset, 0), min(max(count, 0), _MOST)


def matches(resource: Resource, name: str, value: str) -> bool:
    """Whether a resource fits one search parameter; a comma means or. 400 for a parameter that is not known."""
    alternatives = value.split(",")
    if name == "_id":
        return resource["id"] in alternatives
    if name in ("patient", "subject"):
        reference = (resource.get("patient") or resource.get("subject") or {}).get("reference", "")
        return any(reference in (one, f"Patient/{one}") for one in alternatives)
    if name == "identifier":
        held = [(one.get("system", ""), one.get("value", "")) for one in resource.get("identifier", [])]
        return any(_token_fits(one, held) for one in alternatives)
    if name in ("category", "code"):
        concepts = resource.get(name) or []
        codings = [
            (coding.get("system", ""), coding.get("code", ""))
            for concept in (concepts if isinstance(concepts, list) else [concepts])
            for coding in ([{"code": concept}] if isinstance(concept, str) else concept.get("coding", []))
        ]
        return any(_token_fits(one, codings) for one in alternatives)
    if name == "status":
        return resource.get("status") in alternatives
    raise Refusal(400, "not-supported", "search parameter")


def _token_fits(token: str, held: Iterable[tuple[str, str]]) -> bool:
    system, bar, code = token.rpartition("|")
    return any(code == value and (not bar or system == of) for of, value in held)


def moment(resource: Resource, order: str) -> str:
    """What a resource is sorted by."""
    if order == "date" and "period" in resource:
        return str(resource["period"].get("start", ""))
    return next((str(resource[name]) for name in _DATES.get(order, ()) if name in resource), "")
