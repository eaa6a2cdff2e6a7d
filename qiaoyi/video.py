"""The video rooms of one process: their WebSocket, their tokens, and the way to the hospital part and back.

`media` knows no database and no medicine; `backend.video` knows no WebSocket. What happens in a room goes into a queue,
in order, and from there into the database as soon as that answers.
"""

import asyncio
import contextlib
import logging
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from backend.clock import Clock
from backend.errors import DomainError
from backend.ids import new_id
from backend.security.keyring import KeyRing
from backend.video.nodes import NodeReport
from backend.video.rooms import RoomAdmission
from backend.video.service import VideoService
from backend.video.tables import NodeState
from media.rooms import RoomEvent
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint
from qiaoyi.house import House
from qiaoyi.recordings import KeptSegments

log = logging.getLogger(__name__)

SOCKET_PATH = "/media/v1/socket"
CAPACITY = 30
"""Rooms that one process carries."""
_REPORT_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
_MOST_EVENTS = 10_000
_ANSWERS = {"recording_agreed": True, "recording_refused": False}
"""What somebody said to being recorded."""


def token_mint(clock: Clock, ring: KeyRing, node: str = "") -> TokenMint:
    """Give what makes tokens in every process, and takes those of `node`."""
    return TokenMint(ring.derive("video"), lambda: clock.now().timestamp(), node=node)


def mint(tokens: TokenMint, admission: RoomAdmission) -> str:
    """Make the token that lets somebody in as `admission` says."""
    you = admission.person
    passed = Pass(
        admission.room,
        you.person,
        Role(you.role.value),
        you.name,
        you.label,
        admission.until.timestamp(),
        admission.admitted,
    )
    return tokens.mint(passed, admission.node_id)


@dataclass(frozen=True)
class _Told:
    """Something that happened in a room, and when."""

    event: RoomEvent
    at: datetime


class EventQueue:
    """Hands what happens in the rooms to the hospital part: in order, each until it was taken.

    Args:
        node_id: of this process.
    """

    def __init__(self, video: VideoService, clock: Clock, node_id: str) -> None:
        self._video = video
        self._clock = clock
        self._node_id = node_id
        self._waiting: deque[_Told] = deque()
        self._wake = asyncio.Event()
        self._last: datetime | None = None

    def put(self, event: RoomEvent) -> None:
        """Take an event; never waits. Moments strictly rise, so that what is told twice is known for what it is."""
        now = self._clock.now()
        if self._last is not None and now <= self._last:
            now = self._last + timedelta(microseconds=1)
        self._last = now
        if len(self._waiting) >= _MOST_EVENTS:
            log.error("an event of a room was lost: the database has been away for too long")
            return
        self._waiting.append(_Told(event, now))
        self._wake.set()

    async def run(self) -> None:
        """Hand on until cancelled; while the database is away, events wait."""
        while True:
            self._wake.clear()
            while self._waiting:
                if await self._hand_on(self._waiting[0]):
                    self._waiting.popleft()
                else:
                    await asyncio.sleep(_RETRY_SECONDS)
            await self._wake.wait()

    async def drain(self, seconds: float) -> None:
        """Hand on what is left, for at most so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._waiting and await self._hand_on(self._waiting[0]):
                    self._waiting.popleft()
        if self._waiting:
            log.error("events of rooms were lost at the end: %d", len(self._waiting))

    async def _hand_on(self, told: _Told) -> bool:
        """Tell whether the event was taken, or never will be; what is told again changes nothing."""
        event = told.event
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._video.happened(event.kind, event.room, event.person, told.at, self._node_id)
        except (SQLAlchemyError, OSError) as error:
            log.warning("an event of a room waits for the database: %s", type(error).__name__)
            return False
        except DomainError as refusal:  # what it is about is not there
            log.warning("an event of a room was refused: kind=%s code=%s", event.kind, refusal.code)
        except Exception:  # a fault of ours must not keep the other rooms' events back
            log.exception("an event of a room was not taken: kind=%s", event.kind)
        return True


class MediaProcess:
    """The rooms that this process carries."""

    def __init__(self, house: House, url: str, region: str = "") -> None:
        self.node_id = new_id()
        self._house = house
        self._url = url
        self._region = region
        self._events = EventQueue(house.video, house.clock, self.node_id)
        self.rooms = Rooms(
            token_mint(house.clock, house.ring, self.node_id),
            on_event=self._events.put,
            segments=KeptSegments(house.video),
        )

    def routes(self) -> list[web.RouteDef]:
        """Give the route of the WebSocket."""
        return [web.get(SOCKET_PATH, self.rooms.handler)]

    async def send_home(self, _application: web.Application) -> None:
        """The process ends: let go of every page, so that none holds it up."""
        for room in list(self.rooms.rooms.values()):
            room.close("closing")

    async def run(self) -> None:
        """Carry rooms until cancelled; then everybody is sent home, and the process is forgotten."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.rooms.run())
                tasks.create_task(self._events.run())
                tasks.create_task(self._report())
        finally:
            await self._events.drain(_RETRY_SECONDS)
            await self._forget()

    async def _report(self) -> None:
        while True:
            try:
                over = await self._house.video.report_node(self._state())
            except (SQLAlchemyError, OSError) as error:
                log.warning("the database does not hear of this media process: %s", type(error).__name__)
            else:
                for room in over:
                    await self.rooms.close_room(room)
            await asyncio.sleep(_REPORT_SECONDS)

    async def _forget(self) -> None:
        try:
            await self._house.video.forget_node(self.node_id)
        except (SQLAlchemyError, OSError):
            log.warning("the database does not hear that this media process ends")

    def _state(self) -> NodeReport:
        held = self.rooms.rooms.values()
        return NodeReport(
            id=self.node_id,
            region=self._region,
            url=self._url,
            state=NodeState.SERVING,
            capacity=CAPACITY,
            rooms=len(held),
            people=sum(len(room.members) for room in held),
            cpu=0.0,
            loop_lag=0.0,
        )
