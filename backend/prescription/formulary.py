"""What can be prescribed, in the words of a prescription: found, proposed, counted and checked.

`data.drugs` says what a medicine is; this says what a line of it means. A reference that cannot be read stops
everything here, so that no check is ever left out silently.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from backend.errors import DomainError, InvalidInput
from backend.prescription import dosing
from backend.prescription.checks import Limits, check
from backend.prescription.rules import Finding, Line, Order, Prescriber
from backend.records.background import Background
from data.drugs import ROUTES, Preparation, Reference, reference
from data.errors import DataError

LONGEST_DAYS = 90
LONGEST_NOTE = 100
_MOST_DOSE = Decimal(100_000)
_FALLBACK_DAYS = 3
_ADULT = Decimal(18)
_ONCE_A_DAY = "qd"


class ReferenceUnreadable(DomainError):
    """The drug reference cannot be read, so nothing can be checked and nothing may be prescribed."""

    code = "drug_reference"
    sentence = "药品资料现在读不出来，暂时不能开处方。请联系管理员，修好以后再开。"


@dataclass(frozen=True)
class Proposal:
    """A line that fits a patient, and where its dose comes from; `why` says it in one clause."""

    line: Line
    why: str


@dataclass(frozen=True)
class Said:
    """A line in words.

    Args:
        name: with the form; spec: strength and pack. dose: for one time; pieces: the same in pieces, or "".
        packs: how many packs are handed out, with their unit ("2盒").
    """

    name: str
    spec: str
    dose: str
    pieces: str
    frequency: str
    route: str
    packs: int
    pack_unit: str


class Formulary:
    """The medicines of the platform.

    Args:
        source: gives the drug reference; the shipped one unless another is given.
        limits: of the institution, where they are stricter than the law's.
    """

    def __init__(self, source: Callable[[], Reference] = reference, limits: Limits | None = None) -> None:
        self._source = source
        self.limits = limits or Limits()

    @property
    def reference(self) -> Reference:
        """The drug reference.

        Raises:
            ReferenceUnreadable: a file of it is damaged.
        """
        try:
            return self._source()
        except DataError:
            raise ReferenceUnreadable from None

    def search(self, words: str, limit: int = 8) -> tuple[Preparation, ...]:
        """Find preparations by name, a part of it, pinyin or initials, the closest first."""
        return self.reference.search(words, limit)

    def preparation(self, code: str) -> Preparation:
        """Give a preparation. Raises InvalidInput where there is none of this code."""
        found = self.reference.preparations.get(code)
        if found is None:
            raise InvalidInput("没有这种药，请重新搜索再选。", field="preparation")
        return found

    def check(self, order: Order, patient: Background, prescriber: Prescriber, today: date) -> tuple[Finding, ...]:
        """Give everything that the checks find in an order."""
        return check(order, patient, prescriber, self.reference, today, self.limits)

    def valid(self, line: Line) -> Line:
        """Give a line whose codes exist and whose numbers are possible; whether they are wise is for the checks.

        Raises:
            InvalidInput: names the field that is wrong.
        """
        preparation = self.preparation(line.preparation)
        faults = {
            "dose": not (line.dose.is_finite() and 0 < line.dose <= _MOST_DOSE),
            "frequency": line.frequency not in self.reference.frequencies,
            "route": line.route not in preparation.routes,
            "days": not 1 <= line.days <= LONGEST_DAYS,
            "note": len(line.note) > LONGEST_NOTE,
        }
        wrong = next((field for field, holds in faults.items() if holds), None)
        if wrong is not None:
            raise InvalidInput(_FAULTS[wrong].format(name=preparation.name), field=wrong)
        return line

    def said(self, line: Line, patient: Background, today: date) -> Said:
        """Give a line in words; how many packs one takes as needed depends on the patient."""
        preparation = self.preparation(line.preparation)
        frequency = self.reference.frequencies[line.frequency]
        form, age = preparation.form, _age(patient, today)
        pieces = line.dose / preparation.strength
        return Said(
            name=preparation.name,
            spec=preparation.spec,
            dose=amount(line.dose, preparation.unit),
            pieces="" if preparation.unit == form.piece else f"{plain(pieces)}{form.piece}",
            frequency=frequency.name,
            route=ROUTES[line.route],
            packs=dosing.packs(line, preparation, self.reference, _ADULT if age is None else age, _weight(patient)),
            pack_unit=form.pack,
        )

    def propose(self, code: str, patient: Background, today: date) -> Proposal:
        """Give a line of a preparation that fits the patient's age and weight, as far as they are known.

        Where no dose is known for them it is one piece, and `why` says that the doctor has to decide.
        """
        preparation = self.preparation(code)
        age, weight = _age(patient, today), _weight(patient)
        found = dosing.propose(preparation, self.reference, _ADULT if age is None else age, weight)
        if found is None:
            line = Line(code, preparation.strength, _ONCE_A_DAY, preparation.routes[0], _FALLBACK_DAYS)
            by_weight = any(one.kg for one in preparation.medicine.doses) and weight is None
            why = "不知道体重，算不出量，请问了再写" if by_weight else "资料里没有适合的用量，请您来定"
            return Proposal(line, why)
        line = Line(code, found.dose, found.frequency, found.route, found.days or _FALLBACK_DAYS)
        return Proposal(line, _why(preparation, found.route, age, weight))


_FAULTS = {
    "dose": "{name}：一次用多少，写得不对。",
    "frequency": "{name}：一天几次，写得不对。",
    "route": "{name}：这种药不能这样用。",
    "days": f"{{name}}：天数要在1到{LONGEST_DAYS}天之间。",
    "note": f"{{name}}：嘱咐最多{LONGEST_NOTE}个字。",
}


def amount(value: Decimal, unit: str) -> str:
    """Give an amount as people write it: 500 mg → 500mg, 1250 mg → 1.25g."""
    for small, large in (("µg", "mg"), ("mg", "g")):
        if unit == small and value >= 1000:
            value, unit = value / 1000, large
    return f"{plain(value)}{unit}"


def plain(value: Decimal) -> str:
    """Give a number without needless digits: 2.00 → 2, at most four behind the point (0.0625 mg of digoxin)."""
    return f"{value.quantize(Decimal('0.0001')).normalize():f}"


def _why(preparation: Preparation, route: str, age: Decimal | None, weight: Decimal | None) -> str:
    rule = dosing.dose_for(preparation.medicine, route, _ADULT if age is None else age, weight)
    if rule is not None and rule.kg and weight is not None:
        return f"按体重{plain(weight)}公斤算的"
    if age is None:
        return "不知道年龄，按成人常用量"
    return "成人常用量" if age >= _ADULT else "按年龄的常用量"


def _age(patient: Background, today: date) -> Decimal | None:
    if patient.birth_date is None or patient.birth_date > today:
        return None
    return dosing.years_old(patient.birth_date, today)


def _weight(patient: Background) -> Decimal | None:
    return patient.weight.value if patient.weight is not None else None
