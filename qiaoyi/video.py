"""The video rooms of one process: their WebSocket, their tokens, and the way to the hospital part and back.

`media` knows no database and no medicine; `backend.video` knows no WebSocket. What happens in a room goes into a queue,
in order, and from there into the database as soon as that answers.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from aiortc import RTCIceServer
from sqlalchemy.exc import SQLAlchemyError

from backend.clock import Clock
from backend.errors import DomainError
from backend.ids import new_id
from backend.security.keyring import KeyRing
from backend.video.rooms import RoomAdmission
from backend.video.service import VideoService
from media.forwarding import RtpForwarding
from media.load import Admission
from media.rooms import RoomEvent
from media.signalling import Rooms
from media.tokens import Pass, Role, TokenMint
from media.turn import relays
from qiaoyi.house import House
from qiaoyi.media_node import MediaNode
from qiaoyi.recordings import KeptSegments
from qiaoyi.settings import MEDIA_PATH

log = logging.getLogger(__name__)

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
    """The rooms that this process carries, as its settings say."""

    def __init__(self, house: House) -> None:
        settings = house.settings
        node_id = new_id()
        self._events = EventQueue(house.video, house.clock, node_id)
        self._admission = Admission(settings.media_capacity)
        self._rooms = Rooms(
            token_mint(house.clock, house.ring, node_id),
            on_event=self._events.put,
            segments=KeptSegments(house.video),
            make_forwarding=lambda listener: RtpForwarding(listener, lambda: _stun(settings.media_stun_url)),
            takes_another=self._admission.takes_another,
            relays=lambda: relays(settings.turn_urls, settings.turn_secret, time.time),
        )
        self._node = MediaNode(
            house.video, self._rooms, self._admission, node_id, settings.media_socket, settings.media_region
        )

    def add_to(self, application: web.Application) -> None:
        """Serve the WebSocket there; when the application ends, every page is let go, so that none holds it up."""
        application.router.add_get(MEDIA_PATH, self._rooms.handler)
        application.on_shutdown.append(self._let_go)

    async def run(self) -> None:
        """Carry rooms until cancelled; what happened in them is handed on to the last."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._rooms.run, self._events.run, self._admission.run, self._node.run):
                    tasks.create_task(work())
        finally:
            await self._node.leave()
            await self._events.drain(_RETRY_SECONDS)

    async def _let_go(self, _application: web.Application) -> None:
        await self._node.leave()


def _stun(url: str) -> list[RTCIceServer]:
    return [RTCIceServer(url)] if url else []
