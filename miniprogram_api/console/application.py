"""The console's API below `/console/api`: who is signed in by a cookie, and proof that a page of ours asks."""

import hmac
import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from backend.console import SignedIn
from backend.errors import Forbidden, NotFound
from miniprogram_api.address import client_address
from miniprogram_api.application import VERSION, answered
from miniprogram_api.console import (
    accounts,
    amendments,
    behind,
    cases,
    charges,
    exports,
    figures,
    imaging,
    knowledge,
    monthly,
    places,
    prescriptions,
    reconciliation,
    remuneration,
    running,
    schedules,
    session,
    staff,
    surveillance,
    teaching,
    wechat,
    weights,
)
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleContext, ConsoleEndpoint, WithCookie
from miniprogram_api.endpoint import TooManyRequests, UnknownMediaType, read_body, read_query, received
from miniprogram_api.openapi import Api, document

ENDPOINTS: tuple[ConsoleEndpoint, ...] = (
    *session.ENDPOINTS,
    *accounts.ENDPOINTS,
    *figures.ENDPOINTS,
    *behind.ENDPOINTS,
    *monthly.ENDPOINTS,
    *surveillance.ENDPOINTS,
    *cases.ENDPOINTS,
    *amendments.ENDPOINTS,
    *staff.ENDPOINTS,
    *places.ENDPOINTS,
    *schedules.ENDPOINTS,
    *running.ENDPOINTS,
    *charges.ENDPOINTS,
    *reconciliation.ENDPOINTS,
    *remuneration.ENDPOINTS,
    *imaging.ENDPOINTS,
    *prescriptions.ENDPOINTS,
    *knowledge.ENDPOINTS,
    *weights.ENDPOINTS,
    *wechat.ENDPOINTS,
    *exports.ENDPOINTS,
    *teaching.ENDPOINTS,
)

CSRF_HEADER = "X-CSRF-Token"
_IDENTIFIER = re.compile(r"[0-9a-f]{32}")
COOKIE = "qiaoyi-console"
_DESCRIBED = Api(
    "桥医管理台接口",
    VERSION,
    "The console's side of 桥医, for its own pages: it may change with them. Moments are RFC 3339 with an offset.\n"
    "Every refusal is a `Problem`: branch on `code`, show `message`. Over https the cookie is `__Host-qiaoyi-console`.",
    {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Set by signing in."}},
    (CSRF_HEADER, "The `csrf_token` of the session: proof that a page of ours asks."),
)
_SAFE = {"GET", "HEAD"}
_OPEN_A_MINUTE = 10
_MINUTE = 60


class FromElsewhere(Forbidden):
    """A changing call that no page of ours has made."""

    code = "from_elsewhere"
    sentence = "这个操作不是从管理页面发出的，请刷新页面后再试。"


class InsecureAddress(Forbidden):
    """Signing in over http, where others can read along."""

    code = "insecure_address"
    sentence = "这个地址不安全，不能登录。请用 https 开头的地址打开。"


def described_console() -> dict[str, Any]:
    """Give the OpenAPI document of the console's API."""
    return document(ENDPOINTS, _DESCRIBED)


def console_routes(context: ConsoleContext) -> list[web.RouteDef]:
    """Give the routes of every endpoint; refusals are told by the application that they are added to."""
    return [web.route(one.method, one.path, _serve(one, context)) for one in ENDPOINTS]


def _serve(endpoint: ConsoleEndpoint, context: ConsoleContext) -> Callable[[web.Request], Awaitable[web.Response]]:
    secure = context.public_url.startswith("https:")
    cookie = f"__Host-{COOKIE}" if secure else COOKIE

    async def serve(request: web.Request) -> web.Response:
        _require_safe_address(context.public_url)
        address = client_address(request, context.trusted_proxies)
        held = None if endpoint.open else await _signed_in(request, context, cookie)
        await _limit(context, held, address)
        if endpoint.method not in _SAFE:
            _require_own_page(request, context, held)
        path = dict(request.match_info)
        if not all(_IDENTIFIER.fullmatch(path[name]) for name in endpoint.path_parameters):
            raise NotFound
        query = read_query(request, endpoint.query)
        body = await (
            _file(request, endpoint.largest_file) if endpoint.largest_file else read_body(request, endpoint.body)
        )
        browser = request.headers.get(hdrs.USER_AGENT, "")
        try:
            answer = await endpoint.handler(ConsoleCall(context, held, path, query, body, address, browser))
        except Forbidden:
            if endpoint.path_parameters:  # whoever may not see it does not learn that it is there
                raise NotFound from None
            raise
        if not isinstance(answer, WithCookie):
            return answered(endpoint, answer)
        response = answered(endpoint, answer.answer)
        if answer.token:
            response.set_cookie(cookie, answer.token, path="/", secure=secure, httponly=True, samesite="Strict")
        else:
            response.del_cookie(cookie, path="/", secure=secure, httponly=True, samesite="Strict")
        return response

    return serve


async def _signed_in(request: web.Request, context: ConsoleContext, cookie: str) -> SignedIn:
    return await context.console.signed_in(request.cookies.get(cookie, ""))


async def _limit(context: ConsoleContext, held: SignedIn | None, address: str) -> None:
    """Refuse who asks too often: a session, or, where nobody is signed in yet, an address."""
    key, most = (f"console-open:{address}", _OPEN_A_MINUTE)
    if held is not None:
        key, most = f"console:{held.session_id}", context.requests_a_minute
    if not await context.limits.allow(key, most, seconds=_MINUTE):
        raise TooManyRequests


def _require_own_page(request: web.Request, context: ConsoleContext, held: SignedIn | None) -> None:
    # Browsers say where a request comes from, and pages cannot say otherwise; who sends no such header is no browser.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise FromElsewhere
    if held is None:
        return
    wanted = context.console.csrf_token(held.session_id)
    if not hmac.compare_digest(wanted.encode(), request.headers.get(CSRF_HEADER, "").encode()):
        raise FromElsewhere


def _require_safe_address(public_url: str) -> None:
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return
    try:
        if ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise InsecureAddress


async def _file(request: web.Request, most: int) -> bytes:
    if request.content_type != "application/octet-stream":
        raise UnknownMediaType
    return await received(request, most)
