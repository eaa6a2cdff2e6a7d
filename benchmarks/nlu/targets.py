"""What the figures of the language understanding are measured against: baselines, and what they are to reach.

Baselines are the simple supervised methods on the held-out split of the same sets (character CRF, logistic regression),
keyword search for the cardiology windows, voting over an untrained graph for the groups of departments.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A baseline, what to reach, and whether that is the most there may be rather than the least."""

    baseline: float | None = None
    reach: float | None = None
    at_most: bool = False


@dataclass(frozen=True)
class Figure:
    """One figure: of which measure, its name with its unit, and what it is held against."""

    of: str
    name: str
    value: float
    baseline: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    def to_json(self) -> dict[str, float | bool | None]:
        """What a program wants to know."""
        return {
            "value": round(self.value, 3),
            "baseline": self.baseline,
            "target": self.target,
            "at_most": self.at_most,
            "reached": self.reached,
        }


TARGETS: Mapping[str, Mapping[str, Target]] = {
    "symptoms": {
        "name F1": Target(91.5, 93),
        "name+status F1": Target(79.3, 84),
        "present F1": Target(84.7, 88),
    },
    "answers": {"status accuracy": Target(72.3, 80), "status macro-F1": Target(67.8, 76)},
    "cardiology_window": {"item F1": Target(17.5, 65), "item+status F1": Target(None, 50)},
    "department": {
        "top-1 accuracy": Target(None, 60),
        "top-3 accuracy": Target(None, 85),
        "group accuracy": Target(44.1, 75),
    },
    "diagnosis": {
        "top-1 accuracy mz4": Target(73.6, 75),
        "top-1 accuracy mz10": Target(67.3, 69),
        "top-1 accuracy dxy": Target(None, 75),
    },
    "diagnosis_text": {"top-1 accuracy, cross-validation": Target(65.9, 70)},
    "intent": {"accuracy": Target(76.1), "macro-F1": Target(71.4)},
    "entities": {"span F1": Target(82.2)},
    "red_flags": {
        "written cases": Target(None, 80),
        "written cases found, %": Target(None, 100),
        "flagged in symptoms_dev, %": Target(None, 2, at_most=True),
        "flagged in diagnosis_text_dev, %": Target(None, 2, at_most=True),
        "flagged in intent_dialogue_dev, %": Target(None, 2, at_most=True),
    },
    "speed": {
        "p50, ms": Target(None, 3, at_most=True),
        "p99, ms": Target(None, 15, at_most=True),
        "sentences a second": Target(None, 300),
        "memory, MB": Target(None, 400, at_most=True),
    },
}


def figures(of: str, values: Mapping[str, float]) -> list[Figure]:
    """The values of a measure beside what they are held against."""
    targets = TARGETS.get(of, {})
    found = []
    for name, value in values.items():
        target = targets.get(name, Target())
        found.append(Figure(of, name, value, target.baseline, target.reach, target.at_most))
    return found
