"""A server for the room page: the built page, the API of "Who may enter" (docs/video-rooms.md) kept in memory, and the
real rooms behind the WebSocket. What a test wants to happen it sets on `RoomServer`."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from media.rooms import RoomEvent
from media.segments import Segment
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint
from miniprogram_api.pages import page_routes
from tests.support.dicomweb_server import DicomWebServer

CONSULTATION = "0123456789abcdef" * 2
NODE = "n1"
STATE = "0a1b2c"
WHO = "person"
"""The cookie by which the stand-in for WeChat knows who opens a page."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who takes part in the consultation."""

    id: str
    name: str
    label: str
    role: Role


PATIENT = Party("patient", "王秀英", "患者", Role.GUEST)
DOCTOR = Party("doctor", "李建国", "医生", Role.HOST)
EXPERT = Party("expert", "陈明远", "专家", Role.HOST)
UNTIL = "2099-01-01T00:00:00+08:00"
PARTIES = {party.id: party for party in (PATIENT, DOCTOR, EXPERT)}


def _refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status, headers=headers)


class HeldSegments:
    """A store that keeps recordings in memory."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    async def begin(self, recording: str, room: str, started: float) -> None:
        """A recording has begun."""

    async def store(self, recording: str, segment: Segment) -> None:
        """Keep a segment."""
        self.segments.append(segment)

    async def end(self, recording: str, ended: float) -> None:
        """Nothing more comes."""


@dataclass(slots=True)
class RoomServer:
    """What the server answers, and what came of it."""

    pages: Path
    state: str = "open"
    opens_at: float = 0.0
    """When an early room opens, seconds since 1970."""
    refusal: str = ""
    """The code with which a pass is refused; `room_busy` may pass, the others do not."""
    snapshots_fail: int = 0
    """How many more snapshots are not taken."""
    must_wait: bool = False
    """Whether the patient waits before the door; else they were let in before."""
    passes: int = 0
    snapshots: list[bytes] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    recordings: HeldSegments = field(default_factory=HeldSegments)
    url: str = ""
    blind: set[str] = field(default_factory=set)
    """Those who may not see the images."""
    imaging: DicomWebServer = field(init=False)
    """The images of the consultation; none unless a test puts some there."""
    rooms: Rooms = field(init=False)
    _mint: TokenMint = field(init=False)
    _tokens: dict[str, str] = field(default_factory=dict)
    _codes: dict[str, str] = field(default_factory=dict)
    _sockets: list[asyncio.Transport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._mint = TokenMint(secrets.token_bytes(32), time.time, node=NODE)
        self.imaging = DicomWebServer(self.pages, CONSULTATION, self._may_read)
        self.rooms = Rooms(self._mint, on_event=self._heard, segments=self.recordings)

    @property
    def address(self) -> str:
        """What the card in the chat opens."""
        return f"{self.url}/h5/rooms/{CONSULTATION}"

    def desk_code(self, party: Party) -> str:
        """A code that the person has got on their phone."""
        code = f"{secrets.randbelow(10**8):08}"
        self._codes[code] = party.id
        return code

    def sign_in(self, party: Party) -> str:
        """A bearer token of the person."""
        token = secrets.token_hex(8)
        self._tokens[token] = party.id
        return token

    def forget_sessions(self) -> None:
        """As if two hours had passed: no bearer token is good any more."""
        self._tokens.clear()

    def break_sockets(self) -> int:
        """Cut every WebSocket as a network does, without a word; gives how many there were."""
        for transport in self._sockets:
            transport.abort()
        return len(self._sockets)

    def application(self) -> web.Application:
        """The routes of the product that the page uses."""
        application = web.Application(client_max_size=3 * 1024 * 1024)
        room = "/api/v1/consultations/{id}/room"
        application.add_routes(
            [
                *page_routes(self.pages, framed_by="'self'"),
                web.get("/healthz", self._healthy),
                web.get("/wechat", self._wechat),
                web.get("/api/v1/web-login", self._web_login),
                web.post("/api/v1/web-session", self._web_session),
                web.post("/api/v1/desk-session", self._desk_session),
                web.get(room, self._entry),
                web.post(f"{room}/pass", self._pass),
                web.post(f"{room}/desk-code", self._desk_code),
                web.post(f"{room}/snapshots", self._snapshot),
                web.get("/media", self._media),
                *self.imaging.dicomweb(),
                *self.imaging.case.routes(),
            ]
        )
        return application

    async def _media(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        self._sockets.append(transport)
        try:
            return await self.rooms.handler(request)
        finally:
            self._sockets.remove(transport)

    def _may_read(self, token: str) -> bool:
        return token in self._tokens and self._tokens[token] not in self.blind

    def _heard(self, event: RoomEvent) -> None:
        self.events.append((event.kind, event.person))

    def _who(self, request: web.Request) -> Party:
        person = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if person is None:
            raise web.HTTPUnauthorized(
                text='{"code": "no_session", "message": "请重新登录"}', content_type="application/json"
            )
        return PARTIES[person]

    async def _healthy(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _wechat(self, request: web.Request) -> web.Response:
        """WeChat's page: who opens it is known, nothing is asked (snsapi_base)."""
        raise web.HTTPFound(f"{request.query['path']}?code={request.cookies.get(WHO, 'stranger')}&state={STATE}")

    async def _web_login(self, request: web.Request) -> web.Response:
        return web.json_response({"url": f"{self.url}/wechat?path={request.query['path']}", "state": STATE})

    async def _web_session(self, request: web.Request) -> web.Response:
        asked = await request.json()
        party = PARTIES.get(asked["code"])
        if party is None or (asked["state"], asked["path"]) != (STATE, f"/h5/rooms/{CONSULTATION}"):
            return _refusal(401, "login_refused", "登录已失效，请退出后重新打开。")
        session = {"token": self.sign_in(party), "expires_at": UNTIL}
        return web.json_response(session, status=201)

    async def _desk_session(self, request: web.Request) -> web.Response:
        person = self._codes.pop((await request.json())["code"], None)
        if person is None:
            return _refusal(401, "desk_code_refused", "这个数字不对，或者已经过了五分钟。请在手机上再取一次。")
        return web.json_response(
            {
                "token": self.sign_in(PARTIES[person]),
                "expires_at": UNTIL,
                "consultation_id": CONSULTATION,
            },
            status=201,
        )

    async def _entry(self, request: web.Request) -> web.Response:
        party = self._who(request)
        if request.match_info["id"] != CONSULTATION:
            return _refusal(404, "not_found", "没有找到这次会诊")
        you = {"person": party.id, "name": party.name, "label": party.label, "role": party.role}
        expected = [{"name": other.name, "label": other.label} for other in PARTIES.values() if other is not party]
        answer: dict[str, Any] = {
            "state": self.state,
            "opens_at": self.opens_at,
            "starts_at": None,
            "number": "HZ20261121007",
            "you": you,
            "expected": expected,
            "recorded": False,
        }
        return web.json_response(answer)

    async def _pass(self, request: web.Request) -> web.Response:
        party = self._who(request)
        self.passes += 1
        if self.refusal == "room_busy":
            return _refusal(503, "room_busy", "诊室正忙", {"Retry-After": "1"})
        if self.refusal:
            return _refusal(403, self.refusal, "现在不能进")
        admitted = not self.must_wait
        granted = Pass(CONSULTATION, party.id, party.role, party.name, party.label, time.time() + 3600, admitted)
        socket = self.url.replace("http", "ws", 1) + "/media"
        return web.json_response({"token": self._mint.mint(granted, NODE), "url": socket, "node": NODE}, status=201)

    async def _desk_code(self, request: web.Request) -> web.Response:
        code = self.desk_code(self._who(request))
        return web.json_response({"code": code, "address": f"{self.url}/v", "expires_at": UNTIL}, status=201)

    async def _snapshot(self, request: web.Request) -> web.Response:
        if self._who(request).role is not Role.HOST:
            return _refusal(403, "forbidden", "只有医生可以保存")
        picture = await request.read()
        if self.snapshots_fail:
            self.snapshots_fail -= 1
            return _refusal(503, "unavailable", "现在存不了，请稍后再试")
        self.snapshots.append(picture)
        return web.json_response({"attachment_id": f"a-{len(self.snapshots)}"}, status=201)


@asynccontextmanager
async def running_room_server(pages: Path) -> AsyncIterator[RoomServer]:
    """The server on loopback; every room is closed at the end."""
    server = RoomServer(pages)
    listening = TestServer(server.application(), host="127.0.0.1")
    await listening.start_server()
    server.url = str(listening.make_url("")).rstrip("/")
    running = asyncio.create_task(server.rooms.run())
    try:
        yield server
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await listening.close()
