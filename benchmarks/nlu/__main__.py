"""Every figure of the language understanding, beside its baseline and what it is to reach.

    python -m benchmarks.nlu --data FOLDER [--scorer score.py] [--rasa] [--json] [NAME ...]

FOLDER holds the public sets; the scorer lies beside it unless told otherwise. NAMEs measure some alone. Exit status 1
where something could not be measured; a figure that is not reached is printed as such and is no fault of this command.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.nlu.measures import MEASURES
from benchmarks.nlu.predict import task_names
from benchmarks.nlu.targets import Figure, figures

_SCORED = re.compile(r"(?P<name>.+?) +(?P<value>-?\d+\.\d+)")


class NotMeasured(Exception):
    """Something that could not be measured, with the reason."""


def scored(task: str, data: Path, scorer: Path) -> dict[str, float]:
    """What the scorer says of a task, by the names that it prints, in percent.

    Raises:
        NotMeasured: the set is not there, or the scorer or our answers failed.
    """
    answering = [sys.executable, "-m", "benchmarks.nlu.predict", task]
    command = [sys.executable, str(scorer), task, "--data", str(data), "--", *answering]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603  # our own
    if done.returncode:
        raise NotMeasured(f"the scorer ended with {done.returncode}: {(done.stderr.splitlines() or [''])[-1]}")
    lines = [_SCORED.fullmatch(line.rstrip()) for line in done.stdout.splitlines()]
    return {line["name"]: float(line["value"]) for line in lines if line}


def measured(name: str, data: Path, scorer: Path) -> list[Figure]:
    """The figures of a task or a measure of our own.

    Raises:
        NotMeasured: with the reason.
    """
    try:
        values = MEASURES[name](data) if name in MEASURES else scored(name, data, scorer)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotMeasured(f"{type(error).__name__}: {error}") from error
    return figures(name, values)


def _show(found: list[Figure]) -> None:
    print(f"{'':52}{'here':>9}{'baseline':>10}{'to reach':>10}")
    for figure in found:
        target = "" if figure.target is None else f"{'≤' if figure.at_most else '≥'} {figure.target:g}"
        baseline = "–" if figure.baseline is None else f"{figure.baseline:.1f}"
        verdict = {True: "reached", False: "not reached", None: ""}[figure.reached]
        line = f"{figure.of + ': ' + figure.name:52}{figure.value:9.2f}{baseline:>10}{target or '–':>10}  {verdict}"
        print(line.rstrip())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nlu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--scorer", type=Path, help="the scorer of the public sets (default: score.py beside FOLDER)")
    parser.add_argument("--rasa", action="store_true", help="and Rasa beside the embedded provider")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    known = list(dict.fromkeys((*task_names(), *MEASURES)))
    unknown = set(options.names) - set(known)
    if unknown:
        parser.error(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    scorer = options.scorer or options.data.resolve().parent / "score.py"
    found: list[Figure] = []
    missing: dict[str, str] = {}
    for name in options.names or known:
        print(f"measuring {name}", file=sys.stderr)
        try:
            found += measured(name, options.data, scorer)
        except NotMeasured as reason:
            missing[name] = str(reason)
    if options.rasa:
        print("measuring rasa", file=sys.stderr)
        from benchmarks.nlu.rasa import side_by_side

        for who, values in side_by_side(options.data, 2000).items():
            found += figures(f"side by side, {who}", values)
    if options.json:
        told = {f"{figure.of}: {figure.name}": figure.to_json() for figure in found}
        print(json.dumps({"figures": told, "not measured": missing}, ensure_ascii=False))
    else:
        _show(found)
        for name, why in missing.items():
            print(f"{name}: not measured ({why})")
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
