"""The video room of a consultation: who opens its page, the way in, and going on at a desktop browser."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import Field

from backend.errors import Forbidden, NotFound
from backend.security.policy import Actor
from backend.video.desk_codes import DeskPage
from backend.video.rooms import LARGEST_SNAPSHOT
from backend.video.rules import RoomRole, RoomState
from miniprogram_api.context import Context
from miniprogram_api.endpoint import (
    BodyTooLarge,
    Call,
    Endpoint,
    Model,
    TooManyRequests,
    UnknownMediaType,
    received,
)
from miniprogram_api.session import SessionAnswer
from miniprogram_api.web_login import PAGE

_PATH = {"consultation_id": "The consultation."}
_CODE = r"^[!-~]+$"
GUESSES_AT_AN_ADDRESS = 10
GUESSES = 60
GUESSES_SECONDS = 60
"""How many desk codes may be tried in so many seconds, from one address and from all."""


PagePath = Annotated[str, Field(pattern=PAGE)]
"""The path of a page that somebody may be led back to; no other, so that nobody is led elsewhere."""


class WebLoginQuery(Model):
    """The page that somebody has opened."""

    path: PagePath


class WebLoginAnswer(Model):
    """Go to `url`; WeChat leads back to the page with a `code` and this `state`, which is to be compared."""

    url: str
    state: str


class WebSessionRequest(Model):
    """What WeChat added to the address of the page, and the page's path."""

    code: str = Field(min_length=1, max_length=256, pattern=_CODE)
    state: str = Field(min_length=1, max_length=128, pattern=_CODE)
    path: PagePath


class RoomPersonItem(Model):
    """Somebody in a room."""

    person: str
    name: str
    label: str
    role: RoomRole


class ExpectedItem(Model):
    """Somebody who takes part."""

    name: str
    label: str


class RoomAnswer(Model):
    """The room before one enters it, or after; `recorded`: there is something to look at again."""

    state: RoomState
    opens_at: datetime | None
    starts_at: datetime | None
    number: str
    you: RoomPersonItem
    expected: list[ExpectedItem]
    recorded: bool


class PassAnswer(Model):
    """The way in: `token` is good for a minute and once, `url` is the WebSocket that takes it, `node` whose it is."""

    token: str
    url: str
    node: str


class DeskCodeQuery(Model):
    """The page of the consultation to which the code leads."""

    page: DeskPage = DeskPage.ROOM


class DeskCodeAnswer(Model):
    """Eight digits to type at `address` on a desktop: five minutes, once."""

    code: str
    address: str
    expires_at: datetime


class DeskSessionRequest(Model):
    """The eight digits."""

    code: str = Field(pattern="^[0-9]{8}$")


class DeskSessionAnswer(SessionAnswer):
    """A session, and the consultation and the page that were open on the phone."""

    consultation_id: str
    page: DeskPage


class SnapshotAnswer(Model):
    """Where the picture lies now."""

    attachment_id: str


async def _web_login(call: Call) -> WebLoginAnswer:
    url, state = call.context.web_login.address(call.query.path)
    return WebLoginAnswer(url=url, state=state)


async def _web_session(call: Call) -> SessionAnswer:
    context, body = call.context, call.body
    identity = await context.web_login.identify(body.code, body.state, body.path)
    person_id = await context.identities.person_at(context.account_channel, identity.openid, identity.unionid)
    return _session(context, person_id)


async def _room(call: Call) -> RoomAnswer:
    view = await call.context.video.room(call.actor, call.path["consultation_id"])
    return RoomAnswer(
        state=view.opening.state,
        opens_at=view.opening.opens_at,
        starts_at=view.opening.starts_at,
        number=view.number,
        you=RoomPersonItem(person=view.you.person, name=view.you.name, label=view.you.label, role=view.you.role),
        expected=[ExpectedItem(name=name, label=label) for name, label in view.expected],
        recorded=view.recorded,
    )


async def _pass(call: Call) -> PassAnswer:
    admission = await call.context.video.enter(call.actor, call.path["consultation_id"])
    return PassAnswer(token=call.context.mint(admission), url=admission.url, node=admission.node_id)


async def _desk_code(call: Call) -> DeskCodeAnswer:
    made = await call.context.video.desk_code(call.actor, call.path["consultation_id"], call.query.page)
    return DeskCodeAnswer(code=made.code, address=f"{call.context.public_url}/v", expires_at=made.expires_at)


async def _desk_session(call: Call) -> DeskSessionAnswer:
    """Guessing is limited by address, and over all addresses: a code of eight digits is short."""
    limits = call.context.limits
    at_address = await limits.allow(f"desk:{call.address}", GUESSES_AT_AN_ADDRESS, GUESSES_SECONDS)
    if not at_address or not await limits.allow("desk", GUESSES, GUESSES_SECONDS):
        raise TooManyRequests
    visitor = await call.context.video.redeem_desk_code(call.body.code)
    session = _session(call.context, visitor.person_id)
    return DeskSessionAnswer(
        token=session.token, expires_at=session.expires_at, consultation_id=visitor.consultation_id, page=visitor.page
    )


def _session(context: Context, person_id: str) -> SessionAnswer:
    token, until = context.sessions.mint(person_id)
    return SessionAnswer(token=token, expires_at=until)


Handler = Callable[[web.Request], Awaitable[web.Response]]


def snapshots(context: Context, actor_of: Callable[[web.Request], Awaitable[Actor]]) -> Handler:
    """Give the handler that keeps a picture (`image/jpeg`, up to 2 MiB) from a room."""

    async def serve(request: web.Request) -> web.Response:
        actor = await actor_of(request)
        if request.content_type != "image/jpeg":
            raise UnknownMediaType("请求的格式不对，需要 JPEG 图片。")
        try:
            jpeg = await received(request, LARGEST_SNAPSHOT)
        except BodyTooLarge:
            raise BodyTooLarge("截图太大了，最大2MB。") from None
        try:
            kept = await context.video.keep_snapshot(actor, request.match_info["consultation_id"], jpeg)
        except Forbidden as refusal:
            if "action" in refusal.details:  # the policy's: whoever may not see it does not learn that it is there
                raise NotFound from None
            raise
        answer = SnapshotAnswer(attachment_id=kept)
        return web.Response(text=answer.model_dump_json(), status=201, content_type="application/json")

    return serve


_ROOM = "/api/v1/consultations/{consultation_id}/room"
SNAPSHOTS = "/api/v1/consultations/{consultation_id:[0-9a-f]{32}}/room/snapshots"

ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/web-login",
        "webLogin",
        "Where WeChat says who opens a page",
        _web_login,
        WebLoginAnswer,
        query=WebLoginQuery,
        open=True,
    ),
    Endpoint(
        "POST",
        "/api/v1/web-session",
        "webSession",
        "Log in with what WeChat led back with",
        _web_session,
        SessionAnswer,
        body=WebSessionRequest,
        status=201,
        open=True,
    ),
    Endpoint("GET", _ROOM, "room", "The room before one enters it", _room, RoomAnswer, path_parameters=_PATH),
    Endpoint("POST", f"{_ROOM}/pass", "enterRoom", "The way in", _pass, PassAnswer, status=201, path_parameters=_PATH),
    Endpoint(
        "POST",
        f"{_ROOM}/desk-code",
        "makeDeskCode",
        "Eight digits that lead to a desktop browser",
        _desk_code,
        DeskCodeAnswer,
        query=DeskCodeQuery,
        status=201,
        path_parameters=_PATH,
    ),
    Endpoint(
        "POST",
        "/api/v1/desk-session",
        "deskSession",
        "Log in at a desktop with the eight digits",
        _desk_session,
        DeskSessionAnswer,
        body=DeskSessionRequest,
        status=201,
        open=True,
    ),
)
