"""Spans: where the time of a callback goes, from WeChat's request to the message that leaves.

Nothing is measured until a tracer is installed (`qiaoyi/tracing.py`). Names and attributes are codes: names of methods,
tables, routes and outcomes; never who asked, what was said, or an identifier of a person, a case or a session.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Code = str | int | bool

CARRIED_LENGTH = 55
"""Length of a trace that a row carries: `traceparent` of W3C Trace Context, version 00."""


class Tracer(Protocol):
    """Who measures."""

    def span(
        self, name: str, attributes: Mapping[str, Code], *, carried: str | None, link: str
    ) -> AbstractContextManager[object]:
        """Measure a block; `carried` and `link` as in `span` below."""

    def inner(self, name: str, attributes: Mapping[str, Code]) -> AbstractContextManager[object]:
        """Measure a block inside of another."""

    def note(self, attributes: Mapping[str, Code]) -> None:
        """Add to the span of the present block."""

    def carrier(self) -> str:
        """Give what a row carries."""

    def trace_id(self) -> str:
        """Give the identifier of the present trace."""


_tracer: Tracer | None = None
_unmeasured = nullcontext()


def install(tracer: Tracer | None) -> None:
    """Let `tracer` measure the spans of this process; None: nobody does."""
    global _tracer
    _tracer = tracer


def span(name: str, *, carried: str | None = None, link: str = "", **codes: Code) -> AbstractContextManager[object]:
    """Measure a block as `name`.

    Args:
        carried: what a row has carried here from whoever caused the block, which becomes part of that trace; empty
            begins a trace. None: part of the block around it, or the beginning of a trace.
        link: what a row has carried here from long ago: the block is of another trace, which names that one.
        codes: attributes.
    """
    return _unmeasured if _tracer is None else _tracer.span(name, codes, carried=carried, link=link)


def inner(name: str, **codes: Code) -> AbstractContextManager[object]:
    """Measure a block as `name` where it is part of another that is measured: what looks for work by itself is not."""
    return _unmeasured if _tracer is None else _tracer.inner(name, codes)


def note(**codes: Code) -> None:
    """Add attributes to the span of the present block."""
    if _tracer is not None:
        _tracer.note(codes)


def carrier() -> str:
    """Give what a row carries so that whoever takes it up, in whatever process, is part of this trace; "" of none."""
    return "" if _tracer is None else _tracer.carrier()


def trace_id() -> str:
    """Give the present trace's identifier, 32 hexadecimal digits; "" where nothing is measured."""
    return "" if _tracer is None else _tracer.trace_id()
