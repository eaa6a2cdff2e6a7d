"""The phones: the users of the official account, with what they see in its chat."""

import hashlib
import re
import secrets
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from sandbox.clock import MovableClock, iso
from sandbox.errors import ApiError, JsonObject, bad_request, not_found
from sandbox.signal import Signal
from sandbox.stream import Stream
from sandbox.wechat.ledger import Ledger

MAX_PHONES = 50_000
MAX_MESSAGES = 2_000
MAX_NICKNAME = 64
OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class Message:
    """One bubble in a chat. ``sender`` is account, user or system; ``via`` reply or push, None for the user's own."""

    seq: int
    at: float
    sender: str
    kind: str
    content: JsonObject
    via: str | None = None
    msg_id: str | None = None

    def to_json(self) -> JsonObject:
        """The message as the API shows it."""
        return {
            "seq": self.seq,
            "at": iso(self.at),
            "created_ms": int(self.at * 1000),
            "from": self.sender,
            "kind": self.kind,
            "via": self.via,
            "msg_id": self.msg_id,
            **self.content,
        }


@dataclass(slots=True)
class Phone:
    """A user of the account and the chat on the user's phone."""

    openid: str
    nickname: str
    union_id: str
    mini_openid: str
    created_at: float
    following: bool = False
    followed_at: float = 0.0
    follow_scene: str = ""
    tag_ids: set[int] = field(default_factory=set)
    consents: dict[str, int] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=MAX_MESSAGES))
    last_seq: int = 0
    read_seq: int = 0
    signal: Signal = field(default_factory=Signal)

    def messages_after(self, after: int, limit: int) -> list[Message]:
        """Messages with a number above ``after``, oldest first."""
        if not self.messages:
            return []
        skip = max(0, after - self.messages[0].seq + 1)
        return list(islice(self.messages, skip, skip + limit))

    def find_message(self, seq: int) -> Message | None:
        """The message with this number, if it is still kept."""
        found = self.messages_after(seq - 1, 1)
        return found[0] if found and found[0].seq == seq else None

    def unread(self) -> int:
        """How many messages of the account came after the last one read."""
        return sum(message.sender != "user" for message in self.messages_after(self.read_seq, MAX_MESSAGES))

    def to_json(self) -> JsonObject:
        """The phone as the API shows it."""
        return {
            "openid": self.openid,
            "nickname": self.nickname,
            "unionid": self.union_id,
            "following": self.following,
            "followed_at": iso(self.followed_at) if self.following else None,
            "created_at": iso(self.created_at),
            "tags": sorted(self.tag_ids),
            "consents": self.consents,
            "last_seq": self.last_seq,
            "read_seq": self.read_seq,
            "unread": self.unread(),
            "last_message": self.messages[-1].to_json() if self.messages else None,
        }


class Phones:
    """All phones, by openid. ``activity`` grows with every change, so that a saver sees when there is something new."""

    def __init__(self, clock: MovableClock, stream: Stream) -> None:
        self._clock = clock
        self._stream = stream
        self._phones: dict[str, Phone] = {}
        self._last_message_id = 0
        self.activity = 0

    def __iter__(self) -> Iterator[Phone]:
        return iter(self._phones.values())

    def __len__(self) -> int:
        return len(self._phones)

    def create(self, nickname: str, openid: str | None) -> Phone:
        """A new phone, or the one that has this openid; 400 for a wrong openid or nickname, 409 when full."""
        if not nickname or len(nickname) > MAX_NICKNAME:
            raise bad_request("nickname_invalid", f"昵称要有 1 到 {MAX_NICKNAME} 个字。")
        if openid is not None:
            if not OPENID.fullmatch(openid):
                raise bad_request("openid_invalid", "openid 只能是 1 到 64 个字母、数字、下划线或减号。")
            if openid in self._phones:
                return self._phones[openid]
        if len(self._phones) >= MAX_PHONES:
            raise ApiError(409, "too_many_phones", f"手机太多了，最多 {MAX_PHONES} 部。")
        openid = openid or "o" + secrets.token_hex(14)[:27]
        digest = hashlib.sha256(openid.encode()).hexdigest()
        phone = Phone(openid, nickname, "u" + digest[:27], "m" + digest[27:54], self._clock.now())
        self.put(phone)
        self.changed(phone)
        return phone

    def put(self, phone: Phone) -> None:
        """Take in a phone as it is."""
        self._phones[phone.openid] = phone

    def find(self, openid: str) -> Phone | None:
        """The phone, if it exists."""
        return self._phones.get(openid)

    def get(self, openid: str) -> Phone:
        """The phone; 404 ``phone_unknown``."""
        phone = self._phones.get(openid)
        if phone is None:
            raise not_found("phone_unknown", "没有这部手机。")
        return phone

    def changed(self, phone: Phone) -> None:
        """Tell the page that a phone is not what it was."""
        self.activity += 1
        if self._stream.heard:
            self._stream.publish({"phone": phone.to_json()})

    def add_message(
        self,
        phone: Phone,
        sender: str,
        kind: str,
        content: JsonObject,
        via: str | None = None,
        msg_id: str | None = None,
    ) -> Message:
        """Put a bubble into a phone's chat and tell everybody who waits for one."""
        phone.last_seq += 1
        message = Message(phone.last_seq, self._clock.now(), sender, kind, content, via, msg_id)
        phone.messages.append(message)
        phone.signal.notify()
        self.activity += 1
        if self._stream.heard:
            self._stream.publish({"openid": phone.openid, "message": message.to_json()})
        return message

    def next_message_id(self) -> int:
        """A new 64-bit id, above all earlier ones even over a restart without saved state."""
        self._last_message_id = max(self._last_message_id + 1, int(time.time() * 1_000_000) * 8)
        return self._last_message_id
