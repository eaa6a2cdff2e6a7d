"""Whoever types the day or the hour (后天, 周三, 下午三点半) in place of tapping it means the one that is offered."""

import re
from datetime import date, timedelta

from backend.clock import local
from bot.dialogue import Turn
from bot.incoming import Kind
from bot.messages import Choice, Menu
from nlu.numbers import parse_number

_DAYS, _TIMES = "patient.bookday:", "patient.bookslot:"
_FILLING = re.compile(
    r"(?:[我俺就那要想选约看约来到的在]|吧|行不行|行吗|行|可以吗|可以|好吗|好|有空吗?|有没有|有吗|有|方便|左右|钟|医生|半夜|[\s，,。.？?！!])*"
)
_NEAR = {"今天": 0, "明天": 1, "后天": 2, "大后天": 3}
_WEEKDAYS = "一二三四五六日"
_PARTS = {
    "早上": "上午",
    "早晨": "上午",
    "上午": "上午",
    "中午": "中午",
    "下午": "下午",
    "晚上": "晚上",
    "夜里": "晚上",
}
_NUMBER = r"\d{1,2}|[一二两三四五六七八九十]{1,3}"
_DAY = re.compile(
    rf"(?P<near>大后天|后天|明天|今天)|(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])|(?:(?P<month>{_NUMBER})月)?(?P<day>{_NUMBER})[号日]"
)
_TIME = re.compile(rf"(?P<hour>{_NUMBER})(?:点钟?|[:：])(?P<minute>半|一刻|三刻|{_NUMBER})?")
_PART = re.compile("|".join(_PARTS))
_PART_LETTERS = "".join({*_PARTS.values(), "凌晨"})
_MINUTES = {None: 0, "半": 30, "一刻": 15, "三刻": 45}


async def hear(turn: Turn) -> bool:
    """Take typed words for the day or the time that is offered; tell whether they were about it."""
    offered = [one for one in turn.state.offered if _is_day_or_time(one)]
    spoken = turn.incoming.kind in (Kind.TEXT, Kind.VOICE)
    if not spoken or turn.state.flow or not offered or not _is_about_a_time(turn.text):
        return False
    today = local(turn.services.clock.now()).date()
    meant = [one for one in offered if _is_meant(one, turn.text, today)]
    if len(meant) == 1:
        await turn.act(meant[0].id)
    else:
        by_day = offered[0].id.startswith(_DAYS)
        if meant:
            head = "有这些时间，请点一个："
        elif by_day and _DAY.search(turn.text) is None:
            head = "请先点一个日子，再选几点："
        else:
            head = f"您说的{'这天' if by_day else '时间'}没有空。下面这些有空，请点一个："
        rest = [one for one in turn.state.offered if not _is_day_or_time(one)]
        turn.say(Menu(head, (*(meant or offered), *rest)))
    return True


def _is_about_a_time(words: str) -> bool:
    """Whether `words` name a day or a time and nothing else: 我明天来不了 and 上午开始肚子疼 want something else."""
    rest = words
    for pattern in (_DAY, _TIME, _PART):
        rest = pattern.sub("", rest)
    return len(rest) < len(words) and _FILLING.fullmatch(rest) is not None


def _is_day_or_time(choice: Choice) -> bool:
    return choice.id.startswith(_TIMES) or (choice.id.startswith(_DAYS) and "月" in choice.text)  # not 晚一点的


def _is_meant(choice: Choice, words: str, today: date) -> bool:
    if choice.id.startswith(_TIMES):
        return _is_time(choice.text, words)
    return _is_day(choice.id.split(":")[2], words, today)


def _is_day(key: str, words: str, today: date) -> bool:
    """Whether `words` name the day `key` (YYYYMMDD)."""
    found = _DAY.search(words)
    if found is None:
        return False
    day = date(int(key[:4]), int(key[4:6]), int(key[6:]))
    if found["near"]:
        return day == today + timedelta(days=_NEAR[found["near"]])
    if found["weekday"]:
        # 周三 is the coming one; the one after it is said by its date.
        coming = (_WEEKDAYS.index(found["weekday"].replace("天", "日")) - today.weekday()) % 7
        return day == today + timedelta(days=coming)
    return day.day == parse_number(found["day"]) and (
        found["month"] is None or day.month == parse_number(found["month"])
    )


def _is_time(offered: str, words: str) -> bool:
    """Whether `words` name the time `offered` (下午3:30); a part of the day alone names all of its times."""
    part, found = _PART.search(words), _TIME.search(words)
    if part is not None and not offered.startswith(_PARTS[part.group()]):
        return False
    if found is None:
        return part is not None
    minute = found["minute"]
    minutes = _MINUTES[minute] if minute in _MINUTES else parse_number(minute)
    hour = parse_number(found["hour"]) or 0
    clock = f"{int(hour) - 12 if hour > 12 else int(hour)}:{int(minutes or 0):02d}"
    return offered.lstrip(_PART_LETTERS) == clock
