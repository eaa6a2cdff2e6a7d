"""The OpenAPI 3.1 document, made from the endpoints, so that it cannot differ from what is served."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from miniprogram_api.endpoint import Endpoint, File, Model, Nothing

_SCHEMAS = "#/components/schemas/"

Mode = Literal["validation", "serialization"]


@dataclass(frozen=True)
class Api:
    """What a document says beside its operations.

    Args:
        about: what it is for.
        schemes: how somebody says who they are, by name; the first is meant where an operation names none.
        proof: the header that every changing call needs, and what stands in it; empty where none does.
    """

    title: str
    version: str
    about: str
    schemes: Mapping[str, Mapping[str, str]]
    proof: tuple[str, str] | tuple[()] = field(default=())


class Problem(Model):
    """Why a request was refused.

    Attributes:
        code: stable, for programs.
        message: a sentence in Chinese that may be shown to the person.
        field: the first field that is wrong, where one is.
        opens_at: from when on it will be possible, where that is known (a room that is not open yet).
    """

    code: str
    message: str
    field: str | None = None
    opens_at: datetime | None = None


_ALWAYS = {
    400: "A value breaks a rule of its field, or a field is unknown.",
    401: "No session, one that is over, or a code that is not known: log in again.",
    429: "Asked too often within a minute: wait.",
    500: "A fault of the service.",
    503: "WeChat, WeChat Pay, the database or every video room is busy: try again in a while.",
}
_WITH_SESSION = {
    403: "The policy does not let this person do this, or consent is missing.",
}
_WITH_BODY = {
    408: "The body did not arrive in time.",
    413: "The body has more than 64 KiB.",
    415: "The body is not application/json.",
}
_FILE = "application/octet-stream"
_WITH_FILE = {
    408: "The file did not arrive in time.",
    415: f"The body is not {_FILE}.",
}
_WITH_IDENTIFIER = {404: "Not there, or not for this person."}
_CHANGING = {409: "The state does not allow it, or somebody else was first."}


def document(endpoints: Sequence[Endpoint], api: Api) -> dict[str, Any]:
    """Give the document of `endpoints` as a JSON value."""
    wanted: list[tuple[type[BaseModel], Mode]] = [(Problem, "serialization")]
    for endpoint in endpoints:
        if endpoint.answers is not File:
            wanted.append((endpoint.answers, "serialization"))
        wanted += [(model, "validation") for model in (endpoint.query, endpoint.body) if model is not Nothing]
    references, definitions = models_json_schema(wanted, ref_template=_SCHEMAS + "{model}")
    schemas: dict[str, Any] = definitions["$defs"]
    # A query is a list of parameters, not one object: its models are read and then left out.
    queries = {model: schemas.pop(model.__name__, {}) for model in {endpoint.query for endpoint in endpoints}}
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, references.get((endpoint.answers, "serialization"), {}))
        operation["parameters"] = [*_path_parameters(endpoint), *_query_parameters(queries[endpoint.query])]
        if endpoint.body is not Nothing:
            content = {"application/json": {"schema": references[endpoint.body, "validation"]}}
            operation["requestBody"] = {"required": True, "content": content}
        if endpoint.largest_file:
            operation["requestBody"] = {"required": True, "content": {_FILE: {}}}
        if api.proof and endpoint.method != "GET" and not endpoint.open:
            operation["parameters"].append(_header(*api.proof))
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "version": api.version,
            "description": api.about,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {name: dict(scheme) for name, scheme in api.schemes.items()},
        },
        "security": [{next(iter(api.schemes)): []}],
    }


def _operation(endpoint: Endpoint, answer: dict[str, Any]) -> dict[str, Any]:
    problem = {"$ref": _SCHEMAS + "Problem"}
    refusals = {status: _response(meaning, problem) for status, meaning in _refusals(endpoint).items()}
    operation: dict[str, Any] = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "responses": {str(endpoint.status): _response("The answer.", answer, endpoint.media_type)}
        | {str(status): refusals[status] for status in sorted(refusals)},
    }
    if endpoint.open:
        operation["security"] = []
    if endpoint.device:
        operation["security"] = [{"device": []}]
    return operation


def _refusals(endpoint: Endpoint) -> dict[int, str]:
    found = dict(_ALWAYS)
    if not endpoint.open:
        found |= _WITH_SESSION
    if endpoint.body is not Nothing:
        found |= _WITH_BODY
    if endpoint.largest_file:
        found |= _WITH_FILE | {413: f"The file has more than {endpoint.largest_file // 1024} KiB."}
    if endpoint.path_parameters:
        found |= _WITH_IDENTIFIER | _CHANGING
    return found | dict(endpoint.refusals)


def _response(meaning: str, schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    """Describe an answer; of a file, whose schema is empty, its media type says everything."""
    return {"description": meaning, "content": {media_type: {"schema": schema} if schema else {}}}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": meaning,
            "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        }
        for name, meaning in endpoint.path_parameters.items()
    ]


def _header(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "description": meaning, "schema": {"type": "string"}}


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _not_null(held)}
        for name, held in schema.get("properties", {}).items()
    ]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Say of a parameter that may be left out what it is when it is there: a query knows no null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return {**rest, **kinds[0]}
