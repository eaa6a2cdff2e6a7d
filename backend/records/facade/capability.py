"""What the façade can do, as a `CapabilityStatement`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from backend.fhir.elements import Resource, concept, hl7
from backend.fhir.searching import SearchParameter

FHIR_VERSION = "4.0.1"


def capability_statement(
    types: Mapping[str, tuple[Iterable[SearchParameter], Sequence[str]]], base: str, software: str, changed: date
) -> Resource:
    """Describe the façade.

    Args:
        types: of the resources, each with its search parameters and what it can be sorted by.
        base: its address. software: its version. changed: when this description last changed.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": changed.isoformat(),
        "kind": "instance",
        "software": {"name": "桥医", "version": software},
        "implementation": {"description": "桥医 FHIR R4", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "Authorization: Bearer, with the session of the mini-program or of a page",
                    "service": [concept(hl7("restful-security-service", "OAuth", "OAuth"), text="Bearer token")],
                },
                "resource": [_resource(name, *types[name]) for name in sorted(types)],
            }
        ],
    }


def _resource(type_: str, parameters: Iterable[SearchParameter], orders: Sequence[str]) -> Resource:
    return {
        "type": type_,
        "documentation": f"_sort: {', '.join(orders)}",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "versioned",
        "readHistory": False,
        "conditionalRead": "not-match",
        "searchParam": [
            {"name": one.name, "type": one.type.value, "documentation": _documentation(one)} for one in parameters
        ],
    }


def _documentation(parameter: SearchParameter) -> str:
    return parameter.documentation + (" (with patient)" if parameter.needs_patient else "")
