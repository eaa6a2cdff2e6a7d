"""What experts are compared by, as an administrator sets it; who would have come first under other weights. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from backend.consultation.ranking import (
    WEIGHTS,
    Candidate,
    Criterion,
    Need,
    Weights,
    Widening,
    fits,
    score,
    suitable,
    weigh,
)
from backend.consultation.rules import Urgency
from backend.errors import InvalidInput

WHOLE = 100
"""The weights of an urgency in percent, together."""

Percentages = Mapping[Urgency, Mapping[Criterion, int]]

LABELS = MappingProxyType(
    {
        Criterion.EXPERTISE: "专长对口",
        Criterion.AVAILABILITY: "现在有空",
        Criterion.RESPONSE: "应答快",
        Criterion.LOAD: "手上会诊少",
        Criterion.SENIORITY: "资历深",
    }
)
"""The words people read for each criterion."""


def check_percentages(percentages: Percentages) -> Weights:
    """Give percentages as weights.

    Raises:
        InvalidInput: an urgency or a criterion is missing, a number lies outside 0 to 100, or the sum is not 100.
    """
    weights = {}
    for urgency in Urgency:
        row = percentages.get(urgency, {})
        if set(row) != set(Criterion):
            raise InvalidInput(f"“{urgency.label}”要填全{len(Criterion)}项。")
        if any(not 0 <= row[criterion] <= WHOLE for criterion in Criterion):
            raise InvalidInput(f"“{urgency.label}”的每一项只能是0到{WHOLE}。")
        total = sum(row.values())
        if total != WHOLE:
            raise InvalidInput(f"“{urgency.label}”的{len(Criterion)}项加起来是{total}，要正好是{WHOLE}。")
        weights[urgency] = MappingProxyType({criterion: row[criterion] / WHOLE for criterion in Criterion})
    return MappingProxyType(weights)


def as_percentages(weights: Weights) -> dict[Urgency, dict[Criterion, int]]:
    """Give weights as whole percentages, which they were made from."""
    return {
        urgency: {criterion: round(weights[urgency][criterion] * WHOLE) for criterion in Criterion}
        for urgency in Urgency
    }


DEFAULT: Percentages = as_percentages(WEIGHTS)


@dataclass(frozen=True)
class Standing:
    """Where an expert stood when the search of a case began.

    Args:
        step: the narrowest step of the search at which they are asked.
        wait_minutes: until they had time; None where no time was known.
        running: consultations in their hands.
    """

    expert_id: str
    step: Widening
    criteria: Mapping[Criterion, float]
    wait_minutes: float | None
    running: int


_ASKED_AT = (Widening.DISEASE, Widening.DEPARTMENT, Widening.ON_CALL)


def standings(candidates: list[Candidate], need: Need) -> list[Standing]:
    """Give how everybody stands who could be asked at all, in the order of their identifiers."""
    found = []
    for candidate in sorted(suitable(candidates, need), key=lambda one: one.expert_id):
        step = next((one for one in _ASKED_AT if fits(candidate, need, one)), None)
        if step is not None:
            found.append(
                Standing(
                    candidate.expert_id,
                    step,
                    score(candidate, need).criteria,
                    _wait_minutes(candidate, need),
                    candidate.running,
                )
            )
    return found


def first(found: Iterable[Standing], urgency: Urgency, weights: Weights) -> Standing | None:
    """Give who is asked first under these weights: the best of the narrowest step at which there is anybody."""
    held = list(found)
    for step in _ASKED_AT:
        asked = [one for one in held if one.step is step]
        if asked:
            return min(asked, key=lambda one: (-weigh(one.criteria, urgency, weights), one.expert_id))
    return None


def _wait_minutes(candidate: Candidate, need: Need) -> float | None:
    if candidate.on_duty:
        return 0.0
    if candidate.next_free is None:
        return None
    return max(candidate.next_free - need.at, timedelta()) / timedelta(minutes=1)
