"""Simulated patients: cases whose symptoms are known, told in part at first and in part when they are asked for."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from data.questions import questions
from nlu.disease_model import DiseaseModel, disease_model
from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.types import Context, Duration, Question, Relation, Sex, Slot, Status, SymptomMention

_CHILD_MONTHS = 36
_OLDEST_MONTHS = 90 * 12
_HISTORIES = (Slot.PAST_HISTORY, Slot.DRUGS, Slot.ALLERGIES)
_FEWEST_PRESENT = 3
_MOST_TOLD = 2


@dataclass(frozen=True)
class Patient:
    """A case.

    ``facts`` is what is told first, ``truth`` the status of symptoms, ``silent`` the status of all others; ``disease``
    is a disease of the knowledge base.
    """

    disease: str
    facts: CaseFacts
    truth: dict[str, Status]
    silent: Status

    @property
    def hidden(self) -> set[str]:
        """The symptoms that are present and were not told at first."""
        return {name for name, status in self.truth.items() if status is Status.POSITIVE} - set(self.facts.present)

    def answer(self, question: Question, facts: CaseFacts) -> CaseFacts:
        """What is known after the answer to ``question``: true, complete, and about what was asked alone."""
        if question.slot is Slot.SYMPTOM:
            return _with(facts, {name: self.truth.get(name, self.silent) for name in question.values})
        if question.slot is Slot.LOCATION:
            tells = next(rule.tells for rule in questions() if rule.id == question.id)
            there = [name for name in tells if self.truth.get(name) is Status.POSITIVE]
            return _with(facts, dict.fromkeys(there, Status.POSITIVE))
        if question.slot is Slot.DURATION:
            return facts.model_copy(update={"duration": Duration(value=3, unit="天", days=3, text="三天")})
        if question.slot in _HISTORIES:
            return facts.model_copy(update={"denies": tuple(dict.fromkeys((*facts.denies, *_HISTORIES)))})
        return facts


def _with(facts: CaseFacts, statuses: dict[str, Status]) -> CaseFacts:
    kept = [mention for mention in facts.symptoms if mention.name not in statuses]
    new = [SymptomMention(name=name, text="", status=status) for name, status in statuses.items()]
    return facts.model_copy(update={"symptoms": (*kept, *new), "unclear": ()})


def sampled(count: int, seed: int) -> list[Patient]:
    """Patients drawn from the knowledge base: a disease by its frequency, an age and a sex that it allows, symptoms by
    their shares; one or two of the symptoms are told first, everything else is answered truly."""
    model, dice = disease_model(), np.random.default_rng(seed)
    prior = model.prior[:-1] / model.prior[:-1].sum()
    patients: list[Patient] = []
    while len(patients) < count:
        column = int(dice.choice(len(prior), p=prior))
        present = _draw_symptoms(model, column, dice)
        if len(present) >= _FEWEST_PRESENT:
            patients.append(_sampled_patient(model, column, present, dice))
    return patients


def _draw_symptoms(model: DiseaseModel, column: int, dice: np.random.Generator) -> list[int]:
    present: list[int] = []
    for row, above in enumerate(model.parent):  # parents before their kinds
        if above >= 0 and above not in present:
            continue
        chance = model.alone[row, column] if above < 0 else model.given_parent[row, column]
        if dice.random() < chance:
            present.append(row)
    return present


def _sampled_patient(model: DiseaseModel, column: int, present: list[int], dice: np.random.Generator) -> Patient:
    shares = model.alone[present, column]
    told = dice.choice(present, size=int(dice.integers(1, _MOST_TOLD + 1)), replace=False, p=shares / shares.sum())
    lowest, below = model.usual_ages[:, column]
    age = dice.uniform(max(lowest, 0), min(below, _OLDEST_MONTHS))
    sexes = [sex for sex, may in ((Sex.FEMALE, model.female), (Sex.MALE, model.male)) if may[column]]
    facts = CaseFacts(
        age_months=int(age),
        sex=sexes[int(dice.integers(len(sexes)))],
        relation=Relation.CHILD if age < 14 * 12 else Relation.SELF,
    )
    truth = {model.symptoms[row]: Status.POSITIVE for row in present}
    first = {model.symptoms[row]: Status.POSITIVE for row in told}
    return Patient(model.diseases[column], _with(facts, first), truth, Status.NEGATIVE)


def recorded(path: Path, count: int | None = None) -> list[Patient]:
    """The children of a file of diagnosis rows (mz4 and mz10) whose disease the knowledge base holds.

    The explicit symptoms are told first, the implicit ones are known to the patient, of all others they are not sure.
    The rows give no age: three years is told.
    """
    patients: list[Patient] = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        disease = _disease(row["disease"])
        explicit = _statuses(row["explicit"])
        if not row["source"].startswith("mz") or disease is None or Status.POSITIVE not in explicit.values():
            continue
        facts = _with(CaseFacts(age_months=_CHILD_MONTHS, relation=Relation.CHILD), explicit)
        patients.append(Patient(disease, facts, {**_statuses(row["implicit"]), **explicit}, Status.UNKNOWN))
    return patients[:count]


@cache
def _provider() -> EmbeddedProvider:
    return EmbeddedProvider()


@cache
def _symptom(name: str) -> str | None:
    """Our name for a symptom of the set."""
    said = _provider().understand(name, Context())
    return next((mention.name for mention in said.symptoms), None)


@cache
def _disease(name: str) -> str | None:
    """Our name for a disease of the set; ``None`` where the knowledge base lacks it."""
    if name in disease_model().diseases:
        return name
    said = _provider().understand(name, Context())
    return next((told.name for told in said.diseases if told.name in disease_model().diseases), None)


def _statuses(row: dict[str, str]) -> dict[str, Status]:
    found: dict[str, Status] = {}
    for name, status in row.items():
        if (own := _symptom(name)) is not None and found.get(own) is not Status.POSITIVE:
            found[own] = Status(status)
    return found
