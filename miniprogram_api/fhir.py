"""FHIR R4 over HTTP: `/fhir/R4/…` to read and search (docs/fhir.md), for the same sessions as the rest of the API.

Source: FHIR R4, section 3.1.0 (RESTful API). Every refusal is an `OperationOutcome`.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from backend.db import is_transient
from backend.errors import DomainError
from backend.fhir.elements import Resource
from backend.records.facade import Facade, SearchRequest, UnknownType, outcome, status_of
from backend.security.policy import Actor
from miniprogram_api.endpoint import BodyTooLarge, SlowBody, TooManyRequests, UnknownMediaType, received
from miniprogram_api.login import LoginRefused

log = logging.getLogger(__name__)

BASE = "/fhir/R4"
MEDIA_TYPE = "application/fhir+json"

_VERSION = "4.0"
_TAKEN = {MEDIA_TYPE, "application/json", "application/*", "*/*"}
_FORMATS = {MEDIA_TYPE, "application/json", "text/json", "json"}
_FORM = "application/x-www-form-urlencoded"
_READING = "GET, HEAD"
_RETRY_SECONDS = 60

Authorise = Callable[[web.Request], Awaitable[Actor]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NotAcceptable(DomainError):
    """The client takes another form than ours."""

    code = "not_acceptable"
    sentence = "这里只给 application/fhir+json（FHIR 4.0）。"


class ReadOnly(DomainError):
    """A change was asked for, or what FHIR can do beyond reading and searching."""

    code = "read_only"
    sentence = "这里只能查看，不能修改。"


_REFUSALS: dict[type[DomainError], tuple[int, str]] = {
    LoginRefused: (401, "login"),
    NotAcceptable: (406, "not-supported"),
    ReadOnly: (405, "not-supported"),
    SlowBody: (408, "timeout"),
    BodyTooLarge: (413, "too-long"),
    UnknownMediaType: (415, "not-supported"),
    TooManyRequests: (429, "throttled"),
}


def fhir_routes(facade: Facade, authorise: Authorise, admitted: Callable[[Handler], Handler]) -> list[web.RouteDef]:
    """Give the routes of the façade.

    Args:
        authorise: tells who asks.
        admitted: gives what nobody has to sign in for behind a limit by address.
    """

    async def metadata(request: web.Request) -> web.Response:
        _negotiate(request)
        return _answer(facade.capability())

    async def read(request: web.Request) -> web.Response:
        _negotiate(request)
        actor = await authorise(request)
        resource = await facade.read(actor, request.match_info["type"], request.match_info["id"])
        tag = f'W/"{resource["meta"]["versionId"]}"'
        if _has(request, resource["meta"]["versionId"]):
            return web.Response(status=304, headers={hdrs.ETAG: tag})
        return _answer(resource, headers={hdrs.ETAG: tag})

    async def search(request: web.Request) -> web.Response:
        _negotiate(request)
        return await _found(request, list(request.query.items()))

    async def search_by_form(request: web.Request) -> web.Response:
        _negotiate(request)
        if request.content_type != _FORM:
            raise UnknownMediaType
        body = await received(request)
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True)
        except ValueError:
            raise UnknownMediaType from None
        return await _found(request, [*request.query.items(), *fields])

    async def _found(request: web.Request, parameters: list[tuple[str, str]]) -> web.Response:
        actor = await authorise(request)
        asked = SearchRequest(request.match_info["type"], tuple(parameters), strict=_is_strict(request))
        return _answer(await facade.search(actor, asked))

    async def anything_else(request: web.Request) -> web.Response:
        await authorise(request)
        raise ReadOnly if request.method not in ("GET", "HEAD") else UnknownType

    of_type = f"{BASE}/{{type:[A-Za-z]{{1,64}}}}"
    return [
        web.get(f"{BASE}/metadata", _guarded(admitted(metadata))),
        web.get(of_type, _guarded(search)),
        web.post(f"{of_type}/_search", _guarded(search_by_form)),
        web.get(f"{of_type}/{{id:[^/]+}}", _guarded(read)),
        web.route("*", f"{BASE}{{rest:(/.*)?}}", _guarded(anything_else)),
    ]


def _guarded(handler: Handler) -> Handler:
    """Let `handler` tell of whatever goes wrong as FHIR does."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except DomainError as refusal:
            return _refused(refusal)
        except Exception as error:
            if is_transient(error):
                return _answer(outcome("transient", "busy", "现在人有点多，请稍后再试。"), 503)
            log.exception("fhir request failed: %s %s", request.method, request.match_info.route.resource)
            return _answer(outcome("exception", "internal", "服务出了点问题，请稍后再试。"), 500)

    return handle


def _refused(refusal: DomainError) -> web.Response:
    status, code = next((known for kind, known in _REFUSALS.items() if isinstance(refusal, kind)), status_of(refusal))
    place = str(refusal.details.get("field", ""))
    answer = _answer(outcome(code, refusal.code, refusal.sentence, place=place), status)
    if status == 401:
        answer.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if status == 405:
        answer.headers[hdrs.ALLOW] = _READING
    if status == 429:
        answer.headers[hdrs.RETRY_AFTER] = str(_RETRY_SECONDS)
    return answer


def _answer(resource: Resource, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    body = json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()
    return web.Response(body=body, status=status, content_type=MEDIA_TYPE, charset="utf-8", headers=headers)


def _negotiate(request: web.Request) -> None:
    """See that the client takes JSON of FHIR 4.0; `_format` wins over `Accept`."""
    said = request.query.get("_format")
    if said is not None:
        if said.replace(" ", "+") not in _FORMATS:
            raise NotAcceptable
        return
    ranges = [part for line in request.headers.getall(hdrs.ACCEPT, ()) for part in line.split(",") if part.strip()]
    if ranges and not any(map(_is_ours, ranges)):
        raise NotAcceptable


def _is_ours(media_range: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media_range.split(";"))
    said = dict(part.partition("=")[::2] for part in parameters)
    is_refused = said.get("q", "1").rstrip("0").rstrip(".") in ("", "0")
    return kind in _TAKEN and not is_refused and said.get("fhirversion", _VERSION) == _VERSION


def _is_strict(request: web.Request) -> bool:
    said = ",".join(request.headers.getall("Prefer", ()))
    return "handling=strict" in said.replace(" ", "").lower()


def _has(request: web.Request, version: str) -> bool:
    """Tell whether the client has this version already."""
    said = request.headers.get(hdrs.IF_NONE_MATCH, "")
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in said.split(",")]
    return bool(said) and (version in tags or "*" in tags)
