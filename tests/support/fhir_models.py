"""Resources read by the models of another library: what the product gives out is built without it."""

import json
from typing import Any

from fhir.resources.R4B import get_fhir_model_class


def read_resource(resource: dict[str, Any]) -> Any:
    """Give a resource as its model of R4B.

    Raises:
        pydantic.ValidationError: it is no valid resource.
        AssertionError: an element of it is empty, which FHIR forbids and the models let pass.
    """
    _require_nothing_empty(resource, resource["resourceType"])
    return get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))


def _require_nothing_empty(value: Any, place: str) -> None:
    assert value not in (None, "", [], {}), f"{place} is empty"
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in parts:
        _require_nothing_empty(one, f"{place}.{name}")
