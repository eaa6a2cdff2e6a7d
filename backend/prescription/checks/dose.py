"""Whether the amount is one that people of this age and weight can take."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from backend.prescription.checks.case import ADULT, Case, Item, finding
from backend.prescription.dosing import YOUTH, dose_for, doses_for, per_day
from backend.prescription.rules import Finding, Severity
from data.drugs import Dose

_ROUNDING = Decimal("1.1")
_INFANT = 2


def check(case: Case) -> Iterator[Finding]:
    """One dose, a day's doses and how often, against the rule that holds; then the lines of one medicine together."""
    if case.age is None:
        return  # age.check stops it
    held: dict[str, list[tuple[Item, Dose]]] = defaultdict(list)
    for item in case.items:
        if item.line.route not in item.preparation.routes or item.line.dose <= 0:
            continue  # line.check stops it
        dose = dose_for(item.medicine, item.line.route, case.age, case.weight)
        if dose is None:
            dose = _adult(item) if case.age >= YOUTH else None
            yield _missing(case, item, case.age)
        if dose is not None:
            held[item.medicine.code].append((item, dose))
            yield from _one_line(case, item, dose)
    for lines in held.values():
        if len(lines) > 1:
            yield from _together(case, lines)
    yield from _old_weight(case, case.age)


def day_dose(case: Case, item: Item) -> Decimal:
    """How much of the medicine the line comes to on one day, in its unit."""
    dose = None
    if case.age is not None:
        dose = dose_for(item.medicine, item.line.route, case.age, case.weight)
    return item.line.dose * per_day(item.frequency, dose, case.reference)


def _adult(item: Item) -> Dose | None:
    dose = dose_for(item.medicine, item.line.route, Decimal(ADULT), None)
    return dose if dose is not None and not dose.kg else None


def _missing(case: Case, item: Item, age: Decimal) -> Finding:
    source = case.reference.cite(item.medicine.source, item.medicine)
    if doses_for(item.medicine, item.line.route, age) and case.weight is None:
        sentence = f"{item.name}要按体重算用量，还不知道病人的体重。"
        return finding("missing.weight", item, "stop", sentence, source=source, advice="请先称体重。")
    severity = "warning" if age >= YOUTH else "stop"
    sentence = f"药品资料里没有{item.name}给这个年龄的用量，没法核对。"
    advice = "请换一种适合这个年龄的药，或请专科医生决定。"
    return finding("dose.none_for_age", item, severity, sentence, source=source, advice=advice)


def _one_line(case: Case, item: Item, dose: Dose) -> Iterator[Finding]:
    low, high = dose.time
    if dose.kg and case.weight is not None:
        low, high = low * case.weight, high * case.weight
    most_a_time, most_a_day = dose.most_for_one_time, _most_a_day(case, dose)
    amount, unit, name = item.line.dose, item.medicine.unit, item.name
    source = case.reference.cite(dose.source, item.medicine)
    day = amount * per_day(item.frequency, dose, case.reference)
    if day > most_a_day:
        sentence = f"{name}一天合{_number(day)}{unit}，超过每天最多{_number(most_a_day)}{unit}。"
        yield finding("dose.max_day", item, "stop", sentence, source=source, advice="请减少每次的量或次数。")
    high = min(high, most_a_time)
    if amount > most_a_time or (dose.kg and amount > 2 * high):
        most = min(most_a_time, 2 * high) if dose.kg else most_a_time
        sentence = f"{name}每次{_number(amount)}{unit}，超过每次最多{_number(most)}{unit}。"
        yield finding("dose.max_time", item, "stop", sentence, source=source, advice=_usual(low, high, unit))
    elif amount > (high * _ROUNDING if dose.kg else high):
        sentence = f"{name}每次{_number(amount)}{unit}，比常用量多。"
        yield finding("dose.high", item, "warning", sentence, source=source, advice=_usual(low, high, unit))
    elif amount < (low / _ROUNDING if dose.kg else low):
        sentence = f"{name}每次{_number(amount)}{unit}，比常用量少，可能不起作用。"
        yield finding("dose.low", item, "note", sentence, source=source, advice=_usual(low, high, unit))
    yield from _frequency(case, item, dose, source)


def _most_a_day(case: Case, dose: Dose) -> Decimal:
    if dose.max_kg_day is not None and case.weight is not None:
        return min(dose.max_day, dose.max_kg_day * case.weight)
    return dose.max_day


def _frequency(case: Case, item: Item, dose: Dose, source: str) -> Iterator[Finding]:
    frequencies = case.reference.frequencies
    times = [frequencies[code].per_day for code in dose.frequencies]
    if item.frequency.once or item.frequency.per_day in times:
        return
    usual = "、".join(frequencies[code].name for code in dose.frequencies)
    known = [one for one in times if one is not None]
    often = item.frequency.per_day is not None and bool(known) and item.frequency.per_day > max(known)
    if often and dose.strict:
        sentence = f"{item.name}{item.frequency.name}太多了，会中毒，只能{usual}。"
        yield finding("dose.too_often", item, "stop", sentence, source=source, advice=f"请改成{usual}。")
        return
    severity = "warning" if often else "note"
    sentence = f"{item.name}一般{usual}，这里写的是{item.frequency.name}。"
    yield finding("dose.frequency", item, severity, sentence, source=source, advice="请核对一天用几次。")


def _together(case: Case, lines: list[tuple[Item, Dose]]) -> Iterator[Finding]:
    """Lines of one medicine add up, whatever their strengths."""
    most = min(_most_a_day(case, dose) for _, dose in lines)
    total = sum((day_dose(case, item) for item, _ in lines), Decimal(0))
    if total > most:
        item, dose = lines[0]
        unit, indices = item.medicine.unit, tuple(one.index for one, _ in lines)
        sentence = (
            f"{item.medicine.plain_name}几行加起来一天{_number(total)}{unit}，超过每天最多{_number(most)}{unit}。"
        )
        source = case.reference.cite(dose.source, item.medicine)
        subject = f"{item.medicine.code}+together"
        yield Finding("dose.max_day", subject, Severity.STOP, indices, sentence, "请合成一行，减少总量。", source)


def _old_weight(case: Case, age: Decimal) -> Iterator[Finding]:
    weight = case.patient.weight
    if weight is None or age >= ADULT:
        return
    days, limit = case.days_since(weight), case.limits.weight_days
    if days > (limit // 3 if age < _INFANT else limit):
        sentence = f"孩子的体重是{days}天前量的，现在可能不一样了。"
        law = case.reference.laws["suitability"].source
        yield Finding("missing.weight", "order", Severity.WARNING, (), sentence, "请重新称体重。", law)


def _usual(low: Decimal, high: Decimal, unit: str) -> str:
    if low == high:
        return f"常用量每次{_number(low)}{unit}。"
    return f"常用量每次{_number(low)}到{_number(high)}{unit}。"


def _number(value: Decimal) -> str:
    return f"{round(value, 4).normalize():f}"
