"""How good the interview is, beside what it replaced and beside chance.

``python -m benchmarks.nlu.interview [--data DIR] [--count N] [--seed N] [--json]``

Simulated patients (``benchmarks.nlu.patients``) go through whole interviews: drawn from the knowledge base, and with
``--data`` the children of ``diagnosis_dev.jsonl``. No words are exchanged: the figures are those of the choice of
questions alone.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.nlu.patients import Patient, recorded, sampled
from benchmarks.nlu.staged import staged_question
from nlu.directions import CHILD_BELOW_MONTHS
from nlu.disease_model import disease_model
from nlu.expected_gain import Gain
from nlu.facts import CaseFacts
from nlu.interview import next_question
from nlu.posterior import disease_posterior
from nlu.triage import suggest_department
from nlu.types import Question

Choose = Callable[[CaseFacts, Sequence[str]], Question | None]


@dataclass(frozen=True)
class Figures:
    """Means over patients. Ranks are those of the true disease among all; milliseconds are for one choice.

    ``found`` is the share of the symptoms not told at first that were found; ``department`` the share of adults whose
    first suggested department is the first of their disease.
    """

    patients: int
    questions: float
    found: float
    top1: float
    top3: float
    reciprocal_rank: float
    department: float | None
    p50_ms: float
    p99_ms: float


def choosers(seed: int) -> dict[str, Choose | None]:
    """The ways to choose the next question, by name; ``None`` asks nothing."""
    dice = random.Random(seed)

    def at_random(_facts: CaseFacts, groups: Sequence[tuple[str, ...]]) -> list[Gain]:
        return [Gain(1.0 + dice.random(), 0.0, 0.0) for _ in groups]

    return {
        "before the interview": None,
        "expected gain": next_question,
        "staged rules": staged_question,
        "random order": lambda facts, asked: next_question(facts, asked, gains=at_random),
    }


def interview(patient: Patient, choose: Choose, times: list[float]) -> tuple[CaseFacts, list[str]]:
    """What is known at the end, and the questions that were put."""
    facts, asked = patient.facts, list[str]()
    while True:
        start = time.perf_counter()
        question = choose(facts, asked)
        times.append(time.perf_counter() - start)
        if question is None:
            return facts, asked
        asked.append(question.id)
        facts = patient.answer(question, facts)


def measure(patients: Sequence[Patient], choose: Choose | None) -> Figures:
    """The figures of one way to choose over these patients."""
    times: list[float] = []
    counts, found, ranks, departments = [], [], [], []
    for patient in patients:
        facts, asked = (patient.facts, []) if choose is None else interview(patient, choose, times)
        counts.append(len(asked))
        if patient.hidden:
            found.append(sum(facts.has(name) for name in patient.hidden) / len(patient.hidden))
        ranks.append(list(disease_posterior(facts)).index(patient.disease) + 1)
        if (facts.age_months or 0) >= CHILD_BELOW_MONTHS and (wanted := _department(patient.disease)):
            departments.append(suggest_department(facts)[0].code == wanted)
    milliseconds = sorted(1000 * taken for taken in times) or [0.0]
    return Figures(
        patients=len(patients),
        questions=statistics.fmean(counts),
        found=statistics.fmean(found),
        top1=statistics.fmean(rank == 1 for rank in ranks),
        top3=statistics.fmean(rank <= 3 for rank in ranks),
        reciprocal_rank=statistics.fmean(1 / rank for rank in ranks),
        department=statistics.fmean(departments) if departments else None,
        p50_ms=milliseconds[len(milliseconds) // 2],
        p99_ms=milliseconds[len(milliseconds) * 99 // 100],
    )


def _department(disease: str) -> str | None:
    model = disease_model()
    shares = model.rows[model.column(disease)].departments
    return max(shares, key=lambda code: shares[code]) if shares else None


def main() -> None:
    """Measure, print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nlu.interview", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with diagnosis_dev.jsonl")
    parser.add_argument("--count", type=int, default=1000, help="patients of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kinds = {"knowledge base": sampled(options.count, options.seed)}
    if options.data:
        kinds["recorded children"] = recorded(options.data / "diagnosis_dev.jsonl", options.count)
    figures = {
        kind: {name: measure(patients, choose) for name, choose in choosers(options.seed).items()}
        for kind, patients in kinds.items()
    }
    if options.json:
        plain = {kind: {name: asdict(one) for name, one in rows.items()} for kind, rows in figures.items()}
        print(json.dumps(plain, ensure_ascii=False, indent=1))
        return
    for kind, rows in figures.items():
        print(f"\n{kind}: {next(iter(rows.values())).patients} patients, seed {options.seed}")
        print(f"{'':22}questions  found  top-1  top-3    MRR  department  p50 ms  p99 ms")
        for name, one in rows.items():
            department = "     –" if one.department is None else f"{one.department:6.1%}"
            print(
                f"{name:22}{one.questions:9.2f} {one.found:6.1%} {one.top1:6.1%} {one.top3:6.1%} "
                f"{one.reciprocal_rank:6.3f}      {department}  {one.p50_ms:6.2f}  {one.p99_ms:6.2f}"
            )


if __name__ == "__main__":
    main()
