"""Log lines: one JSON object each, so that a county's log collector needs no parser of ours.

What is logged never holds a name, an openid, an id number or a sentence of a patient: the rooms log codes, identifiers
of rows and durations. Of an exception the type and the places in the code are kept, for its message may quote what a
person wrote. Where traces are sent, a line names the one that it belongs to.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from backend import tracing


class _JSONLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := tracing.trace_id():
            line["trace"] = trace
        if record.exc_info and record.exc_info[1] is not None:
            line |= _trace(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def _trace(error: BaseException) -> dict[str, object]:
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < 5:
        causes.append(type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    return {"error": type(error).__qualname__, "caused_by": causes, "places": places}


def set_up(level: str) -> None:
    """Send everything at `level` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JSONLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("aioice").setLevel(logging.WARNING)  # it names the addresses of pages
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
