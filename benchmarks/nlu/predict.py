"""Answer the rows of a task: one JSON object a line on standard input, one a line on standard output.

``python -m benchmarks.nlu.predict TASK`` is the command that a scorer of the public sets starts.
"""

import importlib
import json
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.nlu import tasks

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def task_names() -> list[str]:
    """The tasks there are."""
    return sorted(module.name for module in pkgutil.iter_modules(tasks.__path__))


def load_task(name: str) -> Answer:
    """The function that answers one row of the task."""
    answer: Answer = importlib.import_module(f"benchmarks.nlu.tasks.{name}").answer
    return answer


def main() -> None:
    """Read rows, write answers with the ids of the rows."""
    if len(sys.argv) != 2 or sys.argv[1] not in task_names():
        sys.exit(f"usage: python -m benchmarks.nlu.predict {'|'.join(task_names())}")
    answer = load_task(sys.argv[1])
    for line in sys.stdin:
        row = json.loads(line)
        print(json.dumps({"id": row["id"], **answer(row)}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
