"""`GET /metrics` in the format of Prometheus, on a port of its own: names, codes and counts, never who said what."""

import hmac
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from backend.clock import Clock
from backend.db import Database
from backend.events import PendingDelivery
from backend.messaging.tables import DeferredMessage, OutboxMessage
from backend.timers import Timer
from bot.metrics import Metrics

log = logging.getLogger(__name__)

_PREFIX = "qiaoyi_"
_DUE = {"outbox": OutboxMessage.due_at, "events": PendingDelivery.due_at, "timers": Timer.due_at}


class MetricsPage:
    """Answers with the counters of this process and the queues of the database.

    Args:
        counters: of what the bot did. loops: gives for each loop of this process whether it runs.
        heads: the folder in which signed heads of the audit log are kept.
        token: what the asker has to bring; nothing is asked where it is empty.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        counters: Metrics,
        loops: Callable[[], Mapping[str, bool]],
        heads: Path,
        token: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._counters = counters
        self._loops = loops
        self._heads = heads
        self._token = token

    def application(self) -> web.Application:
        """Give the page as an application of its own."""
        application = web.Application()
        application.router.add_get("/metrics", self.serve)
        return application

    async def serve(self, request: web.Request) -> web.Response:
        """GET /metrics: 401 for who has not the token."""
        told = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        if self._token and not hmac.compare_digest(told, self._token.encode()):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(_Now([*self._counted(), *await self._queues(), self._running(), *self._head_age()]))
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _counted(self) -> Iterable[Metric]:
        families: dict[str, CounterMetricFamily] = {}
        for name, labels, count in self._counters.counts():
            names = [key for key, _ in labels]
            family = families.setdefault(name, CounterMetricFamily(_PREFIX + name, f"{name} so far", labels=names))
            family.add_metric([value for _, value in labels], count)
        return families.values()

    async def _queues(self) -> list[Metric]:
        now = self._clock.now()
        depth = GaugeMetricFamily(_PREFIX + "queue_depth", "What waits and is due", labels=["queue"])
        age = GaugeMetricFamily(_PREFIX + "queue_age_seconds", "How long the oldest of it has waited", labels=["queue"])
        up = GaugeMetricFamily(_PREFIX + "database_up", "Whether the database answers")
        try:
            async with self._database.reading() as session:
                for queue, due_at in _DUE.items():
                    query = select(func.count(), func.min(due_at)).where(due_at <= now)
                    count, oldest = (await session.execute(query)).one()
                    depth.add_metric([queue], count)
                    age.add_metric([queue], (now - oldest).total_seconds() if oldest else 0)
                deferred = await session.scalar(select(func.count()).select_from(DeferredMessage))
                depth.add_metric(["deferred"], deferred or 0)
            up.add_metric([], 1)
        except (SQLAlchemyError, OSError) as error:
            log.warning("queues cannot be counted: %s", type(error).__name__)
            up.add_metric([], 0)
        return [depth, age, up]

    def _running(self) -> Metric:
        running = GaugeMetricFamily(_PREFIX + "loop_up", "Whether a loop of this process runs", labels=["loop"])
        for name, runs in self._loops().items():
            running.add_metric([name], int(runs))
        return running

    def _head_age(self) -> list[Metric]:
        """How old the newest hourly head is; nothing where there is none yet, which is an alarm of its own."""
        with suppress(OSError, ValueError):
            newest = max(path.stat().st_mtime for path in self._heads.glob("2*.json"))
            age = GaugeMetricFamily(
                _PREFIX + "audit_head_age_seconds", "Age of the newest signed head of the audit log"
            )
            age.add_metric([], time.time() - newest)
            return [age]
        return []


class _Now(Collector):
    """Gives what was gathered for this one answer."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics
