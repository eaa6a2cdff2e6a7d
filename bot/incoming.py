"""What a person did in WeChat, as the conversations see it: no XML, no openid."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of things that a person can do to the account."""

    TEXT = "text"
    TAP = "tap"  # a tap on an answer of a msgmenu; `item_id` is its id, `text` what it says
    CLICK = "click"  # a click on the account's menu; `item_id` is the button's
    FOLLOW = "follow"  # `item_id` is the scene of the QR code, if one was scanned
    SCAN = "scan"  # a scan by a follower; `item_id` is the scene
    UNFOLLOW = "unfollow"
    IMAGE = "image"  # `file_id` is the picture in the file store: the gateway has fetched it
    VOICE = "voice"  # `text` is the transcript, empty where WeChat understood nothing
    LOCATION = "location"
    OTHER = "other"  # stickers, files, videos, whatever comes next year


@dataclass(frozen=True)
class Location:
    """A place in degrees (GCJ-02, as WeChat sends it) with the label that the person saw."""

    latitude: float
    longitude: float
    label: str = ""


@dataclass(frozen=True)
class Incoming:
    """One message or event of one person.

    Args:
        key: the same for every delivery of one message (`MsgId`, or sender, time and event); never shown or logged.
        person_id: who did it.
        text: what was typed, spoken or, on a tap, what the answer said.
        item_id: see `Kind`.
        file_id: a picture, in `backend.files`.
    """

    key: str
    person_id: str
    kind: Kind
    received_at: datetime
    text: str = ""
    item_id: str = ""
    file_id: str = ""
    location: Location | None = None
