"""Times of day as experts write them: “下午2点到5点半”, “9:00-11:30”, “上午”. Pure."""

import re
from typing import NamedTuple

from nlu.numbers import parse_number

_PART = "凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里"
_HOUR = r"\d{1,2}|[零〇一二两三四五六七八九十]{1,3}"
_MINUTE = r"半|一刻|三刻|\d{1,2}|[零〇一二三四五六七八九十]{1,3}"
_AT = rf"(?P<part{{n}}>{_PART})?(?P<hour{{n}}>{_HOUR})(?:(?:点钟|[:点时])(?P<minute{{n}}>{_MINUTE})?分?)"
_FIRST = _AT.replace("{n}", "1")
_RANGE = re.compile(rf"{_FIRST}?(?:到|-)+{_AT.replace('{n}', '2')}")
_LONE = re.compile(_FIRST)
_MINUTES = {"": 0, "半": 30, "一刻": 15, "三刻": 45}
_LATER = {"下午": (0, 11), "傍晚": (0, 11), "晚上": (0, 12), "夜里": (6, 12), "中午": (0, 3), None: (1, 6)}
"""Between which hours those of a part of the day are the later ones of the two that a clock shows."""
_DAY = 24 * 60
_HALF = _DAY // 2


class Stretch(NamedTuple):
    """A stretch of a day, in minutes since its midnight."""

    start: int
    end: int


PARTS = {
    "上午": Stretch(0, _HALF),
    "早上": Stretch(0, _HALF),
    "中午": Stretch(_HALF, 14 * 60),
    "下午": Stretch(_HALF, 18 * 60),
    "晚上": Stretch(18 * 60, _DAY),
}
"""What somebody is away for who names a part of the day alone."""


class Unclear(ValueError):
    """The words are about times, and something is missing or cannot be; `sentence` asks for it.

    Attributes:
        open_end: the words hold once what is asked for is written behind them.
    """

    def __init__(self, sentence: str, *, open_end: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.open_end = open_end


def stretches_in(text: str) -> tuple[Stretch, ...]:
    """Give every stretch of time that is written in full, in order.

    Without a part of the day 1 to 6 o'clock are in the afternoon; the end has the part of the beginning.

    Raises:
        Unclear: one ends before it begins, or there is no such time.
    """
    return tuple(sorted(_stretch(match) for match in _RANGE.finditer(text)))


def lone_time(text: str) -> int | None:
    """Give the minute of the day of the first time that is written, None where there is none."""
    match = _LONE.search(text)
    return None if match is None else _minutes(match, "1", match["part1"])


def whole_part(text: str) -> tuple[Stretch, ...]:
    """Give the parts of the day that are named without times; none where the whole day is meant."""
    return tuple(sorted({PARTS[word] for word in PARTS if word in text}))


def _stretch(match: re.Match[str]) -> Stretch:
    part = match["part1"]
    start = _minutes(match, "1", part)
    end = _minutes(match, "2", match["part2"] or part)
    if end <= start and not match["part2"] and end + _HALF <= _DAY:
        end += _HALF
    if end <= start:
        raise Unclear("结束的时间要比开始的晚，请再写一次，例如：下午2点到5点。")
    return Stretch(start, end)


def _minutes(match: re.Match[str], which: str, part: str | None) -> int:
    hour, minute = parse_number(match[f"hour{which}"]), match[f"minute{which}"] or ""
    past = _MINUTES.get(minute, parse_number(minute) if minute else 0)
    if hour is None or past is None or not 0 <= hour <= 24 or not 0 <= past < 60:
        raise Unclear(f"没有“{match.group()[:12]}”这个时间，请再写一次，例如：下午2点到5点。")
    first, last = _LATER.get(part, (1, 0))
    if first <= hour <= last:
        hour += 12
    return min(int(hour) * 60 + int(past), _DAY)
