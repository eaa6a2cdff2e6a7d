"""Disease surveillance: counts by syndrome, area and day, and alarms where there are more than usual."""

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.errors import Conflict, InvalidInput, NotFound
from backend.events import EventBus
from backend.ids import new_id
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, Relation, granted, require
from backend.surveillance import engine
from backend.surveillance.days import LOOKED_BACK, Days
from backend.surveillance.facts import EVERY_CASE, Facts
from backend.surveillance.publication import Published
from backend.surveillance.rules import REACH, Alarm, DayCount
from backend.surveillance.tables import SyndromeAlarm, SyndromeFact
from backend.timers import Timers
from backend.worker_processes import WorkerProcesses
from data.surveillance import syndromes

log = logging.getLogger(__name__)

LONGEST_SPAN = timedelta(days=400)
LONGEST_NOTE = 500

_IDLE_SECONDS = 300.0
_POLL_SECONDS = 60.0
_MOST_ALARMS = 100
_FETCHED_AT_ONCE = 5_000


class SurveillanceService:
    """The surveillance. Counts are no personal data: reading them asks the policy and leaves no entry in the audit log;
    acknowledging an alarm, or looking for alarms by hand, does.

    What is computed is computed in a process that begins with the first question and ends when nobody has asked for
    five minutes: it holds some 240 MB (docs/performance.md).
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        timers: Timers,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._events = events
        self._audit = audit
        self._people = people
        self._days = Days(database, clock, timers)
        self._processes = WorkerProcesses(1, niceness=10)
        self._idle: asyncio.TimerHandle | None = None
        Facts(database, events, people, consultations)

    @property
    def last_day(self) -> date:
        """The last day that is over: that of which there can be counts."""
        return self._days.yesterday

    async def begin(self) -> None:
        """Count the hours in which the platform runs from now on."""
        await self._days.begin()

    def close(self) -> None:
        """End the process that computes."""
        if self._idle is not None:
            self._idle.cancel()
        self._processes.kill()

    # reading

    async def counts(self, actor: Actor, syndrome: str, first: date, last: date) -> list[DayCount]:
        """Give the counts of a syndrome by area (`WHOLE`, the whole county, first) and day, as they are published; an
        institution's administrator sees those of the area that it lies in.

        Raises:
            Forbidden: the actor may see no counts.
            InvalidInput: an unknown syndrome; the span ends before it begins, or is longer than 400 days.
        """
        areas = await self._areas(actor)
        if syndrome not in syndromes():
            raise InvalidInput("没有这种症状组，请重新选择。", field="syndrome")
        if not timedelta() <= last - first <= LONGEST_SPAN:
            raise InvalidInput("日期不对：结束要在开始之后，最长四百天。", field="until")
        found = await self._answer([syndrome], first, min(last, self.last_day))
        return [one for one in found if areas is None or one.area in areas]

    async def alarms(
        self, actor: Actor, *, unacknowledged: bool = False, syndrome: str = "", since: date | None = None
    ) -> list[Alarm]:
        """List alarms, the newest first, at most a hundred; an institution's administrator sees those of their area.

        Args:
            syndrome, since: those of this syndrome, and since this day, where they are given.

        Raises:
            Forbidden: the actor may see none.
        """
        areas = await self._areas(actor)
        query = select(SyndromeAlarm).order_by(SyndromeAlarm.day.desc(), SyndromeAlarm.id).limit(_MOST_ALARMS)
        if areas is not None:
            query = query.where(SyndromeAlarm.area.in_(areas))
        if unacknowledged:
            query = query.where(SyndromeAlarm.acknowledged_at.is_(None))
        if syndrome:
            query = query.where(SyndromeAlarm.syndrome == syndrome)
        if since is not None:
            query = query.where(SyndromeAlarm.day >= since)
        async with self._database.reading() as session:
            return [_alarm(row) for row in await session.scalars(query)]

    async def _areas(self, actor: Actor) -> Collection[str] | None:
        """Give the areas that the actor may see; None for all."""
        if Relation.ANY in granted(actor, Action.SURVEILLANCE_READ):
            return None
        require(actor, Action.SURVEILLANCE_READ, institution_id=actor.institution_id)
        region = (await self._people.institution(actor.institution_id or "")).region
        return [region] if region else []  # the empty one would be the whole

    # changing

    async def acknowledge(self, actor: Actor, alarm_id: str, note: str) -> Alarm:
        """Note that somebody has looked at an alarm, and what they found or will do.

        Raises:
            NotFound: no such alarm. Conflict: somebody else was first.
            InvalidInput: the note is empty or longer than 500 characters.
        """
        require(actor, Action.SURVEILLANCE_ACKNOWLEDGE)
        said = note.strip()
        if not 0 < len(said) <= LONGEST_NOTE:
            raise InvalidInput(f"请写明核实情况或处理办法，最多{LONGEST_NOTE}字。", field="note")
        async with self._database.transaction() as session:
            row = await session.get(SyndromeAlarm, alarm_id, with_for_update=True)
            if row is None:
                raise NotFound("没有找到这条预警。")
            if row.acknowledged_at is not None:
                raise Conflict("这条预警已经有人处理过了，请刷新页面。")
            row.acknowledged_at, row.acknowledged_by, row.note = self._clock.now(), actor.person_id, said
            await self._audit.record(session, actor, Action.SURVEILLANCE_ACKNOWLEDGE, subject=f"alarm:{row.id}")
            return _alarm(row)

    async def assess(self, actor: Actor) -> int:
        """Look for alarms in the last seven days at once; give how many there are that nobody knew of.

        Raises:
            Forbidden: the actor is no administrator.
        """
        require(actor, Action.SURVEILLANCE_ASSESS)
        first = self.last_day - LOOKED_BACK + timedelta(days=1)
        found = await self._answer(list(syndromes()), first, self.last_day)
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.SURVEILLANCE_ASSESS)
            return await self._raise(session, found)

    async def work(self) -> int:
        """Look for the alarms of the days that are due; give how many days these were."""
        days = await self._days.due()
        if not days:
            return 0
        found = await self._answer(list(syndromes()), days[0], days[-1])
        async with self._database.transaction() as session:
            taken = {day for day in days if await self._days.take(session, day)}
            await self._raise(session, [one for one in found if one.day in taken])
        return len(taken)

    async def keep_watching(self) -> None:
        """Look for alarms as days become due, until cancelled."""
        while True:
            self._days.wake.clear()
            try:
                await self.work()
            except Exception:
                log.exception("alarms not looked for, and tried again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._days.wake.wait(), _POLL_SECONDS)

    async def _raise(self, session: AsyncSession, found: Sequence[DayCount]) -> int:
        """Write the alarms that there are not yet, and tell of them together."""
        news = []
        for one in found:
            if not one.methods or one.shown is None:
                continue
            row = _row(one, self._clock)
            try:
                async with session.begin_nested():
                    session.add(row)
                    await session.flush()
            except IntegrityError:  # it is known already
                continue
            said = {"syndrome": row.syndrome, "area": row.area, "count": str(one.shown)}
            news.append({"day": row.day.isoformat(), **said})
        if news:
            await self._events.publish(session, "surveillance.alarmed", alarms=news)
        return len(news)

    # computing

    async def _answer(self, codes: Sequence[str], first: date, last: date) -> list[DayCount]:
        if first > last:
            return []
        begin = first - REACH
        query = select(SyndromeFact.day, SyndromeFact.area, SyndromeFact.syndrome).where(
            SyndromeFact.syndrome.in_(codes), SyndromeFact.day.between(begin, last)
        )
        begun = (
            select(SyndromeFact.area, func.min(SyndromeFact.day))
            .where(SyndromeFact.syndrome == EVERY_CASE)
            .group_by(SyndromeFact.area)
        )
        days: list[date] = []
        areas: list[str] = []
        kinds: list[str] = []
        async with self._database.reading() as session:
            since = {area: day for area, day in await session.execute(begun) if day <= last}
            rows = await session.stream(query)
            async for some in rows.partitions(_FETCHED_AT_ONCE):
                for day, area, syndrome in some:
                    days.append(day)
                    areas.append(area)
                    kinds.append(syndrome)
        known = await self._days.known(begin, last)
        least = {code: syndromes()[code].least for code in codes}
        return await self._computed(engine.Question(first, last, least, (days, areas, kinds), known, since))

    async def _computed(self, question: engine.Question) -> list[DayCount]:
        if self._idle is not None:
            self._idle.cancel()
        try:
            return await self._processes.run(engine.answer, question)
        finally:
            self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._processes.close)


def _row(one: DayCount, clock: Clock) -> SyndromeAlarm:
    assert one.shown is not None  # noqa: S101  # what nobody can know is no alarm
    return SyndromeAlarm(
        id=new_id(),
        day=one.day,
        syndrome=one.syndrome,
        area=one.area,
        methods=",".join(one.methods),
        low=one.shown.low,
        high=one.shown.high,
        bound=one.bound,
        raised_at=clock.now(),
    )


def _alarm(row: SyndromeAlarm) -> Alarm:
    return Alarm(
        id=row.id,
        day=row.day,
        syndrome=row.syndrome,
        area=row.area,
        methods=row.methods.split(","),
        shown=Published(row.low, row.high),
        bound=row.bound,
        raised_at=row.raised_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        note=row.note,
    )
