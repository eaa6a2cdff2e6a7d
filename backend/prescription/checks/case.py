"""One order, resolved against the reference, and what the rules ask of its patient."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Literal, Protocol

from backend.clock import LOCAL_ZONE
from backend.prescription import kidney_function
from backend.prescription.dosing import years_old
from backend.prescription.rules import Finding, Line, Order, Prescriber, Severity
from backend.records.background import Answered, Background, Measured
from data import icd10
from data.drugs import Frequency, Medicine, Preparation, Reference

ADULT = 18
VERDICTS = {"stop": "不能用", "warning": "要慎用", "note": "请留意"}
"""What a severity says of a medicine."""
_MOST_DOSE = 1_000_000
_OLDEST = 120
_STAGES = {"N18.3": Decimal(59), "N18.4": Decimal(29), "N18.5": Decimal(14)}


@dataclass(frozen=True)
class Limits:
    """What may be set by an institution, to be stricter than the default and never looser.

    The defaults are the law's (data/drugs/laws.json) or our own.

    Raises:
        ValueError: names what is looser than the default, or cannot be.

    Args:
        max_medicines: 处方管理办法 article 6; acute_days: its article 19, beyond it a reason is due.
        chronic_days: 长期处方管理规范（试行）; beyond chronic_usual_days a reason is due.
        fertile_from, fertile_until: ages at which a woman is asked whether she is pregnant or breast-feeds; our own.
        answer_days: how long "not pregnant" and "not breast-feeding" hold; our own.
        kidney_days, liver_days: how long a creatinine and an ALT hold; our own.
        weight_days: how long the weight of a child holds; of one under two a third of it; our own.
    """

    max_medicines: int = 5
    acute_days: int = 7
    chronic_usual_days: int = 28
    chronic_days: int = 84
    fertile_from: int = 12
    fertile_until: int = 55
    answer_days: int = 30
    kidney_days: int = 365
    liver_days: int = 365
    weight_days: int = 180

    def __post_init__(self) -> None:
        for one in fields(self):
            low, high = (one.default, _OLDEST) if one.name == "fertile_until" else (1, one.default)
            if not low <= getattr(self, one.name) <= high:
                raise ValueError(f"{one.name} lies between {low} and {high}")
        if self.acute_days > self.chronic_usual_days or self.chronic_usual_days > self.chronic_days:
            raise ValueError("acute_days, chronic_usual_days and chronic_days stand in this order")


@dataclass(frozen=True)
class Item:
    """A line whose codes are known and whose dose is possible."""

    index: int
    line: Line
    preparation: Preparation
    frequency: Frequency

    @property
    def medicine(self) -> Medicine:
        """What the preparation is of."""
        return self.preparation.medicine

    @property
    def name(self) -> str:
        """What people call it."""
        return self.preparation.name


@dataclass(frozen=True)
class Disease:
    """A disease of the patient, or a diagnosis of the order."""

    code: str
    name: str = field(repr=False)


@dataclass(frozen=True)
class Case:
    """What all rules look at."""

    order: Order
    patient: Background
    prescriber: Prescriber
    reference: Reference
    today: date
    limits: Limits
    items: tuple[Item, ...]

    @classmethod
    def of(
        cls,
        order: Order,
        patient: Background,
        prescriber: Prescriber,
        reference: Reference,
        today: date,
        limits: Limits,
    ) -> "Case":
        """Resolve the lines; one of unknown codes or an impossible dose is stopped by `line.check`."""
        items = tuple(
            Item(index, line, preparation, frequency)
            for index, line in enumerate(order.lines)
            if possible(line.dose)
            and (preparation := reference.preparations.get(line.preparation))
            and (frequency := reference.frequencies.get(line.frequency))
        )
        return cls(order, patient, prescriber, reference, today, limits, items)

    @cached_property
    def age(self) -> Decimal | None:
        """Years, with the days since the last birthday as a part; None where the birth date is not known."""
        born = self.patient.birth_date
        return None if born is None or born > self.today else years_old(born, self.today)

    @property
    def weight(self) -> Decimal | None:
        """Kilograms, or None; one that no human being has is none."""
        measured = self.patient.weight
        return measured.value if measured and Decimal("0.3") <= measured.value <= 500 else None

    @cached_property
    def diseases(self) -> tuple[Disease, ...]:
        """What the patient has, and what the order is for."""
        named = {_icd(one.icd10): one.name for one in self.patient.conditions}
        for code in self.order.diagnoses:
            found = icd10.lookup(code)
            named.setdefault(_icd(code), found.name if found else code)
        return tuple(Disease(code, name) for code, name in sorted(named.items()))

    def diseases_in(self, spans: tuple[str, ...]) -> Iterator[Disease]:
        """Those that lie in one of the subtrees or spans of ICD-10."""
        return (one for one in self.diseases if any(within(one.code, span) for span in spans))

    def has(self, *spans: str) -> bool:
        """Whether the patient has a disease of these subtrees."""
        return next(self.diseases_in(spans), None) is not None

    def days_since(self, known: Measured | Answered) -> int:
        """How many days old a value or an answer is."""
        moment = known.taken_at if isinstance(known, Measured) else known.answered_at
        return (self.today - moment.astimezone(LOCAL_ZONE).date()).days

    @cached_property
    def gfr(self) -> Decimal | None:
        """The glomerular filtration rate of an adult in ml/min, the lowest that the known values give; None unknown.

        CKD-EPI 2021, and Cockcroft-Gault where the weight is known; without a creatinine the upper end of a known
        stage of chronic kidney disease. For children it would take their height, which is not known.
        """
        if self.age is None or self.age < ADULT:
            return None
        stages = [most for code, most in _STAGES.items() if any(one.code.startswith(code) for one in self.diseases)]
        if self.patient.creatinine and self.patient.creatinine.value > 0:
            creatinine = self.patient.creatinine.value
            stages += kidney_function.rates(creatinine, self.age, self.patient.sex, self.weight)
        return min(stages, default=None)

    @property
    def gfr_is_old(self) -> bool:
        """Whether the creatinine was measured too long ago, or never."""
        measured = self.patient.creatinine
        return measured is None or self.days_since(measured) > self.limits.kidney_days

    def resolve(self, code: str | None) -> frozenset[str]:
        """Codes of the medicines that a code of a medicine, preparation or class means; empty where it is not known."""
        if code is None:
            return frozenset()
        if preparation := self.reference.preparations.get(code):
            return frozenset({preparation.medicine.code})
        return self.reference.members(code)


def possible(dose: Decimal) -> bool:
    """Whether a dose is a number of a size that can be reckoned with."""
    return dose.is_finite() and abs(dose) <= _MOST_DOSE


def within(code: str, span: str) -> bool:
    """Whether an ICD-10 code lies in a subtree ("I10", "K92.2") or span ("I10-I15")."""
    first, _, last = span.partition("-")
    return first <= code[:3] <= last if last else code.startswith(first)


def token(text: str) -> str:
    """A short code for something said in words, so that the words do not stand in a finding's subject."""
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def finding(
    rule: str, item: Item, severity: str, sentence: str, *, source: str, advice: str = "", subject: str = ""
) -> Finding:
    """A finding about one line; its subject is the medicine, and what else tells it from others of the rule."""
    about = f"{item.medicine.code}+{subject}" if subject else item.medicine.code
    return Finding(rule, about, Severity(severity), (item.index,), sentence, advice, source)


class _Harm(Protocol):
    @property
    def severity(self) -> Literal["stop", "warning", "note"]: ...

    @property
    def instead(self) -> str: ...


def advise(fact: _Harm) -> str:
    """What to do instead, as the reference says; nothing has to be done about a note."""
    if fact.instead:
        return f"{fact.instead}。"
    return "" if fact.severity == "note" else "请换一种药，或请专科医生决定。"


def _icd(code: str) -> str:
    return code.strip().upper().rstrip("+*")
