"""The drug reference as entries that people read (docs/drug-reference.md). Pure."""

from collections.abc import Iterator
from decimal import Decimal

from backend.knowledge.browsing import Entry, EntryPage, Statement, page, said
from data.drugs import ROUTES, Dose, Fact, Medicine, Reference, reference
from data.icd10 import lookup

_SEVERITIES = {"stop": "不能用", "warning": "小心用", "note": "留意"}
_GRADES = {"non_restricted": "非限制使用级", "restricted": "限制使用级", "special": "特殊使用级"}
_CONTROLS = {
    "narcotic": "麻醉药品",
    "psychotropic_1": "第一类精神药品",
    "psychotropic_2": "第二类精神药品",
    "toxic": "医疗用毒性药品",
    "precursor": "药品类易制毒化学品",
}
_TRIMESTERS = {1: "早", 2: "中", 3: "晚"}

_Said = tuple[str, str, Fact]
"""A title, a text, and the fact that it says."""


def browse_medicines(text: str = "", at: int = 0, limit: int = 20) -> EntryPage:
    """Give medicines in the order of the files, or those that `text` finds, the closest first.

    Args:
        text: a name, a part of one, another name, pinyin or initials.
        at: where the page begins.
    """
    known = reference()
    rows = list(known.medicines.values())
    if text.strip():
        found = known.search(text, len(known.preparations))
        rows = list({one.medicine.code: one.medicine for one in found}.values())
    return page(rows, lambda one: _entry(known, one), at, limit)


def _entry(known: Reference, one: Medicine) -> Entry:
    own = [
        Statement(title, text, known.cite(fact.source, one), fact.reviewed or one.reviewed)
        for title, text, fact in _of_its_own(known, one)
        if text
    ]
    shared = [
        Statement(title, text, known.cite(fact.source), fact.reviewed)
        for title, text, fact in _among_others(known, one)
    ]
    return Entry(one.code, one.name, one.atc, one.aliases, (*own, *shared))


def _of_its_own(known: Reference, one: Medicine) -> Iterator[_Said]:
    made = known.preparations_of(one.code)
    yield "规格", "；".join(f"{prepared.form.name} {prepared.spec}" for prepared in made), one
    for dose in one.doses:
        yield "用法用量", _dose(known, one, dose), dose
    yield "疗程", "到".join(f"{days}天" for days in dict.fromkeys(one.days or ())), one
    yield "适用的诊断编码", "、".join(one.indications), one
    yield "管理", "、".join(filter(None, (_GRADES.get(one.antibiotic or ""), _CONTROLS.get(one.controlled or "")))), one
    yield from _limits(one)
    for note in one.mind:
        yield "要注意", note, one


def _limits(one: Medicine) -> Iterator[_Said]:
    for disease in one.avoid:
        yield (
            f"有{'、'.join(map(_disease, disease.icd))}",
            _harm(disease.severity, disease.why, disease.instead),
            disease,
        )
    for pregnancy in one.pregnancy:
        when = "" if len(pregnancy.trimesters) == 3 else "、".join(_TRIMESTERS[part] for part in pregnancy.trimesters)
        yield f"怀孕{when}期", _harm(pregnancy.severity, pregnancy.why, pregnancy.instead), pregnancy
    if one.lactation:
        yield "哺乳期", _harm(one.lactation.severity, one.lactation.why, one.lactation.instead), one.lactation
    for age in one.ages:
        who = f"{_age(age.under)}以下" if age.under is not None else f"{_age(age.over or Decimal(0))}及以上"
        yield who, _harm(age.severity, age.why, age.instead), age
    for kidney in one.kidney:
        most = f"每天最多{said(kidney.max_day)}{one.unit}" if kidney.max_day is not None else ""
        title = f"肾小球滤过率低于{said(kidney.below)}ml/min"
        yield title, _harm(kidney.severity, kidney.why, kidney.instead or most), kidney
    if one.liver:
        title = f"肝病，或谷丙转氨酶高于{said(one.liver.alt_over)}U/L"
        yield title, _harm(one.liver.severity, one.liver.why, one.liver.instead), one.liver


def _among_others(known: Reference, one: Medicine) -> Iterator[_Said]:
    classes = known.classes_of(one.code)
    for code in sorted(classes):
        held = known.classes[code]
        if held.allergy:
            yield f"对{held.name}过敏", _harm(held.allergy, "同一类药", held.instead), held
        if held.duplicate:
            yield f"和别的{held.name}同用", _harm(held.duplicate, held.why, ""), held
    meant = classes | {one.code}
    for interaction in known.interactions:
        if not meant.isdisjoint(interaction.between) and _is_about(known, one.code, interaction.between):
            others = " 和 ".join(known.name_of(code) for code in interaction.between)
            yield f"同用：{others}", _harm(interaction.severity, interaction.how, interaction.act), interaction


def _is_about(known: Reference, medicine: str, between: tuple[str, str]) -> bool:
    """What holds of a class does not hold of its medicines that act only where they are put."""
    return medicine in between or medicine not in known.local


def _harm(severity: str, why: str, instead: str) -> str:
    return f"{_SEVERITIES[severity]}。{why}。{instead and f'{instead}。'}"


def _dose(known: Reference, one: Medicine, dose: Dose) -> str:
    low, high = map(said, dose.time)
    amount = f"{low}～{high}" if low != high else low
    per = "每公斤" if dose.kg else ""
    most = f"每天最多{said(dose.max_day)}{one.unit}"
    if dose.max_kg_day is not None:
        most += f"、每公斤最多{said(dose.max_kg_day)}{one.unit}"
    often = "、".join(known.frequencies[code].name for code in dose.frequencies)
    routes = "、".join(ROUTES[route] for route in dose.routes)
    who = filter(None, (_ages(*dose.ages), _weights(*dose.weight) if dose.weight else "", routes))
    return f"{'，'.join(who)}：{per}每次{amount}{one.unit}，{often}；{most}"


def _ages(low: Decimal, high: Decimal | None) -> str:
    return f"{_age(low)}及以上" if high is None else f"{_age(low)}到{_age(high)}"


def _weights(low: Decimal, high: Decimal | None) -> str:
    return f"{said(low)}公斤及以上" if high is None else f"{said(low)}到{said(high)}公斤"


def _age(years: Decimal) -> str:
    if years == 0:
        return "出生"
    return f"{said(years)}岁" if years == years.to_integral_value() else f"{years * 12:.0f}个月"


def _disease(code: str) -> str:
    held = lookup(code)
    return f"{held.name}（{code}）" if held and held.code.startswith(code) else code
