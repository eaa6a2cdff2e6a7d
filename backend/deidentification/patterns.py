"""What looks like a number, a way to reach somebody, a date or an age, whoever's it is.

Every pattern is matched against a copy of the text in half width, character for character.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import date

from backend.deidentification.ages import age_band
from backend.deidentification.dates import relative_day, relative_month, relative_year
from backend.deidentification.rules import Kind, Span, placeholder, span

_D = r"[0-9〇零一二三四五六七八九十]"
_GAP = r"[\s-]{0,2}"

_CONTACTS = (
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    r"(?:https?://|www\.)[^\s，。；、）)]+",
    rf"(?<!\d)(?:\+?86{_GAP})?1[3-9](?:{_GAP}\d){{9}}(?!\d)",
    rf"(?<!\d)0\d{{2,3}}{_GAP}[1-9](?:{_GAP}\d){{6,7}}(?!\d)",
    r"(?<!\d)[48]00-?\d{3}-?\d{4}(?!\d)",
    r"(?:微信号?|QQ号?|支付宝|抖音号?|快手号?|公众号)(?:是|为)?\s*[:：]?\s*[A-Za-z0-9][\w-]{4,}",
)
_NUMBERED = (
    r"(?:身份证|医保卡?|社保卡?|住院|门诊|病案|病历|床|床位|检查|影像|登记|样本|标本|条码|申请单?|处方|报告|护照|军官证|执业证?|"
    r"就诊卡|银行卡|卡|尾)"
)
_NUMBERS = (
    r"(?<!\d)\d{6}\s?(?:18|19|20)\d{2}\s?\d{4}\s?\d{3}[\dXx](?![\dA-Za-z])",
    _NUMBERED + r"(?:编|证|序)?(?:号码?|ID)(?:是|为)?\s*[:：]?\s*[A-Za-z0-9][A-Za-z0-9-]*",
    r"[A-Za-z0-9-]*\d(?:[ -]?\d){6,}[A-Za-z0-9]*",
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·\s]?[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])",
    r"[0-9a-fA-F]{16,}",
)
_YEAR = r"(?P<year>(?:19|20)\d{2}|[一二][九〇零][〇零一二三四五六七八九]{2})"
_MONTH = rf"(?P<month>{_D}{{1,2}})"
_DAY = rf"(?P<day>{_D}{{1,3}})"
_FULL_DATE = re.compile(
    rf"(?<![\d.]){_YEAR}\s*(?:年\s*{_MONTH}\s*月\s*{_DAY}\s*[日号]?"
    rf"|(?P<mark>[-/.])\s*{_MONTH.replace('month', 'month2')}\s*(?P=mark)\s*{_DAY.replace('day', 'day2')})(?![\d])"
)
_COMPACT_DATE = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?!\d)")
_MONTH_DAY = re.compile(rf"(?<![\d个年]){_MONTH}月\s*{_DAY}\s*[日号]")
_YEAR_MONTH = re.compile(
    rf"(?<![\d.]){_YEAR}(?:年\s*{_MONTH}\s*月(?:份|底|初|中旬|上旬|下旬)?|(?P<mark>[-/.])(?P<month2>0?[1-9]|1[0-2])(?![\d.]))"
)
_YEAR_ALONE = re.compile(rf"(?<![\d.]){_YEAR}\s*年(?:底|初|春|夏|秋|冬)?(?!\d)")
_LUNAR = re.compile(
    rf"(?:农历|阴历)?(?:正|腊|冬|{_D}{{1,2}})月(?:初{_D}|廿{_D}|十{_D}|二十)|(?:农历|阴历)(?:正|腊|冬|{_D}{{1,2}})月"
)
_SHORT_YEAR = re.compile(r"(?<!\d)(?P<two>\d{2})年(?:出生|生|的人)")
_BIRTH = re.compile(
    rf"(?:生于|出生(?:于|日期|年月|时间)?(?:是|为)?)\s*[:：]?\s*(?P<date>[\d{_D[1:-1]}./年月日号-]{{2,}})"
    rf"|(?P<before>{_YEAR}年?(?:{_D}{{1,2}}月)?(?:{_D}{{1,3}}[日号])?)(?=\s*出?生)"
)
_READ = "\N{REPLACEMENT CHARACTER}"
_AGE = re.compile(r"(?<![\d.])(?P<years>\d{1,3}|[一二三四五六七八九十百零两]{1,4})\s*(?:周岁|岁)半?")

_CHINESE = {character: digit for digit, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_NEAR_FUTURE_DAYS = 60


def find_patterns(text: str, visit: date | None) -> Iterator[Span]:
    """Give what in `text` looks like something that names a person; dates become days from `visit` where it is told."""
    view = _half_width(text)
    # A date of birth counted from the visit would be the exact age.
    for found in _BIRTH.finditer(view):
        yield span(*found.span("date" if found["date"] else "before"), Kind.DATE)
    for pattern, told in _DATES:
        for found in pattern.finditer(view):
            yield span(*found.span(), Kind.DATE, told(found, visit) if visit is not None else "")
        # What was read as a date is no longer read as something else: 2026-11-19 08:30 is no number.
        view = pattern.sub(lambda found: _READ * len(found.group()), view)
    for kind, patterns in ((Kind.CONTACT, _CONTACTS), (Kind.NUMBER, _NUMBERS)):
        for one in patterns:
            for found in re.finditer(one, view):
                yield span(*found.span(), kind)
    for found in _AGE.finditer(view):
        yield span(*found.span(), Kind.AGE, _age(found["years"]))


def _half_width(text: str) -> str:
    """Give a text of the same length with digits and Latin letters in half width."""
    return "".join(_half(character) for character in text)


def _half(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    is_latin = len(plain) == 1 and plain.isascii() and (plain.isalnum() or plain in "-./:")
    return plain if is_latin else character


def _age(written: str) -> str:
    years = _number(written)
    return age_band(years) if years is not None else placeholder(Kind.AGE)


def _number(written: str | None) -> int | None:
    """Give the number that is written in digits or Chinese (up to 199, and years digit by digit)."""
    if not written:
        return None
    if written.isdecimal():
        return int(written)
    if "十" not in written and "百" not in written:
        return int("".join(str(_CHINESE.get(character, character)) for character in written))
    hundreds, _, rest = written.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    if not ten:
        tens, ones = "零", rest
    parts = (hundreds or "零", tens or "一", ones.lstrip("零") or "零")
    if any(len(part) > 1 for part in parts):
        return None
    return sum(_CHINESE.get(part, 0) * weight for part, weight in zip(parts, (100, 10, 1), strict=True))


def _whole(found: "re.Match[str]", visit: date) -> str:
    groups = found.groupdict()
    month, day = groups.get("month") or groups.get("month2"), groups.get("day") or groups.get("day2")
    made = _date(_number(groups["year"]), _number(month), _number(day))
    return relative_day(made, visit) if made is not None else ""


def _month_day(found: "re.Match[str]", visit: date) -> str:
    """A day without its year lies in the year before the visit, or shortly after it."""
    month, day = _number(found["month"]), _number(found["day"])
    days = (_date(year, month, day) for year in (visit.year + 1, visit.year, visit.year - 1))
    likely = (one for one in days if one is not None and (one - visit).days <= _NEAR_FUTURE_DAYS)
    return next((relative_day(one, visit) for one in likely), "")


def _year_month(found: "re.Match[str]", visit: date) -> str:
    year, month = _number(found["year"]), _number(found["month"] or found["month2"])
    return relative_month(year, month, visit) if _date(year, month, 1) and year and month else ""


def _year(found: "re.Match[str]", visit: date) -> str:
    year = _number(found["year"])
    return relative_year(year, visit) if year else ""


def _nothing(_found: "re.Match[str]", _visit: date) -> str:
    return ""


def _date(year: int | None, month: int | None, day: int | None) -> date | None:
    try:
        return date(year or 0, month or 0, day or 0)
    except ValueError:
        return None


_DATES: tuple[tuple["re.Pattern[str]", Callable[["re.Match[str]", date], str]], ...] = (
    (_FULL_DATE, _whole),
    (_COMPACT_DATE, _whole),
    (_YEAR_MONTH, _year_month),
    (_MONTH_DAY, _month_day),
    (_YEAR_ALONE, _year),
    (_LUNAR, _nothing),
    (_SHORT_YEAR, _nothing),
)
