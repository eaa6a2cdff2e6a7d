"""How well the intents of our own cases are found: ``python -m benchmarks.nlu.intents``.

The cases (``tests/nlu/data/intent_cases.json``) are written apart from the examples that the model learns from. The
rules alone, without the model, are measured on them in the same run; they give no probabilities. ``--json`` prints one
JSON object, ``--errors`` every case that is missed.
"""

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from data.intent_examples import load_intent_examples
from nlu.embedded import EmbeddedProvider
from nlu.intent_rules import RulesAlone
from nlu.types import Asked, Context, Intent, Slot

CASES = Path(__file__).parents[2] / "tests/nlu/data/intent_cases.json"
_BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with its intent, the one found, how sure (0–1), and the seconds that the whole reading took."""

    text: str
    intent: Intent
    found: Intent
    confidence: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Cases of like confidence: how many, the mean confidence, and the share that is right."""

    cases: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares (0–1) over all cases; the F1 of each intent; ``reliability`` from the least sure to the surest."""

    cases: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    median_milliseconds: float
    f1: dict[str, float]
    reliability: tuple[Bin, ...]


def judge_cases(provider: EmbeddedProvider, path: Path = CASES) -> list[Judged]:
    """Every case as the provider understands it."""
    judged = []
    for row in load_intent_examples(path):
        context = Context(asked=Asked(slot=Slot(row.asked), values=row.symptoms) if row.asked else None)
        for text in row.texts:
            start = time.perf_counter()
            said = provider.understand(text, context)
            spent = time.perf_counter() - start
            judged.append(Judged(text, Intent(row.intent), said.intent, said.confidence, spent))
    return judged


def measured(provider: EmbeddedProvider, path: Path = CASES) -> Figures:
    """The figures of a provider on the cases in ``path``."""
    return figures(judge_cases(provider, path))


def measure(data: Path) -> dict[str, float]:
    """What ``python -m benchmarks.nlu`` prints, in percent; ``data``, the public sets, hold none of our intents."""
    del data
    model, rules = measured(EmbeddedProvider()), measured(EmbeddedProvider(judge=RulesAlone()))
    return {
        "accuracy, %": 100 * model.accuracy,
        "macro-F1, %": 100 * model.macro_f1,
        "expected calibration error, %": 100 * model.calibration_error,
        "rules alone: accuracy, %": 100 * rules.accuracy,
        "rules alone: macro-F1, %": 100 * rules.macro_f1,
    }


def figures(judged: list[Judged]) -> Figures:
    """Accuracy, F1 and the expected calibration error: the mean distance of confidence and accuracy over ten bins."""
    f1 = {intent.value: _f1(judged, intent) for intent in Intent}
    bins = _reliability(judged)
    return Figures(
        cases=len(judged),
        accuracy=statistics.fmean(one.found is one.intent for one in judged),
        macro_f1=statistics.fmean(f1.values()),
        calibration_error=sum(abs(b.confidence - b.accuracy) * b.cases for b in bins) / len(judged),
        median_milliseconds=1000 * statistics.median(one.seconds for one in judged),
        f1=f1,
        reliability=bins,
    )


def _f1(judged: list[Judged], intent: Intent) -> float:
    right = sum(one.intent is one.found is intent for one in judged)
    said = sum(one.found is intent for one in judged) + sum(one.intent is intent for one in judged)
    return 2 * right / said if said else 0.0


def _reliability(judged: list[Judged]) -> tuple[Bin, ...]:
    held: list[list[Judged]] = [[] for _ in range(_BINS)]
    for one in judged:
        held[min(_BINS - 1, int(one.confidence * _BINS))].append(one)
    return tuple(
        Bin(
            len(cases),
            statistics.fmean(one.confidence for one in cases),
            statistics.fmean(one.found is one.intent for one in cases),
        )
        for cases in held
        if cases
    )


def main() -> None:
    """Print the figures of the shipped judge beside those of the rules alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nlu.intents", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    parser.add_argument("--errors", action="store_true", help="every case that the shipped judge misses")
    arguments = parser.parse_args()
    shipped = judge_cases(EmbeddedProvider())
    model, rules = figures(shipped), measured(EmbeddedProvider(judge=RulesAlone()))
    if arguments.json:
        print(json.dumps({"model": asdict(model), "rules_alone": asdict(rules)}))
        return
    for name, own in (("model", model), ("rules alone", rules)):
        print(f"{name:12s} cases {own.cases}  accuracy {own.accuracy:.1%}  macro-F1 {own.macro_f1:.1%}")
    print(f"calibration error of the model {model.calibration_error:.3f}; confidence, accuracy, cases:")
    for one in model.reliability:
        print(f"  {one.confidence:.2f}  {one.accuracy:.2f}  {one.cases}")
    for intent, share in sorted(model.f1.items(), key=lambda item: item[1]):
        print(f"  F1 {share:.2f} (rules {rules.f1[intent]:.2f})  {intent}")
    if arguments.errors:
        for case in (case for case in shipped if case.found is not case.intent):
            print(f"  {case.intent} read as {case.found} ({case.confidence:.2f}): {case.text}")


if __name__ == "__main__":
    main()
