"""The OpenAPI 3.1 document, made from the endpoints, so that it cannot differ from what is served."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from miniprogram_api.endpoint import Endpoint, Model, Nothing

_SCHEMAS = "#/components/schemas/"


class Problem(Model):
    """Why a request was refused.

    Attributes:
        code: stable, for programs.
        message: a sentence in Chinese that may be shown to the person.
        field: the first field that is wrong, where one is.
    """

    code: str
    message: str
    field: str | None = None


_PROBLEMS = {
    400: "The request breaks a rule of a field.",
    401: "No session, or one that is over: log in again.",
    403: "The policy does not let this person do this, or consent is missing.",
    404: "Not there, or not for this person.",
    409: "The state does not allow it, or somebody else was first.",
}


def document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Give the document of `endpoints` as a JSON value."""
    mode: Literal["validation", "serialization"]
    wanted: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [(Problem, "serialization")]
    for endpoint in endpoints:
        wanted.append((endpoint.answers, "serialization"))
        if endpoint.body is not Nothing:
            wanted.append((endpoint.body, "validation"))
    references, definitions = models_json_schema(wanted, ref_template=_SCHEMAS + "{model}")
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        answer = references[endpoint.answers, "serialization"]
        mode = "validation"
        body = None if endpoint.body is Nothing else references[endpoint.body, mode]
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, answer, body)
    return {
        "openapi": "3.1.0",
        "info": {"title": "桥医小程序接口", "version": version, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"session": []}],
    }


def _operation(endpoint: Endpoint, answer: dict[str, Any], body: dict[str, Any] | None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": {str(endpoint.status): _response("The answer.", answer)},
    }
    problem = {"$ref": _SCHEMAS + "Problem"}
    for status, meaning in _PROBLEMS.items():
        operation["responses"][str(status)] = _response(meaning, problem)
    if endpoint.open:
        operation["security"] = []
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _response(meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


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


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    schema = endpoint.query.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": held}
        for name, held in schema.get("properties", {}).items()
    ]
