"""How many ordinary sentences of public consultations raise an alarm.

``python -m benchmarks.nlu.red_flags --data DIR [--json] [--show]``

The sentences are not written by people in danger, yet some tell of danger: what is flagged is to be read, not only
counted. ``--show`` prints them (to the terminal alone: they stay out of the repository).
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nlu.embedded import EmbeddedProvider
from nlu.types import Context

MOST_FLAGGED = 2.0
"""Percent of ordinary sentences that may be flagged."""


def sentences(data: Path) -> dict[str, list[str]]:
    """The patients' sentences of each set, without what was said before them."""
    return {
        "symptoms_dev": [row["text"] for row in _rows(data / "symptoms_dev.jsonl")],
        "diagnosis_text_dev": [
            text for row in _rows(data / "diagnosis_text_dev.jsonl") for text in row["patient_turns"]
        ],
        "intent_dialogue_dev": [row["text"] for row in _rows(data / "intent_dialogue_dev.jsonl")],
    }


def measure(data: Path) -> tuple[dict[str, dict[str, object]], list[tuple[str, str]]]:
    """The figures of each set, and what was flagged: codes with their evidence, and the sentence."""
    provider, figures, flagged = EmbeddedProvider(), {}, []
    for name, texts in sentences(data).items():
        codes: Counter[str] = Counter()
        alarms = 0
        for text in texts:
            flags = provider.understand(text, Context()).red_flags
            alarms += bool(flags)
            codes.update(flag.code for flag in flags)
            if flags:
                flagged.append(("; ".join(f"{flag.code} {'、'.join(flag.evidence)}" for flag in flags), text))
        figures[name] = {
            "sentences": len(texts),
            "flagged": alarms,
            "flagged_percent": round(100 * alarms / len(texts), 2),
            "by_code": dict(codes.most_common()),
        }
    return figures, flagged


def main() -> None:
    """Print the figures; exit with 1 where more is flagged than may be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    figures, flagged = measure(options.data)
    if options.json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        for name, one in figures.items():
            print(f"{name:24s} {one['flagged']} of {one['sentences']} sentences: {one['flagged_percent']} %")
    if options.show:
        for codes, text in flagged:
            print(f"{codes}\t{text}")
    raise SystemExit(int(any(float(str(one["flagged_percent"])) > MOST_FLAGGED for one in figures.values())))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)


if __name__ == "__main__":
    main()
