"""Whether a line says something that can be given at all."""

from collections.abc import Iterator

from backend.prescription.checks.case import Case, Item, finding, possible
from backend.prescription.rules import Finding, Line, Severity
from data.drugs import ROUTES


def check(case: Case) -> Iterator[Finding]:
    """Codes that the reference knows, a route that the preparation allows, an amount that can be measured out."""
    source = case.reference.laws["suitability"].source
    if not case.order.lines:
        yield Finding("line.none", "order", Severity.STOP, (), "处方里还没有药。", "请先加上要开的药。", source)
    for index, line in enumerate(case.order.lines):
        if sentence := _unknown(case, line):
            subject = f"{line.preparation}+{line.frequency}"
            yield Finding("line.unknown", subject, Severity.STOP, (index,), sentence, "请重新选一次。", source)
    for item in case.items:
        yield from _amounts(item, source)


def _unknown(case: Case, line: Line) -> str:
    if line.preparation not in case.reference.preparations:
        return "药品资料里没有这种药，不能核对，所以不能开。"
    if line.frequency not in case.reference.frequencies:
        return "用药次数写得不对，不能核对，所以不能开。"
    if not possible(line.dose):
        return "每次的用量写得不对，不能核对，所以不能开。"
    return ""


def _amounts(item: Item, source: str) -> Iterator[Finding]:
    line, form = item.line, item.preparation.form
    if line.dose <= 0 or line.days < 1:
        yield finding("line.amount", item, "stop", f"{item.name}的用量或天数不对。", source=source, advice="请重新填。")
        return
    if line.route not in item.preparation.routes:
        allowed = "、".join(ROUTES[route] for route in item.preparation.routes)
        how = ROUTES.get(line.route, line.route)
        sentence = f"{item.name}不能{how}，只能{allowed}。"
        yield finding("line.route", item, "stop", sentence, source=source, advice=f"请改成{allowed}。")
    if line.dose % (item.preparation.strength * form.step):
        pieces = (line.dose / item.preparation.strength).quantize(form.step / 100).normalize()
        sentence = f"每次的量合{pieces:f}{form.piece}，{item.name}分不出来。"
        advice = "请改成分得出来的量，或者换一种规格。"
        yield finding("line.pieces", item, "warning", sentence, source=source, advice=advice)
