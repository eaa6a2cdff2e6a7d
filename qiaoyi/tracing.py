"""Traces by OpenTelemetry, sent over HTTP (OTLP) to the collector that the settings name; nothing is imported before.

Spans wait in a bounded queue and are sent by a thread of their own: a collector that is slow, away or refuses costs
spans, and no turn a moment.
"""

import asyncio
import inspect
import logging
import os
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import fields
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import event

from backend import tracing
from backend.db import Database
from backend.errors import DomainError
from bot.metrics import Metrics
from qiaoyi.house import House
from qiaoyi.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.trace import Span

_PATH = "/v1/traces"  # of OTLP over HTTP
_QUEUE = 4096
_BATCH = 512
_SEND_SECONDS = 5.0
_STOP_SECONDS = 3.0
EXPORTS = "trace_exports"
"""Counter of what was sent to the collector, and what was not."""

_STATEMENT = re.compile(r"\s*(?:(UPDATE)|(SELECT|INSERT|DELETE)\b.*?\b(?:FROM|INTO))\s+[`\"]?(\w+)", re.DOTALL)
_NO_USE_CASES = {"settings", "ring", "clock", "database", "events", "timers", "audit_heads"}

T = TypeVar("T")


@asynccontextmanager
async def traced(house: House, metrics: Metrics) -> AsyncIterator[None]:
    """Measure what the process does while inside, where the settings name a collector."""
    settings = house.settings
    if not settings.traces_url:
        yield
        return
    provider = make_provider(settings, metrics)
    tracer = OpenTelemetryTracer(provider)
    with _measured_use_cases(house), _measured_statements(house.database, tracer):
        tracing.install(tracer)
        try:
            yield
        finally:
            tracing.install(None)
            # Its own end waits for a collector that is away for longer than a stop may take.
            last = threading.Thread(target=provider.shutdown, daemon=True)
            last.start()
            await asyncio.to_thread(last.join, _STOP_SECONDS)


def make_provider(settings: Settings, metrics: Metrics) -> "TracerProvider":
    """Give what sends spans to the collector of the settings, and counts into `metrics` what was sent."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    class Counted(OTLPSpanExporter):
        """Counts what was sent and what was not; a line in the log for each would say no more."""

        def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
            result = super().export(spans)
            metrics.count(EXPORTS, outcome="sent" if result is SpanExportResult.SUCCESS else "failed")
            return result

    for outcome in ("sent", "failed"):  # there before the other thread counts: a reader may be walking through them
        metrics.count(EXPORTS, 0, outcome=outcome)
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    described = {"service.name": "qiaoyi", "service.instance.id": f"{settings.role}-{os.getpid()}"}
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.traces_ratio)),
        resource=Resource.create(described),
        shutdown_on_exit=False,
    )
    exporter = Counted(endpoint=settings.traces_url + _PATH, timeout=_SEND_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_QUEUE, max_export_batch_size=_BATCH))
    return provider


class OpenTelemetryTracer:
    """`backend.tracing.Tracer` by OpenTelemetry. Of what a block raises the type is kept: its text may quote people."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._tracer = provider.get_tracer("qiaoyi")
        self._format = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, tracing.Code], *, carried: str | None, link: str
    ) -> Iterator[None]:
        """Measure a block."""
        from opentelemetry.context import Context

        context = None if carried is None else self._format.extract({"traceparent": carried}, Context())
        linked = self._trace.get_current_span(self._format.extract({"traceparent": link}, Context()))
        links = [self._trace.Link(linked.get_span_context())] if link else []
        began = self._tracer.start_as_current_span(
            name, context, attributes=attributes, links=links, record_exception=False, set_status_on_exception=False
        )
        with began as span:
            try:
                yield
            except BaseException as error:
                self._tell(span, error)
                raise

    def inner(self, name: str, attributes: Mapping[str, tracing.Code]) -> AbstractContextManager[None]:
        """Measure a block inside of another that is kept."""
        if not self.is_inside():
            return nullcontext()
        return self.span(name, attributes, carried=None, link="")

    def is_inside(self) -> bool:
        """Tell whether the present block is part of a trace that is kept."""
        return self._trace.get_current_span().is_recording()

    def begin(self, name: str) -> "Span":
        """Give a span that the caller ends, part of the present one."""
        return self._tracer.start_span(name)

    def _tell(self, span: "Span", error: BaseException) -> None:
        span.set_attribute("error.type", type(error).__name__)
        if isinstance(error, DomainError):
            span.set_attribute("refused", error.code)  # an answer like any other
        elif isinstance(error, Exception):
            span.set_status(self._trace.StatusCode.ERROR)

    def note(self, attributes: Mapping[str, tracing.Code]) -> None:
        """Add to the present span."""
        self._trace.get_current_span().set_attributes(attributes)

    def carrier(self) -> str:
        """Give the present span as `traceparent`."""
        carried: dict[str, str] = {}
        self._format.inject(carried)
        return carried.get("traceparent", "")

    def trace_id(self) -> str:
        """Give the present trace's identifier."""
        context = self._trace.get_current_span().get_span_context()
        return self._trace.format_trace_id(context.trace_id) if context.is_valid else ""


@contextmanager
def _measured_use_cases(house: House) -> Iterator[None]:
    """Let each public method of the house's services be a span, named after class and method, while inside."""
    services = [getattr(house, field.name) for field in fields(house) if field.name not in _NO_USE_CASES]
    measured = []
    for service in services:
        if not type(service).__module__.startswith("backend."):
            continue
        for name, method in inspect.getmembers(service, inspect.iscoroutinefunction):
            if not name.startswith("_"):
                setattr(service, name, _measured(method, f"{type(service).__name__}.{name}"))
                measured.append((service, name))
    try:
        yield
    finally:
        for service, name in measured:
            delattr(service, name)


def _measured(method: Callable[..., Awaitable[T]], named: str) -> Callable[..., Awaitable[T]]:
    @wraps(method)
    async def measured(*arguments: Any, **more: Any) -> T:
        with tracing.inner(named):
            return await method(*arguments, **more)

    return measured


@contextmanager
def _measured_statements(database: Database, tracer: OpenTelemetryTracer) -> Iterator[None]:
    """Let each statement inside of a span be one, named after what it does and its first table, while inside."""
    engine = database.engine.sync_engine

    def before(_connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        if context is not None and tracer.is_inside() and (name := statement_name(statement)):
            context.measured_as = tracer.begin(name)

    def after(_connection: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        _end(context)

    def failed(error: Any) -> None:
        _end(error.execution_context, type(error.original_exception).__name__)

    listeners: dict[str, Callable[..., Any]] = {
        "before_cursor_execute": before,
        "after_cursor_execute": after,
        "handle_error": failed,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


def _end(context: Any, error: str = "") -> None:
    span: Span | None = getattr(context, "measured_as", None)
    if span is not None:
        context.measured_as = None
        if error:
            span.set_attribute("error.type", error)
        span.end()


@lru_cache(maxsize=2000)
def statement_name(statement: str) -> str:
    """Give what a statement does and to which table first, such as `SELECT consultations`; "" for a savepoint."""
    found = _STATEMENT.match(statement)
    return "" if found is None else f"{found[1] or found[2]} {found[3]}"
