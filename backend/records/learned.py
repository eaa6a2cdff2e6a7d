"""What a consultation has learned of its patient, taken out of its vital signs and facts. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from backend.errors import InvalidInput
from backend.records.rules import PRESSURE, NewObservation, Question, check_pressures, check_value
from data import icd10
from data.observations import observation_kinds

_GLUCOSE_BY_TIMING = {"空腹": "glucose_fasting", "餐后": "glucose_after_meal"}
_POSITIVE, _NEGATIVE = "positive", "negative"
_SEVERE = ("休克", "喉头水肿", "呼吸困难", "昏迷", "抢救", "剥脱")


@dataclass(frozen=True)
class NewAllergy:
    """What a person reacts to, as somebody said it; the code is found by its name where none is given."""

    substance: str = field(repr=False)
    reaction: str = field(default="", repr=False)
    severe: bool = False
    code: str | None = None


@dataclass(frozen=True)
class NewMedicine:
    """What a person takes, as somebody said it; the code is found by its name where none is given."""

    name: str = field(repr=False)
    dose: str = field(default="", repr=False)
    code: str | None = None


@dataclass(frozen=True)
class NewCondition:
    """A disease that a person has; `icd10` is empty where the words fit no code."""

    name: str = field(repr=False)
    icd10: str = field(default="", repr=False)


@dataclass(frozen=True)
class Learned:
    """What one consultation tells of its patient; `answers` are yes or no to what was asked."""

    observations: tuple[NewObservation, ...] = ()
    allergies: tuple[NewAllergy, ...] = ()
    medicines: tuple[NewMedicine, ...] = ()
    conditions: tuple[NewCondition, ...] = ()
    answers: tuple[tuple[Question, bool], ...] = ()


def learn(vitals: Mapping[str, Any], facts: Mapping[str, Any]) -> Learned:
    """Give what a case's vital signs (`consultation.vitals`) and facts (as `nlu` writes them) tell for good.

    What was measured by a doctor outweighs what the patient said. A value that cannot be is left where it is: in the
    case. A statement that was neither affirmed nor denied says nothing.
    """
    said = {**facts.get("vitals", {}), "temperature": facts.get("temperature")}
    pregnant = facts.get("pregnancy", {}).get("status")
    denied = facts.get("denies", ())
    answers = [
        *((question, False) for slot, question in _DENIALS.items() if slot in denied),
        *([(Question.PREGNANT, pregnant == _POSITIVE)] if pregnant in (_POSITIVE, _NEGATIVE) else []),
    ]
    return Learned(
        observations=_consistent((*_measured(said), *_measured(vitals))),
        allergies=tuple(NewAllergy(name, severe=_is_severe(text)) for name, text in _affirmed(facts, "allergies")),
        medicines=tuple(NewMedicine(name) for name, _ in _affirmed(facts, "drugs")),
        conditions=tuple(NewCondition(name, icd10_code(name)) for name, _ in _affirmed(facts, "diseases")),
        answers=tuple(answers),
    )


_DENIALS = {"allergies": Question.ALLERGIES, "drugs": Question.MEDICINES}


def icd10_code(name: str) -> str:
    """Give the code of the disease that is called exactly so, or ""."""
    found = next(iter(icd10.search(name, limit=1)), None)
    return found.code if found is not None and name in (found.name, *found.aliases) else ""


def kind_of_vital(code: str, glucose_timing: str | None) -> str:
    """Give the kind of observation of a vital sign of `consultation.vitals`; glucose has one for each time of day."""
    return _GLUCOSE_BY_TIMING.get(glucose_timing or "", code) if code == "glucose" else code


def _measured(vitals: Mapping[str, Any]) -> Iterator[NewObservation]:
    timing = vitals.get("glucose_timing")
    for code, value in vitals.items():
        key = kind_of_vital(code, timing)
        kind = observation_kinds().get(key)
        if kind is None or value is None:
            continue
        try:
            yield NewObservation(key, check_value(kind, str(value)))
        except InvalidInput:
            continue


def of_vitals(vitals: Mapping[str, Any]) -> list[NewObservation]:
    """Give the vital signs of `consultation.vitals` as observations; what cannot be is left out."""
    return list(_consistent(_measured(vitals)))


def _consistent(given: Iterable[NewObservation]) -> tuple[NewObservation, ...]:
    """Give what was measured, but no pressures where the patient's and the doctor's make no pair."""
    measured = {one.kind: one for one in given}
    try:
        check_pressures({key: Decimal(one.value) for key, one in measured.items() if key in PRESSURE})
    except InvalidInput:
        return tuple(one for key, one in measured.items() if key not in PRESSURE)
    return tuple(measured.values())


def _is_severe(text: str) -> bool:
    return any(word in text for word in _SEVERE)


def _affirmed(facts: Mapping[str, Any], slot: str) -> Iterator[tuple[str, str]]:
    for statement in facts.get(slot, ()):
        if statement.get("status", _POSITIVE) == _POSITIVE:
            yield statement["name"], statement.get("text", "")
