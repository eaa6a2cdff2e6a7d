"""Our own measures as flat figures for the command that prints all: each a function of the folder of public sets."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.nlu import intents, interview, red_flags, speed
from benchmarks.nlu.patients import sampled
from nlu.embedded import EmbeddedProvider
from nlu.interview import next_question
from nlu.learned_ranking import MODEL
from nlu.models import FOLDER
from nlu.types import Context

_WRITTEN = Path(__file__).parents[2] / "tests" / "nlu" / "data" / "red_flag_cases.json"
_PATIENTS = 500
_SEED = 1


def measure_red_flags(data: Path) -> dict[str, float]:
    """How many of our written cases of danger are found, and how many ordinary sentences of each set are flagged."""
    provider = EmbeddedProvider()
    rows = json.loads(_WRITTEN.read_text("utf-8"))
    found = [
        row["code"] in {flag.code for flag in provider.understand(row["text"], Context()).red_flags} for row in rows
    ]
    flagged, _ = red_flags.measure(data)
    told = {"written cases": float(len(rows)), "written cases found, %": 100 * sum(found) / len(found)}
    return told | {f"flagged in {name}, %": float(str(one["flagged_percent"])) for name, one in flagged.items()}


def measure_interview(_data: Path) -> dict[str, float]:
    """What the interview finds out of patients drawn from the knowledge base."""
    patients = sampled(_PATIENTS, _SEED)
    judged = interview.measure(patients, next_question)
    told = {
        "questions": judged.questions,
        "symptoms found, %": 100 * judged.found,
        "disease among the first three, %": 100 * judged.top3,
        "p99 of a choice, ms": judged.p99_ms,
    }
    return told if judged.department is None else told | {"department right, %": 100 * judged.department}


def measure_diagnosis_text(_data: Path) -> dict[str, float]:
    """The words' part of the ranking in cross-validation, as its training stored it: all dev rows trained it."""
    described = json.loads((FOLDER / f"{MODEL}.json").read_text("utf-8"))
    return {"top-1 accuracy, cross-validation": 100 * float(described["unseen"]["words"]["accuracy"])}


MEASURES: Mapping[str, Callable[[Path], dict[str, float]]] = {
    "diagnosis_text": measure_diagnosis_text,
    "red_flags": measure_red_flags,
    "intents": intents.measure,
    "interview": measure_interview,
    "speed": speed.measure,
}
