"""How much the answer to a question is worth before it is given.

A question after symptoms s₁…s_k has 2^k answers. With P(answer) and P(disease | case, answer) from the knowledge base
(``nlu.posterior``), its worth is the sum of

- the expected drop of the entropy of the department, in bits (``DEPARTMENT_WEIGHT``),
- the expected drop of the entropy of the disease, in bits (``DISEASE_WEIGHT``),
- the expected rise of the triage level, in levels (``URGENCY_WEIGHT``): how likely an answer completes a danger sign.

Information gain is the usual criterion for the next test in diagnosis (Gorry and Barnett, Comput Biomed Res
1968;1:490–507).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from data.conditions import Condition
from data.departments import departments
from data.red_flags import red_flags
from data.urgency import urgency_rules
from nlu.conditions import missing
from nlu.directions import CHILD_BELOW_MONTHS
from nlu.disease_model import Floats, disease_model
from nlu.facts import CaseFacts
from nlu.posterior import departments_of, differential
from nlu.red_flags import assess_red_flags
from nlu.triage import assess_urgency

DEPARTMENT_WEIGHT = 1.0
DISEASE_WEIGHT = 0.5
"""A department too many sends somebody the wrong way; which disease it is the doctor will find out by examining too."""
URGENCY_WEIGHT = 2.0
"""One level more of urgency is worth as much as two bits about the department."""
_NEGLIGIBLE = 1e-3
"""A disease so much less likely than the likeliest changes no choice of a question."""
_UNUSUAL = 0.01
"""Chance of a finding that the knowledge base gives to no disease."""


@dataclass(frozen=True, slots=True)
class Gain:
    """What a question promises: bits about department and disease, and levels of urgency.

    ``chance`` is how likely anything that it asks for is there.
    """

    department: float
    disease: float
    urgency: float
    chance: float = 1.0

    @property
    def total(self) -> float:
        """The weighted sum."""
        return DEPARTMENT_WEIGHT * self.department + DISEASE_WEIGHT * self.disease + URGENCY_WEIGHT * self.urgency


def expected_gains(facts: CaseFacts, questions: Sequence[tuple[str, ...]]) -> list[Gain]:
    """The gain of asking for each of these groups of symptoms, none of which is known yet; at most four in a group.

    Somebody comes because of what they complain of: of the diseases only those count that show one of the symptoms
    present. Where the knowledge base has none, only danger signs are worth a question.
    """
    case = _Case.of(facts)
    gains = [Gain(0.0, 0.0, 0.0)] * len(questions)
    for size in {len(group) for group in questions}:
        places = [place for place, group in enumerate(questions) if len(group) == size]
        for place, gain in zip(places, _gains_of_size(case, [questions[place] for place in places]), strict=True):
            gains[place] = gain
    return gains


@dataclass(frozen=True)
class _Case:
    """What the gains are worked out from, cut down to the diseases that matter.

    ``likelihood`` is symptoms × diseases, ``shares`` diseases × departments, ``rises`` levels of urgency by symptom.
    """

    probabilities: Floats
    likelihood: Floats
    shares: Floats
    rises: dict[str, int]
    row_of: dict[str, int]

    @classmethod
    def of(cls, facts: CaseFacts) -> "_Case":
        """The case with the diseases that explain a complaint."""
        found = differential(facts)
        weights = found.probabilities * _shows()[sorted(found.present)].any(axis=0)
        columns = np.flatnonzero(weights > _NEGLIGIBLE * weights.max()) if weights.any() else np.array([], dtype=int)
        shares = _departments()[columns]
        return cls(
            probabilities=weights[columns] / max(weights[columns].sum(), 1e-12),
            likelihood=found.likelihood[:, columns],
            shares=shares[:, :0] if _is_child(facts) else shares[:, shares.any(axis=0)],
            rises=rising_findings(facts),
            row_of=found.model.row_of,
        )

    def chances(self, name: str) -> Floats:
        """P(symptom | disease) for each disease."""
        row = self.row_of.get(name)
        return np.full(len(self.probabilities), _UNUSUAL) if row is None else self.likelihood[row]


def rising_findings(facts: CaseFacts) -> dict[str, int]:
    """For each finding that alone would make the case more urgent: by how many levels."""
    level = assess_urgency(facts, assess_red_flags(facts)).level
    present = frozenset(facts.present)
    rises: dict[str, int] = {}
    for of_rule, condition in _levels():
        if of_rule < level:
            for name in missing(condition, facts, present):
                rises[name] = max(rises.get(name, 0), level - of_rule)
    return rises


def _gains_of_size(case: _Case, groups: list[tuple[str, ...]]) -> list[Gain]:
    """The gains of groups of the same size, all at once."""
    answers = np.array(list(product((True, False), repeat=len(groups[0]))))
    likelihood = np.array([[case.chances(name) for name in group] for group in groups])
    rise = np.array([[case.rises.get(name, 0) for name in group] for group in groups])
    joint = np.broadcast_to(case.probabilities, (len(groups), len(answers), len(case.probabilities)))
    for place in range(len(groups[0])):
        present = likelihood[:, None, place]
        joint = joint * np.where(answers[None, :, place, None], present, 1 - present)  # groups × answers × diseases
    chance = joint.sum(axis=2)
    after = joint / np.maximum(chance, 1e-12)[..., None]
    disease = _information(case.probabilities, chance, after)
    department = _information(case.probabilities @ case.shares, chance, after @ case.shares)
    urgency = (chance * np.where(answers, rise[:, None], 0).max(axis=2)).sum(axis=1)
    return [
        Gain(*map(float, values))
        for values in zip(department, disease, urgency, 1 - chance[:, -1], strict=True)  # the last answer: none of it
    ]


def _information(now: Floats, chance: Floats, after: Floats) -> Floats:
    """H(now) − Σ P(answer) · H(after answer), in bits, never below 0."""
    return np.asarray(np.maximum(_entropy(now) - (chance * _entropy(after)).sum(axis=1), 0.0))


def _entropy(shares: Floats) -> Floats:
    return np.asarray(-(shares * np.log2(np.maximum(shares, 1e-12))).sum(axis=-1))


def _is_child(facts: CaseFacts) -> bool:
    """Children go to paediatrics whatever it is: there is no department to find."""
    return facts.age_months is not None and facts.age_months < CHILD_BELOW_MONTHS


@cache
def _levels() -> tuple[tuple[int, Condition], ...]:
    """Every condition that decides how urgent a case is, with its level."""
    flags = [(rule.level, condition) for rule in red_flags() for condition in rule.when]
    return (*flags, *((rule.level, condition) for rule in urgency_rules() for condition in rule.when))


@cache
def _departments() -> Floats:
    """Each disease's shares in all departments."""
    return departments_of(disease_model(), tuple(departments()))


@cache
def _shows() -> NDArray[np.bool_]:
    """Which symptoms each disease shows, itself or a kind of it; symptoms × diseases, OTHER showing none."""
    model = disease_model()
    shows = np.zeros((len(model.symptoms), len(model.diseases)), dtype=bool)
    for column, disease in enumerate(model.rows):
        for name in disease.symptoms:
            shows[model.with_parents(model.row_of[name]), column] = True
    return shows
