"""What is said of drugs, allergies and former illnesses."""

import re
from collections.abc import Iterable

from nlu.lexicon import Match
from nlu.normalise import Normalised
from nlu.status import assess_status
from nlu.types import Slot, Statement, Status

_NOT_TAKEN = re.compile(
    r"(?:没有?|未|不|没敢|没给)(?:再|给|敢|怎么)?(?:他|她|孩子|宝宝)?(?:吃|用|服|喝|打|买|喂|抹|擦)(?:过|了|什么|别的|其他)?[^,。!?;]{0,3}$"
)
_ASKS_DRUG_BEFORE = re.compile(
    r"(?:能不能|可不可以|能|可以|要不要|需要|要|该|是不是|可否|用不用|适合)(?:给)?[^,。!?;]{0,4}(?:吃|用|服|喝|打|喂|涂|抹)[^,。!?;]{0,4}$"
)
_ASKS_DRUG_AFTER = re.compile(r"^[^,。!?;]{0,6}(?:吗|么|\?|行不行|可以不|好不好|怎么吃|怎么用|有用没)")
_DENIES = (
    (
        Slot.DRUGS,
        re.compile(
            r"(?:没有?|未|不)(?:在)?(?:吃|用|服|喝)(?:过|什么|任何)*药|什么药都没|没有用药|没用过药|药都?(?:没|不)(?:有)?吃"
        ),
    ),
    (
        Slot.ALLERGIES,
        re.compile(
            r"(?:没有?|无|未发现|否认|不存在)(?:什么|任何|药物|食物|对|药|东西|的|和|、|、){0,5}过敏|过敏史?(?:没有|无)(?=$|[,。!])|(?:什么|啥)都?不过敏|(?:^|[,。;!])(?:也)?不过敏(?=$|[,。;!])|都不过敏"
        ),
    ),
    (
        Slot.PAST_HISTORY,
        re.compile(
            r"(?:没有?|无|否认)(?:什么|任何|其他|别的|啥|得过|过|大的?)*(?:慢性病|基础病|基础疾病|老毛病|病史|既往病|大病|大毛病|毛病(?!犯)|遗传病)|身体(?:一直|一向|以前)?(?:都|很|挺|蛮|还)*(?:好|健康)(?!不)|以前(?:都|很|一直)*(?:健康|没病)"
        ),
    ),
)
_ALLERGIC_TO = re.compile(r"对(?P<what>[^,。!?;对]{1,12}?)(?P<not>不|没有?|不会)?(?:都|也|会|很|有点|有|严重)*过敏")
_ALLERGY_BEFORE = re.compile(r"(?P<not>不|没有?|不会)?(?:都|也|会|很|有点|有|严重|类|药物|药)*过敏")
_LISTING = re.compile(r"[、和跟与及或]|以及|还有")
_VAGUE = re.compile(r"什么|任何|药物$|食物$|东西|哪些|啥|药$|某些")
_ALLERGENS = re.compile(
    r"海鲜|花粉|牛奶|鸡蛋|芒果|酒精|尘螨|花生|虾|螃蟹|鱼虾|鱼|灰尘|柳絮|猫毛|狗毛|坚果|紫外线|冷空气|菠萝|牛羊肉|羊肉|麻药|造影剂|破伤风针|磺胺|油漆|蚊虫|桃子|小麦|大豆"
)


def find_denials(text: str) -> tuple[Slot, ...]:
    """Histories denied as a whole: drugs, allergies, former illnesses."""
    return tuple(slot for slot, pattern in _DENIES if pattern.search(text))


def find_allergies(source: Normalised, drugs: Iterable[Match], asked: bool) -> tuple[Statement, ...]:
    """What the patient is or is not allergic to; with ``asked`` every drug or allergen named is meant as an allergy."""
    text = source.text
    found: dict[str, Statement] = {}
    for match in _ALLERGIC_TO.finditer(text):
        status = Status.NEGATIVE if match.group("not") else Status.POSITIVE
        for what in _LISTING.split(match.group("what")):
            if what and not _VAGUE.search(what) and not re.search("会不会|吗", text[match.start() : match.end() + 2]):
                name = next((d.name for d in drugs if what in text[d.start : d.end]), what)
                found[name] = _statement(source, name, status, match.start("what"), match.end("what"))
    named = [(d.name, d.start, d.end) for d in drugs]
    named += [(m.group(), m.start(), m.end()) for m in _ALLERGENS.finditer(text)]
    for name, start, end in named:
        follows = _ALLERGY_BEFORE.match(text, _end_of_list(text, end, named))
        if name not in found and (follows or asked):
            negated = follows is not None and follows.group("not") is not None
            found[name] = _statement(source, name, Status.NEGATIVE if negated else Status.POSITIVE, start, end)
    return tuple(found.values())


def _end_of_list(text: str, end: int, named: list[tuple[str, int, int]]) -> int:
    """Where a list of named things that goes on after ``end`` ends ("青霉素和头孢过敏")."""
    for _name, start, next_end in sorted(named, key=lambda item: item[1]):
        if 0 <= start - end <= 2 and _LISTING.fullmatch(text[end:start] or "、"):
            end = next_end
    return end


def find_drugs(source: Normalised, matches: Iterable[Match]) -> tuple[Statement, ...]:
    """The drugs named: taken, not taken, or asked about."""
    text = source.text
    return tuple(_statement(source, m.name, _drug_status(text, m), m.start, m.end) for m in matches)


def _drug_status(text: str, match: Match) -> Status:
    before, after = text[max(0, match.start - 14) : match.start], text[match.end : match.end + 10]
    if _ASKS_DRUG_BEFORE.search(before) or _ASKS_DRUG_AFTER.match(after):
        return Status.UNKNOWN
    if _NOT_TAKEN.search(before) or re.match(r"(?:都|也)?(?:没|不)(?:有)?(?:吃|用|喝|打)", after):
        return Status.NEGATIVE
    return Status.POSITIVE


def find_diseases(source: Normalised, masked: str, matches: Iterable[Match]) -> tuple[Statement, ...]:
    """The diseases named, with whether the patient is said to have or to have had them.

    ``masked`` is the text with all matches blanked, so that no word of one colours another.
    """
    return tuple(
        _statement(source, m.name, assess_status(masked, m.start, m.end).status, m.start, m.end) for m in matches
    )


def _statement(source: Normalised, name: str, status: Status, start: int, end: int) -> Statement:
    first, last = source.span(start, end)
    return Statement(name=name, text=source.original[first:last], status=status, start=first, end=last)
