"""Video rooms: whoever publishes is forwarded to everybody else in the room.

``Forwarding`` is all that the rest of the house knows of how media travel, so that an SFU of its own (LiveKit, Janus)
can stand in. ``RtpForwarding`` is ours: RTP packets are passed on in this process, never decoded.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiortc import RTCCertificate, RTCIceServer

from media.connections import CAPACITY, Connection, Publisher, Subscriber
from media.description import DescriptionError, Source, read_answer
from media.published import PublishedStream, Watcher

_TICK = 0.05
_TICKS_A_REPORT = 20
_START_BITRATE = 1_500_000


class RoomFullError(Exception):
    """Nobody else fits into the room."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The server's offer for a connection; ``connection`` names it in ``answer`` and ``add_candidate``."""

    connection: str
    sdp: str


@dataclass(frozen=True, slots=True)
class Leg:
    """How one person is connected: what they send and what they are sent.

    ``sent_lost`` is the share of their packets that we lack (0–1, before repair), ``received_lost`` the share that they
    lack of ours; ``delay`` by how many seconds their packets wait on the way to us, ``round_trip`` the seconds to them
    and back.
    """

    sent_lost: float
    received_lost: float
    jitter: float
    delay: float
    round_trip: float


class Listener(Protocol):
    """Who is told what happens to the connections."""

    def lost(self, room: str, person: str) -> None:
        """A connection of ``person`` broke."""

    def places_changed(self, room: str, person: str) -> None:
        """``Forwarding.places`` of ``person`` are others now."""

    def message(self, room: str, person: str, text: str) -> None:
        """``person`` said something over the data channel."""


class Forwarding(Protocol):
    """What the rooms need of the media: publish, subscribe, cap, record, statistics."""

    async def run(self) -> None:
        """What it does by itself, until cancelled."""

    async def close(self) -> None:
        """Close every room, and wait until every connection is closed."""

    async def publish(self, room: str, person: str) -> Offer:
        """A connection on which ``person`` sends; an earlier one of theirs is closed. ``RoomFullError``; ``KeyError``
        where it was replaced or left before the offer was made."""

    async def subscribe(self, room: str, person: str) -> Offer:
        """A connection on which ``person`` is sent the others; closes an earlier one of theirs. Raises as above."""

    def answer(self, connection: str, sdp: str, person: str) -> None:
        """The page's answer. ``DescriptionError`` where it is none or a second one, ``KeyError`` for no connection of
        this person."""

    async def add_candidate(self, connection: str, candidate: str, person: str) -> None:
        """Another address of the page. ``ValueError`` where it is malformed, ``KeyError``."""

    def places(self, room: str, person: str) -> dict[str, str]:
        """Which stream of ``person``'s subscribing connection shows whom."""

    def cap(self, room: str, person: str, bitrate: int) -> None:
        """Ask ``person``, who is connected, to send at most so many bit/s of picture."""

    def audio_only(self, room: str, person: str, only: bool) -> None:
        """Send ``person``, who is connected, no pictures, or pictures again."""

    def record(self, room: str, person: str, source: Source, watcher: Watcher | None) -> None:
        """Hand every packet of this source to ``watcher`` as well; to none where it is ``None``."""

    def request_keyframe(self, room: str, person: str, source: Source) -> None:
        """Ask ``person`` for a whole picture of this source; nothing happens where they send none."""

    def statistics(self, room: str, person: str) -> Leg | None:
        """How ``person`` is connected; ``None`` while they are not."""

    async def leave(self, room: str, person: str) -> None:
        """Close the connections of ``person``; from the call on, their place is free."""

    def broadcast(self, room: str, sender: str, text: str) -> None:
        """Send ``text`` over the data channels of everybody but ``sender``."""


@dataclass(slots=True)
class _Participant:
    person: str
    publisher: Publisher | None = None
    subscriber: Subscriber | None = None
    cap: int = _START_BITRATE
    audio_only: bool = False
    recorders: dict[Source, Watcher] = field(default_factory=dict)


class RtpForwarding:
    """``Forwarding`` in this process. ``run`` it as long as it is used."""

    def __init__(self, listener: Listener, ice_servers: Callable[[], list[RTCIceServer]] = list) -> None:
        self._certificate = RTCCertificate.generateCertificate()
        self._listener, self._ice_servers = listener, ice_servers
        self._rooms: dict[str, dict[str, _Participant]] = {}
        self._connections: dict[str, Connection] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        # Repairs often, reports each second.
        ticks = 0
        while True:
            await asyncio.sleep(_TICK)
            ticks += 1
            for connection in self._connections.values():
                connection.peer.allow(_TICK)
            for participants in self._rooms.values():
                for participant in participants.values():
                    self._attend(participant, is_report_due=ticks % _TICKS_A_REPORT == 0)

    async def publish(self, room: str, person: str) -> Offer:
        participant = self._participant(room, person)
        self._drop_publisher(room, participant)
        publisher = Publisher(
            self._certificate,
            self._ice_servers(),
            lambda: self._listener.lost(room, person),
            lambda stream: self._announce(room, person, stream),
        )
        participant.publisher = publisher
        return await self._offered(publisher, room, person, publisher.make_offer)

    async def subscribe(self, room: str, person: str) -> Offer:
        participant = self._participant(room, person)
        self._drop_subscriber(participant)
        subscriber = Subscriber(self._certificate, self._ice_servers(), lambda: self._listener.lost(room, person))
        participant.subscriber = subscriber
        subscriber.pause_pictures(participant.audio_only)
        for other in self._rooms[room].values():
            if other is not participant and other.publisher is not None:
                for source, stream in other.publisher.streams.items():
                    subscriber.show(other.person, source, stream)
        return await self._offered(subscriber, room, person, subscriber.make_offer)

    def answer(self, connection: str, sdp: str, person: str) -> None:
        found = self._owned(connection, person)
        answer = read_answer(sdp, found.offer)
        if found.peer.is_started:
            raise DescriptionError("the offer was answered before")
        found.peer.start(answer)
        found.answered(answer)

    async def add_candidate(self, connection: str, candidate: str, person: str) -> None:
        await self._owned(connection, person).peer.add_candidate(candidate)

    def places(self, room: str, person: str) -> dict[str, str]:
        subscriber = self._rooms[room][person].subscriber
        return {} if subscriber is None else dict(subscriber.groups)

    def cap(self, room: str, person: str, bitrate: int) -> None:
        self._rooms[room][person].cap = bitrate

    def audio_only(self, room: str, person: str, only: bool) -> None:
        participant = self._rooms[room][person]
        participant.audio_only = only
        if participant.subscriber is not None:
            participant.subscriber.pause_pictures(only)

    def record(self, room: str, person: str, source: Source, watcher: Watcher | None) -> None:
        participant = self._rooms[room][person]
        stream = participant.publisher.streams.get(source) if participant.publisher is not None else None
        before = participant.recorders.pop(source, None)
        if before is not None and stream is not None and before in stream.watchers:
            stream.watchers.remove(before)
        if watcher is not None:
            participant.recorders[source] = watcher
            if stream is not None:
                stream.watchers.append(watcher)
                stream.request_keyframe()

    def request_keyframe(self, room: str, person: str, source: Source) -> None:
        participant = self._rooms.get(room, {}).get(person)
        if participant is not None and participant.publisher is not None:
            stream = participant.publisher.streams.get(source)
            if stream is not None:
                stream.request_keyframe()

    def statistics(self, room: str, person: str) -> Leg | None:
        participant = self._rooms.get(room, {}).get(person)
        if participant is None:
            return None
        publisher, subscriber = participant.publisher, participant.subscriber
        receptions = subscriber.receptions() if subscriber is not None else []
        streams = publisher.streams.values() if publisher is not None else ()
        jitters = [r.jitter for r in receptions] + [stream.jitter_seconds for stream in streams]
        return Leg(
            sent_lost=publisher.losses.share if publisher is not None else 0.0,
            received_lost=subscriber.losses.share if subscriber is not None else 0.0,
            jitter=max(jitters, default=0.0),
            delay=publisher.uplink.delay if publisher is not None else 0.0,
            round_trip=max((r.round_trip for r in receptions if r.round_trip is not None), default=0.0),
        )

    async def leave(self, room: str, person: str) -> None:
        participants = self._rooms.get(room, {})
        participant = participants.pop(person, None)
        if participant is None:
            return
        if not participants:
            del self._rooms[room]
        self._drop_publisher(room, participant)
        self._drop_subscriber(participant)
        for other in participants.values():
            if other.subscriber is not None and person in other.subscriber.groups.values():
                other.subscriber.forget(person)
                self._listener.places_changed(room, other.person)

    async def close(self) -> None:
        for room, participants in list(self._rooms.items()):
            for person in list(participants):
                await self.leave(room, person)
        await asyncio.gather(*self._closing)

    def broadcast(self, room: str, sender: str, text: str) -> None:
        for participant in self._rooms.get(room, {}).values():
            if participant.person != sender and participant.subscriber is not None:
                participant.subscriber.peer.send_message(text)

    def _attend(self, participant: _Participant, is_report_due: bool) -> None:
        publisher, subscriber = participant.publisher, participant.subscriber
        if publisher is not None:
            publisher.repair()
            if is_report_due:
                publisher.report(participant.cap)
        if subscriber is not None and is_report_due:
            subscriber.report()

    def _participant(self, room: str, person: str) -> _Participant:
        participants = self._rooms.setdefault(room, {})
        if person not in participants and len(participants) >= CAPACITY:
            raise RoomFullError(room)
        return participants.setdefault(person, _Participant(person))

    def _owned(self, connection: str, person: str) -> Connection:
        found = self._connections[connection]
        if found.person != person:
            raise KeyError(connection)
        return found

    async def _offered(
        self, connection: Connection, room: str, person: str, make_offer: Callable[[], Awaitable[None]]
    ) -> Offer:
        connection.person = person
        connection.on_message = lambda text: self._listener.message(room, person, text)
        self._connections[connection.id] = connection
        await make_offer()
        if connection.id not in self._connections:
            raise KeyError(connection.id)  # replaced or left meanwhile
        return Offer(connection.id, connection.offer)

    def _announce(self, room: str, person: str, stream: PublishedStream) -> None:
        """Show a new stream to everybody else, and to a recorder that waits for it."""
        participants = self._rooms.get(room, {})
        if person in participants and (recorder := participants[person].recorders.get(stream.source)) is not None:
            stream.watchers.append(recorder)
        for other in participants.values():
            if other.person != person and other.subscriber is not None:
                other.subscriber.show(person, stream.source, stream)
                self._listener.places_changed(room, other.person)

    def _drop_publisher(self, room: str, participant: _Participant) -> None:
        publisher, participant.publisher = participant.publisher, None
        if publisher is None:
            return
        for source in publisher.streams:
            for other in self._rooms.get(room, {}).values():
                if other is not participant and other.subscriber is not None:
                    other.subscriber.show(participant.person, source, None)
        publisher.stop()
        self._close(publisher)

    def _drop_subscriber(self, participant: _Participant) -> None:
        subscriber, participant.subscriber = participant.subscriber, None
        if subscriber is None:
            return
        subscriber.stop()
        self._close(subscriber)

    def _close(self, connection: Connection) -> None:
        """Forget a connection at once; closing it may take a moment, in which nothing waits for it."""
        del self._connections[connection.id]
        task = asyncio.create_task(connection.peer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
