"""Endpoints as values: path, models and handler in one place, from which both the routes and the document are made."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from backend.errors import InvalidInput
from backend.security.policy import Actor

if TYPE_CHECKING:
    from miniprogram_api.context import Context

_MAX_BODY_BYTES = 64 * 1024

AnyModel = TypeVar("AnyModel", bound=BaseModel)


class Model(BaseModel):
    """Base of what goes in and out: unknown fields are refused, so that a misspelt one is found at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Model):
    """A request without query or body."""


@dataclass(frozen=True)
class Call:
    """One authorised request, checked against its endpoint.

    Attributes:
        actor: who asks; for an open endpoint the anonymous person without a role.
        path: the path's parameters.
        query, body: instances of the endpoint's models.
    """

    context: "Context"
    actor: Actor
    path: Mapping[str, str]
    query: Any
    body: Any


@dataclass(frozen=True)
class Endpoint:
    """One operation of the API.

    Args:
        operation: its `operationId`, which generated clients name their function by.
        answers: the model of the answer.
        open: needs no session.
        path_parameters: each parameter of the path with what it means; all are identifiers of 32 hexadecimal digits.
    """

    method: str
    path: str
    operation: str
    summary: str
    handler: Callable[[Call], Awaitable[BaseModel]]
    answers: type[BaseModel]
    query: type[Model] = Nothing
    body: type[Model] = Nothing
    status: int = 200
    open: bool = False
    path_parameters: Mapping[str, str] = field(default_factory=dict)


async def read_body(request: web.Request, model: type[AnyModel]) -> AnyModel:
    """Read the JSON body of `request` as `model`.

    Raises:
        InvalidInput: too large, no JSON, or not of the model; names the first wrong field.
    """
    if model is Nothing:
        return model()
    if request.content_type != "application/json":
        raise InvalidInput("请求的格式不对，需要 JSON。", field="body")
    raw = await request.content.read(_MAX_BODY_BYTES + 1)
    if len(raw) > _MAX_BODY_BYTES:
        raise InvalidInput("请求的内容太大了。", field="body")
    return _checked(lambda: model.model_validate_json(raw))


def read_query(request: web.Request, model: type[AnyModel]) -> AnyModel:
    """Read the query of `request` as `model`; a parameter given twice, or unknown, is refused.

    Raises:
        InvalidInput: names the first wrong parameter.
    """
    names = list(request.query.keys())
    if len(names) != len(set(names)):
        raise InvalidInput("同一个参数给了两次。", field="query")
    return _checked(lambda: model.model_validate(dict(request.query)))


def _checked(read: Callable[[], AnyModel]) -> AnyModel:
    try:
        return read()
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InvalidInput(field=place or "body") from None
