"""Value types of messaging and the rules that need no database."""

import secrets
import time
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class Touch(StrEnum):
    """How a person came back to us; channels grant a different number of pushes for each."""

    MESSAGE = "message"
    CLICK = "click"  # a click, a tap, a scan or a follow
    LEFT = "left"  # the person has unfollowed: nothing arrives any more


@dataclass(frozen=True)
class Reach:
    """What is known about reaching a person on a channel."""

    reachable: bool = True
    last_message_at: datetime | None = None
    sent_after_message: int = 0
    last_touch_at: datetime | None = None
    sent_after_touch: int = 0

    def after(self, touch: Touch, now: datetime) -> "Reach":
        """Give the facts after the person did `touch` at `now`: whoever comes back is reachable again."""
        if touch is Touch.MESSAGE:
            return replace(self, reachable=True, last_message_at=now, sent_after_message=0)
        if touch is Touch.CLICK:
            return replace(self, reachable=True, last_touch_at=now, sent_after_touch=0)
        return replace(self, reachable=False)

    def sent(self, allowance: "Allowance", number: int = 1) -> "Reach":
        """Give the facts after `number` pushes out of `allowance`, which counts no more once a newer touch is there."""
        if allowance.touch is Touch.MESSAGE and allowance.since == self.last_message_at:
            return replace(self, sent_after_message=self.sent_after_message + number)
        if allowance.touch is Touch.CLICK and allowance.since == self.last_touch_at:
            return replace(self, sent_after_touch=self.sent_after_touch + number)
        return self


@dataclass(frozen=True)
class Allowance:
    """The right to push that a person gave with a touch at the moment `since`."""

    touch: Touch
    since: datetime


@dataclass(frozen=True)
class ContactView:
    """An address of a person, and what is known about reaching them there."""

    id: str
    channel: str
    address: str
    person_id: str
    reach: Reach


@dataclass(frozen=True)
class Draft:
    """A message that is to be put into the outbox.

    Args:
        content: a JSON value that the channel's sender understands.
        answers: delivery key of the message whose direct answer this is, empty where it is pushed.
    """

    content: dict[str, Any]
    answers: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class OutboxItem:
    """A message of the outbox that this process has leased."""

    id: str
    person_id: str
    content: dict[str, Any]
    due_at: datetime
    answers: str = ""
    expires_at: datetime | None = None
    attempts: int = 0
    trace: str = ""


@dataclass(frozen=True)
class Deferral:
    """A message that is taken over now and answered later.

    Args:
        content: a JSON value from which the channel makes the message again.
        trace: what is carried of the trace of its callback (`backend.tracing`).
    """

    key: str
    lane: str
    content: dict[str, Any]
    trace: str = ""


@dataclass(frozen=True)
class DeferredItem:
    """A message that waits for its turn."""

    id: int
    key: str
    lane: str
    content: dict[str, Any]
    attempts: int
    trace: str = ""


class OrderedIds:
    """Gives identifiers of 32 hexadecimal digits that sort in the order in which this process made them.

    Sixteen digits of nanoseconds that never stand still, then sixteen of chance. Between processes the order is that of
    their clocks.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        """Give the next identifier."""
        self._last = max(self._last + 1, time.time_ns())
        return f"{self._last:016x}{secrets.token_hex(8)}"
