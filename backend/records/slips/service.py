"""The use cases of laboratory slips: a photograph waits, is read, shown, corrected, kept or dropped."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import LOCAL_ZONE, Clock, backoff
from backend.db import Database, after_commit
from backend.errors import IllegalMove, InvalidInput, NotFound
from backend.events import Event, EventBus
from backend.files import FileStore
from backend.ids import new_id
from backend.people import PeopleService
from backend.records.background import Source
from backend.records.rules import NewObservation
from backend.records.service import RecordService
from backend.records.slip_tables import LaboratorySlip
from backend.records.slips.lines import Word
from backend.records.slips.reading import SlipReading, read_slip
from backend.records.slips.rules import SlipState, SlipView, rows_of, to_json, with_row, without_row
from backend.records.slips.words import read_words
from backend.records.views import ObservationView
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor
from backend.worker_processes import WorkerProcesses

log = logging.getLogger(__name__)

CONSUMER = "slips"
MOST_ATTEMPTS = 3
LONGEST = timedelta(minutes=4)
"""A photograph that takes longer to read is given up, and tried again later."""

_LEASE = LONGEST + timedelta(minutes=1)
_FIRST_BACKOFF, _LONGEST_BACKOFF = timedelta(seconds=10), timedelta(minutes=10)
_POLL_SECONDS = 2.0
_OPEN_FOR = timedelta(days=7)
_NOON = time(12)
_NO_SUCH = "没有找到这张化验单，请重新发一次。"
_DECIDED = "这张化验单已经处理过了。"

Reader = Callable[[bytes], Awaitable[Sequence[Word]]]


class SlipService:
    """All use cases of laboratory slips. A slip is its sender's until it is kept: nobody else sees it.

    Raises (besides what each method names):
        NotFound: no such slip of the actor. Forbidden: the policy refuses.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        audit: AuditLog,
        people: PeopleService,
        files: FileStore,
        records: RecordService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._audit = audit
        self._people = people
        self._files = files
        self._records = records
        self._processes = WorkerProcesses(1, niceness=10)
        self._reader: Reader = self._in_a_process
        self._wake = asyncio.Event()
        clock.on_shift(self._wake.set)
        events.subscribe(CONSUMER, ["attachment.added"], self._on_attached)

    def read_with(self, reader: Reader) -> None:
        """Let `reader` read the words of pictures, in place of the process that does."""
        self._reader = reader

    def close(self) -> None:
        """End the process that reads, whatever it is reading: it is read after the next start."""
        self._processes.kill()

    async def take(
        self, actor: Actor, file_id: str, *, patient_id: str, consultation_id: str | None = None
    ) -> SlipView:
        """Let a picture that the actor has sent be read as a slip of a patient; the same picture is one slip.

        One that was looked at before, and taken for none, is looked at again.
        """
        async with self._database.transaction() as session:
            await self._records.check_writing(session, actor, patient_id, f"file:{file_id}")
            if (await self._files.describe(file_id)).owner_id != actor.person_id:
                raise NotFound(_NO_SUCH)
            row = await session.scalar(select(LaboratorySlip).where(LaboratorySlip.file_id == file_id))
            if row is None:
                row = self._row(file_id, patient_id, actor.person_id, consultation_id, asked=True)
                session.add(row)
            elif row.sender_id != actor.person_id:
                raise NotFound(_NO_SUCH)
            await self._hand_over(session, row)
            row.asked = True
            if row.state is SlipState.NO_SLIP:
                row.state, row.due_at, row.attempts = SlipState.WAITING, self._clock.now(), 0
            after_commit(session, self._wake.set)
            return await self._view(row)

    async def slip(self, actor: Actor, slip_id: str) -> SlipView:
        """Give a slip to who sent it."""
        async with self._database.transaction() as session:
            return await self._view(await self._mine(session, actor, slip_id))

    async def open_slip(self, actor: Actor) -> SlipView | None:
        """Give the newest slip of the actor that waits for a yes, at most a week old."""
        since = self._clock.now() - _OPEN_FOR
        query = select(LaboratorySlip).where(
            LaboratorySlip.sender_id == actor.person_id,
            LaboratorySlip.state == SlipState.READ,
            LaboratorySlip.created_at >= since,
        )
        async with self._database.transaction() as session:
            row = await session.scalar(query.order_by(LaboratorySlip.created_at.desc()).limit(1))
            return None if row is None else await self._view(row)

    async def correct(self, actor: Actor, slip_id: str, number: int, value: str) -> SlipView:
        """Put a value into a row, counted from 1, with its unit where it is not the usual one.

        Raises:
            NotFound: no such row. InvalidInput: the value cannot be. IllegalMove: the slip is kept or dropped.
        """
        async with self._database.transaction() as session:
            row = await self._undecided(session, actor, slip_id)
            row.reading = with_row(row.reading, number, value)
            return await self._view(row)

    async def leave_out(self, actor: Actor, slip_id: str, number: int) -> SlipView:
        """Leave a row, counted from 1, out of what is kept; raises as `correct`."""
        async with self._database.transaction() as session:
            row = await self._undecided(session, actor, slip_id)
            row.reading = without_row(row.reading, number)
            return await self._view(row)

    async def keep(self, actor: Actor, slip_id: str, patient_id: str | None = None) -> list[ObservationView]:
        """Keep the rows that are believable as observations, once; give them.

        Args:
            patient_id: whose slip it is, where it is somebody else's than was thought.

        Raises:
            IllegalMove: it was dropped, or kept before. InvalidInput: no row can be kept.
        """
        async with self._database.transaction() as session:
            row = await self._undecided(session, actor, slip_id)
            whose = patient_id or row.patient_id
            rows = (await self._view(row)).keepable
            if not rows:
                raise InvalidInput("这张化验单上没有能记下的数，请先改好再点“记下”。")
            at = self._taken_at(row)
            given = [
                NewObservation(one.kind, one.value, "", at, one.reference, f"slip:{row.id}:{one.kind}") for one in rows
            ]
            same = row.consultation_id if whose == row.patient_id else None
            noted = await self._records.record(actor, whose, given, source=Source.SLIP, consultation_id=same)
            row.state, row.patient_id = SlipState.KEPT, whose
            await self._hand_over(session, row)
            return noted

    async def drop(self, actor: Actor, slip_id: str) -> None:
        """Keep nothing of a slip; raises IllegalMove where it is kept already."""
        async with self._database.transaction() as session:
            row = await self._undecided(session, actor, slip_id)
            row.state, row.reading = SlipState.DROPPED, {}

    # in the background

    async def keep_reading(self) -> None:
        """Read what waits, one after another, until cancelled; the process goes while there is nothing to read."""
        while True:
            self._wake.clear()
            if await self.read_next():
                continue
            self._processes.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _POLL_SECONDS)

    async def read_next(self) -> bool:
        """Read one photograph that waits; tell whether one did."""
        claimed = await self._claim()
        if claimed is None:
            return False
        slip_id, file_id, attempts = claimed
        try:
            data, _ = await self._files.get(file_id)
            async with asyncio.timeout(LONGEST.total_seconds()):
                words = await self._reader(data)
        except Exception as error:  # a picture that takes the reader down must not stop those behind it
            log.warning("slip not read: slip=%s attempt=%d error=%s", slip_id, attempts, type(error).__name__)
            self._processes.kill()
            await self._put_off(slip_id)
            return True
        today = self._clock.today().date()
        await self._write_down(slip_id, await asyncio.to_thread(read_slip, words, today))
        return True

    async def _in_a_process(self, data: bytes) -> Sequence[Word]:
        return await self._processes.run(read_words, data)

    async def _claim(self) -> tuple[str, str, int] | None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            query = select(LaboratorySlip).where(LaboratorySlip.due_at <= now).order_by(LaboratorySlip.due_at).limit(1)
            row = await session.scalar(query.with_for_update(skip_locked=True))
            if row is None:
                return None
            row.due_at = now + _LEASE
            row.attempts += 1
            return row.id, row.file_id, row.attempts

    async def _put_off(self, slip_id: str) -> None:
        async with self._database.transaction() as session:
            row = await session.get_one(LaboratorySlip, slip_id)
            if row.attempts >= MOST_ATTEMPTS:
                await self._settle(session, row, SlipReading())
            else:
                row.due_at = self._clock.now() + backoff(row.attempts, _FIRST_BACKOFF, _LONGEST_BACKOFF)

    async def _write_down(self, slip_id: str, reading: SlipReading) -> None:
        async with self._database.transaction() as session:
            row = await session.get_one(LaboratorySlip, slip_id, with_for_update=True)
            if row.state is SlipState.WAITING:
                await self._settle(session, row, reading)

    async def _settle(self, session: AsyncSession, row: LaboratorySlip, reading: SlipReading) -> None:
        found = reading.is_slip or (row.asked and bool(reading.rows))
        row.state = SlipState.READ if found else SlipState.NO_SLIP
        row.due_at, row.read_at = None, self._clock.now()
        if found:
            row.reading, row.taken_on = to_json(reading), reading.taken_on
        if found or row.asked:
            await self._events.publish(
                session,
                "slip.read" if found else "slip.unreadable",
                slip_id=row.id,
                patient_id=row.patient_id,
                sender_id=row.sender_id,
                consultation_id=row.consultation_id,
            )

    async def _on_attached(self, event: Event) -> None:
        """Look at every picture that becomes part of a case: what is a slip is offered to whoever sent it."""
        async with self._database.transaction() as session:
            file_id = event.payload["file_id"]
            if await session.scalar(select(LaboratorySlip.id).where(LaboratorySlip.file_id == file_id)) is not None:
                return
            if not (await self._files.describe(file_id)).media_type.startswith("image/"):
                return
            patient_id, sender_id = event.payload["patient_id"], event.payload["actor_id"]
            session.add(self._row(file_id, patient_id, sender_id, event.payload["consultation_id"], asked=False))
            after_commit(session, self._wake.set)

    def _row(
        self, file_id: str, patient_id: str, sender_id: str, consultation_id: str | None, *, asked: bool
    ) -> LaboratorySlip:
        now = self._clock.now()
        return LaboratorySlip(
            id=new_id(),
            file_id=file_id,
            patient_id=patient_id,
            sender_id=sender_id,
            consultation_id=consultation_id,
            asked=asked,
            state=SlipState.WAITING,
            due_at=now,
            attempts=0,
            reading={},
            taken_on=None,
            created_at=now,
            read_at=None,
        )

    async def _hand_over(self, session: AsyncSession, row: LaboratorySlip) -> None:
        """Let the photograph go with what it tells: into a case's record, or to the patient whose own it is."""
        if row.consultation_id is not None:
            await self._files.into_record(session, [row.file_id])
        else:
            await self._files.into_hands(session, [row.file_id], row.patient_id)

    def _taken_at(self, row: LaboratorySlip) -> datetime:
        """Give when it was taken: noon of the printed day, for slips rarely tell the hour of the needle."""
        if row.taken_on is None:
            return row.created_at
        noon = datetime.combine(row.taken_on, _NOON, LOCAL_ZONE).astimezone(UTC)
        return min(noon, self._clock.now())

    async def _mine(self, session: AsyncSession, actor: Actor, slip_id: str, lock: bool = False) -> LaboratorySlip:
        row = await session.get(LaboratorySlip, slip_id, with_for_update=lock, populate_existing=True)
        if row is None or row.sender_id != actor.person_id:
            raise NotFound(_NO_SUCH)
        return row

    async def _undecided(self, session: AsyncSession, actor: Actor, slip_id: str) -> LaboratorySlip:
        row = await self._mine(session, actor, slip_id, lock=True)
        if row.state is not SlipState.READ:
            raise IllegalMove(_DECIDED)
        subject = f"slip:{row.id}"
        await self._audit.record(session, actor, Action.RECORDS_WRITE, patient_id=row.patient_id, subject=subject)
        return row

    async def _view(self, row: LaboratorySlip) -> SlipView:
        held: dict[str, Any] = row.reading
        person = await self._people.person(SYSTEM, row.patient_id)
        return SlipView(
            id=row.id,
            state=row.state,
            patient_id=row.patient_id,
            sender_id=row.sender_id,
            consultation_id=row.consultation_id,
            rows=rows_of(held),
            name=held.get("name", ""),
            taken_on=row.taken_on,
            unknown=held.get("unknown", 0),
            created_at=row.created_at,
            patient_name=person.name,
            sex=person.sex,
            age_months=person.age_months,
        )
