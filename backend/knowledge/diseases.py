"""The knowledge base of diseases as entries that people read (docs/knowledge-base.md). Pure."""

from collections.abc import Iterator
from functools import cache

from backend.knowledge.browsing import Entry, EntryPage, Statement, page, said
from data.departments import departments
from data.diseases import BANDS, Disease, VitalFinding
from data.drugs.search import Names
from data.knowledge import knowledge_base
from data.red_flags import red_flags

_BANDS = dict(zip(BANDS, ("几乎都有", "多数有", "约一半有", "部分有", "少数有", "偶尔有"), strict=True))
_FREQUENCIES = {"very_common": "极常见", "common": "常见", "occasional": "偶见", "rare": "罕见"}
_SEXES = {"female": "只见于女性", "male": "只见于男性", "all": ""}
_MEASURES = {
    "temperature": ("体温", "℃"),
    "systolic": ("收缩压", "mmHg"),
    "diastolic": ("舒张压", "mmHg"),
    "glucose": ("血糖", "mmol/L"),
    "heart_rate": ("心率", "次/分"),
    "respiratory_rate": ("呼吸", "次/分"),
    "spo2": ("血氧", "%"),
}
_SHARES = {"judgement": "（有多少人有，是分档的判断，没有统计过）", "counted": ""}


def browse_diseases(text: str = "", department: str = "", at: int = 0, limit: int = 20) -> EntryPage:
    """Give diseases in the order of their chapters, or those that `text` finds, the closest first.

    Args:
        text: a name, a part of one, another name, pinyin or initials.
        department: the code of one that sees the disease; any where empty.
        at: where the page begins.
    """
    rows = _found(text) if text.strip() else list(knowledge_base())
    if department:
        rows = [one for one in rows if department in one.departments]
    return page(rows, _entry, at, limit)


def _found(text: str) -> list[Disease]:
    known = {one.name: one for one in knowledge_base()}
    return [known[name] for name in _names().search(text, len(known))]


@cache
def _names() -> Names:
    names = Names()
    for disease in knowledge_base():
        for name in (disease.name, *disease.synonyms):
            names.add(name, disease.name)
    return names


def _entry(one: Disease) -> Entry:
    statements = tuple(Statement(title, text, one.source, one.reviewed) for title, text in _said(one) if text)
    return Entry(one.name, one.name, one.icd10, one.synonyms, statements)


def _said(one: Disease) -> Iterator[tuple[str, str]]:
    yield "在乡镇卫生院", _FREQUENCIES[one.frequency]
    yield "什么人会得", "；".join(filter(None, _who(one)))
    seen_by = sorted(one.departments.items(), key=lambda pair: -pair[1])
    yield "看什么科", "、".join(departments()[code].name for code, _ in seen_by)
    symptoms = sorted(one.symptoms.items(), key=lambda pair: -pair[1])
    yield f"症状{_SHARES[one.shares]}", "、".join(f"{name}（{_BANDS[share]}）" for name, share in symptoms)
    yield "量出来的", "、".join(_vital(vital) for vital in one.vitals)
    risks = sorted(one.risks.items(), key=lambda pair: -pair[1])
    yield "更容易得的人", "、".join(f"有{name}的人，可能性是{said(times)}倍" for name, times in risks)
    titles = {rule.code: rule.title for rule in red_flags()}
    yield "要留意的危险信号", "、".join(titles[code] for code in one.red_flags)
    yield "接下来问什么、查什么", "、".join(one.examine)


def _who(one: Disease) -> Iterator[str]:
    yield _ages("只见于", one.ages)
    yield _ages("多见于", one.usual_ages)
    yield _SEXES[one.sex]
    yield "只见于怀孕时" if one.pregnancy else ""


def _ages(how: str, months: tuple[int | None, int | None]) -> str:
    low, high = (None if one is None else _age(one) for one in months)
    if low and high:
        return f"{how}{low}到{high}"
    if low:
        return f"{how}{low}以上"
    return f"{how}{high}以下" if high else ""


def _age(months: int) -> str:
    years, rest = divmod(months, 12)
    return f"{months}个月" if rest or not years else f"{years}岁"


def _vital(vital: VitalFinding) -> str:
    name, unit = _MEASURES[vital.measure]
    low, below = vital.minimum, vital.below
    limit = f"低于{said(below)}{unit}" if below is not None else f"{said(low or 0)}{unit}及以上"
    return f"{name}{limit}（{_BANDS[vital.share]}）"
