"""The knowledge base as arrays, and what a case says in its terms.

The symptoms form trees: 右下腹痛 is a kind of 下腹痛, that of 腹痛 (``symptom_kinds.json``). With ``share[s, d]``, the
share that the knowledge base gives,

    P(s | d)           = share[s, d] + (1 − share[s, d]) · leak[s]                       s without a more general one
    P(s | parent, d)   = max(share[s, d] / P(parent | d), stray[s])                      s a kind of parent

``leak[s]`` is the chance that a patient has the symptom for another reason than the disease: a part of its base rate
among all patients, within limits. ``stray[s]`` is the same for a kind: how often a pain in the belly that the row says
no more of happens to be in its upper part. So a case that tells both kind and parent counts the parent once.

What is told unasked (a burn, a fall) speaks by not being told, too: P(not told | d) = 1 − 0.9 · P(s | d).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from data.clinical_language import clinical_language
from data.diseases import Disease
from data.knowledge import knowledge_base

Floats = NDArray[np.float64]

OTHER = "其他"
"""Whatever the knowledge base does not hold."""

PRIORS = {"very_common": 0.03, "common": 0.008, "occasional": 0.002, "rare": 0.0005}
"""How often a township clinic sees one disease of each kind, among its patients: orders of magnitude, a judgement."""

OTHER_PRIOR = 0.1
"""Share of patients with something that the knowledge base does not hold; their symptoms come at the base rates."""

_LEAK_PART = 0.25
_LEAK_LIMITS = (0.003, 0.03)
_STRAY_PART = 0.5
_STRAY_LIMITS = (0.03, 0.15)
_CERTAIN = 0.97
"""No symptom is in more than this share of patients, whatever adds up: absence never excludes a disease."""


_TOLD_UNASKED = (
    "烧烫伤",
    "头部外伤",
    "严重外伤",
    "跌倒",
    "扭伤",
    "骨折",
    "伤口",
    "鱼刺卡喉",
    "气道异物",
    "狗咬伤",
    "农药中毒",
    "中暑",
)
"""What nobody who seeks help leaves out: when it is not told, nine times in ten it did not happen."""
_TOLD = 0.9


@dataclass(frozen=True, eq=False)  # compared and cached by identity: one model is like no other
class DiseaseModel:
    """``diseases`` and ``symptoms`` name the axes; the last column of every array is ``OTHER``.

    ``alone`` is P(symptom | disease) when nothing is known of more general symptoms, ``given_parent`` the same when its
    parent is present (for a symptom without parent both are equal); ``parent`` is the row of the parent or −1;
    ``prior`` sums to 1.
    """

    rows: tuple[Disease, ...]
    diseases: tuple[str, ...]
    symptoms: tuple[str, ...]
    row_of: dict[str, int]
    parent: NDArray[np.intp]
    prior: Floats
    alone: Floats
    given_parent: Floats
    base: Floats
    """P(symptom) over all patients."""
    told_unasked: tuple[int, ...]
    """Rows of what is told without being asked: 烧烫伤, 跌倒 …"""
    untold: Floats
    """P(not told | disease) = 1 − 0.9 · P(s | disease) for each of ``told_unasked``."""
    kinds: tuple[int, ...]
    """Rows that have a parent, parents before their kinds."""
    ages: Floats
    """Two rows, months from and below which each disease occurs; ``usual_ages`` the same for most patients."""
    usual_ages: Floats
    female: Floats
    """1 where women can have it, else 0; ``male`` the same for men."""
    male: Floats
    pregnancy: NDArray[np.bool_]
    risks: dict[str, Floats]
    """For a known disease how many times likelier it makes each disease."""

    def column(self, disease: str) -> int:
        """The column of a disease; ``KeyError`` where the knowledge base lacks it."""
        try:
            return self.diseases.index(disease)
        except ValueError:
            raise KeyError(disease) from None

    def with_parents(self, row: int) -> list[int]:
        """The symptom and all more general ones."""
        found = [row]
        while self.parent[found[-1]] >= 0:
            found.append(int(self.parent[found[-1]]))
        return found


@cache
def disease_model() -> DiseaseModel:
    """The shipped knowledge base as arrays."""
    return build_model(knowledge_base(), clinical_language().kinds)


def build_model(rows: tuple[Disease, ...], kinds: dict[str, str]) -> DiseaseModel:
    """The arrays of these diseases; ``kinds`` gives for a symptom the more general one."""
    names = {name for row in rows for name in row.symptoms}
    for name in list(names):
        while (name := kinds.get(name, "")) and name not in names:
            names.add(name)
    symptoms = tuple(sorted(names, key=lambda name: (_depth(name, kinds), name)))  # parents before their kinds
    row_of = {name: row for row, name in enumerate(symptoms)}
    parent = np.array([row_of.get(kinds.get(name, ""), -1) for name in symptoms], dtype=np.intp)
    prior = np.array([PRIORS[row.frequency] for row in rows] + [0.0])
    prior *= (1 - OTHER_PRIOR) / prior.sum()
    prior[-1] = OTHER_PRIOR
    share = np.zeros((len(symptoms), len(rows) + 1))
    for column, disease in enumerate(rows):
        for name, value in disease.symptoms.items():
            share[row_of[name], column] = value
    _lift_parents(share, parent)
    base = share[:, :-1] @ prior[:-1] / (1 - OTHER_PRIOR)
    share[:, -1] = base
    alone, given_parent = _likelihoods(share, base, parent)
    told_unasked = tuple(row_of[name] for name in _TOLD_UNASKED if name in row_of)
    return DiseaseModel(
        rows=rows,
        diseases=(*(row.name for row in rows), OTHER),
        symptoms=symptoms,
        row_of=row_of,
        parent=parent,
        prior=prior,
        alone=alone,
        given_parent=given_parent,
        base=base,
        told_unasked=told_unasked,
        untold=1 - _TOLD * alone[list(told_unasked)],
        kinds=tuple(row for row, above in enumerate(parent) if above >= 0),
        ages=_limits([row.ages for row in rows]),
        usual_ages=_limits([row.usual_ages for row in rows]),
        female=np.array([*(row.sex != "male" for row in rows), True], dtype=np.float64),
        male=np.array([*(row.sex != "female" for row in rows), True], dtype=np.float64),
        pregnancy=np.array([*(row.pregnancy for row in rows), False]),
        risks=_risks(rows),
    )


def _limits(ages: list[tuple[int | None, int | None]]) -> Floats:
    pairs = [(-np.inf if low is None else low, np.inf if high is None else high) for low, high in ages]
    return np.array([*pairs, (-np.inf, np.inf)]).T


def _risks(rows: tuple[Disease, ...]) -> dict[str, Floats]:
    risks: dict[str, Floats] = {}
    for column, row in enumerate(rows):
        for name, times in row.risks.items():
            risks.setdefault(name, np.ones(len(rows) + 1))[column] = times
    return risks


def _depth(name: str, kinds: dict[str, str]) -> int:
    return 0 if name not in kinds else 1 + _depth(kinds[name], kinds)


def _lift_parents(share: Floats, parent: NDArray[np.intp]) -> None:
    """A disease shows a symptom at least as often as each of its kinds."""
    for row in range(len(parent) - 1, -1, -1):
        if parent[row] >= 0:
            share[parent[row]] = np.maximum(share[parent[row]], share[row])


def _likelihoods(share: Floats, base: Floats, parent: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """P(symptom | disease) and P(symptom | parent present, disease)."""
    leak = np.clip(_LEAK_PART * base, *_LEAK_LIMITS)[:, None]
    alone = np.minimum(share + (1 - share) * leak, _CERTAIN)
    given_parent = alone.copy()
    for row, above in enumerate(parent):
        if above < 0:
            continue
        stray = np.clip(_STRAY_PART * base[row] / base[above], *_STRAY_LIMITS)
        given_parent[row] = np.clip(share[row] / alone[above], stray, _CERTAIN)
        alone[row] = given_parent[row] * alone[above]
    return alone, given_parent
