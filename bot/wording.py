"""Words that every card and every conversation share: moments, spans, distances, names."""

from datetime import datetime, timedelta

from backend.clock import local

_WEEKDAYS = "一二三四五六日"
_NEAR_DAYS = {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"}


def moment(at: datetime, now: datetime | None = None) -> str:
    """Say the moment `at` as people in China do, seen from `now`: 明天上午9:00, 11月25日（周三）下午3:30.

    Without `now` the day is said by its date: so it still holds when it is read later.
    """
    if now is None:
        return f"{day(at)}{time_of_day(at)}"
    there, here = local(at), local(now)
    near = _NEAR_DAYS.get((there.date() - here.date()).days)
    year = f"{there.year}年" if there.year != here.year else ""
    return f"{near or year + day(at)}{time_of_day(at)}"


def day(at: datetime) -> str:
    """Say a day: 11月23日（周一）, in the time of China."""
    there = local(at)
    return f"{there.month}月{there.day}日（周{_WEEKDAYS[there.weekday()]}）"


def short_day(at: datetime) -> str:
    """Say a day in few characters: 11月23日."""
    there = local(at)
    return f"{there.month}月{there.day}日"


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


def elapsed(span: timedelta) -> str:
    """Say how long ago something was."""
    if span >= timedelta(days=1):
        return f"{span.days}天前"
    hours = int(span.total_seconds() // 3600)
    return f"{hours}小时前" if hours else "刚才"


def distance(kilometres: float) -> str:
    """Say a distance."""
    return f"{kilometres:.1f}公里" if kilometres < 10 else f"{kilometres:.0f}公里"


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
