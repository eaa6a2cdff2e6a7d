"""Fit the one number of the department ranking, and say how far its probabilities can be believed.

``python -m benchmarks.nlu.department_calibration --data DIR`` prints the temperature with the least expected
calibration error on ``department_internal_train``, which may be trained on, and that error there and on both dev files,
on which nothing is fitted.
"""

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path

from benchmarks.nlu.tasks import department, department_internal
from nlu.directions import TEMPERATURE
from nlu.facts import CaseFacts

Case = tuple[CaseFacts, str]
Shares = Callable[[CaseFacts, float], dict[str, float]]
Guess = tuple[float, bool, float]
"""Probability of the likeliest, whether it is right, and the probability of what is right."""

TEMPERATURES = [round(1.0 + 0.25 * step, 2) for step in range(21)]
_BINS = 10


def guesses(cases: list[Case], shares_of: Shares, temperature: float) -> list[Guess]:
    """What is said of each case at this temperature."""
    said = []
    for facts, right in cases:
        shares = shares_of(facts, temperature)
        best = max(shares, key=lambda name: shares[name])
        said.append((shares[best], best == right, shares.get(right, 0.0)))
    return said


def calibration_error(said: list[Guess]) -> float:
    """The expected calibration error in percent, ten bins of equal width (Guo et al., ICML 2017)."""
    bins: list[list[Guess]] = [[] for _ in range(_BINS)]
    for guess in said:
        bins[min(_BINS - 1, int(guess[0] * _BINS))].append(guess)
    gaps = (abs(sum(p for p, _, _ in some) - sum(right for _, right, _ in some)) for some in bins)
    return 100 * sum(gaps) / len(said)


def log_loss(said: list[Guess]) -> float:
    """The mean negative logarithm of the probability of what is right, floored at one in a thousand."""
    return -sum(math.log(max(p, 1e-3)) for _, _, p in said) / len(said)


def main() -> None:
    """Fit and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data: Path = parser.parse_args().data
    train = _cases(data / "department_internal_train.jsonl", department_internal.facts_of)
    fitted = {t: calibration_error(guesses(train, department_internal.shares_of, t)) for t in TEMPERATURES}
    best = min(fitted, key=lambda temperature: fitted[temperature])
    print(f"least calibration error on department_internal_train: temperature {best} (in use: {TEMPERATURE})")
    for name, task in (
        ("department_internal_train", department_internal),
        ("department_internal_dev", department_internal),
        ("department_dev", department),
    ):
        said = guesses(_cases(data / f"{name}.jsonl", task.facts_of), task.shares_of, TEMPERATURE)
        print(f"{name}: {len(said)} rows, calibration error {calibration_error(said):.1f} %, loss {log_loss(said):.3f}")
        _print_bins(said)


def _cases(path: Path, facts_of: Callable[[dict[str, str]], CaseFacts]) -> list[Case]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [(facts_of(row), row["department"]) for row in rows]


def _print_bins(said: list[Guess]) -> None:
    """How often the likeliest is right, by how likely it was said to be."""
    for low in range(_BINS):
        some = [guess for guess in said if min(_BINS - 1, int(guess[0] * _BINS)) == low]
        if some:
            right = 100 * sum(guess[1] for guess in some) / len(some)
            print(f"  said {low * 10:2d}-{low * 10 + 10:3d} %: right {right:5.1f} % of {len(some)}")


if __name__ == "__main__":
    main()
