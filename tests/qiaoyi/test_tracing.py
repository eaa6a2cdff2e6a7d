"""A callback's whole way is one trace; nothing of any person is in it; a collector that is away changes nothing."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from backend import tracing
from backend.clock import Clock
from backend.db import Database
from backend.errors import Conflict
from backend.events import EventBus
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Draft
from backend.timers import Timers
from bot.metrics import Metrics
from qiaoyi.house import open_house
from qiaoyi.settings import load
from qiaoyi.tracing import OpenTelemetryTracer, statement_name, traced
from tests.e2e.product import free_port
from tests.support.product import RunningProduct, booked_case, running_product
from tests.support.trace_collector import TraceCollector, collecting_traces

CALLBACK = "POST /wechat/callback"


async def talk(product: RunningProduct) -> None:
    """A stranger follows the account, agrees, and says what hurts."""
    phone = await product.wechat.client.phone("王二")
    menu = await phone.follow(wait_reply=True)
    await phone.say("我最近总是咳嗽", wait_reply=True)
    assert menu


async def get(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return await answer.text()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def collector(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TraceCollector]:
    """What came of a talk and of a case that three people brought to its booking."""
    async with collecting_traces() as running:
        async with running_product(tmp_path_factory.mktemp("product"), traces_url=running.url) as product:
            await talk(product)
            case = await booked_case(product)
            await case.patient.log_in(f"/h5/rooms/{case.id}")
            await case.patient.ask("GET", f"/consultations/{case.id}")
            await case.patient.ask("GET", f"/consultations/{'0' * 32}")
            await case.move_to_reminder(10)
            await case.patient.phone.wait_for(lambda message: "视频" in message.text)
        yield running


def test_the_whole_way_of_a_callback_is_one_tree(collector: TraceCollector) -> None:
    assert collector.resource["service.name"] == "qiaoyi"
    parsed = collector.named("nlu parse")[0]
    spans = {span.name: span for span in collector.trace_of(parsed)}
    root = spans[CALLBACK]
    assert root.parent == ""
    assert (root.codes["http.route"], root.codes["http.response.status_code"]) == ("/wechat/callback", 200)
    assert root.codes["outcome"] in ("answered", "success")
    assert spans["turn"].codes["kind"] == "text"
    assert collector.above(spans["turn"]) == [CALLBACK]
    assert collector.above(spans["nlu prepare"]) == ["turn", CALLBACK]
    assert collector.above(parsed) == ["transaction", "turn", CALLBACK]
    assert collector.above(spans["PeopleService.actor"]) == ["transaction", "turn", CALLBACK]
    assert collector.above(spans["SELECT person_roles"]) == ["PeopleService.actor", "transaction", "turn", CALLBACK]


def test_what_a_turn_pushes_is_part_of_the_trace_of_its_callback(collector: TraceCollector) -> None:
    ways = [collector.above(span) for span in collector.named("wechat") if span.codes["path"].endswith("custom/send")]
    assert ["message", "transaction", "turn", CALLBACK] in ways
    assert {span.codes["outcome"] for span in collector.named("message")} <= {"arrived", "held"}


def test_a_request_of_the_api_is_named_by_its_template_and_a_refusal_by_its_code(collector: TraceCollector) -> None:
    asked, refused = collector.named("GET /api/v1/consultations/{consultation_id}")
    assert (asked.codes["http.response.status_code"], refused.codes["http.response.status_code"]) == (200, 404)
    assert refused.codes["refused"] == "not_found"
    assert "ConsultationService.get" in {span.name for span in collector.trace_of(asked)}
    assert not any(span.failed for span in collector.trace_of(refused))


def test_a_timer_has_a_trace_of_its_own_and_what_it_causes_is_in_it(collector: TraceCollector) -> None:
    fired = [span for span in collector.spans if span.name.startswith("timer ") and span.parent == ""]
    assert fired
    assert any("wechat" in {one.name for one in collector.trace_of(span)} for span in fired)


def test_what_looks_for_work_by_itself_begins_no_trace(collector: TraceCollector) -> None:
    roots = {span.name.partition(" ")[0] for span in collector.spans if not span.parent}
    assert roots <= {"GET", "POST", "event", "timer", "message"}


async def test_a_collector_that_takes_and_never_answers_costs_no_turn(tmp_path: Path) -> None:
    async def swallow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    held: list[asyncio.StreamWriter] = []
    port = free_port()
    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as hanging:
        address = f"http://127.0.0.1:{hanging.sockets[0].getsockname()[1]}"
        async with running_product(tmp_path, traces_url=address, metrics_port=port) as product:
            await talk(product)
            assert 'qiaoyi_trace_exports_total{outcome="sent"} 0.0' in await get(f"http://127.0.0.1:{port}/metrics")
        for writer in held:
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize(("status", "ratio", "sent", "failed"), [(200, 1, 1, 0), (400, 1, 0, 1), (200, 0, 0, 0)])
async def test_what_was_sent_is_counted_and_what_was_not(
    tmp_path: Path, status: int, ratio: float, sent: int, failed: int
) -> None:
    metrics = Metrics()
    async with collecting_traces() as collector:
        collector.status = status
        settings = load(data=tmp_path, traces_url=collector.url, traces_ratio=ratio)
        async with open_house(settings) as house, traced(house, metrics):
            with tracing.span("probe"):
                pass
        assert len(collector.spans) == sent
    assert [metrics.value("trace_exports", outcome=outcome) for outcome in ("sent", "failed")] == [sent, failed]


def test_nothing_that_sends_is_imported_while_no_address_is_set() -> None:
    look = "import sys, qiaoyi.server; sys.exit(any('opentelemetry.exporter' in name for name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", look], cwd=Path(__file__).parents[2], check=False)
    assert run.returncode == 0


@pytest.fixture
def kept() -> Iterator[InMemorySpanExporter]:
    """Spans that are kept here, by a tracer that is installed."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.install(OpenTelemetryTracer(provider))
    yield exporter
    tracing.install(None)
    provider.shutdown()


async def test_rows_carry_a_trace_to_whatever_process_takes_them_up(
    database: Database, clock: Clock, kept: InMemorySpanExporter
) -> None:
    taken: list[str] = []
    events, timers, outbox = EventBus(database, clock), Timers(database, clock), OutboxService(database, clock)

    async def handle(_told: object) -> None:
        taken.append(tracing.trace_id())

    events.subscribe("probe", ["probe.done"], handle)
    timers.on("probe", handle)
    with tracing.span("cause"):
        caused_in = tracing.trace_id()
        async with database.transaction() as session:
            await events.publish(session, "probe.done")
            await timers.set(session, "probe", "1", clock.now() - timedelta(seconds=1))
            await outbox.put(session, "p" * 32, [Draft({"kind": "text"})])
    await events.dispatch()
    await timers.fire()
    [item] = await outbox.claim(timedelta(minutes=1))
    with tracing.span("message", carried=item.trace):
        taken.append(tracing.trace_id())
    of_event, of_timer, of_message = taken
    assert of_event == of_message == caused_in
    assert of_timer != caused_in
    [fired] = [span for span in kept.get_finished_spans() if span.name == "timer probe"]
    assert [f"{link.context.trace_id:032x}" for link in fired.links] == [caused_in]


def test_of_what_is_raised_the_type_is_kept_and_not_its_words(kept: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="王秀英"), tracing.span("failing"):
        raise ValueError("王秀英说她胸口疼")
    with pytest.raises(Conflict), tracing.span("refusing"):
        raise Conflict("王秀英已经登记过了。")
    failing, refusing = kept.get_finished_spans()
    assert "王秀英" not in failing.to_json() + refusing.to_json()
    assert failing.attributes == {"error.type": "ValueError"}
    assert not failing.status.is_ok
    assert refusing.attributes == {"error.type": "Conflict", "refused": "conflict"}
    assert refusing.status.is_unset


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("SELECT a, b \nFROM consultations JOIN persons", "SELECT consultations"),
        ("INSERT INTO `audit_entries` (a) VALUES (?)", "INSERT audit_entries"),
        ("UPDATE timers SET a=?", "UPDATE timers"),
        ("DELETE FROM outbox_messages WHERE id = ?", "DELETE outbox_messages"),
        ("SAVEPOINT sa_savepoint_1", ""),
        ("BEGIN IMMEDIATE", ""),
    ],
)
def test_a_statement_is_named_by_what_it_does_to_which_table(statement: str, name: str) -> None:
    assert statement_name(statement) == name
