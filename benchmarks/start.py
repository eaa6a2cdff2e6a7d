"""Start: seconds from `qiaoyi run` to its line `ready`, the first time and the second, pages and packages being there.

python -m benchmarks.start [--json]
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time

from benchmarks.product import free_port


def start_once(data: str) -> float:
    """Start on the folder `data`, wait for `ready`, end it; give the seconds that the start took."""
    ports = ["--port", str(free_port()), "--sandbox-port", str(free_port())]
    began = time.perf_counter()
    command = [sys.executable, "-m", "qiaoyi", "run", "--data", data, *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- our own command
        assert process.stdout is not None  # noqa: S101  # it was started with a pipe
        ready = any(line.startswith("ready") for line in process.stdout)
        took = time.perf_counter() - began
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
    if not ready:
        raise RuntimeError("the product did not start")
    return round(took, 2)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        result = {"first_seconds": start_once(data), "second_seconds": start_once(data)}
    print(json.dumps(result) if options.json else "  ".join(f"{name} {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()
