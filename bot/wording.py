"""Words that every card and every conversation share: moments, names, urgency."""

from datetime import datetime

from backend.clock import local

_WEEKDAYS = "一二三四五六日"
_NEAR_DAYS = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}


def moment(at: datetime, now: datetime) -> str:
    """Say the moment `at` as people in China do, seen from `now`: 明天上午9:00, 11月25日（周三）下午3:30."""
    there, here = local(at), local(now)
    day = _NEAR_DAYS.get((there.date() - here.date()).days)
    if day is None:
        year = f"{there.year}年" if there.year != here.year else ""
        day = f"{year}{there.month}月{there.day}日（周{_WEEKDAYS[there.weekday()]}）"
    return f"{day}{time_of_day(at)}"


def time_of_day(at: datetime) -> str:
    """Say the time of `at` by the part of the day: 上午9:00, 下午3:30, 晚上8:00."""
    there = local(at)
    parts = ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
    part = next(part for before, part in parts if there.hour < before)
    hour = there.hour - 12 if there.hour > 12 else there.hour
    return f"{part}{hour}:{there.minute:02d}"


def waiting(minutes: int) -> str:
    """Say how long it is until something, in the largest unit that is whole: 1天, 1小时, 10分钟."""
    for size, unit in ((1440, "天"), (60, "小时")):
        if minutes >= size and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}分钟"


def masked(name: str) -> str:
    """Give the family name and a star for each other character, 患者 where there is no name."""
    name = name.strip()
    if not name:
        return "患者"
    return name[0] + "*" * max(1, min(len(name) - 1, 2))


def masked_phone(number: str) -> str:
    """Give a telephone number as it may stand on a screen: 138****5678."""
    return f"{number[:3]}****{number[-4:]}" if len(number) > 7 else "****"


def clip(text: str, limit: int) -> str:
    """Give `text` on one line, cut to `limit` characters with an ellipsis as the last where it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def lines(*parts: str) -> str:
    """Join the parts that say something, one a line."""
    return "\n".join(part for part in parts if part)
