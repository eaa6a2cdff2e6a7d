"""What Prometheus reads: counters, queues and loops, nothing of any person, and only with the token."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from backend.clock import Clock
from backend.db import Database
from backend.security.audit import AuditLog
from backend.security.audit_heads import HeadFolder
from backend.security.keyring import KeyRing
from backend.timers import Timers
from bot.metrics import Metrics
from qiaoyi.metrics import MetricsPage
from qiaoyi.tracing import EXPORTS as TRACE_EXPORTS

DEPLOY = Path(__file__).parents[2] / "deploy"
SOURCES = [path for room in ("bot", "nlu", "qiaoyi") for path in (DEPLOY.parent / room).rglob("*.py")]


@asynccontextmanager
async def listening(page: MetricsPage) -> AsyncIterator[str]:
    runner = web.AppRunner(page.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()


async def ask(page: MetricsPage, **headers: str) -> tuple[int, dict[tuple[str, tuple[tuple[str, str], ...]], float]]:
    async with listening(page) as url, aiohttp.ClientSession() as http, http.get(url, headers=headers) as response:
        text = await response.text()
        found = {}
        for family in text_string_to_metric_families(text) if response.status == 200 else []:
            for sample in family.samples:
                found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
        return response.status, found


def page_of(database: Database, clock: Clock, folder: Path, counters: Metrics, token: str = "") -> MetricsPage:
    return MetricsPage(database, clock, counters, lambda: {"events": True, "audit": False}, folder, token)


async def test_counters_queues_and_loops_are_told(database: Database, clock: Clock, tmp_path: Path) -> None:
    counters, timers = Metrics(), Timers(database, clock)
    counters.count("turns", outcome="answered")
    counters.count("turns", 2, outcome="failed")
    counters.count("turns_late")
    async with database.transaction() as session:
        await timers.set(session, "probe", "1", clock.now() - timedelta(seconds=90))
        await timers.set(session, "probe", "2", clock.now() + timedelta(hours=1))
    status, found = await ask(page_of(database, clock, tmp_path, counters))
    assert status == 200
    assert found["qiaoyi_turns_total", (("outcome", "failed"),)] == 2
    assert found["qiaoyi_turns_late_total", ()] == 1
    assert found["qiaoyi_queue_depth", (("queue", "timers"),)] == 1
    assert 90 <= found["qiaoyi_queue_age_seconds", (("queue", "timers"),)] < 900
    assert found["qiaoyi_queue_age_seconds", (("queue", "outbox"),)] == 0
    assert (found["qiaoyi_loop_up", (("loop", "events"),)], found["qiaoyi_loop_up", (("loop", "audit"),)]) == (1, 0)
    assert found["qiaoyi_database_up", ()] == 1


async def test_the_age_of_the_audit_logs_head_is_told_once_there_is_one(
    database: Database, clock: Clock, tmp_path: Path, key_ring: KeyRing
) -> None:
    page = page_of(database, clock, tmp_path, Metrics())
    assert ("qiaoyi_audit_head_age_seconds", ()) not in (await ask(page))[1]
    await AuditLog(database, clock, HeadFolder(tmp_path, key_ring)).seal()
    assert 0 <= (await ask(page))[1]["qiaoyi_audit_head_age_seconds", ()] < 900


async def test_a_database_that_is_away_is_told_and_fails_nothing(clock: Clock, tmp_path: Path) -> None:
    away = Database(f"sqlite+aiosqlite:///{tmp_path}/none/none.db")
    try:
        status, found = await ask(page_of(away, clock, tmp_path, Metrics()))
    finally:
        await away.close()
    assert (status, found["qiaoyi_database_up", ()]) == (200, 0)


@pytest.mark.parametrize(
    ("told", "status"), [("Bearer right", 200), ("Bearer wrong", 401), ("", 401), ("Bearer é", 401)]
)
async def test_who_has_not_the_token_learns_nothing(
    database: Database, clock: Clock, tmp_path: Path, told: str, status: int
) -> None:
    assert (await ask(page_of(database, clock, tmp_path, Metrics(), "right"), Authorization=told))[0] == status


@pytest.mark.parametrize("file", ["prometheus-alerts.yml", "grafana-dashboard.json"])
async def test_rules_and_dashboard_name_only_what_there_is(
    database: Database, clock: Clock, tmp_path: Path, key_ring: KeyRing, file: str
) -> None:
    text = (DEPLOY / file).read_text()
    assert file.endswith(".yml") or json.loads(text)["panels"]
    counted = {name for path in SOURCES for name in re.findall(r'metrics\.count\(\s*"(\w+)"', path.read_text())}
    await AuditLog(database, clock, HeadFolder(tmp_path, key_ring)).seal()
    _, found = await ask(page_of(database, clock, tmp_path, Metrics()))
    counted.add(TRACE_EXPORTS)
    known = {name for name, _ in found} | {f"qiaoyi_{name}_total" for name in counted}
    assert set(re.findall(r"qiaoyi_\w+", text)) <= known
