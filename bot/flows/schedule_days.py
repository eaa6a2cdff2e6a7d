"""Days as experts write them: “每周三”, “11月25号到28号”, “工作日”, “国庆节”. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from backend.scheduling import calendar_day
from bot.flows.schedule_clock import Unclear
from nlu.numbers import parse_number

_WEEKDAYS = "一二三四五六日"
_DAY = "[一二三四五六日天]"
_WEEK = re.compile(
    rf"(?P<every>每个?|以后的?|固定)?(?P<which>下下|下|这|本)?个?周"
    rf"(?:(?P<weekend>末)|(?P<list>(?:{_DAY}|[1-7](?![\d点时:]))(?:(?:,|和|及|跟|到|-)?周?{_DAY}(?![点时十:]))*))"
)
_RANGE = re.compile(rf"([{_WEEKDAYS}])(?:到|-)周?([{_WEEKDAYS}])")
_EVERY_DAY = re.compile(r"每个?工作日|工作日|每天|天天|每日")
_NEAR = {"今天": 0, "今日": 0, "明天": 1, "明日": 1, "大后天": 3, "后天": 2}
_JOIN = r"(?:到|-|,|和|及|跟)"
_DATE = re.compile(
    rf"(?P<near>{'|'.join(_NEAR)})|(?:(?P<year>20\d\d)年)?(?P<month>\d{{1,2}})[月/](?P<day>\d{{1,2}})[日号]?(?![\d点:])|"
    rf"(?<!\d)(?P<alone>\d{{1,2}})(?:[日号]|(?={_JOIN}\d{{1,2}}[日号]))"
)
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十]{1,3}(?=[月日号])|(?<=月)[一二三四五六七八九十]{1,3}(?![点时])")
_HOLIDAY = re.compile(
    r"(?P<name>元旦|春节|过年|清明|五一(?![点月时])|劳动节|端午|中秋|国庆|(?<![二三四五六七八九])十一(?![点月时日号分:\d]))"
    r"(?:节|小?长假|假期|期间|那[几天]天?|放假)*"
)
_NAMES = {"过年": "春节", "五一": "劳动节", "国庆": "国庆节", "十一": "国庆节"}
_SHORTENED = {"今晚": "今天晚上", "明晚": "明天晚上", "今早": "今天早上", "明早": "明天早上"}
_MOST = 62
_LOOK_AHEAD = 366


@dataclass(frozen=True)
class Days:
    """Days that somebody names.

    Args:
        weekly: of every week, 0 for Monday. on: single days, in order. Where both are named, either may be meant.
        holiday: whose days those of `on` are, "" where they are of none.
    """

    weekly: tuple[int, ...] = ()
    on: tuple[date, ...] = ()
    holiday: str = ""

    def __bool__(self) -> bool:
        return bool(self.weekly or self.on)


def days_in(text: str, today: date) -> tuple[Days, str]:
    """Give the days that `text` names and what is left of it.

    Raises:
        Unclear: there is no such day, it is over, or more is named than one can answer at once.
    """
    for short, long in _SHORTENED.items():
        text = text.replace(short, long)
    for reading in (_of_holiday, _of_week, _of_dates):
        days, rest = reading(text, today)
        if days:
            if _WEEK.search(rest) or _EVERY_DAY.search(rest) or _DATE.search(rest) or _HOLIDAY.search(rest):
                raise Unclear("一次只能改一处。请先写第一处，例如：每周三下午2点到5点。")
            return days, rest
    return Days(), text


def holiday_in(text: str) -> str | None:
    """Give the holiday that `text` names, as the calendar calls it."""
    found = _HOLIDAY.search(text)
    return None if found is None else _NAMES.get(found["name"], found["name"])


def _of_holiday(text: str, today: date) -> tuple[Days, str]:
    name = holiday_in(text)
    if name is None:
        return Days(), text
    days = [today + timedelta(days=number) for number in range(_LOOK_AHEAD)]
    free = [day for day in days if calendar_day(day).is_holiday]
    first = next((day for day in free if calendar_day(day).name == name), None)
    if first is None:
        raise Unclear(f"还不知道{name}是哪几天，请直接写日期，例如：10月1日到3日休息。")
    return Days(on=tuple(_run(first, set(free))), holiday=name), _HOLIDAY.sub("", text, count=1)


def _run(first: date, free: set[date]) -> Iterator[date]:
    """Give the days of one long holiday: some begin with the day of another, as 中秋 before 国庆节."""
    day = first
    while day in free:
        yield day
        day += timedelta(days=1)


def _of_week(text: str, today: date) -> tuple[Days, str]:
    if found := _EVERY_DAY.search(text):
        weekly = tuple(range(5 if "工作日" in found.group() else 7))
        return Days(weekly=weekly), text[: found.start()] + text[found.end() :]
    found = _WEEK.search(text)
    if found is None:
        return Days(), text
    weekly = (5, 6) if found["weekend"] else _weekdays(found["list"])
    rest = text[: found.start()] + text[found.end() :]
    if found["every"]:
        return Days(weekly=weekly), rest
    monday = today - timedelta(days=today.weekday())
    if which := found["which"]:
        monday += timedelta(weeks={"下下": 2, "下": 1}.get(which, 0))
        return Days(on=_not_over([monday + timedelta(days=one) for one in weekly], today)), rest
    ahead = sorted(today + timedelta(days=(one - today.weekday()) % 7) for one in weekly)
    return Days(weekly=weekly, on=tuple(ahead)), rest


def _weekdays(said: str) -> tuple[int, ...]:
    """Read “一三五”, “一到五”, “二、周四”, “3”."""
    said = said.replace("天", "日")
    for first, last in _RANGE.findall(said):
        begin, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last)
        between = [_WEEKDAYS[(begin + number) % 7] for number in range((end - begin) % 7 + 1)]
        said = re.sub(f"{first}(?:到|-)周?{last}", "".join(between), said, count=1)
    found = {_WEEKDAYS.index(one) for one in said if one in _WEEKDAYS}
    found |= {int(one) - 1 for one in said if one.isdigit()}
    return tuple(sorted(found))


def _of_dates(text: str, today: date) -> tuple[Days, str]:
    text = _CHINESE.sub(lambda one: str(int(parse_number(one.group()) or 0)), text)
    found: list[date] = []
    match = _DATE.search(text)
    if match is None:
        return Days(), text
    start, end = match.start(), match.end()
    found.append(_date(match, today, None))
    while (joint := re.compile(_JOIN).match(text, end)) and (match := _DATE.match(text, joint.end())):
        day = _date(match, today, found[-1])
        if joint.group() in "到-":
            found += _between(found[-1], day)
        found.append(day)
        end = match.end()
    return Days(on=_not_over(sorted(set(found)), today)), text[:start] + text[end:]


def _date(match: re.Match[str], today: date, before: date | None) -> date:
    """Read one day; without a month it is of the month of the day before it, else the next that there is."""
    if match["near"]:
        return today + timedelta(days=_NEAR[match["near"]])
    try:
        if match["alone"]:
            return _next_of_month(int(match["alone"]), before or today)
        month, day = int(match["month"]), int(match["day"])
        if match["year"]:
            return date(int(match["year"]), month, day)
        near = date(today.year, month, day)
        return near if near >= (before or today) else date(today.year + 1, month, day)
    except ValueError:
        raise Unclear(f"没有“{match.group()}”这一天，请再写一次，例如：11月25日。") from None


def _next_of_month(number: int, from_: date) -> date:
    for day in (from_ + timedelta(days=ahead) for ahead in range(_MOST)):
        if day.day == number:
            return day
    raise ValueError(number)


def _between(first: date, last: date) -> list[date]:
    if not first <= last <= first + timedelta(days=_MOST):
        raise Unclear("这段日子太长或者前后颠倒了。一次最多写两个月，例如：11月25日到28日。")
    return [first + timedelta(days=number) for number in range(1, (last - first).days)]


def _not_over(days: list[date], today: date) -> tuple[date, ...]:
    if days[0] < today:
        raise Unclear("写的日子已经过去了，请写今天以后的。")
    return tuple(days)
