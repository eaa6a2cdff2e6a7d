"""How fast one core understands sentences, and beside it, on request, what Rasa does with the same ones.

    python -m benchmarks.nlu.speed --data FOLDER [--rasa] [--sentences 2000] [--json]

The sentences are those of patients in `symptoms_dev.jsonl`, each with the utterances before it, understood one after
the other in a fresh process. Wall times suffer from whatever else the machine does; processor times do not.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.nlu.long_texts import LONG_TEXTS, long_text
from nlu.types import Context, Speaker, Understanding, Utterance

_WARM = 100
_SPEAKERS = {"医生": Speaker.DOCTOR, "患者": Speaker.PATIENT}


@dataclass(frozen=True)
class Timing:
    """What it takes to understand sentences one at a time: milliseconds a sentence, sentences a second."""

    p50_ms: float
    p99_ms: float
    per_second: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Timing":
        """The figures of these single times."""
        p99 = statistics.quantiles(seconds, n=100)[98]
        return cls(1000 * statistics.median(seconds), 1000 * p99, len(seconds) / sum(seconds))


def sentences(data: Path, limit: int) -> list[tuple[str, Context]]:
    """At most `limit` patient sentences in their contexts, spread over the whole set."""
    lines = (data / "symptoms_dev.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["text"].strip()]
    step = max(1, len(rows) // limit)
    return [(row["text"], Context(before=tuple(map(_utterance, row["context"])))) for row in rows[::step][:limit]]


def _utterance(line: str) -> Utterance:
    who, _, text = line.partition("：")
    return Utterance(speaker=_SPEAKERS.get(who, Speaker.PATIENT), text=text)


def run_here(data: Path, limit: int) -> dict[str, float]:
    """Build the embedded provider in this process and let it understand the sentences."""
    # Imported here because importing is part of what a start takes.
    from nlu.embedded import EmbeddedProvider

    began = time.perf_counter()
    provider = EmbeddedProvider()
    provider.understand("咳嗽三天", Context())
    built = time.perf_counter() - began
    heard = sentences(data, limit)
    for text, context in heard[:_WARM]:
        provider.understand(text, context)
    wall, processor = [], []
    for text, context in heard:
        began, used = time.perf_counter(), time.process_time()
        provider.understand(text, context)
        wall.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    by_wall, by_processor = Timing.of(wall), Timing.of(processor)
    longest = max(_least_processor_time(provider.understand, long_text(piece)) for piece in LONG_TEXTS.values())
    return {
        "p50, ms": by_wall.p50_ms,
        "p99, ms": by_wall.p99_ms,
        "sentences a second": by_wall.per_second,
        "p50 of processor time, ms": by_processor.p50_ms,
        "p99 of processor time, ms": by_processor.p99_ms,
        "processor time a sentence, ms": 1000 / by_processor.per_second,
        "worst text of 5 000 characters, processor ms": 1000 * longest,
        "memory, MB": resident_megabytes(os.getpid()),
        "building the provider, s": built,
    }


def _least_processor_time(understand: Callable[[str, Context], Understanding], text: str) -> float:
    """The seconds that a text takes where nothing else comes between: the least of five times."""
    times = []
    for _ in range(5):
        used = time.process_time()
        understand(text, Context())
        times.append(time.process_time() - used)
    return min(times)


def resident_megabytes(process_id: int) -> float:
    """The memory that a process holds now."""
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_seconds(process_id: int) -> float:
    """The processor time that a process has used so far (user and system)."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(data: Path, limit: int = 10_000) -> dict[str, float]:
    """The figures of the embedded provider in a process of its own, on one core."""
    command = [sys.executable, "-m", "benchmarks.nlu.speed", "--data", str(data), "--sentences", str(limit), "--here"]
    one_core = min(os.sched_getaffinity(0))
    done = subprocess.run(  # noqa: S603  # our own command
        command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=lambda: os.sched_setaffinity(0, {one_core})
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def start() -> dict[str, float]:
    """Seconds from nothing to the first understood sentence, interpreter and imports included."""
    code = "from nlu.embedded import *; EmbeddedProvider().understand('咳嗽三天', Context())"
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  # our own command
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return {"start, s": time.perf_counter() - began, "start, s of processor time": processor}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--rasa", action="store_true", help="install, train and start Rasa, and measure it too")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.here:
        print(json.dumps(run_here(options.data, options.sentences)))
        return
    if options.rasa:
        from benchmarks.nlu.rasa import side_by_side

        result = side_by_side(options.data, options.sentences)
    else:
        result = {"embedded": measure(options.data, options.sentences) | start()}
    if options.json:
        print(json.dumps(result))
        return
    for name in dict.fromkeys(name for column in result.values() for name in column):
        row = [f"{column[name]:10.2f}" if name in column else " " * 9 + "–" for column in result.values()]
        print(f"{name:40}" + "".join(row))


if __name__ == "__main__":
    main()
