"""The API as an aiohttp application: routes made from endpoints, sessions read, errors told in one form."""

import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import web
from pydantic import BaseModel

from backend.errors import ConsentRequired, DomainError, Forbidden, InvalidInput, NotFound
from backend.security.policy import Actor
from miniprogram_api import bookings, consultations, session
from miniprogram_api.context import Context
from miniprogram_api.endpoint import Call, Endpoint, read_body, read_query
from miniprogram_api.login import LoginRefused, LoginUnavailable
from miniprogram_api.openapi import Problem, document

log = logging.getLogger(__name__)

VERSION = "1.0.0"
ENDPOINTS: tuple[Endpoint, ...] = (*session.ENDPOINTS, *consultations.ENDPOINTS, *bookings.ENDPOINTS)

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
_STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (InvalidInput, 400),
    (LoginRefused, 401),
    (LoginUnavailable, 503),
    (Forbidden, 403),
    (ConsentRequired, 403),
    (NotFound, 404),
)
_ANONYMOUS = Actor(person_id="", roles=frozenset())


def make_application(context: Context) -> web.Application:
    """Give the API for mounting at the root of the product's server."""
    application = web.Application(middlewares=[_problems])
    for endpoint in ENDPOINTS:
        application.router.add_route(endpoint.method, endpoint.path, _serve(endpoint, context))
    described = document(ENDPOINTS, VERSION)

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(described)

    application.router.add_get("/api/v1/openapi.json", openapi)
    application.router.add_get("/h5/bookings/{token}.ics", bookings.calendar_file(context))
    return application


def _serve(endpoint: Endpoint, context: Context) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        actor = _ANONYMOUS if endpoint.open else await _actor(request, context)
        path = dict(request.match_info)
        if not all(_IDENTIFIER.fullmatch(path[name]) for name in endpoint.path_parameters):
            raise NotFound
        query = read_query(request, endpoint.query)
        body = await read_body(request, endpoint.body)
        answer = await endpoint.handler(Call(context, actor, path, query, body))
        return _json(answer, endpoint.status)

    return serve


async def _actor(request: web.Request, context: Context) -> Actor:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    person_id = context.sessions.read(token) if scheme.lower() == "bearer" else None
    if person_id is None:
        raise LoginRefused
    return await context.people.actor(person_id)


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except DomainError as refusal:
        status = next((status for kind, status in _STATUS if isinstance(refusal, kind)), 409)
        field = refusal.details.get("field")
        problem = Problem(code=refusal.code, message=refusal.sentence, field=None if field is None else str(field))
        return _json(problem, status)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status, "refused")
        answer = _json(Problem(code=code, message="没有这个接口，或不支持这种请求。"), error.status)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except Exception:
        log.exception("request failed: operation=%s %s", request.method, request.match_info.route.resource)
        return _json(Problem(code="internal", message="服务出了点问题，请稍后再试。"), 500)


def _json(answer: BaseModel, status: int) -> web.Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        body=answer.model_dump_json().encode(), status=status, content_type="application/json", headers=headers
    )
