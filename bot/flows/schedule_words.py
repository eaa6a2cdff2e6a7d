"""What an expert writes of their times, read: “每周三下午2点到5点”, “明天下午开会”, “国庆节照常出诊”. Pure."""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date

from bot.flows.schedule_clock import Stretch, Unclear, lone_time, stretches_in, whole_part
from bot.flows.schedule_days import Days, days_in, holiday_in

_OFF = re.compile(
    r"不(?:能)?(?:再)?(?:出诊|坐诊|接诊|看诊|看|接|在|行|上班|来|要)|停诊|停掉|休息|休假|年假|请假|放假|没有?空|没有?时间|"
    r"开会|出差|有事|手术|学习|培训|去掉|取消|停$|休$"
)
_REASON = re.compile(r"开会|出差|手术|学习|培训|休假|年假")
_AS_EVER = re.compile(r"照常|照旧|恢复|还是出诊|正常出诊|按平时")
_MORE = re.compile(r"再加|多加|加上|加一|另加|加号|加诊|^加|增加")
_INSTEAD = re.compile(r"改[成为到在]|换[成为到]|只[在留有]|调整?[成为到]")
_LENGTH = re.compile(r"[每一][次个位例人号](?:(?P<minutes>\d{1,3})分钟?|(?P<half>半)个?小时|(?P<hour>[1一])个?小时)")
_RULE = re.compile(r"(?:法定)?(?:节假日|节日|假日)(?P<said>[^,。;!]*)")
_DAY = 24 * 60
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)\s+(?=\d)")
_SPELLINGS = {"星期": "周", "礼拜": "周", "、": ",", "~": "到", "—": "到", "–": "到", "至": "到", "以前": "前"}


@dataclass(frozen=True)
class Wish:
    """What an expert wants of their times.

    Args:
        days: of every week or single ones; both where “周三” may be either; neither where the wish is about public
            holidays alone.
        stretches: at which times; none where the whole day is meant.
        off: they are not there then; else they are.
        as_ever: these days are to be as in every week.
        slot_minutes: how long a consultation takes, None where that was not said.
        on_holidays: whether the hours of the week hold on public holidays, None where that was not said.
        instead: the times replace those of the day; False: they come to them; None: not said.
        given_up: the times that they replace, where these were named: “9点到11点改成2点到4点”.
        reason: for being away, one of a few known words.
    """

    days: Days = field(default_factory=Days)
    stretches: tuple[Stretch, ...] = ()
    off: bool = False
    as_ever: bool = False
    slot_minutes: int | None = None
    on_holidays: bool | None = None
    instead: bool | None = None
    given_up: tuple[Stretch, ...] = ()
    reason: str = ""


def read_wish(words: str, today: date, usual_minutes: int = 30) -> Wish | None:
    """Read what an expert wants; None where the words are not about their times.

    Args:
        usual_minutes: how long a consultation takes, for “加一个号”.

    Raises:
        Unclear: something is missing or cannot be.
    """
    text = _BETWEEN_NUMBERS.sub(",", unicodedata.normalize("NFKC", words))
    text = "".join(text.split()).rstrip("。!.了吧")
    for spelling, usual in _SPELLINGS.items():
        text = text.replace(spelling, usual)
    on_holidays, text = _take_rule(text)
    slot_minutes, text = _take_length(text)
    days, rest = days_in(text, today)
    instead = True if _INSTEAD.search(rest) else False if _MORE.search(rest) else None
    wish = Wish(days, slot_minutes=slot_minutes, on_holidays=on_holidays, instead=instead)
    if not days:
        return _without_days(wish, rest)
    stretches = stretches_in(rest)
    if _AS_EVER.search(rest) and not stretches:
        return replace(wish, as_ever=True)
    if _OFF.search(rest):
        reason = _REASON.search(rest)
        return replace(wish, off=True, stretches=stretches or whole_part(rest), reason=reason.group() if reason else "")
    if not stretches and on_holidays is not None and days.weekly and not rest:
        return replace(wish, days=Days(weekly=days.weekly))
    before, said, after = _parted(rest)
    if said and stretches_in(before):
        return replace(wish, instead=False, given_up=stretches_in(before), stretches=_wanted(after))
    return replace(wish, stretches=stretches or _one_slot(wish, rest, slot_minutes or usual_minutes))


def _parted(rest: str) -> tuple[str, str, str]:
    """Part the words at “改成”."""
    found = _INSTEAD.search(rest)
    return (rest, "", "") if found is None else (rest[: found.start()], found.group(), rest[found.end() :])


def _wanted(after: str) -> tuple[Stretch, ...]:
    stretches = stretches_in(after)
    if not stretches:
        raise Unclear("改成几点到几点？请写完整，例如：上午9点到11点改成下午2点到4点。")
    return stretches


def _one_slot(wish: Wish, rest: str, minutes: int) -> tuple[Stretch, ...]:
    """Read “下午3点加一个号”; a time without an end means nothing else."""
    at = lone_time(rest)
    if at is None:
        raise Unclear("几点到几点？请写上，例如：下午2点到5点。", open_end=True)
    if not wish.days.on or not _MORE.search(rest):
        raise Unclear("到几点结束？请写上，例如：到5点。", open_end=True)
    if at + minutes > _DAY:
        raise Unclear("这个时间太晚了，请写当天半夜12点以前的时间。")
    return (Stretch(at, at + minutes),)


def _without_days(wish: Wish, rest: str) -> Wish | None:
    if stretches_in(rest):
        raise Unclear("是哪一天，还是每周几？请一起写，例如：每周三下午2点到5点。")
    return wish if wish.on_holidays is not None and not rest else None


def _take_rule(text: str) -> tuple[bool | None, str]:
    """Take what is said of public holidays in general out of the text."""
    found = _RULE.search(text)
    if found is None or holiday_in(text[: found.start()]) is not None:
        return None, text
    said = found["said"]
    if stretches_in(said):
        raise Unclear("是哪个节日？请写出来，例如：元旦上午9点到11点。")
    rests = _OFF.search(said) is not None or "除外" in said or text[: found.start()].endswith("除")
    return not rests, (text[: found.start()].removesuffix("除") + text[found.end() :]).strip(",;。()")


def _take_length(text: str) -> tuple[int | None, str]:
    found = _LENGTH.search(text)
    if found is None:
        return None, text
    minutes = int(found["minutes"]) if found["minutes"] else 30 if found["half"] else 60
    return minutes, (text[: found.start()] + text[found.end() :]).strip(",;。")
