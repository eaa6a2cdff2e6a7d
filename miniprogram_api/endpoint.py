"""Endpoints as values: path, models and handler in one place, from which both the routes and the document are made."""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from backend.errors import DomainError, InvalidInput
from backend.security.policy import Actor

if TYPE_CHECKING:
    from miniprogram_api.context import Context

_MAX_BODY_BYTES = 64 * 1024
_BODY_SECONDS = 10.0

AnyModel = TypeVar("AnyModel", bound=BaseModel)


def _without_control_characters(text: str) -> str:
    return "".join(mark for mark in text if mark == "\n" or unicodedata.category(mark) != "Cc")


# Stated in full, because the engines that read the document (Rust, Python, ECMAScript) differ in what a blank is.
_VISIBLE = r"[^\s\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"

Written = Annotated[str, AfterValidator(_without_control_characters)]
"""What a person wrote, without control characters; a line break stays."""

Note = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=_VISIBLE),
    AfterValidator(_without_control_characters),  # last: what stands before it would not be in the document
]
"""Some sentences that say something, on one or more lines."""

Reason = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=_VISIBLE),
    AfterValidator(_without_control_characters),  # last: what stands before it would not be in the document
]
"""A reason in a person's words: not blank, at most 200 characters."""


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20, pattern=_VISIBLE),
    AfterValidator(_without_control_characters),
]
"""What somebody calls a thing of their own: not blank, at most 20 characters."""


def number(value: object) -> object:
    """Let what JSON calls a number pass: not "5", not true. Raises ValueError."""
    if isinstance(value, str | bool):
        raise ValueError("a number is needed")
    return value


Number = Annotated[int, BeforeValidator(number)]
"""A whole number as JSON knows it: 5 and 5.0, not "5" and not true."""


class BodyTooLarge(DomainError):
    """More than is taken."""

    code = "too_large"
    sentence = "请求的内容太大了。"


class UnknownMediaType(DomainError):
    """A body that does not say that it is JSON."""

    code = "unsupported_media_type"
    sentence = "请求的格式不对，需要 JSON。"


class TooManyRequests(DomainError):
    """One person asks more often than a person can read."""

    code = "too_many_requests"
    sentence = "操作太频繁了，请过一分钟再试。"


class SlowBody(DomainError):
    """A body that does not arrive."""

    code = "slow_body"
    sentence = "网络太慢了，请再试一次。"


class Model(BaseModel):
    """Base of what goes in and out: unknown fields are refused, so that a misspelt one is found at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Model):
    """A request without query or body."""


class File(BaseModel):
    """An answer that is a file, of the media type that its endpoint says; with a name it is saved, not shown."""

    content: bytes
    name: str = ""


@dataclass(frozen=True)
class Call:
    """One authorised request, checked against its endpoint.

    Attributes:
        actor: who asks, a person or a device; for an open endpoint the anonymous person without a role.
        path: the path's parameters.
        query, body: instances of the endpoint's models.
        address: from which the request came.
    """

    context: "Context"
    actor: Actor
    path: Mapping[str, str]
    query: Any
    body: Any
    address: str = ""


@dataclass(frozen=True)
class Endpoint:
    """One operation of the API.

    Args:
        operation: its `operationId`, which generated clients name their function by.
        answers: the model of the answer; `File` where it is a file of `media_type`.
        handler: takes a `Call`, or what stands for one where somebody else asks than a person or a device.
        open: needs no session. device: asked by a device at home with its own token, not by a person.
        path_parameters: each parameter of the path with what it means; all are identifiers of 32 hexadecimal digits.
        refusals: statuses with which it answers beside those that its shape implies, and what each means.
        largest_file: it takes a file of at most so many bytes, as `application/octet-stream`, instead of JSON.
    """

    method: str
    path: str
    operation: str
    summary: str
    handler: Callable[[Any], Awaitable[BaseModel]]
    answers: type[BaseModel]
    query: type[Model] = Nothing
    body: type[Model] = Nothing
    status: int = 200
    open: bool = False
    device: bool = False
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    refusals: Mapping[int, str] = field(default_factory=dict)
    largest_file: int = 0


async def read_body(request: web.Request, model: type[AnyModel]) -> AnyModel:
    """Read the JSON body of `request` as `model`.

    Raises:
        InvalidInput: no JSON, or not of the model; names the first wrong field.
        UnknownMediaType, BodyTooLarge, SlowBody: what their names say.
    """
    if model is Nothing:
        return model()
    if request.content_type != "application/json":
        raise UnknownMediaType
    raw = await received(request)
    return _checked(lambda: model.model_validate_json(raw))


async def received(request: web.Request, most: int = _MAX_BODY_BYTES) -> bytes:
    """Give the body of `request`, at most `most` bytes.

    Raises:
        BodyTooLarge, SlowBody: what their names say.
    """
    if (request.content_length or 0) > most:
        raise BodyTooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise BodyTooLarge
    except TimeoutError:
        raise SlowBody from None
    return bytes(body)


def read_query(request: web.Request, model: type[AnyModel]) -> AnyModel:
    """Read the query of `request` as `model`; a parameter given twice, or unknown, is refused.

    Raises:
        InvalidInput: names the first wrong parameter.
    """
    if len(request.query) != len(set(request.query)):
        raise InvalidInput("同一个参数给了两次。", field="query")
    return _checked(lambda: model.model_validate(dict(request.query)))


def _checked(read: Callable[[], AnyModel]) -> AnyModel:
    try:
        return read()
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InvalidInput(field=place or "body") from None
