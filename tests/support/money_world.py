"""A till for thousands of short histories: one quick database, whose process may end at any commit."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aiosqlite.core import Connection
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.charging.tables import ChargeStep
from backend.clock import Clock
from backend.consultation import Status, Urgency
from backend.consultation.tables import Consultation
from backend.db import Base, Database, install_key_ring
from backend.events import PendingDelivery
from backend.ids import new_id
from backend.migrations import import_tables
from backend.scheduling import BookingState, SlotState, WeeklyHours
from backend.scheduling.tables import ScheduleHorizon, Slot
from backend.security.keyring import KeyRing
from backend.security.policy import SYSTEM, Actor
from backend.timers import Timer
from tests.support.clinic import build_clinic, practitioner_of
from tests.support.money_wire import Killed
from tests.support.till import Till, build_till

T = TypeVar("T")

_FAST = Path("/dev/shm")  # noqa: S108  # a file in memory where the system has one
_ALL_DAY = tuple(WeeklyHours(weekday, "00:00", "23:59", 30, on_holidays=True) for weekday in range(7))


async def _at_once(_connection: Connection, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return work(*arguments, **named)


@contextmanager
def without_threads() -> Iterator[None]:
    """Let SQLite answer in the loop itself instead of a thread for each connection: a file in memory never keeps it
    waiting, and a history is a tenth as long."""
    usual = Connection._execute
    Connection._execute = _at_once  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Connection._execute = usual  # type: ignore[method-assign]


class MortalDatabase(Database):
    """A database whose process ends at a commit: just before it, or just after."""

    dies_in = 0
    after = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        if self._joined() is not None:
            async with super().transaction() as session:
                yield session
            return
        doomed = self._doomed()
        async with super().transaction() as session:
            yield session
            if doomed and not self.after:
                raise Killed
        if doomed:
            raise Killed

    def _doomed(self) -> bool:
        self.dies_in = max(self.dies_in - 1, -1) if self.dies_in > 0 else -1
        return self.dies_in == 0


class World:
    """Everything that histories share: they differ in their consultations and orders.

    Args:
        counts: what was done and what went wrong, for the table of faults.
    """

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(dir=_FAST if _FAST.is_dir() else None)
        self.counts: Counter[str] = Counter()
        self.slots_made = 0
        self.cases_made = 0
        self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the world's loop."""
        return self.runner.run(work)

    async def _open(self) -> None:
        install_key_ring(KeyRing({1: bytes(range(32))}, bytes(range(32, 64))))
        import_tables()
        folder = Path(self.folder.name)
        self.database = MortalDatabase(f"sqlite+aiosqlite:///{folder / 'qiaoyi.db'}")
        async with self.database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        clinic = build_clinic(self.database, Clock(), folder / "files")
        await clinic.furnish()
        self.till: Till = await build_till(clinic)
        self.till.at_once = 1
        expert_id = practitioner_of(self.till.expert)
        await clinic.scheduling.set_week(SYSTEM, expert_id, _ALL_DAY)
        async with self.database.transaction() as session:
            await session.execute(update(ScheduleHorizon).values(made_until=clinic.clock.now() + timedelta(days=9999)))
        self.patients = [
            await self.till.insured(),
            await self.till.insured("special", account="10"),
            await self.till.insured(account="500"),
            await self.till.insured(None, refusal="您的医保暂停了。"),
            await self.till.insured(known=False),
        ]
        self.healthy = dict(self.till.insurer.people)
        self.administrator: Actor = await clinic.administrator()
        self.daughter: Actor = await clinic.patient("王小红")

    async def forget(self) -> None:
        """Leave nothing undone of a history that failed: the next one is not to be blamed for it."""
        self.database.dies_in = 0
        async with self.database.transaction() as session:
            await session.execute(update(ChargeStep).where(ChargeStep.due_at.is_not(None)).values(due_at=None))
            await session.execute(delete(Timer))
            await session.execute(delete(PendingDelivery))

    async def case(self, patient: Actor) -> str:
        """Make a consultation that has its expert and no time yet."""
        now = self.till.clinic.clock.now()
        self.cases_made += 1
        case = Consultation(
            id=new_id(),
            number=f"HZ20261123-{self.cases_made:07}",
            status=Status.ASSIGNED,
            urgency=Urgency.ROUTINE,
            department_code="respiratory",
            patient_id=patient.person_id,
            speaker_id=patient.person_id,
            institution_id=self.till.clinic.township,
            doctor_id=practitioner_of(self.till.doctor),
            expert_id=practitioner_of(self.till.expert),
            opened_at=now,
            assigned_at=now,
        )
        async with self.database.transaction() as session:
            session.add(case)
        return case.id

    async def slot(self, hours: int) -> str:
        """Make a free time of the expert, so many hours from now."""
        self.slots_made += 1
        starts_at = self.till.clinic.clock.now() + timedelta(hours=hours, microseconds=self.slots_made)
        slot = Slot(
            id=new_id(),
            expert_id=practitioner_of(self.till.expert),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30),
            state=SlotState.FREE,
        )
        async with self.database.transaction() as session:
            session.add(slot)
        return slot.id

    async def care_ends(self, consultation_id: str, status: Status, event: str) -> None:
        """Let the expert give a case back, or somebody cancel it, and tell of it."""
        scheduling, care = self.till.clinic.scheduling, self.till.clinic.care
        async with self.database.transaction() as session:
            case = await session.get_one(Consultation, consultation_id)
            if case.status is not Status.ASSIGNED:
                return
            expert_id = case.expert_id
            await scheduling.release(consultation_id, BookingState.CANCELLED)
            values = {"status": status, "expert_id": expert_id if status is Status.CANCELLED else None}
            await session.execute(update(Consultation).where(Consultation.id == consultation_id).values(**values))
            payload = {"expert_id": expert_id, "actor_id": "somebody"}
            await care.publish_meeting(session, consultation_id, event, **payload)

    async def status_of(self, consultation_id: str) -> Status:
        """Give where a consultation stands."""
        async with self.database.reading() as session:
            return (await session.get_one(Consultation, consultation_id, populate_existing=True)).status

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass, and what is due in it happen; the process may end in it."""
        end: datetime = self.till.clinic.clock.now() + by
        await self.till.clinic.pass_time(max(end - self.till.clinic.clock.now(), timedelta()))

    def close(self) -> None:
        """End the world."""
        self.run(self.database.close())
        self.runner.close()
        self.folder.cleanup()
