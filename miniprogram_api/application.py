"""The API as an aiohttp application: routes made from endpoints, sessions read, errors told in one form."""

import logging
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web
from pydantic import BaseModel

from backend import tracing
from backend.charging import PaymentDown
from backend.console import LinkRefused, SessionOver, SignInLocked, SignInRefused
from backend.db import is_transient
from backend.errors import ConsentRequired, DomainError, Forbidden, InvalidInput, NotFound
from backend.messaging.channel import ChannelAway
from backend.records.monitoring.devices import PairingRefused
from backend.security.policy import Actor
from backend.video.desk_codes import DeskCodeRefused
from backend.video.nodes import RoomBusy
from miniprogram_api import (
    bookings,
    consultations,
    copies,
    devices,
    history,
    invoices,
    keyimages,
    medicines,
    pay,
    photographs,
    prescription_papers,
    prescription_writing,
    prescriptions,
    recordings,
    report_documents,
    reports,
    rooms,
    session,
    studies,
    teaching,
    teaching_cases,
)
from miniprogram_api.address import counted_address
from miniprogram_api.console.endpoint import WechatAway
from miniprogram_api.context import Context
from miniprogram_api.endpoint import (
    BodyTooLarge,
    Call,
    Endpoint,
    File,
    SlowBody,
    TooManyRequests,
    UnknownMediaType,
    read_body,
    read_query,
)
from miniprogram_api.fhir import fhir_routes
from miniprogram_api.login import LoginRefused, LoginUnavailable
from miniprogram_api.openapi import Api, Problem, document
from miniprogram_api.traces import traced

log = logging.getLogger(__name__)

VERSION = "1.0.0"
ENDPOINTS: tuple[Endpoint, ...] = (
    *session.ENDPOINTS,
    *consultations.ENDPOINTS,
    *bookings.ENDPOINTS,
    *rooms.ENDPOINTS,
    *recordings.ENDPOINTS,
    *history.ENDPOINTS,
    *reports.ENDPOINTS,
    *teaching_cases.ENDPOINTS,
    *report_documents.ENDPOINTS,
    *keyimages.ENDPOINTS,
    *photographs.ENDPOINTS,
    *studies.ENDPOINTS,
    *medicines.ENDPOINTS,
    *prescriptions.ENDPOINTS,
    *prescription_writing.ENDPOINTS,
    *prescription_papers.ENDPOINTS,
    *devices.ENDPOINTS,
    *teaching.ENDPOINTS,
    *pay.ENDPOINTS,
)

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
_STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (InvalidInput, 400),
    (LoginRefused, 401),
    (SignInRefused, 401),
    (SessionOver, 401),
    (DeskCodeRefused, 401),
    (PairingRefused, 401),
    (Forbidden, 403),
    (ConsentRequired, 403),
    (NotFound, 404),
    (LinkRefused, 404),
    (SlowBody, 408),
    (BodyTooLarge, 413),
    (UnknownMediaType, 415),
    (TooManyRequests, 429),
    (SignInLocked, 429),
    (LoginUnavailable, 503),
    (RoomBusy, 503),
    (PaymentDown, 503),
    (WechatAway, 503),
    (ChannelAway, 503),
)
_RETRY_SECONDS = 60
_PROVIDER_SECONDS = 10
_IMAGES_A_MINUTE = 6000
_BATCHES_A_MINUTE = 30
# Of one address, behind which a provider of mobile lines may have many people.
_OPEN_A_MINUTE = 300
_LINKED_A_MINUTE = 120
_RETRY: dict[type[DomainError], int] = {TooManyRequests: _RETRY_SECONDS, RoomBusy: 1, PaymentDown: _PROVIDER_SECONDS}
_CODES = {
    401: (LoginRefused.code, LoginRefused.sentence),
    404: ("not_found", "没有这个接口，或不支持这种请求。"),
    405: ("method_not_allowed", "没有这个接口，或不支持这种请求。"),
    413: (BodyTooLarge.code, BodyTooLarge.sentence),
    429: (TooManyRequests.code, TooManyRequests.sentence),
}
"""What is told of a status that no use case has raised."""
_ANONYMOUS = Actor(person_id="", roles=frozenset())
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NO_SUCH_CONSULTATION = "没有找到这次会诊。"
# What may not be seen answers in the very words of what is not there.
_NO_SUCH = {
    "report_id": "没有找到这份报告。",
    "prescription_id": "没有找到这张处方。",
    "study_id": "没有找到这份检查。",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # an address may hold a token
    "X-Content-Type-Options": "nosniff",
}


def make_application(context: Context) -> web.Application:
    """Give the API for mounting at the root of the product's server."""
    application = web.Application(middlewares=[traced, _problems])
    application.on_response_prepare.append(_add_headers)
    for endpoint in ENDPOINTS:
        application.router.add_route(endpoint.method, endpoint.path, _serve(endpoint, context))

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(described_api())

    application.router.add_get("/api/v1/openapi.json", _admitted(context, "open", _OPEN_A_MINUTE, openapi))
    application.router.add_post(
        rooms.SNAPSHOTS, rooms.snapshots(context, lambda request: _authorised(request, context))
    )
    for path, is_small in ((photographs.PICTURE, False), (photographs.THUMBNAIL, True)):
        answer = photographs.opened(context, lambda request: _viewing(request, context), is_small=is_small)
        application.router.add_get(path, answer)
    application.add_routes(
        fhir_routes(
            context.facade,
            lambda request: _authorised(request, context),
            lambda handler: _admitted(context, "open", _OPEN_A_MINUTE, handler),
        )
    )
    linked: dict[str, Handler] = {
        "/h5/bookings/{token}.ics": bookings.calendar_file(context),
        copies.LINKED_COPY: copies.linked_copy(context),
        prescription_papers.LINKED_PDF: prescription_papers.linked_prescription(context),
        invoices.LINKED_PDF: invoices.linked_invoice(context),
        report_documents.LINKED_PDF: report_documents.linked_pdf(context),
    }
    for path, answer_linked in linked.items():
        application.router.add_get(path, _admitted(context, "linked", _LINKED_A_MINUTE, answer_linked))
    return application


_DESCRIBED = Api(
    "桥医小程序接口",
    VERSION,
    "The mini-program's and the H5 pages' side of 桥医. Moments are RFC 3339 with an offset. Every refusal is a\n"
    "`Problem`: branch on `code`, show `message`.",
    {
        "session": {"type": "http", "scheme": "bearer"},
        "device": {"type": "http", "scheme": "bearer", "description": "The token of a device at home."},
    },
)


@cache
def described_api() -> dict[str, Any]:
    """Give the OpenAPI document of the whole API, the same one each time."""
    return document(ENDPOINTS, _DESCRIBED)


def _serve(endpoint: Endpoint, context: Context) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        address = counted_address(request, context.trusted_proxies)
        actor = await _asking(endpoint, request, context, address)
        path = dict(request.match_info)
        if not all(_IDENTIFIER.fullmatch(path[name]) for name in endpoint.path_parameters):
            raise NotFound(_NO_SUCH_CONSULTATION)
        query = read_query(request, endpoint.query)
        body = await read_body(request, endpoint.body)
        try:
            answer = await endpoint.handler(Call(context, actor, path, query, body, address))
        except (Forbidden, NotFound) as refusal:
            # Whoever may not see it does not learn that it is there; nor which of two things it is that is not.
            if len(endpoint.path_parameters) > 1 or (isinstance(refusal, Forbidden) and endpoint.path_parameters):
                raise NotFound(_NO_SUCH.get(next(iter(path)), _NO_SUCH_CONSULTATION)) from None
            raise
        return answered(endpoint, answer)

    return serve


def authorise_viewer(context: Context) -> Callable[[web.Request], Awaitable[Actor]]:
    """Give what tells who asks for images: by the same session, and as often as somebody scrolls."""

    async def authorise(request: web.Request) -> Actor:
        return await _viewing(request, context)

    return authorise


async def _viewing(request: web.Request, context: Context) -> Actor:
    actor = await _actor(request, context)
    if not await context.limits.allow(f"images:{actor.person_id}", _IMAGES_A_MINUTE, seconds=_RETRY_SECONDS):
        raise TooManyRequests
    return actor


async def _authorised(request: web.Request, context: Context) -> Actor:
    actor = await _actor(request, context)
    if not await context.limits.allow(f"api:{actor.person_id}", context.requests_a_minute, seconds=_RETRY_SECONDS):
        raise TooManyRequests
    return actor


async def _asking(endpoint: Endpoint, request: web.Request, context: Context, address: str) -> Actor:
    if endpoint.open:
        await _admit(context, "open", address, _OPEN_A_MINUTE)
        return _ANONYMOUS
    return await (_device(request, context) if endpoint.device else _authorised(request, context))


async def _admit(context: Context, group: str, address: str, most: int) -> None:
    """Refuse an address that asks too often where nobody has said yet who they are."""
    if not await context.limits.allow(f"{group}:{address}", most, seconds=_RETRY_SECONDS):
        raise TooManyRequests


def _admitted(context: Context, group: str, most: int, handler: Handler) -> Handler:
    """Give `handler` behind a limit by address."""

    async def serve(request: web.Request) -> web.StreamResponse:
        await _admit(context, group, counted_address(request, context.trusted_proxies), most)
        return await handler(request)

    return serve


async def _device(request: web.Request, context: Context) -> Actor:
    actor = await context.monitoring.device_of_token(_token(request))
    if actor is None:
        raise LoginRefused
    if not await context.limits.allow(f"device:{actor.person_id}", _BATCHES_A_MINUTE, seconds=_RETRY_SECONDS):
        raise TooManyRequests
    return actor


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


async def _actor(request: web.Request, context: Context) -> Actor:
    token = _token(request)
    person_id = context.sessions.read(token) if token else None
    if person_id is None:
        raise LoginRefused
    try:
        return await context.people.actor(person_id)
    except NotFound:
        raise LoginRefused from None


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except DomainError as refusal:
        return _refused(refusal)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code, message = _CODES.get(error.status, ("refused", "没有这个接口，或不支持这种请求。"))
        answer = _json(Problem(code=code, message=message), error.status)
        for name in (hdrs.ALLOW, hdrs.WWW_AUTHENTICATE, hdrs.RETRY_AFTER):
            if name in error.headers:
                answer.headers[name] = error.headers[name]
        return answer
    except Exception as error:
        if is_transient(error):
            return _json(Problem(code="busy", message="现在人有点多，请稍后再试。"), 503)
        log.exception("request failed: operation=%s %s", request.method, request.match_info.route.resource)
        return _json(Problem(code="internal", message="服务出了点问题，请稍后再试。"), 500)


def _refused(refusal: DomainError) -> web.Response:
    tracing.note(refused=refusal.code)
    status = next((status for kind, status in _STATUS if isinstance(refusal, kind)), 409)
    field = refusal.details.get("field")
    opens_at = refusal.details.get("opens_at")
    problem = Problem(
        code=refusal.code,
        message=refusal.sentence,
        field=None if field is None else str(field),
        opens_at=opens_at if isinstance(opens_at, datetime) else None,
    )
    answer = _json(problem, status)
    if status == 401:
        answer.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    retry_after = refusal.details.get("retry_after", _RETRY.get(type(refusal)))
    if retry_after is not None:
        answer.headers[hdrs.RETRY_AFTER] = str(retry_after)
    return answer


def answered(endpoint: Endpoint, answer: BaseModel) -> web.Response:
    """Give what a handler answered as HTTP."""
    if not isinstance(answer, File):
        return _json(answer, endpoint.status)
    response = web.Response(body=answer.content, status=endpoint.status, content_type=endpoint.media_type)
    if answer.name:
        response.headers[hdrs.CONTENT_DISPOSITION] = f"attachment; filename*=UTF-8''{quote(answer.name)}"
    return response


def _json(answer: BaseModel, status: int) -> web.Response:
    return web.Response(body=answer.model_dump_json().encode(), status=status, content_type="application/json")


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.popall(hdrs.SERVER, None)  # which version serves is nobody's business
