"""The drug reference as tables that a pharmacist can review: `python -m data.drugs` renews docs/drug-reference.md."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

from data.drugs import Dose, Interaction, Medicine, Reference, reference
from data.files import ROOT

PAGE = ROOT.parent / "docs/drug-reference.md"

_HEAD = """# Drug reference

Written by `python -m data.drugs` from `data/drugs/`; change the data, not this page. Every fact is written down from
general knowledge of the source it names, none is copied from a database, and **none has been reviewed by a pharmacist
yet**: before it serves patients, a pharmacist has to go through these tables and the files.

What the checks do with it is in [prescription.md](prescription.md).
"""
_SEVERITY = {"stop": "不能", "warning": "小心", "note": "留意"}
_GRADE = {None: "", "non_restricted": "非限制", "restricted": "限制", "special": "特殊"}
_CONTROL = {
    None: "",
    "narcotic": "麻醉",
    "psychotropic_1": "精一",
    "psychotropic_2": "精二",
    "toxic": "毒性",
    "precursor": "易制毒",
}


def page(drugs: Reference) -> str:
    """The whole page."""
    return "\n".join(
        (_HEAD, *_sources(drugs), *_medicines(drugs), *_classes(drugs), *_interactions(drugs), *_laws(drugs))
    )


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    heads = list(columns)
    yield f"## {title}\n"
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _sources(drugs: Reference) -> Iterator[str]:
    facts: dict[str, int] = {}
    for source in drugs.cited:
        facts[source] = facts.get(source, 0) + 1
    rows = ((one.title, str(facts[code])) for code, one in drugs.sources.items())
    return _table("Sources", ("source", "facts"), rows)


def _medicines(drugs: Reference) -> Iterator[str]:
    rows = (_medicine(drugs, one) for one in drugs.medicines.values())
    columns = ("药", "ATC", "规格", "常用量", "疗程（天）", "分级", "管制", "不能用", "小心用")
    return _table(f"Medicines ({len(drugs.medicines)})", columns, rows)


def _medicine(drugs: Reference, one: Medicine) -> tuple[str, ...]:
    return (
        one.name,
        one.atc,
        "；".join(f"{made.form.name} {made.spec}" for made in drugs.preparations_of(one.code)),
        "；".join(_dose(one, dose) for dose in one.doses),
        "～".join(map(str, one.days)) if one.days else "",
        _GRADE[one.antibiotic],
        _CONTROL[one.controlled],
        "；".join(_harms(one, "stop")),
        "；".join(_harms(one, "warning")),
    )


def _dose(one: Medicine, dose: Dose) -> str:
    low, high = (f"{bound.normalize():f}" for bound in dose.time)
    time = low if low == high else f"{low}～{high}"
    per = "/kg" if dose.kg else ""
    most_kg = f"、{dose.max_kg_day.normalize():f}/kg" if dose.max_kg_day is not None else ""
    routes = f"{'、'.join(dose.routes)} " if dose.routes else ""
    most = f"{dose.max_day.normalize():f}{most_kg}"
    return (
        f"{routes}{_between(*dose.ages, '岁')} 每次{time}{one.unit}{per}，每天最多{most}，{'/'.join(dose.frequencies)}"
    )


def _between(low: Decimal, high: Decimal | None, unit: str) -> str:
    return f"≥{low.normalize():f}{unit}" if high is None else f"{low.normalize():f}～{high.normalize():f}{unit}"


def _harms(one: Medicine, severity: str) -> Iterator[str]:
    for disease in one.avoid:
        if disease.severity == severity:
            yield "、".join(disease.icd)
    for pregnancy in one.pregnancy:
        if pregnancy.severity == severity:
            yield "孕" + ("" if len(pregnancy.trimesters) == 3 else "".join(map(str, pregnancy.trimesters)))
    if one.lactation and one.lactation.severity == severity:
        yield "哺乳"
    for age in one.ages:
        if age.severity == severity:
            yield (
                f"<{age.under.normalize():f}岁"
                if age.under is not None
                else f"≥{(age.over or Decimal(0)).normalize():f}岁"
            )
    for kidney in one.kidney:
        if kidney.severity == severity:
            most = f"（每天最多{kidney.max_day.normalize():f}）" if kidney.max_day is not None else ""
            yield f"肾<{kidney.below.normalize():f}{most}"
    if one.liver and one.liver.severity == severity:
        yield "肝"


def _classes(drugs: Reference) -> Iterator[str]:
    rows = (
        (
            one.name,
            _SEVERITY.get(one.allergy or "", ""),
            _SEVERITY.get(one.duplicate or "", ""),
            "、".join(drugs.medicines[code].name for code in drugs.medicines if code in drugs.members(one.code)),
            drugs.cite(one.source),
        )
        for one in drugs.classes.values()
        if one.allergy or one.duplicate
    )
    yield from _table("Classes", ("class", "对一种过敏，别的", "两种同用", "medicines", "source"), rows)
    crossings = (
        (
            drugs.name_of(one.allergic_to),
            drugs.name_of(one.given),
            _SEVERITY[one.severity],
            _SEVERITY[one.severe],
            one.why,
        )
        for one in drugs.cross_reactions
    )
    yield from _table(
        "Cross-reactions", ("allergic to", "given", "severity", "after a grave reaction", "why"), crossings
    )


def _interactions(drugs: Reference) -> Iterator[str]:
    def row(one: Interaction) -> tuple[str, ...]:
        first, second = (drugs.name_of(code) for code in one.between)
        return first, second, _SEVERITY[one.severity], one.how, one.act, drugs.cite(one.source)

    columns = ("one", "other", "severity", "how", "what to do", "source")
    return _table(f"Interactions ({len(drugs.interactions)})", columns, map(row, drugs.interactions))


def _laws(drugs: Reference) -> Iterator[str]:
    return _table("Law", ("rule", "article"), ((one.text, one.source) for one in drugs.laws.values()))


def main(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(reference()), encoding="utf-8")


if __name__ == "__main__":
    main()
