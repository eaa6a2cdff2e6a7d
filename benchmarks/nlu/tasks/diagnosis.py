"""Rank the diseases of the symptom sets (mz4, mz10, dxy) as the doctor's ranking does, from all findings of a row.

The ranking is that of the product. Only its idea of how often a clinic sees each disease gives way to the set's own
mix: that of the training rows for mz4 and mz10, none for dxy, which nothing was learned from.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from data.clinical_language import clinical_language
from nlu.disease_probability import COMPLAINTS, disease_probabilities, prior_probabilities
from nlu.embedded import EmbeddedProvider
from nlu.facts import CaseFacts
from nlu.training.names import our_findings
from nlu.types import Context, Relation, Statement, Status, SymptomMention

_MIX: dict[str, dict[str, float]] = {
    "mz4": {"小儿支气管炎": 303, "上呼吸道感染": 299, "小儿腹泻": 252, "小儿消化不良": 205},
    "mz10": {
        "小儿支气管炎": 347,
        "小儿发热": 336,
        "小儿腹泻": 318,
        "上呼吸道感染": 297,
        "小儿消化不良": 297,
        "小儿感冒": 281,
        "小儿咳嗽": 232,
        "新生儿黄疸": 180,
        "小儿便秘": 139,
        "小儿支气管肺炎": 124,
    },
    "dxy": dict.fromkeys(("上呼吸道感染", "小儿手足口病", "小儿腹泻", "过敏性鼻炎", "肺炎"), 1),
}
"""The diseases of each set, with their numbers among the training rows; equal where none may be counted."""

_DXY: dict[str, tuple[str, ...]] = {
    "上呼吸道感染": ("上呼吸道感染", "感冒", "小儿感冒"),
    "小儿手足口病": ("手足口病",),
    "小儿腹泻": ("小儿腹泻", "轮状病毒感染", "肠炎", "肠胃炎"),
    "过敏性鼻炎": ("过敏性鼻炎",),
    "肺炎": ("肺炎", "支气管肺炎", "支原体肺炎", "新生儿肺炎"),
}


def answer(row: dict[str, Any]) -> dict[str, Any]:
    """``diseases``, the likeliest first, among those of the row's set."""
    scores = _scores(row)
    return {"diseases": sorted(scores, key=lambda label: -scores[label])}


def first_with_probability(row: dict[str, Any]) -> tuple[str, float]:
    """The likeliest disease of the row's set, and its probability when it must be one of these."""
    scores = _scores(row)
    first = max(scores, key=lambda label: scores[label])
    return first, scores[first] / sum(scores.values())


def _scores(row: dict[str, Any]) -> dict[str, float]:
    told = our_findings(row["explicit"])
    facts = _facts({**our_findings(row["implicit"]), **told}, row.get("self_report", ""))
    probabilities = disease_probabilities(facts, row.get("self_report", ""), told)
    speaks_of = _DXY if row["source"] == "dxy" else COMPLAINTS
    return {label: _likelier(probabilities, speaks_of[label]) * share for label, share in _MIX[row["source"]].items()}


def _likelier(probabilities: Mapping[str, float], names: Sequence[str]) -> float:
    """How much likelier than before it has become that it is one of these diseases."""
    return sum(probabilities[name] for name in names) / sum(prior_probabilities()[name] for name in names)


def _facts(findings: Mapping[str, str], self_report: str) -> CaseFacts:
    """What the row names, and what its self-report says beyond that."""
    facts = CaseFacts()
    if self_report:
        context = Context(patient_relation=Relation.CHILD)
        facts = facts.merge(_provider().understand(self_report, context), context)
    named = {name: Status(status) for name, status in findings.items()}
    return facts.model_copy(
        update={
            "relation": Relation.CHILD,
            "symptoms": (
                *(mention for mention in facts.symptoms if mention.name not in named),
                *(SymptomMention(name=name, text=name, status=status) for name, status in named.items()),
            ),
            "diseases": (
                *(statement for statement in facts.diseases if statement.name not in named),
                *(Statement(name=name, text=name, status=named[name]) for name in named if name in _diseases()),
            ),
        }
    )


@cache
def _provider() -> EmbeddedProvider:
    return EmbeddedProvider()


@cache
def _diseases() -> frozenset[str]:
    return frozenset(disease.name for disease in clinical_language().diseases)
