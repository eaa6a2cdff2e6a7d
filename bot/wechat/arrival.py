"""From a parsed callback to what a person did."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from backend.messaging.rules import Touch
from bot.incoming import Incoming, Kind, Location
from bot.wechat.callback import Callback, Refused

_LONGEST_ITEM_ID = 256
# Events that a person causes; every other one tells us something and waits for no answer.
_EVENTS = {
    "subscribe": Kind.FOLLOW,
    "subscribe_scan": Kind.FOLLOW,
    "unsubscribe": Kind.UNFOLLOW,
    "scan": Kind.SCAN,
    "click": Kind.CLICK,
}
_TOUCHES = {
    Kind.FOLLOW: Touch.CLICK,
    Kind.SCAN: Touch.CLICK,
    Kind.CLICK: Touch.CLICK,
    Kind.TAP: Touch.CLICK,
    Kind.UNFOLLOW: Touch.LEFT,
}


@dataclass(frozen=True)
class Arrival:
    """One callback: what a person did, and what is needed to answer it.

    Args:
        openid: who wrote.
        account: the account's original id, which a reply carries as its sender.
        incoming: what was done; `person_id` is filled in by the turn.
        media_id: of a picture that has not been fetched yet.
    """

    openid: str
    account: str
    incoming: Incoming
    media_id: str = ""

    @property
    def key(self) -> str:
        """The same for every delivery of one message."""
        return self.incoming.key

    @property
    def touch(self) -> Touch:
        """What this gives us the right to push."""
        return _TOUCHES.get(self.incoming.kind, Touch.MESSAGE)

    def with_file(self, file_id: str) -> "Arrival":
        """Give the arrival with its picture in the file store."""
        return replace(self, incoming=replace(self.incoming, file_id=file_id), media_id="")

    def to_json(self) -> dict[str, Any]:
        """Give the arrival as a JSON value, for the time until its turn comes."""
        held = self.incoming
        place = held.location
        return {
            "openid": self.openid,
            "account": self.account,
            "media_id": self.media_id,
            "key": held.key,
            "kind": held.kind.value,
            "received_at": held.received_at.isoformat(),
            "text": held.text,
            "item_id": held.item_id,
            "file_id": held.file_id,
            "location": [place.latitude, place.longitude, place.label] if place else None,
        }

    @classmethod
    def from_json(cls, held: dict[str, Any]) -> "Arrival":
        """Give back what `to_json` wrote."""
        incoming = Incoming(
            key=held["key"],
            person_id="",
            kind=Kind(held["kind"]),
            received_at=datetime.fromisoformat(held["received_at"]),
            text=held["text"],
            item_id=held["item_id"],
            file_id=held["file_id"],
            location=Location(*held["location"]) if held["location"] else None,
        )
        return cls(held["openid"], held["account"], incoming, held["media_id"])


def read_arrival(callback: Callback, now: datetime) -> Arrival | None:
    """Tell what a person did; None for events of the platform, which nobody waits to see answered.

    Raises:
        Refused: a field has no sensible value.
    """
    try:
        if _text(callback.fields, "MsgType").lower() == "event":
            return _read_event(callback, now)
        return _read_message(callback, now)
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(400, "malformed_message") from error


def _read_event(callback: Callback, now: datetime) -> Arrival | None:
    fields = callback.fields
    event = _text(fields, "Event")
    kind = _EVENTS.get(event.lower())
    if kind is None:
        return None
    item_id = _text(fields, "EventKey").removeprefix("qrscene_")[:_LONGEST_ITEM_ID]
    key = _digest("event", callback.openid, str(callback.created_at), event.lower(), item_id)
    incoming = Incoming(key, "", kind, now, item_id=item_id)
    return Arrival(callback.openid, callback.account, incoming)


def _read_message(callback: Callback, now: datetime) -> Arrival:
    fields = callback.fields
    number = _text(fields, "MsgId")
    if not number:
        raise Refused(400, "missing_msgid")
    blank = Incoming(_digest("message", callback.openid, number), "", Kind.OTHER, now)
    incoming = _READERS.get(_text(fields, "MsgType").lower(), _read_other)(blank, fields)
    media_id = _text(fields, "MediaId") if incoming.kind is Kind.IMAGE else ""
    return Arrival(callback.openid, callback.account, incoming, media_id)


def _read_text(blank: Incoming, fields: dict[str, Any]) -> Incoming:
    tapped = _text(fields, "bizmsgmenuid")[:_LONGEST_ITEM_ID]
    kind = Kind.TAP if tapped else Kind.TEXT
    return replace(blank, kind=kind, text=_text(fields, "Content"), item_id=tapped)


def _read_voice(blank: Incoming, fields: dict[str, Any]) -> Incoming:
    return replace(blank, kind=Kind.VOICE, text=_text(fields, "Recognition"))


def _read_image(blank: Incoming, fields: dict[str, Any]) -> Incoming:
    return replace(blank, kind=Kind.IMAGE if _text(fields, "MediaId") else Kind.OTHER)


def _read_location(blank: Incoming, fields: dict[str, Any]) -> Incoming:
    latitude, longitude = float(fields["Location_X"]), float(fields["Location_Y"])
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("no place on earth")
    return replace(blank, kind=Kind.LOCATION, location=Location(latitude, longitude, _text(fields, "Label")))


def _read_other(blank: Incoming, _fields: dict[str, Any]) -> Incoming:
    return blank


_READERS: dict[str, Callable[[Incoming, dict[str, Any]], Incoming]] = {
    "text": _read_text,
    "voice": _read_voice,
    "image": _read_image,
    "location": _read_location,
}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError(f"{name} is not text")
    return value


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
