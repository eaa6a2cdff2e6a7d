"""What devices send: taken once, put into the patient's record, and looked at for alerts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.ids import new_id
from backend.records.background import Source
from backend.records.monitoring.alerts import Alerts
from backend.records.monitoring.devices import Devices
from backend.records.monitoring.limits import Line, grade
from backend.records.monitoring.readings import Kind, Reading, Refusal, Said, judge
from backend.records.monitoring.thresholds import Thresholds
from backend.records.monitoring.views import Taken
from backend.records.monitoring_tables import DeviceReading, HomeDevice
from backend.security.policy import SYSTEM, Action, Actor, require

MOST_READINGS = 100
"""Of one batch; a device that was away sends several."""


class Intake(Devices, Thresholds, Alerts):
    """The part of `MonitoringService` that takes readings in."""

    async def take(self, device: Actor, said: Sequence[Said], sent_at: datetime | None = None) -> list[Taken]:
        """Take a batch of readings: each once, however often and in whatever order it comes; one that is not believable
        keeps none of the others out. What is too old to do anything about is kept and raises no alarm.

        Args:
            sent_at: what the device's clock shows now, where it says so (`readings.judge`).

        Raises:
            Forbidden: `device` is no device that may send.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await session.get(HomeDevice, device.person_id)
            participants = [row.id] if row is not None and row.active else []
            require(device, Action.MONITORING_SEND, participants=participants)
            assert row is not None  # noqa: S101  # the policy lets participants pass alone
            await self._monitored(session, row.patient_id, lock=True)
            judged = [(place, one, judge(one, sent_at, now)) for place, one in enumerate(said)]
            known = await self._known(session, row, said, [one for *_, one in judged if isinstance(one, Reading)])
            lines = await self._lines(session, row.patient_id)
            taken: dict[int, Taken] = {}
            for place, one, reading in sorted(judged, key=_moment):
                moment = (one.kind, one.taken_at)
                if one.id in known or moment in known:
                    taken[place] = Taken(one.id, known=True)
                elif isinstance(reading, Refusal):
                    taken[place] = Taken(one.id, refusal=reading)
                else:
                    await self._keep(session, row, reading, lines)
                    taken[place] = Taken(one.id)
                    known |= {one.id, moment}
            await self._expect(session, row)
            await self._record(session, device, Action.MONITORING_SEND, row.patient_id, f"home_device:{row.id}")
        return [taken[place] for place in range(len(said))]

    async def _known(
        self, session: AsyncSession, device: HomeDevice, said: Sequence[Said], readings: Sequence[Reading]
    ) -> set[str | tuple[Kind, datetime]]:
        """Give the readings of a batch that are here already: by their names, and by kind and the device's time, for no
        device measures one thing twice in one moment."""
        mine = select(DeviceReading).where(DeviceReading.device_id == device.id)
        named = DeviceReading.reading_key.in_([one.id for one in said])
        timed = DeviceReading.said_at.in_([one.said_at for one in readings])
        known: set[str | tuple[Kind, datetime]] = set()
        for row in await session.scalars(mine.where(named | timed)):
            known |= {row.reading_key, (row.kind, row.said_at)}
        return known

    async def _keep(self, session: AsyncSession, device: HomeDevice, reading: Reading, lines: Sequence[Line]) -> None:
        now = self._clock.now()
        graded = grade(reading.kind, reading.shown, reading.timing, lines)
        row = DeviceReading(
            id=new_id(),
            device_id=device.id,
            reading_key=reading.id,
            patient_id=device.patient_id,
            kind=reading.kind,
            said_at=reading.said_at,
            taken_at=reading.taken_at,
            received_at=now,
            fresh=reading.is_fresh(now),
            level=graded.level,
            side=graded.side,
            calm=graded.calm,
        )
        session.add(row)
        await session.flush()
        await self._records.record(
            SYSTEM, device.patient_id, reading.observations(device.id), source=Source.DEVICE, recorded_by=device.id
        )
        if row.fresh:
            await self._look_at(session, row, reading)


def _moment(judged: tuple[int, Said, Reading | Refusal]) -> datetime:
    _, said, reading = judged
    return said.taken_at if isinstance(reading, Refusal) else reading.taken_at
