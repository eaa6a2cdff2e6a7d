"""What a span costs the process that is measured, in processor time: off, kept, and left out by the ratio.

    python -m benchmarks.traces [--spans 20000] [--json]

The collector does not answer; encoding and sending in the thread beside are counted in.
"""

import argparse
import json
import time

from backend import tracing
from bot.metrics import Metrics
from qiaoyi.settings import load
from qiaoyi.tracing import OpenTelemetryTracer, make_provider

_PARTS = 20  # spans of one trace, as a turn has some


def measure(spans: int) -> float:
    """Give the microseconds of processor time of one span."""
    began = time.process_time()
    for _ in range(spans // _PARTS):
        with tracing.span("benchmark", carried=""):
            for number in range(_PARTS - 1):
                with tracing.inner("part", number=number):
                    pass
    return 1e6 * (time.process_time() - began) / spans


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told = {"off": round(measure(options.spans), 2)}
    for name, ratio in (("kept", 1.0), ("left out", 0.0)):
        provider = make_provider(load(traces_url="http://127.0.0.1:9", traces_ratio=ratio), Metrics())
        tracing.install(OpenTelemetryTracer(provider))
        told[name] = round(measure(options.spans), 2)
        tracing.install(None)
    if options.json:
        print(json.dumps(told))
    else:
        print("  ".join(f"{name} {took} µs" for name, took in told.items()))


if __name__ == "__main__":
    main()
