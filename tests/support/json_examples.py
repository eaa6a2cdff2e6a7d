"""The smallest JSON value that a pydantic model takes, made from its schema: for walks over every operation."""

import re
from typing import Any

from pydantic import BaseModel

_TEXTS = ("2026-11-21", "a" * 32, "1.2.3", "12345678", "11010519491231002X", f"/h5/rooms/{'a' * 32}", "2026-11")


def example(model: type[BaseModel]) -> Any:
    """Give a value that `model` takes.

    Raises:
        AssertionError: it takes none of what is tried; the walk then needs a better example for it.
    """
    schema = model.model_json_schema()
    made = _value(schema, schema.get("$defs", {}))
    model.model_validate(made)
    return made


def _value(schema: dict[str, Any], known: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(known[schema["$ref"].rsplit("/", 1)[1]], known)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _value(schema[several][0], known)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("required", [])
        return {name: _value(schema["properties"][name], known) for name in wanted}
    if kind == "array":
        return [_value(schema["items"], known)] * schema.get("minItems", 0)
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    return {"boolean": True, "null": None}.get(str(kind), _text(schema))


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "2026-11-21T08:00:00+08:00"
    least, most = schema.get("minLength", 0), schema.get("maxLength", 999)
    fits = [one for one in _TEXTS if least <= len(one) <= most and re.search(schema.get("pattern", ""), one)]
    assert fits, schema
    return fits[0]
