"""How likely each disease of the knowledge base is, given a case. For doctors and for choosing questions only: no
patient ever reads a disease from here.

Naive Bayes over the trees of symptoms (``nlu.disease_model``):

    P(d | case) ∝ P(d) · a(d) · r(d) · Π P(s present | d) · Π (1 − P(s | d)) · Π v(d)

with the prior P(d) from the frequency, a(d) from age, sex and pregnancy (0 where the disease cannot be), r(d) from
known diseases, the products over present and denied symptoms (and what is told unasked but was not), and v(d) the
likelihood ratios of measured values (``nlu.vital_evidence``). A symptom with a more general one counts as
P(s | parent, d) beside that parent.

Symptoms are not as independent as the formula takes them: with many findings the first disease comes out too sure. What
is shown to a doctor is calibrated elsewhere; for choosing a question the order is what matters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from nlu.disease_model import OTHER, DiseaseModel, Floats, disease_model
from nlu.facts import CaseFacts
from nlu.types import Sex, Status
from nlu.vital_evidence import measured_signs, vital_ratio

_UNUSUAL_AGE = 0.1
"""How much less often a disease is seen outside its usual ages."""
_OF_PREGNANCY = {Status.POSITIVE: 30.0, Status.NEGATIVE: 0.05}
"""What a known pregnancy does to the odds of its diseases (one patient in thirty is pregnant). She who says that she is
not may not know it yet (宫外孕): unlikely, never impossible."""
_OF_TOLD = {Status.POSITIVE: 8.0, Status.NEGATIVE: 0.3}
"""What it does to the odds of a disease as the cause of this case that the patient has it, or denies it."""


@dataclass(frozen=True)
class Differential:
    """The posterior of one case, and what is needed to weigh a question about any symptom before it is asked.

    ``probabilities`` is over ``model.diseases`` (the last is ``OTHER``) and sums to 1; ``present`` and ``absent`` are
    the rows of ``model.symptoms`` that the case settles. After a further symptom s is found present or absent

        P(d | case, s)  ∝ P(d | case) · likelihood[s, d]        P(d | case, no s) ∝ P(d | case) · (1 − likelihood[s, d])
    """

    model: DiseaseModel
    probabilities: Floats
    present: frozenset[int]
    absent: frozenset[int]

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Which symptoms the case settles: a denied one also denies its kinds."""
        known = np.zeros(len(self.model.symptoms), dtype=bool)
        known[[*self.present, *self.absent, *self._denied_kinds]] = True
        return known

    @cached_property
    def likelihood(self) -> Floats:
        """P(symptom present | case, disease), symptoms × diseases."""
        model = self.model
        likelihood = model.alone.copy()
        unasked = list(model.told_unasked)
        likelihood[unasked] = 1 - (1 - model.alone[unasked]) / model.untold
        open_kinds = [row for row in model.kinds if model.parent[row] in self.present]
        likelihood[open_kinds] = model.given_parent[open_kinds]
        likelihood[list(self.present)] = 1.0
        likelihood[[*self.absent, *self._denied_kinds]] = 0.0
        return likelihood

    @cached_property
    def _denied_kinds(self) -> list[int]:
        return [row for row in self.model.kinds if self.absent & set(self.model.with_parents(row)[1:])]

    def as_dict(self) -> dict[str, float]:
        """Probability of each disease and of ``OTHER``, the likeliest first."""
        order = np.argsort(-self.probabilities, kind="stable")
        names = self.model.diseases
        return dict(zip((names[column] for column in order.tolist()), self.probabilities[order].tolist(), strict=True))

    def top(self, count: int = 5) -> list[tuple[str, float]]:
        """The likeliest diseases with their probabilities, without ``OTHER``."""
        return [pair for pair in self.as_dict().items() if pair[0] != OTHER][:count]


def disease_posterior(facts: CaseFacts) -> dict[str, float]:
    """Probability of every disease of the knowledge base and of ``其他``, the likeliest first; sums to 1."""
    return differential(facts).as_dict()


def differential(facts: CaseFacts, model: DiseaseModel | None = None) -> Differential:
    """The posterior of this case."""
    model = model or disease_model()
    present, absent = _settled(facts, model)
    log = _log_prior(facts, model)
    if present:
        log += _tables(model).present[sorted(present)].sum(axis=0)
    for row in sorted(absent):
        above = model.parent[row]
        table = _tables(model).absent_given_parent if above in present else _tables(model).absent
        log += table[row]
    for place, row in enumerate(model.told_unasked):
        if row not in present and row not in absent:
            log += _tables(model).untold[place]
    log += vital_ratio(facts, model)
    log -= log.max()
    weights = np.exp(log)
    return Differential(model, weights / weights.sum(), frozenset(present), frozenset(absent))


def departments_of(model: DiseaseModel, codes: Sequence[str]) -> Floats:
    """Each disease's shares in the departments ``codes``: diseases × departments.

    What none of the departments sees is spread evenly over them, as is ``OTHER``.
    """
    shares = np.zeros((len(model.diseases), len(codes)))
    for column, disease in enumerate(model.rows):
        shares[column] = [disease.departments.get(code, 0.0) for code in codes]
    total = shares.sum(axis=1, keepdims=True)
    return np.where(total > 0, shares / np.maximum(total, 1e-12), 1 / len(codes))


@dataclass(frozen=True)
class _Tables:
    present: Floats
    absent: Floats
    absent_given_parent: Floats
    untold: Floats


@cache
def _tables(model: DiseaseModel) -> _Tables:
    return _Tables(
        np.log(model.given_parent), np.log1p(-model.alone), np.log1p(-model.given_parent), np.log(model.untold)
    )


def _settled(facts: CaseFacts, model: DiseaseModel) -> tuple[set[int], set[int]]:
    """Rows of present symptoms with all more general ones, and of absent ones that no absent parent says already."""
    signs = measured_signs(facts)
    told = dict.fromkeys(facts.present, Status.POSITIVE) | dict.fromkeys(facts.absent, Status.NEGATIVE)
    told |= {name: Status.POSITIVE if there else Status.NEGATIVE for name, there in signs.items()}
    present: set[int] = set()
    absent: set[int] = set()
    for name, status in told.items():
        row = model.row_of.get(name)
        if row is None:
            continue
        if status is Status.POSITIVE:
            present.update(model.with_parents(row))
        else:
            absent.add(row)
    absent -= present
    return present, {row for row in absent if not absent & set(model.with_parents(row)[1:])}


def _log_prior(facts: CaseFacts, model: DiseaseModel) -> Floats:
    """log P(d) · a(d) · r(d); −∞ where the disease cannot be."""
    factors = model.prior.copy()
    if facts.age_months is not None:
        factors *= _within(model.ages, facts.age_months)
        factors *= np.where(_within(model.usual_ages, facts.age_months), 1.0, _UNUSUAL_AGE)
    if facts.sex is not None:
        factors *= model.female if facts.sex is Sex.FEMALE else model.male
    if facts.pregnancy is not None:
        factors[model.pregnancy] *= _OF_PREGNANCY.get(facts.pregnancy.status, 1.0)
    for told in (*facts.diseases, *facts.operations):
        if told.status is Status.POSITIVE:
            factors *= model.risks.get(told.name, 1.0)
        if told.name in model.diseases:
            factors[model.column(told.name)] *= _OF_TOLD.get(told.status, 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(factors))


def _within(ages: Floats, months: int) -> NDArray[np.bool_]:
    return np.asarray((ages[0] <= months) & (months < ages[1]))
