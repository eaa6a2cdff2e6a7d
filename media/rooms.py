"""Rooms: who is in, who waits, what they share, and what their networks bear. Speaks in plain messages (dicts).

A room knows people and roles and no medicine. Whatever happened that others may want to keep (who came and went, who
agreed to a recording) is told to ``on_event``.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from media.connections import CAPACITY
from media.forwarding import Forwarding, Leg
from media.leading import Leading
from media.messages import Admit, Chat, Lead, Look, Mute, Pointer, RecordingConsent, ShareScreen
from media.quality import Network, Observer, Picture, Sample, picture_to_send
from media.tokens import Pass, Role

logger = logging.getLogger(__name__)

WAITING_MOST = 8
"""Guests who may wait before one room's door."""


class Channel(Protocol):
    """The way to one page."""

    def send(self, message: dict[str, Any]) -> None:
        """Hand a message over; never waits."""

    def send_look(self, message: dict[str, Any]) -> None:
        """Hand over where the leader looks; never waits, and takes the place of an earlier one that still does."""

    def close(self, code: str) -> None:
        """End the connection; ``code`` tells the page why."""


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """Something that happened in a room: joined, waiting, left, admitted, refused, recording_agreed,
    recording_refused, recording_started, recording_stopped, recording_failed."""

    room: str
    kind: str
    person: str


@dataclass(slots=True)
class Member:
    """Somebody in a room or before its door."""

    admitted: Pass
    channel: Channel
    inside: bool
    audio: bool = True
    camera: bool = True
    screen: bool = False
    agrees: bool | None = None
    observer: Observer = field(default_factory=Observer)
    told: dict[str, Any] | None = None
    """The last message about quality, so that only changes are sent."""

    @property
    def person(self) -> str:
        """The id of the person."""
        return self.admitted.person

    def shown(self) -> dict[str, Any]:
        """What the others see of this member."""
        return {
            "person": self.person,
            "name": self.admitted.name,
            "label": self.admitted.label,
            "role": self.admitted.role,
            "audio": self.audio,
            "camera": self.camera,
            "screen": self.screen,
            "network": int(self.observer.state),
        }


class RoomRefusedError(Exception):
    """Somebody cannot come in; ``code`` says why: ``full``, ``busy``, ``moving`` or ``closing``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Room:
    """One room."""

    def __init__(self, name: str, forwarding: Forwarding, on_event: Callable[[RoomEvent], None]) -> None:
        self.name = name
        self.members: dict[str, Member] = {}
        self.recording = False
        self._forwarding, self._on_event = forwarding, on_event
        self._recording_asked_by = ""
        self._leading = Leading()

    @property
    def inside(self) -> list[Member]:
        """Those who were let in."""
        return [member for member in self.members.values() if member.inside]

    def enter(self, admitted: Pass, channel: Channel) -> Member:
        """Let somebody in, or let them wait; a device that they came with before is closed.

        Raises ``RoomRefusedError`` where the room or the place before its door is full.
        """
        before = self.members.get(admitted.person)
        inside = admitted.role is Role.HOST or admitted.admitted or (before is not None and before.inside)
        others = [member for member in self.members.values() if member is not before]
        if inside and sum(member.inside for member in others) >= CAPACITY:
            raise RoomRefusedError("full")
        if not inside and sum(not member.inside for member in others) >= WAITING_MOST:
            raise RoomRefusedError("full")
        if before is not None:
            del self.members[before.person]
            before.channel.close("other_device")
        member = Member(admitted, channel, inside)
        if before is not None:
            member.observer, member.agrees = before.observer, before.agrees
        self.members[admitted.person] = member
        if inside:
            self._welcome(member, came_back=before is not None)
        else:
            channel.send({"kind": "waiting"})
            self._tell(member.person, "waiting")
            self._people_changed()
        return member

    def leave(self, member: Member) -> bool:
        """Forget somebody; ``False`` where another device of theirs has taken their place."""
        if self.members.get(member.person) is not member:
            return False
        del self.members[member.person]
        self._tell(member.person, "left")
        self._people_changed()
        if self._leading.end(member.person):
            self._lead_changed()
        if member.inside:
            self._settle_recording()
        return True

    def admit(self, host: Member, message: Admit) -> None:
        """A host opens the door to somebody, or keeps it closed."""
        guest = self.members.get(message.person)
        if host.admitted.role is not Role.HOST or not host.inside or guest is None or guest.inside:
            return
        if not message.admitted:
            del self.members[guest.person]
            guest.channel.close("refused")
            self._tell(guest.person, "refused")
        elif len(self.inside) >= CAPACITY:
            host.channel.send({"kind": "error", "code": "full"})
        else:
            guest.inside = True
            self._tell(guest.person, "admitted")
            self._welcome(guest, came_back=False)
            return
        self._people_changed()

    def mute(self, member: Member, message: Mute) -> None:
        """Show to the others what somebody switched off."""
        member.audio, member.camera = message.audio, message.camera
        self._people_changed()

    def share(self, member: Member, message: ShareScreen) -> None:
        """Show to the others that somebody shares their screen."""
        member.screen = message.on
        self._people_changed()

    def chat(self, member: Member, message: Chat) -> None:
        """Pass a line on to everybody inside, the writer too."""
        self._broadcast({"kind": "chat", "person": member.person, "text": message.text})

    def point(self, member: Member, message: Pointer) -> None:
        """Pass a stroke on over the WebSocket, for pages whose data channel is not open."""
        stroke = self.stroke(member, message)
        if stroke is not None:
            self._broadcast(stroke, but=member)

    def stroke(self, member: Member, message: Pointer) -> dict[str, Any] | None:
        """A stroke as the others are told of it; ``None`` where it is not theirs to draw: only hosts draw."""
        if member.admitted.role is not Role.HOST:
            return None
        return {**message.model_dump(mode="json"), "person": member.person}

    def lead(self, member: Member, message: Lead) -> None:
        """A host takes the lead, from whoever has it, or gives it up."""
        if message.on:
            changed = member.admitted.role is Role.HOST and self._leading.take(member.person)
        else:
            changed = self._leading.end(member.person)
        if changed:
            self._lead_changed()

    def look(self, member: Member, message: Look) -> None:
        """Where the leader looks goes to everybody else inside; what others say of it is passed over, because the lead
        may just have been taken from them."""
        if self._leading.look(member.person, message.state):
            self._lead_changed(but=member)

    def consent(self, member: Member, message: RecordingConsent) -> None:
        """Somebody asks for a recording, agrees to it, or does not; it runs while everybody inside agrees."""
        if message.agree and not self._recording_asked_by and member.admitted.role is not Role.HOST:
            return  # only hosts may ask
        member.agrees = message.agree
        self._tell(member.person, "recording_agreed" if message.agree else "recording_refused")
        if message.agree and not self._recording_asked_by:
            self._recording_asked_by = member.person
        if not message.agree:
            self._forget_answers()
        self._settle_recording()

    def fail_recording(self) -> None:
        """The recording cannot go on: end it and say so; a host may ask for another one."""
        self._tell("", "recording_failed")
        for member in self.inside:
            member.channel.send({"kind": "error", "code": "recording_failed"})
        self._forget_answers()
        self._settle_recording()

    def observe(self) -> None:
        """Once a second: grade every network and ask for the pictures that they bear. Who has not connected yet is
        told nothing. A leader who has not been heard for long leads no longer."""
        if self._leading.observe():
            self._lead_changed()
        inside = self.inside
        connected = []
        for member in inside:
            leg = self._forwarding.statistics(self.name, member.person)
            if leg is not None:
                member.observer.add(_sample(leg))
                connected.append(member)
        for member in connected:
            others = [other.observer.state for other in inside if other is not member]
            self._adapt(member, picture_to_send(member.observer.state, others or [Network.EXCELLENT]))

    def close_expired(self, now: float) -> None:
        """Send those home whose time here has run out; ``now`` in seconds since 1970."""
        for member in list(self.members.values()):
            if member.admitted.until <= now:
                member.channel.close("over")

    def close(self, code: str) -> None:
        """Send everybody home."""
        for member in list(self.members.values()):
            member.channel.close(code)

    def _adapt(self, member: Member, picture: Picture | None) -> None:
        """Tell a page what to send where that has changed, and stop pictures to a network that bears none."""
        state = member.observer.state
        message = {
            "kind": "quality",
            "network": int(state),
            "audio_only": state is Network.CRITICAL,
            "picture": None if picture is None else asdict(picture),
        }
        if message == member.told:
            return
        if picture is not None:
            self._forwarding.cap(self.name, member.person, picture.bitrate)
        self._forwarding.audio_only(self.name, member.person, state is Network.CRITICAL)
        member.told = message
        member.channel.send(message)
        self._people_changed()

    def _welcome(self, member: Member, *, came_back: bool) -> None:
        member.channel.send({"kind": "joined", "you": member.person, "until": member.admitted.until})
        if not came_back:
            self._tell(member.person, "joined")
        self._people_changed()
        member.channel.send_look(self._leading.shown())
        self._settle_recording()

    def _people_changed(self) -> None:
        people = [member.shown() for member in self.inside]
        waiting = [
            {"person": m.person, "name": m.admitted.name, "label": m.admitted.label}
            for m in self.members.values()
            if not m.inside
        ]
        for member in self.inside:
            seen = waiting if member.admitted.role is Role.HOST else []
            member.channel.send({"kind": "people", "people": people, "waiting": seen})

    def _recording_changed(self) -> None:
        for member in self.inside:
            member.channel.send(
                {
                    "kind": "recording",
                    "on": self.recording,
                    "asked": bool(self._recording_asked_by) and member.agrees is None,
                    "by": self._recording_asked_by,
                    "agreed": [m.person for m in self.inside if m.agrees],
                }
            )

    def _forget_answers(self) -> None:
        self._recording_asked_by = ""
        for member in self.members.values():
            member.agrees = None

    def _everybody_agrees(self) -> bool:
        return len(self.inside) > 1 and all(member.agrees for member in self.inside)

    def _settle_recording(self) -> None:
        """A recording begins with the last yes; it ends with the first no, with whoever comes in without having
        agreed, and when nobody is left to talk to."""
        agreed = bool(self._recording_asked_by) and self._everybody_agrees()
        if agreed is not self.recording:
            self.recording = agreed
            self._tell("", "recording_started" if agreed else "recording_stopped")
        self._recording_changed()

    def _lead_changed(self, but: Member | None = None) -> None:
        for member in self.inside:
            if member is not but:
                member.channel.send_look(self._leading.shown())

    def _broadcast(self, message: dict[str, Any], but: Member | None = None) -> None:
        for member in self.inside:
            if member is not but:
                member.channel.send(message)

    def _tell(self, person: str, kind: str) -> None:
        self._on_event(RoomEvent(self.name, kind, person))


def _sample(leg: Leg) -> Sample:
    """The worse of both ways of somebody's connection."""
    return Sample(max(leg.sent_lost, leg.received_lost), leg.jitter, max(leg.delay, leg.round_trip))
