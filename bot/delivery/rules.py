"""Which way a message takes, and in how many pieces: pure rules over windows, quotas and lengths.

Source: developers.weixin.qq.com, 公众号 / 客服消息: five messages within 48 hours of a message of the user, three
within a minute of a click, tap, scan or follow.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from backend.messaging.rules import Allowance, Reach, Touch
from bot.messages import Link, Menu, Message, Picture, Text
from bot.wechat.replies import plain
from bot.wechat.settings import WechatSettings

HELD_MESSAGES = 20
"""So many of the messages that waited for a person are shown; of the older ones their number is told."""

_OLDER = "\n\n还有更早的消息，请在“我的会诊”里查看。"

_BACKOFF_SECONDS = (1.0, 3.0, 9.0)
_LONGEST_BACKOFF_SECONDS = 300.0
_LONGEST_TITLE, _LONGEST_DESCRIPTION = 64, 400

# One character as people see it: a base with everything that belongs to it (UAX 29, as far as WeChat users type it).
_EXTENDS = "\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_CLUSTER = re.compile(rf"(?:[\U0001f1e6-\U0001f1ff]{{2}}|\r\n|.)(?:[{_EXTENDS}]|\u200d.)*", re.DOTALL)
# After which characters a text may be cut, the best first.
_BORDERS = ("\n", "。！？!?…", "；;", "，,、：: ")


def allowance(reach: Reach, now: datetime, settings: WechatSettings) -> Allowance | None:
    """Give the allowance that the next push is taken from; the one that ends first is used first.

    None: every window is closed, or what it granted is spent.
    """
    return next((one for one, left in _open_allowances(reach, now, settings) if left > 0), None)


def room(reach: Reach, now: datetime, settings: WechatSettings) -> int:
    """Give how many messages may be pushed now."""
    return sum(left for _, left in _open_allowances(reach, now, settings))


def _open_allowances(reach: Reach, now: datetime, settings: WechatSettings) -> list[tuple[Allowance, int]]:
    found = []
    if not reach.reachable:
        return []
    touched, written = reach.last_touch_at, reach.last_message_at
    if touched is not None and now < touched + settings.touch_window - settings.window_margin:
        found.append((Allowance(Touch.CLICK, touched), max(0, settings.touch_quota - reach.sent_after_touch)))
    if written is not None and now < written + settings.message_window - settings.window_margin:
        found.append((Allowance(Touch.MESSAGE, written), max(0, settings.message_quota - reach.sent_after_message)))
    return found


def spent(reach: Reach, settings: WechatSettings) -> Reach:
    """Give the facts after WeChat has said that nothing is left, whatever we had counted."""
    return replace(reach, sent_after_message=settings.message_quota, sent_after_touch=settings.touch_quota)


def backoff(attempts: int) -> timedelta:
    """Give how long to wait after `attempts` failures (1, 2, …), with up to a third more by chance."""
    beyond = max(0, attempts - len(_BACKOFF_SECONDS))
    base = _BACKOFF_SECONDS[min(attempts, len(_BACKOFF_SECONDS)) - 1] * 3**beyond
    return timedelta(seconds=min(base, _LONGEST_BACKOFF_SECONDS) * random.uniform(1, 4 / 3))


def split_text(text: str, limit: int) -> list[str]:
    """Cut `text` into pieces of at most `limit` bytes in UTF-8, never inside a character as people see it.

    A cut is made at the end of a sentence where there is one in the second half of a piece, else at a comma.
    """
    if len(text.encode("utf-8", "replace")) <= limit:
        return [text]
    pieces: list[str] = []
    current, size = "", 0
    for cluster in _clusters(text, limit):
        length = len(cluster.encode("utf-8", "replace"))
        while size + length > limit:
            cut = _border(current)
            pieces.append(current[:cut])
            current = current[cut:]
            size = len(current.encode("utf-8", "replace"))
        current, size = current + cluster, size + length
    return [piece for piece in [*pieces, current] if piece.strip()]


def _clusters(text: str, limit: int) -> Iterator[str]:
    for match in _CLUSTER.finditer(text):
        cluster = match.group()
        if len(cluster.encode("utf-8", "replace")) > limit // 4:  # no real character: a base under a heap of marks
            yield from cluster
        else:
            yield cluster


def _border(text: str) -> int:
    for characters in _BORDERS:
        found = max(text.rfind(character) for character in characters)
        if found >= len(text) // 2:
            return found + 1
    return len(text)


def fit(message: Message, limit: int) -> list[Message]:
    """Give `message` as messages that WeChat takes; a notice stays with the first of them."""
    if isinstance(message, Text):
        pieces = split_text(plain(message.text), limit)
        return [Text(piece, message.notice if number == 0 else None) for number, piece in enumerate(pieces)]
    if isinstance(message, Menu):
        choices = tuple(replace(choice, text=plain(choice.text)) for choice in message.choices)
        return _fit_menu(replace(message, head=plain(message.head), choices=choices, tail=plain(message.tail)), limit)
    if isinstance(message, Link):
        title, description = plain(message.title)[:_LONGEST_TITLE], plain(message.description)[:_LONGEST_DESCRIPTION]
        return [replace(message, title=title, description=description)]
    return [message]


def _fit_menu(menu: Menu, limit: int) -> list[Message]:
    below = sum(len(f"{number}. {choice.text}\n".encode()) for number, choice in enumerate(menu.choices, 1))
    below += len((menu.tail or "请回复前面的数字。").encode()) + 1
    head_limit = max(limit - below, limit // 4)
    if len(menu.head.encode("utf-8", "replace")) <= head_limit:
        return [menu]
    *first, last = split_text(menu.head, head_limit)
    texts: list[Message] = [Text(piece, menu.notice if number == 0 else None) for number, piece in enumerate(first)]
    return [*texts, replace(menu, head=last, notice=None)]


def digest(held: Sequence[Message], available: int, limit: int) -> list[Message]:
    """Give what waited for a person as at most `available` messages: the newest as they are, the older as one text.

    More than `HELD_MESSAGES` are not shown: a sentence tells how many there were.
    """
    if available <= 0 or not held:
        return []
    shown = list(held[-HELD_MESSAGES:])
    if len(shown) == len(held) and len(shown) <= available:
        return shown
    newest = shown[len(shown) - (available - 1) :] if available > 1 else []
    older = shown[: len(shown) - len(newest)]
    lines = [_words(message) for message in older]
    text = "您不在的时候，有这些消息：\n" + "\n\n".join(line for line in lines if line)
    pieces = split_text(text, limit - len(_OLDER.encode()))
    # Where one text does not hold them all, the end of it is the newest.
    complete = len(shown) == len(held) and len(pieces) == 1
    return [Text(pieces[-1] if complete else pieces[-1] + _OLDER), *newest]


def _words(message: Message) -> str:
    if isinstance(message, Text):
        return message.text
    if isinstance(message, Menu):
        return message.head
    if isinstance(message, Link):
        return f"{message.title} {message.url}"
    return "[图片]" if isinstance(message, Picture) else message.title
