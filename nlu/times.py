"""How long, since when and how often, in normalised text."""

import re
from collections.abc import Iterable

from nlu.numbers import NUMBER, parse_number
from nlu.types import Duration

_DAYS = {"分钟": 1 / 1440, "小时": 1 / 24, "天": 1.0, "周": 7.0, "月": 30.0, "年": 365.0}
_UNIT = {
    **dict.fromkeys(("分钟",), "分钟"),
    **dict.fromkeys(("小时", "个小时", "个多小时", "钟头", "个钟头", "个多钟头", "个钟"), "小时"),
    **dict.fromkeys(("天", "日", "晚上", "宿"), "天"),
    **dict.fromkeys(("周", "个周", "星期", "个星期", "个多星期", "礼拜", "个礼拜", "个多礼拜"), "周"),
    **dict.fromkeys(("个月", "个多月", "个来月"), "月"),
    **dict.fromkeys(("年",), "年"),
}
_UNITS = "|".join(sorted(_UNIT, key=len, reverse=True)).replace("日", "日(?!期|常)")
_SEVERAL = frozenset({"好几", "几", "数"})
_SPECIAL = {
    "好几": 4.0, "几": 3.0, "十几": 15.0, "十来": 10.0, "二十多": 20.0, "数": 4.0, "大半": 0.6, "小半": 0.4, "半": 0.5,
    "一两": 1.5, "两三": 2.5, "三两": 2.5, "二三": 2.5, "三四": 3.5, "四五": 4.5, "五六": 5.5, "六七": 6.5, "七八": 7.5,
    "八九": 8.5, "一二": 1.5,
}  # fmt: skip
_DURATION = re.compile(
    rf"(?P<number>{'|'.join(sorted(_SPECIAL, key=len, reverse=True))}|\d+[-~到至]\d+|{NUMBER})"
    rf"(?P<odd>来|多|几)?(?:(?P<half>个半)(?P<short>月|小时|钟头|星期|礼拜)|(?P<unit>{_UNITS})(?P<end>半)?)(?P<about>多|左右)?"
)
_NOT_DURATION_BEFORE = re.compile(
    r"(?:每|隔|怀孕|孕|怀了|出生|满|餐后|饭后|月|吃了|喝了|服了|输了|打了|用了|挂了|开了|术后|第|一|岁|做了|住了|才|大概吃了|今年|"
    r"[烟酒](?:抽|喝|戒)?(?:了|有|快)?|[烟酒]龄)$"
)
_NOT_DURATION_AFTER = re.compile(
    r"^(?:大|的?(?:宝宝|孩子|小孩|娃|婴儿|男孩|女孩|女宝|男宝)|[零一二三四五六七八九十\d]+次|"
    r"[\d一二两三四五六七八九十]+(?:片|粒|包|袋|支|回|顿)|吃|喝(?!水)|后|以后|之后|内|一次|份(?!前)|号|次)"
)
_CHILD_AGE_BEFORE = re.compile(
    r"(?:宝宝|孩子|小孩|娃娃?|儿子|女儿|闺女|宝贝|婴儿|孙子|孙女|男宝|女宝)(?:今年|才|刚|现在|刚满|满|快|是|有|不到)?$"
)
_AGO = re.compile(r"^(?:以?前|之前)")

_ONSET_WORDS = {
    **dict.fromkeys(("刚才", "刚刚"), 0.04),
    **dict.fromkeys(("今天", "今儿", "今早", "今晨", "今晚", "早上", "中午", "下午", "半夜", "凌晨"), 0.5),
    **dict.fromkeys(("昨天", "昨儿", "昨日", "昨晚", "昨夜"), 1.0),
    **dict.fromkeys(("前天", "前儿", "前晚", "前夜"), 2.0),
    "大前天": 3.0,
    **dict.fromkeys(("上周", "上个?星期", "上个?礼拜"), 7.0),
    "上个月": 30.0,
    "年初": 180.0,
    "去年": 365.0,
    "前年": 730.0,
}
_PART_OF_DAY = "(?:早上|上午|中午|下午|傍晚|晚上|夜里|半夜|凌晨|晚|早|[一二三四五六日天\\d])?"
_ONSET = re.compile(
    rf"(?:从|打|自|自从)?(?P<when>(?:大前天|刚才|刚刚|今天|今儿个?|今早|今晚|今晨|昨天|昨儿个?|昨日|昨晚|昨夜|前天|前儿个?|前晚|前夜|上周|"
    rf"上个?星期|上个?礼拜|上个月|去年|前年|早上|中午|下午|半夜|凌晨|年初){_PART_OF_DAY})"
    r"(?P<start>[^,。!?;]{0,6}?(?:开始|起(?!来)|就|突然|出现|发现|发作|忽然))?"
)
_GOING_ON = re.compile(r"^[^,。!?;]{0,4}(?:还|又|更|仍|再|也|已经|才|没|不|吃|喝|去|来|打|挂|看|做|说|量)")
_ALONE_BEFORE = re.compile(r"(?:^|[,。!?; ])(?:大概|大约|好像|是|就|从)*$")
_ALONE_AFTER = re.compile(r"^(?:的|了|吧|啊|呢|左右)*(?:$|[,。!?; ])")
_NAMES_A_NIGHT = re.compile(r"昨|前[天儿晚夜]|今[早晨晚]|刚[才刚]")
_FREQUENCY = re.compile(
    rf"(?:一天|每天|一日|天天|一晚上?|一夜|一小时|每小时|一周|每周|一个月|每个?月|"
    rf"一宿)[^,。!?;\d]{{0,6}}?(?:{NUMBER}|[好十]?几|两三|三四|四五|五六|七八|\d+[-到~]\d+)(?:多|来)?次"
)
_FREQUENCY_ALONE = re.compile(
    rf"(?:{NUMBER}|[好十]?几|两三|三四|四五|五六|七八|\d+[-到~]\d+)(?:多|来)?次(?:以内|以上|左右)?"
)
_PATTERN_WORDS = re.compile(
    r"一阵一阵|一阵阵|阵发性?|持续性?|时好时坏|反反复复|反复|断断续续|不停|偶尔|经常|时不时|老是|有时候|"
    r"夜里(?:加)?重|晚上(?:更)?(?:重|厉害)|白天(?:更)?(?:重|厉害)"
)


def find_durations(text: str, asked: bool = False) -> list[tuple[Duration, int, int]]:
    """How long things have lasted, each with its place; ages, doses and weeks of pregnancy are none."""
    found: list[tuple[Duration, int, int]] = []
    for match in _DURATION.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        if not asked and (_NOT_DURATION_BEFORE.search(before) or _NOT_DURATION_AFTER.match(after)):
            continue
        if match.group().endswith("月") and _CHILD_AGE_BEFORE.search(before) and not _AGO.match(after):
            continue
        duration = _duration(match)
        if duration is not None:
            found.append((duration, match.start(), match.end()))
    return found


def _duration(match: re.Match[str]) -> Duration | None:
    unit = _UNIT[match.group("unit") or f"个{match.group('short')}"]
    number = match.group("number")
    value = _SPECIAL.get(number)
    if value is None and re.search(r"[-~到至]", number):
        low, high = (float(part) for part in re.split(r"[-~到至]", number))
        value = (low + high) / 2
    if value is None:
        value = parse_number(number)
    if value is None or value <= 0:
        return None
    if match.group("half") or match.group("end"):
        value += 0.5
    if unit == "年" and (value >= 120):
        return None
    days = value * _DAYS[unit]
    if days > 36_500:
        return None
    return Duration(value=value, unit=unit, days=round(days, 3), text=match.group(), vague=_vague(match, unit))


_ROUND = {"十几": "10", "十来": "10", "二十多": "20"}


def _vague(match: re.Match[str], unit: str) -> str | None:
    """The term of a record for a length that nobody counted: 数年 for 好几年, 10余天 for 十几天, 2年余 for 两年多."""
    number, about = match.group("number"), match.group("about")
    measure = {"月": "个月"}.get(unit, unit)
    if number in _SEVERAL:
        return f"数{'月' if unit == '月' else measure}"
    if number in _ROUND:
        return f"{_ROUND[number]}余{measure}"
    if (number in _SPECIAL and number != "半") or match.group("half") or match.group("end"):
        return None
    value = parse_number(number)
    count = "半" if number == "半" else None if value is None else f"{value:g}"
    if count is None:
        return None
    if about == "左右":
        return f"约{count}{measure}"
    odd = about or match.group("odd") or "多" in (match.group("unit") or "")
    return f"{count}{measure}余" if odd else None


def find_onset(text: str, asked: bool = False, symptoms: Iterable[int] = ()) -> tuple[str, float, int, int] | None:
    """Since when ("昨天晚上"), how many days that is ago, and its place.

    A bare time counts as an answer, where it is a clause of its own ("昨晚"), and where a present symptom (one that
    begins at an offset of ``symptoms``) follows in its clause ("前天夜里肚子疼"); "今天还咳嗽" tells no beginning.
    """
    starts = tuple(symptoms)
    for match in _ONSET.finditer(text):
        if not (asked or match.group("start") or _is_bare_onset(text, match, starts)):
            continue
        when = match.group("when")
        days = next((value for word, value in _ONSET_WORDS.items() if re.match(word, when)), 1.0)
        return when, days, match.start("when"), match.end("when")
    return None


def _is_bare_onset(text: str, match: re.Match[str], symptoms: tuple[int, ...]) -> bool:
    """Whether a time that is said without 开始 tells a beginning all the same."""
    if not _NAMES_A_NIGHT.match(match.group("when")):
        return False
    end = match.end("when")
    if _ALONE_BEFORE.search(text[: match.start()]) and _ALONE_AFTER.match(text[end:]):
        return True
    if _GOING_ON.match(text[end:]):
        return False
    clause = re.split(r"[,。!?;]", text[end:], maxsplit=1)[0]
    return any(end <= start < end + len(clause) for start in symptoms)


def find_frequency(text: str, asked: bool = False) -> str | None:
    """How often, in the speaker's words."""
    match = _FREQUENCY.search(text) or (_FREQUENCY_ALONE.search(text) if asked else None) or _PATTERN_WORDS.search(text)
    return match.group() if match else None
