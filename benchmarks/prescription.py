"""Checking a prescription of five medicines against ten that are taken, and finding a medicine by what is typed.

    nice python -m benchmarks.prescription [--rounds 500] [--json]

Two patients who take the same ten medicines: one with nothing else, and one with diseases, allergies and bad kidneys.
Milliseconds are of one processor.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from backend.prescription.checks import check
from backend.prescription.rules import Line, Order, Prescriber
from backend.records.background import Allergy, Answered, Background, Condition, CurrentMedicine, Measured
from data.drugs import Reference, load_reference

_TARGETS = {"five_medicines_ms": 5}
_TODAY = date(2026, 11, 22)
_THEN = datetime(2026, 11, 20, tzinfo=UTC)
_DOCTOR = Prescriber("doctor", "主治医师", frozenset({"non_restricted", "restricted"}))
_ORDERED = ("amoxicillin", "ambroxol", "ibuprofen", "loratadine", "omeprazole")
_TAKEN = (
    "amlodipine",
    "valsartan",
    "hydrochlorothiazide",
    "metformin",
    "glimepiride",
    "atorvastatin",
    "aspirin",
    "warfarin",
    "digoxin",
    "levothyroxine",
)
_TYPED = {
    "initials": "amxl",
    "name": "阿莫西林",
    "slip": "阿墨西林",
    "misspelt_pinyin": "amuoxilin",
    "nothing": "今天天气很好",
}


def measure(rounds: int) -> dict[str, object]:
    """Load the reference, check both patients' prescriptions and search, each `rounds` times."""
    began = time.process_time()
    reference = load_reference()
    loaded = time.process_time() - began
    order = Order(tuple(_line(reference, code) for code in _ORDERED), ("J03.9", "I10"), in_person=True)
    usual = Background(
        "patient",
        birth_date=date(1960, 5, 1),
        sex="male",
        weight=Measured(Decimal(70), _THEN),
        creatinine=Measured(Decimal(80), _THEN),
        alt=Measured(Decimal(20), _THEN),
        pregnant=Answered(False, _THEN),
        lactating=Answered(False, _THEN),
        allergies_asked=_THEN,
        medicines_asked=_THEN,
        medicines=tuple(CurrentMedicine(reference.name_of(code), code) for code in _TAKEN),
    )
    ill = replace(
        usual,
        creatinine=Measured(Decimal(250), _THEN),
        allergies=(Allergy("青霉素", "penicillins"), Allergy("阿司匹林", "aspirin"), Allergy("草珊瑚", None)),
        conditions=tuple(Condition(code, code) for code in ("I10", "E11.9", "I50.9", "K25.9", "N18.4", "J45.9")),
    )
    return {
        "medicines": len(reference.medicines),
        "preparations": len(reference.preparations),
        "interactions": len(reference.interactions),
        "load_ms": round(loaded * 1000, 1),
        "five_medicines_ms": {
            "usual": _timed(lambda: check(order, usual, _DOCTOR, reference, _TODAY), rounds),
            "ill": _timed(lambda: check(order, ill, _DOCTOR, reference, _TODAY), rounds),
        },
        "findings": {
            "usual": len(check(order, usual, _DOCTOR, reference, _TODAY)),
            "ill": len(check(order, ill, _DOCTOR, reference, _TODAY)),
        },
        "search_ms": {name: _timed(partial(reference.search, typed), rounds) for name, typed in _TYPED.items()},
        "targets": _TARGETS,
    }


def _line(reference: Reference, code: str) -> Line:
    preparation = reference.preparations_of(code)[0]
    dose = next(one for one in preparation.medicine.doses if one.ages[1] is None)
    return Line(preparation.code, dose.time[0], dose.frequencies[0], preparation.routes[0], 7)


def _timed(work: Callable[[], object], rounds: int) -> dict[str, float]:
    work()
    took = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        took.append((time.process_time() - began) * 1000)
    return {"median": round(statistics.median(took), 2), "p95": round(statistics.quantiles(took, n=20)[-1], 2)}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = measure(arguments.rounds)
    if arguments.json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    for name, value in figures.items():
        print(f"{name}: {value}")


if __name__ == "__main__":
    main()
