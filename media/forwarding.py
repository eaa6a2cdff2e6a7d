"""Video rooms: whoever publishes is forwarded to everybody else in the room.

``Forwarding`` is all that the rest of the house knows of how media travel, so that an SFU of its own (LiveKit, Janus)
can stand in. ``RtpForwarding`` is ours: RTP packets are passed on in this process, never decoded.
"""

import asyncio
import logging
import random
import secrets
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiortc import RTCCertificate, RTCIceServer
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)

from media.description import (
    Answer,
    DescriptionError,
    Received,
    Sent,
    Source,
    Transport,
    publishing_offer,
    read_answer,
    subscribing_offer,
)
from media.forwarded import ForwardedStream, Reception
from media.peer import Peer
from media.published import PublishedStream, Uplink, Watcher
from media.rtp import MalformedPacketError, read_header

logger = logging.getLogger(__name__)

CAPACITY = 4
"""People in one room: patient, grassroots doctor, expert, and one more (a relative, a second expert)."""

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

    ``sent_lost`` is the worst share of their packets that we lack (0–1, before repair), ``received_lost`` the worst
    that they lack of ours; ``delay`` by how many seconds their packets wait on the way to us, ``round_trip`` the
    seconds to them and back.
    """

    sent_lost: float
    received_lost: float
    jitter: float
    delay: float
    round_trip: float


class Forwarding(Protocol):
    """What the rooms need of the media: publish, subscribe, cap, record, statistics."""

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

    def statistics(self, room: str, person: str) -> Leg | None:
        """How ``person`` is connected; ``None`` while they are not."""

    async def leave(self, room: str, person: str) -> None:
        """Close the connections of ``person``; from the call on, their place is free."""

    def broadcast(self, room: str, sender: str, text: str) -> None:
        """Send ``text`` over the data channels of everybody but ``sender``."""


@dataclass(slots=True)
class _Participant:
    person: str
    publisher: "_Publisher | None" = None
    subscriber: "_Subscriber | None" = None
    cap: int = _START_BITRATE
    audio_only: bool = False
    recorders: dict[Source, Watcher] = field(default_factory=dict)


class _Connection:
    """A connection that was offered and waits for its answer, or is up."""

    def __init__(
        self, certificate: RTCCertificate, ice_servers: list[RTCIceServer], on_lost: Callable[[], None]
    ) -> None:
        self.id = secrets.token_hex(8)
        self.offer = self.person = ""
        self.peer = Peer(
            certificate,
            ice_servers,
            on_rtp=self.take_rtp,
            on_rtcp=self._take_rtcp,
            on_message=lambda text: self.on_message(text),
            on_connected=lambda: self.connected(),
            on_lost=on_lost,
        )
        self.on_message: Callable[[str], None] = lambda text: None

    def take_rtp(self, packet: bytes) -> None:
        """A media packet of the page."""

    def take_report(self, packet: object) -> None:
        """A control packet of the page."""

    def answered(self, answer: Answer) -> None:
        """What the page will send."""

    def connected(self) -> None:
        """Media can flow."""

    def _take_rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, IndexError, struct.error):  # the parser checks most lengths, not all
            return
        for packet in packets:
            self.take_report(packet)


class _Publisher(_Connection):
    """What a person sends."""

    def __init__(
        self,
        certificate: RTCCertificate,
        ice_servers: list[RTCIceServer],
        on_lost: Callable[[], None],
        on_stream: Callable[[PublishedStream], None],
    ) -> None:
        super().__init__(certificate, ice_servers, on_lost)
        self.uplink = Uplink()
        self.streams: dict[Source, PublishedStream] = {}
        self.lost = 0.0
        self._by_ssrc: dict[int, PublishedStream] = {}
        self._on_stream = on_stream

    async def make_offer(self) -> None:
        local = await self.peer.gather()
        self.offer = publishing_offer(local, self.peer.data_port)

    def answered(self, answer: Answer) -> None:
        for received in answer.received:
            self._expect(received)

    def connected(self) -> None:
        for stream in self.streams.values():
            stream.request_keyframe()

    def _expect(self, received: Received) -> None:
        if received.ssrc is None or received.source in self.streams:
            return
        stream = PublishedStream(received.source, received.ssrc, received.rtx_ssrc, self.peer.send_rtcp, self.uplink)
        self.streams[received.source] = stream
        self._by_ssrc[received.ssrc] = stream
        if received.rtx_ssrc is not None:
            self._by_ssrc[received.rtx_ssrc] = stream
        self._on_stream(stream)

    def take_rtp(self, packet: bytes) -> None:
        try:
            header = read_header(packet)
        except MalformedPacketError:
            return
        stream = self._by_ssrc.get(header.ssrc)
        if stream is not None:
            stream.receive(packet, header)

    def take_report(self, packet: object) -> None:
        if isinstance(packet, RtcpSrPacket):
            stream = self._by_ssrc.get(packet.ssrc)
            if stream is not None:
                stream.take_report(packet.sender_info)

    def repair(self) -> None:
        """Ask again for what is missing."""
        for stream in self.streams.values():
            if stream.is_missing_packets:
                stream.ask_for_missing()

    def report(self, cap: int) -> None:
        """Tell the page how its streams arrive and how much it may send."""
        receptions = [r for stream in self.streams.values() if (r := stream.reception()) is not None]
        if not receptions:
            return
        self.lost = max(r.fraction_lost for r in receptions) / 256
        pictures = [stream.ssrc for stream in self.streams.values() if stream.source is not Source.AUDIO]
        data = bytes(RtcpRrPacket(ssrc=1, reports=receptions))
        if pictures:
            fci = pack_remb_fci(cap, pictures)
            data += bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci))
        self.peer.send_rtcp(data)


class _Subscriber(_Connection):
    """What a person is sent."""

    def __init__(
        self, certificate: RTCCertificate, ice_servers: list[RTCIceServer], on_lost: Callable[[], None]
    ) -> None:
        super().__init__(certificate, ice_servers, on_lost)
        self.groups: dict[str, str] = {}
        numbers = iter(random.sample(range(0x10000, 0xFFFFFFFF), 2 * (CAPACITY - 1) * len(Source)))
        self.forwarded = [
            ForwardedStream(
                Sent(f"p{group}-{source}", source, f"p{group}", next(numbers), next(numbers)),
                self.peer.send_rtp,
                self.peer.send_rtcp,
                lambda: self.peer.is_connected,
            )
            for group in range(CAPACITY - 1)
            for source in Source
        ]
        self._by_ssrc = {forwarded.place.ssrc: forwarded for forwarded in self.forwarded}

    async def make_offer(self) -> None:
        local: Transport = await self.peer.gather()
        self.offer = subscribing_offer(local, [f.place for f in self.forwarded], self.peer.data_port)

    def connected(self) -> None:
        for forwarded in self.forwarded:
            if forwarded.stream is not None:
                forwarded.stream.request_keyframe()

    def show(self, person: str, source: Source, stream: PublishedStream | None) -> None:
        """Show this stream of this person in the place that is theirs."""
        group = next((g for g, shown in self.groups.items() if shown == person), None)
        if group is None:
            used = set(self.groups)
            group = next(f"p{n}" for n in range(CAPACITY - 1) if f"p{n}" not in used)
            self.groups[group] = person
        for forwarded in self.forwarded:
            if forwarded.place.stream == group and forwarded.place.source is source:
                forwarded.show(stream)

    def forget(self, person: str) -> None:
        """Free the place of somebody who left."""
        for source in Source:
            if person in self.groups.values():
                self.show(person, source, None)
        self.groups = {group: shown for group, shown in self.groups.items() if shown != person}

    def pause_pictures(self, paused: bool) -> None:
        """Send voices alone, or pictures again."""
        for forwarded in self.forwarded:
            if forwarded.place.source is not Source.AUDIO:
                forwarded.pause(paused)

    def stop(self) -> None:
        """Watch nothing any more."""
        for forwarded in self.forwarded:
            forwarded.show(None)

    def take_report(self, packet: object) -> None:
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                forwarded = self._by_ssrc.get(report.ssrc)
                if forwarded is not None:
                    forwarded.take_reception(report)
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            forwarded = self._by_ssrc.get(packet.media_ssrc)
            if forwarded is not None:
                forwarded.retransmit(packet.lost)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_PLI:
            forwarded = self._by_ssrc.get(packet.media_ssrc)
            if forwarded is not None and forwarded.stream is not None:
                forwarded.stream.request_keyframe()

    def receptions(self) -> list[Reception]:
        """How what is sent arrives."""
        return [f.reception for f in self.forwarded if f.reception is not None and f.stream is not None]


class RtpForwarding:
    """``Forwarding`` in this process. ``run`` it as long as it is used."""

    def __init__(
        self,
        ice_servers: Callable[[], list[RTCIceServer]] = list,
        on_lost: Callable[[str, str], None] = lambda room, person: None,
        on_places: Callable[[str, str], None] = lambda room, person: None,
        on_message: Callable[[str, str, str], None] = lambda room, person, text: None,
    ) -> None:
        self._certificate = RTCCertificate.generateCertificate()
        self._ice_servers, self._on_lost, self._on_places, self._on_message = (
            ice_servers,
            on_lost,
            on_places,
            on_message,
        )
        self._rooms: dict[str, dict[str, _Participant]] = {}
        self._connections: dict[str, _Connection] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Repair and report until cancelled."""
        ticks = 0
        while True:
            await asyncio.sleep(_TICK)
            ticks += 1
            for participants in self._rooms.values():
                for participant in participants.values():
                    if participant.publisher is not None:
                        participant.publisher.repair()
                        if ticks % _TICKS_A_REPORT == 0:
                            participant.publisher.report(participant.cap)

    async def publish(self, room: str, person: str) -> Offer:
        participant = self._participant(room, person)
        self._drop_publisher(room, participant)
        publisher = _Publisher(
            self._certificate,
            self._ice_servers(),
            lambda: self._on_lost(room, person),
            lambda stream: self._announce(room, person, stream),
        )
        participant.publisher = publisher
        return await self._offered(publisher, room, person, publisher.make_offer)

    async def subscribe(self, room: str, person: str) -> Offer:
        participant = self._participant(room, person)
        self._drop_subscriber(participant)
        subscriber = _Subscriber(self._certificate, self._ice_servers(), lambda: self._on_lost(room, person))
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

    def statistics(self, room: str, person: str) -> Leg | None:
        participant = self._rooms.get(room, {}).get(person)
        if participant is None:
            return None
        publisher, subscriber = participant.publisher, participant.subscriber
        receptions = subscriber.receptions() if subscriber is not None else []
        streams = publisher.streams.values() if publisher is not None else ()
        jitters = [r.jitter for r in receptions] + [stream.jitter_seconds for stream in streams]
        return Leg(
            sent_lost=publisher.lost if publisher is not None else 0.0,
            received_lost=max((r.lost for r in receptions), default=0.0),
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
                self._on_places(room, other.person)

    async def close(self) -> None:
        """Close every room, and wait until every connection is closed."""
        for room, participants in list(self._rooms.items()):
            for person in list(participants):
                await self.leave(room, person)
        await asyncio.gather(*self._closing)

    def broadcast(self, room: str, sender: str, text: str) -> None:
        for participant in self._rooms.get(room, {}).values():
            if participant.person != sender and participant.subscriber is not None:
                participant.subscriber.peer.send_message(text)

    def _participant(self, room: str, person: str) -> _Participant:
        participants = self._rooms.setdefault(room, {})
        if person not in participants and len(participants) >= CAPACITY:
            raise RoomFullError(room)
        return participants.setdefault(person, _Participant(person))

    def _owned(self, connection: str, person: str) -> _Connection:
        found = self._connections[connection]
        if found.person != person:
            raise KeyError(connection)
        return found

    async def _offered(
        self, connection: _Connection, room: str, person: str, make_offer: Callable[[], Awaitable[None]]
    ) -> Offer:
        connection.person = person
        connection.on_message = lambda text: self._on_message(room, person, text)
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
                self._on_places(room, other.person)

    def _drop_publisher(self, room: str, participant: _Participant) -> None:
        publisher, participant.publisher = participant.publisher, None
        if publisher is None:
            return
        for source in publisher.streams:
            for other in self._rooms.get(room, {}).values():
                if other is not participant and other.subscriber is not None:
                    other.subscriber.show(participant.person, source, None)
        self._close(publisher)

    def _drop_subscriber(self, participant: _Participant) -> None:
        subscriber, participant.subscriber = participant.subscriber, None
        if subscriber is None:
            return
        subscriber.stop()
        self._close(subscriber)

    def _close(self, connection: _Connection) -> None:
        """Forget a connection at once; closing it may take a moment, in which nothing waits for it."""
        del self._connections[connection.id]
        task = asyncio.create_task(connection.peer.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
