"""Who the patient is, in normalised text: age, sex, relation to the writer, pregnancy."""

import re

from nlu.numbers import NUMBER, parse_number
from nlu.types import Pregnancy, Relation, Sex, Status

_CHILD = (
    "宝宝|孩子|小孩|小孩儿|娃娃|娃|儿子|女儿|闺女|宝贝|婴儿|孙子|孙女|外孙女?|小朋友|男宝|女宝|小家伙|新生儿|"
    "小宝|大宝|二宝|侄子|侄女"
)
_FATHER = "爸爸|老爸|父亲|爹|爸|公公|岳父"
_MOTHER = "妈妈|老妈|母亲|娘(?!家)|妈(?!呀)|婆婆|岳母"
_SPOUSE = "老公|老婆|丈夫|妻子|爱人|媳妇|老伴|对象"
_GRANDPARENT = "爷爷|奶奶|外公|外婆|姥姥|姥爷|老人家|家里老人"
KIN = f"{_CHILD}|{_FATHER}|{_MOTHER}|{_SPOUSE}|{_GRANDPARENT}"
"""The nearest family by its names, as an alternation."""
_RELATIONS = (
    (Relation.SPOUSE, re.compile(r"(?:孩子|娃儿?|娃娃)[他她](?:爸爸?|妈妈?|爹|娘)")),
    (Relation.CHILD, re.compile(rf"(?:{_CHILD})(?!都?生完|气)")),
    (Relation.FATHER, re.compile(rf"[我俺]?(?:{_FATHER})")),
    (Relation.MOTHER, re.compile(rf"[我俺]?(?:{_MOTHER})")),
    (Relation.SPOUSE, re.compile(_SPOUSE)),
    (Relation.GRANDPARENT, re.compile(_GRANDPARENT)),
    (Relation.OTHER, re.compile(r"(?:[我俺](?:哥|姐|弟|妹)|叔|姑|姨|舅|嫂)")),
    (Relation.SELF, re.compile(r"[我俺](?!家|们|的?(?:宝|孩|娃|儿|女儿))|本人|自己")),
)
_MALE = re.compile(
    r"男(?!朋友|友|医生)|先生(?!说)|老公|儿子|爸|父亲|爷爷|外公|姥爷|爹|丈夫|孙子|男宝|老头|岳父|公公|哥|弟|叔|舅"
)
_FEMALE = re.compile(
    r"女(?!婿|朋友|友|医生)|女士|老婆|妈(?!呀|咪爱)|母亲|奶奶|外婆|姥姥|妻子|媳妇|闺女|孙女|女宝|老太|婆婆|姐|"
    r"妹|姑|姨|怀孕|孕妇|月经|例假|大姨妈"
)
_PREGNANT = re.compile(
    r"怀孕|孕妇|有孕|怀(?:娃|胎|宝宝|孩子)|怀了|已孕|有喜|怀着|怀上|身孕|(?<!备|避|早|不|未|没|受)孕(?=\d|[一二三四五六七八九十]|"
    r"[早中晚]期)|宝妈孕"
)
_NOT_PREGNANT = re.compile(r"(?:没有?|未|不是|不可能|没在|并没有|还没|不会)(?:有)?(?:怀孕|怀|孕)|不怀孕|绝经|避孕中")
_MAYBE_PREGNANT = re.compile(
    r"(?:可能|会不会|是不是|不确定|不知道|怕|担心|能不能|想|要|准备|打算|影响|怀疑|是否|"
    r"有没有)[^,。!?;]{0,6}怀孕|怀孕(?:了)?吗|备孕|怀不上|怀孕前"
)
_WEEKS = re.compile(
    rf"(?:怀孕|孕|怀了|怀(?:娃|胎|宝宝|孩子)|怀)(?:已经|有|大概|快)?(?P<value>{NUMBER})\+?(?P<unit>周|个?多?月)|"
    rf"(?P<before>{NUMBER})周(?:的)?(?:身孕|孕)"
)

_YEARS = re.compile(rf"(?P<years>{NUMBER})(?:多)?(?:周)?岁(?:多)?(?:零?(?P<months>{NUMBER})个?月|(?P<half>半))?")
_MONTHS = re.compile(
    rf"(?P<value>{NUMBER}|半)(?P<unit>个[多半]?月|月|天|周)(?P<half>半)?(?:多)?(?P<after>大|龄|的?(?:{_CHILD}))"
)
_CHILD_MONTHS = re.compile(
    rf"(?<!怀)(?:{_CHILD})(?:今年|才|刚刚?|现在|刚满|快|是|有|不到|出生|男|女|,| ){{0,2}}(?P<value>{NUMBER}|"
    rf"半)(?P<unit>个[多半]?月|天|周)(?P<half>半)?(?!以?前|之前|以?后|了[^,。]{{0,2}}(?:没|不)|来|没|不)"
)
_BORN = re.compile(rf"(?:出生|生下来|刚生)(?:才|有|了)?(?P<value>{NUMBER})(?P<unit>天|个月|周)")
_NEWBORN = re.compile(r"新生儿|刚出生|还没满月|没满月|未满月|不满月")
_FULL_MONTH = re.compile(r"刚满月|满月(?!后)")
_BARE_AGE = re.compile(
    rf"^(?:今年|快|我|都|已经|男|女|,| )*(?P<value>(?>{NUMBER}))(?:多|了|岁|来岁)*"
    r"(?!天|日|周|星期|个|月|小时|分钟|度|次)"
)
_BESIDE_SEX = re.compile(
    rf"(?:^|[,。; ])(?:[男女][的性]?[,、 ]*(?P<after>{NUMBER})|(?P<before>{NUMBER})(?:多|来)?[,、 ]*[男女][的性]?)"
    r"(?=$|[,。;! ])"
)
_MONTHS_ALONE = re.compile(
    rf"(?:^|[,。; ])(?:刚|才|快|现在|有)*(?P<value>{NUMBER}|半)(?P<unit>个[多半]?月)(?P<half>半)?(?=$|[,。;! ])"
)
_CHILD_LENGTH = re.compile(
    rf"^(?:才|刚|快|现在|今天|已经|有|满|出生|大概|差不多|男|女|宝|孩|(?P<short>不到|还?[不没未]满)|,| )*"
    rf"(?P<value>{NUMBER}|半)"
    r"(?P<unit>个[多半]?月|月|天|日|周|个?星期|个?礼拜)(?P<half>半)?(?!以?前|之前|来)"
)
_A_LENGTH = re.compile(rf"(?:{NUMBER}|半|几)(?:天|个?小时|周|个?星期|个?多?月)|昨|前天|今[天早晨]|刚")
_THIS_YEAR = re.compile(rf"今年(?:都|已经|快|刚)?(?P<value>{NUMBER})(?:了|多|,|$|。| |男|女)")


def find_age_months(text: str, asked: bool = False, child: bool = False) -> int | None:
    """The patient's age in months.

    With ``asked`` a bare number is an age in years; a length by itself (20天, 半个月) is an age too where the patient
    is known to be a ``child``.
    """
    match = _YEARS.search(text)
    if match:
        return _years(match)
    length = _CHILD_LENGTH.match(text) if asked and child else None
    if length:
        told = _months(length)
        return told - 1 if told and length.group("short") else told
    for pattern in (_BORN, _MONTHS, _CHILD_MONTHS):
        match = pattern.search(text)
        if match:
            return _months(match)
    alone = months_of_age(text)
    if alone:
        return _months(alone)
    if _NEWBORN.search(text):
        return 0
    if _FULL_MONTH.search(text):
        return 1
    beside = _BESIDE_SEX.search(text)
    if beside:
        return _bounded((parse_number(beside.group("after") or beside.group("before")) or 0) * 12)
    match = _THIS_YEAR.search(text)
    if match is None and asked:
        months = re.search(rf"({NUMBER})个多?月", text)
        if months:
            return _bounded(parse_number(months.group(1)) or 0)
        match = _BARE_AGE.match(text)
    return _bounded((parse_number(match.group("value")) or 0) * 12) if match else None


def months_of_age(text: str) -> re.Match[str] | None:
    """A child's age that is said by itself ("宝宝发烧两天，8个月"): how long the illness lasts is told already."""
    alone = _MONTHS_ALONE.search(text)
    if alone is None or not re.search(_CHILD, text):
        return None
    return alone if _A_LENGTH.search(text[: alone.start()] + text[alone.end() :]) else None


def _years(match: re.Match[str]) -> int | None:
    years = parse_number(match.group("years"))
    if years is None:
        return None
    months = 6.0 if match.group("half") else parse_number(match.group("months") or "零") or 0.0
    return _bounded(years * 12 + months)


def _months(match: re.Match[str]) -> int | None:
    value = 0.5 if match.group("value") == "半" else parse_number(match.group("value"))
    if value is None:
        return None
    unit = match.group("unit")
    per_month = 30.0 if unit in ("天", "日") else 1.0 if unit.endswith("月") else 4.345
    half = 0.5 if match.groupdict().get("half") or "半" in unit else 0.0
    return _bounded((value + half) / per_month)


def _bounded(months: float) -> int | None:
    return int(months) if 0 <= months <= 120 * 12 else None


def find_relation(text: str) -> Relation | None:
    """Who the patient is to the writer: the nearest family member named, else the writer where 我 speaks of itself."""
    for relation, pattern in _RELATIONS:
        if pattern.search(text):
            return relation
    return None


def find_sex(text: str) -> Sex | None:
    """The patient's sex where the words tell it (儿子, 奶奶, 男); ``None`` where both or neither are named."""
    male, female = bool(_MALE.search(text)), bool(_FEMALE.search(text))
    if male == female:
        return None
    return Sex.MALE if male else Sex.FEMALE


def find_pregnancy(text: str) -> Pregnancy | None:
    """Whether the patient is pregnant; wishes, fears and questions are unknown."""
    if _NOT_PREGNANT.search(text):
        return Pregnancy(status=Status.NEGATIVE)
    if _MAYBE_PREGNANT.search(text):
        return None if "备孕" in text or "怀不上" in text else Pregnancy(status=Status.UNKNOWN)
    weeks = _WEEKS.search(text)
    if weeks is None and not _PREGNANT.search(text):
        return None
    return Pregnancy(status=Status.POSITIVE, weeks=_weeks(weeks) if weeks else None)


def _weeks(match: re.Match[str]) -> int | None:
    value = parse_number(match.group("value") or match.group("before"))
    if value is None:
        return None
    in_months = match.group("unit") is not None and match.group("unit").endswith("月")
    weeks = round(value * 4.345) if in_months else int(value)
    return weeks if 1 <= weeks <= 44 else None
