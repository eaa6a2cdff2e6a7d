"""Template messages and subscribe notifications: the account's library, and what WeChat demands of the fields.

Source: developers.weixin.qq.com, 公众号 / 模板消息, 订阅通知 (订阅通知参数值内容限制).
"""

import json
import re
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sandbox.clock import MovableClock
from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError

LIBRARY = Path(__file__).with_name("templates.json")
CLIENT_ID_SECONDS = 600
TEMPLATES_PER_DAY = 100_000
DROPPED_FIELDS = {"first", "remark"}

_CLOCK_TIME = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_DAY = r"\d{4}(年\d{1,2}月\d{1,2}日|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2})"
_MOMENT = rf"({_DAY} ?{_CLOCK_TIME}|{_DAY}|{_CLOCK_TIME})"
_DATE = rf"({_DAY} ?{_CLOCK_TIME}|{_DAY})"
RULES = {
    "thing": r".{1,20}",
    "number": r"(?=.{1,32}$)\d+(\.\d+)?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "character_string": r"[!-~ ]{1,32}",
    "time": rf"{_MOMENT}( ?~ ?{_MOMENT})?",
    "date": rf"{_DATE}( ?~ ?{_DATE})?",
    "amount": r"[¥￥$€£]?\d{1,10}(\.\d+)?元?",
    "phone_number": r"[0-9+\-() ]{1,17}",
    "car_number": r".{1,8}",
    "name": r"[\u3400-\u9fff·]{1,10}|[A-Za-z .·'\-]{1,20}",
    "phrase": r"[\u3400-\u9fff]{1,5}",
}
_COMPILED = {kind: re.compile(rule) for kind, rule in RULES.items()}


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the account. ``fields`` maps a key such as ``thing1`` to its label."""

    id: str
    title: str
    fields: dict[str, str]
    long_term: bool = False

    def fill(self, data: Any) -> list[JsonObject]:
        """The fields as shown, in the template's order; 47003 names the first value that breaks its limit."""
        if not isinstance(data, dict):
            raise WechatError(47003, "data is empty")
        for key in data.keys() - self.fields.keys() - DROPPED_FIELDS:
            raise WechatError(47003, f"data.{key} is not in the template")
        return [{"key": key, "label": label, "value": _value(data, key)} for key, label in self.fields.items()]

    @property
    def content(self) -> str:
        """The template's text, with the places of its fields."""
        return "\n".join(f"{label}:{{{{{key}.DATA}}}}" for key, label in self.fields.items())

    def to_json(self) -> JsonObject:
        """The template as get_all_private_template lists it."""
        return {
            "template_id": self.id,
            "title": self.title,
            "primary_industry": "医疗护理",
            "deputy_industry": "医药医疗",
            "content": self.content,
            "example": "",
        }

    def to_subscription(self) -> JsonObject:
        """The template as the list of subscribe notifications has it: type 2 for one-off, 3 for long-term."""
        return {
            "priTmplId": self.id,
            "title": self.title,
            "content": self.content,
            "example": "",
            "type": 3 if self.long_term else 2,
        }


def _value(data: dict[str, Any], key: str) -> str:
    holder = data.get(key)
    value = holder.get("value") if isinstance(holder, dict) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise WechatError(47003, f"data.{key}.value is empty")
    rule = _COMPILED.get(key.rstrip("0123456789"))
    if rule is not None and not rule.fullmatch(value):
        raise WechatError(47003, f"data.{key}.value invalid")
    return value


def read_library(path: Path = LIBRARY) -> tuple[dict[str, Template], dict[str, Template]]:
    """The template messages and the subscribe notifications of a library file, each by id."""
    library = json.loads(path.read_text("utf-8"))

    def read(kind: str) -> dict[str, Template]:
        entries = (Template(**entry) for entry in library[kind])
        return {template.id: template for template in entries}

    return read("template"), read("subscribe")


@dataclass(slots=True)
class Templates:
    """The library, and the ids that protect against sending twice."""

    clock: MovableClock
    template: dict[str, Template] = field(default_factory=dict)
    subscribe: dict[str, Template] = field(default_factory=dict)
    # (openid, client_msg_id) -> (time, message id), oldest first
    sent: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    sent_day: int = 0
    sent_today: int = 0
    _ids: "count[int]" = field(default_factory=lambda: count(3_000_000_000_000_000_001))

    def __post_init__(self) -> None:
        if not self.template and not self.subscribe:
            self.template, self.subscribe = read_library()

    def next_id(self) -> int:
        """A new message id."""
        return next(self._ids)

    def sent_before(self, openid: str, client_msg_id: str) -> int | None:
        """The id of the message sent to this user under this client id within the last ten minutes."""
        self._forget_old()
        found = self.sent.get((openid, client_msg_id))
        return found[1] if found else None

    def note_sent(self, openid: str, client_msg_id: str, message_id: int) -> None:
        """Remember a client id."""
        self.sent[openid, client_msg_id] = (self.clock.now(), message_id)

    def count_one(self) -> None:
        """Account for one template message of the day; 45009 when 100 000 are spent."""
        day = int((self.clock.now() + 8 * 3600) // 86400)
        if day != self.sent_day:
            self.sent_day, self.sent_today = day, 0
        if self.sent_today >= TEMPLATES_PER_DAY:
            raise WechatError(45009)
        self.sent_today += 1

    def _forget_old(self) -> None:
        oldest = self.clock.now() - CLIENT_ID_SECONDS
        while self.sent:
            key = next(iter(self.sent))
            if self.sent[key][0] > oldest:
                return
            del self.sent[key]
