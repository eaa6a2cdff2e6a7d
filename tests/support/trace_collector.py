"""A collector of traces: takes OTLP over HTTP (protobuf) on loopback, and gives the spans as a tree."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass
class Span:
    """One span as it came."""

    name: str
    trace: str
    id: str
    parent: str
    links: list[str]
    codes: dict[str, Any]
    failed: bool


@dataclass
class TraceCollector:
    """What came.

    Attributes:
        raw: the bodies of all requests, for whoever looks for what must not be in them.
        status: what is answered; anything but 200 refuses.
    """

    url: str = ""
    raw: list[bytes] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    status: int = 200
    resource: dict[str, str] = field(default_factory=dict)

    def named(self, name: str) -> list[Span]:
        """Give the spans of a name."""
        return [span for span in self.spans if span.name == name]

    def trace_of(self, span: Span) -> list[Span]:
        """Give all spans of the same trace."""
        return [one for one in self.spans if one.trace == span.trace]

    def above(self, span: Span) -> list[str]:
        """Give the names from a span up to the root of its trace."""
        known = {one.id: one for one in self.trace_of(span)}
        names = []
        while span.parent:
            span = known[span.parent]
            names.append(span.name)
        return names

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/traces."""
        body = await request.read()
        if self.status != 200:
            return web.Response(status=self.status)
        assert request.content_type == "application/x-protobuf"
        self.raw.append(body)
        for described in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource = {one.key: one.value.string_value for one in described.resource.attributes}
            for scope in described.scope_spans:
                self.spans += [_span(one) for one in scope.spans]
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")


def _span(told: Any) -> Span:
    codes = {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in told.attributes}
    assert not told.events, "an event of a span holds the text of an exception"
    return Span(
        name=told.name,
        trace=told.trace_id.hex(),
        id=told.span_id.hex(),
        parent=told.parent_span_id.hex(),
        links=[link.trace_id.hex() for link in told.links],
        codes=codes,
        failed=told.status.code == 2,
    )


@asynccontextmanager
async def collecting_traces() -> AsyncIterator[TraceCollector]:
    """Run a collector for the length of the block."""
    collector, application = TraceCollector(), web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()
