"""The WebSocket of a room: a page joins with its token, is offered its connections, and talks to the room."""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from media.description import DescriptionError
from media.forwarding import Forwarding, Listener, RoomFullError, RtpForwarding
from media.messages import (
    MAX_FRAME,
    VERSION,
    Admit,
    AnswerGiven,
    Candidate,
    Chat,
    Incoming,
    Join,
    Lead,
    Leave,
    Look,
    MalformedMessageError,
    Mute,
    OfferWanted,
    Ping,
    Pointer,
    RecordingConsent,
    ShareScreen,
    read_message,
)
from media.recording import Recorder, SegmentStore
from media.rooms import Member, Room, RoomEvent, RoomRefusedError
from media.tokens import TokenMint, TokenRefusedError

logger = logging.getLogger(__name__)

_JOIN_WITHIN = 10.0
_QUEUE = 256
_MESSAGES_A_SECOND = 40
_BURST = 120
_FAULTS_MOST = 20
_HEARTBEAT = 15.0
_GOODBYE_WITHIN = 2.0
_LOOK: dict[str, Any] = {}
"""Stands in the queue for the last place that the leader looked at."""


class Rooms:
    """All rooms of this process. ``run`` it as long as it serves; ``handler`` is the WebSocket.

    ``ice_servers`` gives the relays that pages may use, ``segments`` is where recordings are kept (without it nothing
    is recorded), ``make_forwarding`` gives what carries the media, ours by default.
    """

    def __init__(
        self,
        mint: TokenMint,
        on_event: Callable[[RoomEvent], None] = lambda event: None,
        segments: SegmentStore | None = None,
        make_forwarding: Callable[[Listener], Forwarding] = RtpForwarding,
        takes_another: Callable[[int], bool] = lambda rooms: True,
        relays: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        """``takes_another`` decides whether a room may begin beside so many; ``relays`` gives the TURN servers for a
        page, as the browser wants them."""
        self._mint, self._on_event, self._takes_another, self._relays = mint, on_event, takes_another, relays
        self.rooms: dict[str, Room] = {}
        self.forwarding = make_forwarding(self)
        self._recorder = (
            None if segments is None else Recorder(self.forwarding, segments, self._recording_failed, mint.now)
        )
        self._pages: dict[tuple[str, str], _Page] = {}
        self._ended = ""

    async def run(self) -> None:
        """Forward, repair, observe, until cancelled; then everybody is sent home."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.forwarding.run())
                tasks.create_task(self._observe())
                if self._recorder is not None:
                    tasks.create_task(self._recorder.run())
        finally:
            self.end("closing")
            if self._recorder is not None:
                await self._recorder.close()
            await self.forwarding.close()

    async def close_room(self, name: str, code: str = "over") -> None:
        """Send everybody home, because the consultation is over; or, with ``moving``, to another process."""
        room = self.rooms.get(name)
        if room is not None:
            room.close(code)

    def end(self, code: str) -> None:
        """Take nobody any more and send everybody away; ``code`` tells the pages why."""
        self._ended = self._ended or code
        for room in list(self.rooms.values()):
            room.close(code)

    async def handler(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one page."""
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME, heartbeat=_HEARTBEAT)
        await socket.prepare(request)
        page = _Page(self, socket)
        await page.serve()
        if not await page.say_goodbye() and request.transport is not None:
            request.transport.abort()  # it reads nothing, not even the end
        return socket

    def enter(self, token: str, page: "_Page") -> tuple[Room, Member]:
        """Let a page in; raises ``TokenRefusedError`` or ``RoomRefusedError``."""
        if self._ended:
            raise RoomRefusedError(self._ended)
        admitted = self._mint.redeem(token)
        room = self.rooms.get(admitted.room)
        if room is None:
            if not self._takes_another(len(self.rooms)):
                raise RoomRefusedError("busy")
            room = self.rooms[admitted.room] = Room(admitted.room, self.forwarding, self._happened)
        try:
            member = room.enter(admitted, page)
        finally:
            if not room.members:
                del self.rooms[admitted.room]
        self._pages[(room.name, member.person)] = page
        return room, member

    async def leave(self, room: Room, member: Member, page: "_Page") -> None:
        """A page is gone; its connections go with it unless another device has taken over."""
        if self._pages.get((room.name, member.person)) is page:
            del self._pages[(room.name, member.person)]
        if room.leave(member):
            await self.forwarding.leave(room.name, member.person)
        if not room.members and self.rooms.get(room.name) is room:
            del self.rooms[room.name]

    def consent(self, room: Room, member: Member, message: RecordingConsent) -> None:
        """Somebody answers whether they may be recorded; asking is in vain where nothing is stored."""
        if self._recorder is None and message.agree:
            member.channel.send({"kind": "error", "code": "recording_unavailable"})
        else:
            room.consent(member, message)

    @property
    def relays(self) -> list[dict[str, Any]]:
        """The relays that a page may use, with credentials that begin now."""
        return self._relays()

    def _happened(self, event: RoomEvent) -> None:
        """Record while a room says so, and pass on what happened."""
        if self._recorder is not None and event.kind == "recording_started":
            room = self.rooms[event.room]
            self._recorder.start(event.room, lambda: [member.person for member in room.inside])
        elif self._recorder is not None and event.kind == "recording_stopped":
            self._recorder.stop(event.room)
        self._on_event(event)

    def _recording_failed(self, name: str) -> None:
        room = self.rooms.get(name)
        if room is not None:
            room.fail_recording()

    async def _observe(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._look_around()

    def _look_around(self) -> None:
        for room in list(self.rooms.values()):
            try:
                room.close_expired(self._mint.now())
                room.observe()
            except Exception:  # one room's trouble is not the others'
                logger.exception("observing a room failed")

    def places_changed(self, room: str, person: str) -> None:
        """A page is told whom its places show."""
        page = self._pages.get((room, person))
        if page is not None:
            page.send({"kind": "places", "places": self.forwarding.places(room, person)})

    def lost(self, room: str, person: str) -> None:
        """A connection broke while the WebSocket still stands: the page is asked to connect anew."""
        page = self._pages.get((room, person))
        if page is not None:
            page.send({"kind": "reconnect"})

    def message(self, room: str, person: str, text: str) -> None:
        """A stroke that came over the data channel goes on over data channels."""
        found, page = self.rooms.get(room), self._pages.get((room, person))
        member = found.members.get(person) if found is not None else None
        if found is None or page is None or member is None or not member.inside or not page.is_in_time():
            return
        with contextlib.suppress(MalformedMessageError):
            message = read_message(text)
            if isinstance(message, Pointer):
                stroke = found.stroke(member, message)
                if stroke is not None:
                    self.forwarding.broadcast(room, person, json.dumps(stroke, ensure_ascii=False))


class _Page:
    """One WebSocket. Outgoing messages wait in a bounded queue; a page that does not read them is dropped."""

    def __init__(self, rooms: Rooms, socket: web.WebSocketResponse) -> None:
        self._rooms, self._socket = rooms, socket
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_QUEUE)
        self._look: dict[str, Any] | None = None
        """What stands in the queue's one place for where the leader looks."""
        self._recent: deque[float] = deque(maxlen=_BURST)
        self._faults = 0
        self._close_code = ""
        self._closing = asyncio.Event()

    def send(self, message: dict[str, Any]) -> None:
        """Hand a message over; never waits."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.close("slow")

    def send_look(self, message: dict[str, Any]) -> None:
        """Hand over where the leader looks; a page that reads slowly gets the last place alone."""
        is_waiting, self._look = self._look is not None, message
        if not is_waiting:
            self.send(_LOOK)

    def close(self, code: str) -> None:
        """End the connection; ``code`` tells the page why."""
        if not self._closing.is_set():
            self._close_code = code
            self._closing.set()

    async def serve(self) -> None:
        """From the first message to the last."""
        sender = asyncio.create_task(self._send_queued())
        reader = asyncio.create_task(self._read())
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({reader, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sender, reader, closing):
                task.cancel()
            results = await asyncio.gather(sender, reader, closing, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                    logger.error("serving a page of a room failed", exc_info=result)

    async def say_goodbye(self) -> bool:
        """Tell the page why, and close; whether it took notice in time."""
        try:
            async with asyncio.timeout(_GOODBYE_WITHIN):
                if self._closing.is_set() and not self._socket.closed:
                    await self._send_rest()
                    await self._socket.send_json({"kind": "closed", "code": self._close_code})
                await self._socket.close()
        except (ConnectionError, TimeoutError):
            return False
        return True

    async def _send_queued(self) -> None:
        while True:
            await self._send_one(await self._queue.get())

    async def _send_rest(self) -> None:
        while not self._queue.empty():
            await self._send_one(self._queue.get_nowait())

    async def _send_one(self, message: dict[str, Any]) -> None:
        if message is _LOOK and self._look is not None:
            message, self._look = self._look, None
        await self._socket.send_json(message)

    async def _read(self) -> None:
        joined = await self._join()
        if joined is None:
            return
        room, member = joined
        try:
            async for frame in self._socket:
                if frame.type is not WSMsgType.TEXT:
                    self._fault("not_text")
                    continue
                if not self.is_in_time():
                    self.close("flood")
                    return
                try:
                    message = read_message(frame.data)
                except MalformedMessageError as error:
                    logger.info("a page of a room sent a malformed message: %s", error)
                    self._fault("malformed")
                    continue
                if isinstance(message, Leave):
                    return
                await self._handle(room, member, message)
        finally:
            await self._rooms.leave(room, member, self)

    async def _join(self) -> tuple[Room, Member] | None:
        """The room, when the first message opens it."""
        try:
            async with asyncio.timeout(_JOIN_WITHIN):
                message = read_message(await self._socket.receive_str())
            if not isinstance(message, Join):
                raise MalformedMessageError("join comes first")
            room, member = self._rooms.enter(message.token, self)
        except TokenRefusedError as error:
            logger.info("a page was refused: token %s", error.code)
            self.close(f"token_{error.code}")
        except RoomRefusedError as error:
            self.close(error.code)
        except (MalformedMessageError, TimeoutError, TypeError):
            self.close("malformed")
        else:
            return room, member
        await self._closing.wait()
        return None

    async def _handle(self, room: Room, member: Member, message: Incoming) -> None:
        if isinstance(message, Ping):
            self.send({"kind": "pong"})
        elif not member.inside:
            self._fault("waiting")
        elif isinstance(message, OfferWanted | AnswerGiven | Candidate):
            await self._connect(room, member, message)
        elif isinstance(message, Mute):
            room.mute(member, message)
        elif isinstance(message, ShareScreen):
            room.share(member, message)
        elif isinstance(message, Chat):
            room.chat(member, message)
        elif isinstance(message, Pointer):
            room.point(member, message)
        elif isinstance(message, Lead):
            room.lead(member, message)
        elif isinstance(message, Look):
            room.look(member, message)
        elif isinstance(message, Admit):
            room.admit(member, message)
        elif isinstance(message, RecordingConsent):
            self._rooms.consent(room, member, message)
        else:
            self._fault("unexpected")

    async def _connect(self, room: Room, member: Member, message: OfferWanted | AnswerGiven | Candidate) -> None:
        forwarding = self._rooms.forwarding
        try:
            if isinstance(message, OfferWanted):
                make = forwarding.publish if message.purpose == "publish" else forwarding.subscribe
                offer = await make(room.name, member.person)
                self.send(
                    {
                        "kind": "offer",
                        "version": VERSION,
                        "purpose": message.purpose,
                        "connection": offer.connection,
                        "sdp": offer.sdp,
                        "ice_servers": self._rooms.relays,
                    }
                )
                if message.purpose == "subscribe":
                    self.send({"kind": "places", "places": forwarding.places(room.name, member.person)})
            elif isinstance(message, AnswerGiven):
                forwarding.answer(message.connection, message.sdp, member.person)
            else:
                await forwarding.add_candidate(message.connection, message.candidate, member.person)
        except (DescriptionError, ValueError) as error:
            logger.info("a page gave a bad description: %s", error)
            self._fault("description")
        except KeyError:
            self._fault("connection")
        except RoomFullError:
            self._fault("full")

    def _fault(self, code: str) -> None:
        """Tell the page; one that goes on like that is closed."""
        self._faults += 1
        if self._faults > _FAULTS_MOST:
            self.close("faults")
        else:
            self.send({"kind": "error", "code": code})

    def is_in_time(self) -> bool:
        """Whether the page keeps to the number of messages a second, bursts allowed."""
        now = asyncio.get_running_loop().time()
        recent = self._recent
        full = len(recent) == _BURST and now - recent[0] < _BURST / _MESSAGES_A_SECOND
        recent.append(now)
        return not full
