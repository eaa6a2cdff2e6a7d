"""In whatever order values come, are answered and time passes: nobody is flooded, and no danger is kept back."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.events import EventRow
from backend.ids import new_id
from backend.records.monitoring.limits import Level, Side
from backend.records.monitoring.readings import FRESH, Kind, Said
from backend.records.monitoring.rules import APART, COOLDOWN, LAST_STEP, is_quiet
from backend.records.monitoring_tables import Alert, DeviceReading
from tests.support.clinic import build_clinic
from tests.support.monitoring import Home, home_at

T = TypeVar("T")
Telling = tuple[datetime, Kind, Level, Side]

HOUR = timedelta(hours=1)
KINDS = (Kind.GLUCOSE, Kind.SPO2, Kind.HEART_RATE)
VALUES = {
    Kind.GLUCOSE: (2.5, 3.5, 5.5, 11.0, 14.5, 18.0),
    Kind.SPO2: (85.0, 93.0, 94.0, 98.0),
    Kind.HEART_RATE: (38.0, 48.0, 70.0, 104.0, 115.0, 140.0),
}
DANGERS = {(kind, side) for kind in KINDS for side in Side} - {(Kind.SPO2, Side.HIGH)}
MOST_IN_AN_HOUR = 2 + len(DANGERS)
"""What is mild half an hour apart, and each danger once."""


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_no_order_of_readings_floods_anybody_or_hides_a_danger(sqlite_template: Path) -> None:
    class Machine(MonitoringMachine):
        template = sqlite_template

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        Machine, settings=settings(max_examples=12, stateful_step_count=30, suppress_health_check=checks)
    )


class MonitoringMachine(RuleBasedStateMachine):
    """The real services; the model remembers what was sent, and reads what was told from the events."""

    template: Path

    @initialize()
    def pair(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        shutil.copyfile(self.template, self.folder / "qiaoyi.db")
        self.database = Database(f"sqlite+aiosqlite:///{self.folder / 'qiaoyi.db'}")
        self.home = self.run(self._home())
        self.sent: list[Said] = []

    async def _home(self) -> Home:
        clinic = build_clinic(self.database, Clock(), self.folder / "files")
        await clinic.furnish()
        return await home_at(clinic)

    def run(self, work: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await work

        return self.runner.run(awaited())

    @rule(kind=st.sampled_from(KINDS), place=st.integers(0, 5))
    def measure_twice(self, kind: Kind, place: int) -> None:
        self.measure(kind, place, 1)
        self.measure(kind, place, 0)

    @rule(kind=st.sampled_from(KINDS), place=st.integers(0, 5), ago=st.sampled_from([0, 0, 0, 20, 300, 500]))
    def measure(self, kind: Kind, place: int, ago: int) -> None:
        now = self.home.clinic.clock.now()
        value = VALUES[kind][place % len(VALUES[kind])]
        said = Said(new_id(), kind, now - timedelta(minutes=ago), {kind.value: value})
        self.run(self.home.send(said))
        self.sent.append(said)
        if place % len(VALUES[kind]) in _dangerous(kind) and now - said.taken_at <= FRESH:
            self._was_told(kind)

    def _was_told(self, kind: Kind) -> None:
        now = self.home.clinic.clock.now()
        told = [at for at, told_kind, level, _ in self._told() if (told_kind, level) == (kind, Level.DANGER)]
        assert told
        assert now - max(told) <= COOLDOWN[Level.DANGER]

    @rule(minutes=st.sampled_from([1, 7, 20, 45, 61, 400, 800]))
    def wait(self, minutes: int) -> None:
        self.run(self.home.clinic.pass_time(timedelta(minutes=minutes)))

    @rule()
    def replay(self) -> None:
        before = self.run(self._counts())
        for start in range(0, len(self.sent), 50):
            self.run(self.home.send(*reversed(self.sent[start : start + 50])))
        assert self.run(self._counts()) == before

    @rule(place=st.integers(0, 5))
    def acknowledge(self, place: int) -> None:
        alerts = self.run(self.home.monitoring.alerts_of(self.home.doctor, self.home.patient.person_id))
        if alerts:
            self.run(self.home.monitoring.acknowledge(self.home.doctor, alerts[place % len(alerts)].id, "看过"))

    @rule(place=st.integers(0, 5))
    def end(self, place: int) -> None:
        alerts = self.run(self.home.monitoring.open_alerts(self.home.doctor))
        if alerts:
            self.run(self.home.monitoring.end(self.home.doctor, alerts[place % len(alerts)].id))

    @invariant()
    def nobody_is_flooded_or_woken_without_danger(self) -> None:
        told = self._told()
        mild = [at for at, _, level, _ in told if level is not Level.DANGER]
        assert all(after - before >= APART for before, after in pairwise(mild))
        assert not [at for at in mild if is_quiet(at)]
        for danger in DANGERS:
            times = [at for at, kind, level, side in told if (kind, side) == danger and level is Level.DANGER]
            assert all(after - before >= COOLDOWN[Level.DANGER] for before, after in pairwise(times))
        for first, *_ in told:
            assert sum(timedelta() <= at - first < HOUR for at, *_ in told) <= MOST_IN_AN_HOUR

    @invariant()
    def one_alert_is_open_for_a_kind_and_it_goes_on_only_until_it_is_answered(self) -> None:
        alerts = self.run(self.home.monitoring.alerts_of(self.home.doctor, self.home.patient.person_id))
        is_open = [alert for alert in alerts if alert.closed_at is None]
        assert len({alert.kind for alert in is_open}) == len(is_open)
        for alert in alerts:
            assert alert.step <= LAST_STEP[alert.level]
            if alert.acknowledged_at is not None:
                late = [at for at in self._unanswered(alert.id) if at > alert.acknowledged_at]
                assert late == []

    def _told(self) -> list[Telling]:
        return self.run(self._events_told())

    async def _events_told(self) -> list[Telling]:
        async with self.database.reading() as session:
            query = select(EventRow).where(EventRow.type == "monitoring.alert_told").order_by(EventRow.id)
            return [
                (row.occurred_at, Kind(row.payload["kind"]), Level(row.payload["level"]), Side(row.payload["side"]))
                for row in await session.scalars(query)
            ]

    def _unanswered(self, alert_id: str) -> list[datetime]:
        return self.run(self._events_unanswered(alert_id))

    async def _events_unanswered(self, alert_id: str) -> list[datetime]:
        async with self.database.reading() as session:
            rows = await session.scalars(select(EventRow).where(EventRow.type == "monitoring.alert_unanswered"))
            return [row.occurred_at for row in rows if row.payload["alert_id"] == alert_id]

    async def _counts(self) -> tuple[object, ...]:
        async with self.database.reading() as session:
            readings = await session.scalar(select(func.count()).select_from(DeviceReading))
            states = await session.execute(select(Alert.id, Alert.level, Alert.readings, Alert.closed_at, Alert.step))
            told = await session.scalar(select(func.count()).where(EventRow.type == "monitoring.alert_told"))
            return readings, told, *sorted(tuple(row) for row in states)

    def teardown(self) -> None:
        if not hasattr(self, "home"):
            return
        self.run(self.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)


def _dangerous(kind: Kind) -> set[int]:
    return {Kind.GLUCOSE: {0, 5}, Kind.SPO2: {0}, Kind.HEART_RATE: {0, 5}}[kind]
