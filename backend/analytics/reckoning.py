"""What past cases spared their patients, reckoned anew when a place or a parameter has become known or was changed."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.analytics.counting import Counting, add_up
from backend.analytics.savings import Place, Saving, basis, saving
from backend.analytics.tables import ConsultationFact
from backend.clock import LOCAL_ZONE, local
from backend.security.policy import SYSTEM, Action, Actor, require
from data.savings import Parameters

RECKON_TIMER = "analytics.reckon"

RECKONED_AT = time(3, 40)
"""When it is looked for cases to be reckoned anew: nobody looks at figures then."""

MOST_AT_ONCE = 2_000
"""Cases of one run, so that whoever counts a new case meanwhile waits for a moment at most."""

_SOON = timedelta(minutes=1)
_WINDOW = timedelta(days=31)
_FACT = ConsultationFact


@dataclass(frozen=True)
class Stale:
    """Cases between the same two places that were reckoned alike, and are reckoned otherwise now.

    Attributes:
        before: what they were reckoned with; empty where they were not.
        first, last: the days on which they were asked. per_case: what each spared, but for what its patient has paid.
    """

    institution_id: str
    hospital_id: str
    before: str
    first: date
    last: date
    cases: int
    held: Parameters
    now: str
    per_case: Saving

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells these cases from the others of their days."""
        return self.institution_id, self.hospital_id, self.before


@dataclass(frozen=True)
class Renewal:
    """How many cases would be reckoned for the first time, and how many otherwise than before; `done` of them were."""

    first_time: int
    otherwise: int
    done: int = 0

    @property
    def left(self) -> int:
        """How many are still to be reckoned."""
        return self.first_time + self.otherwise - self.done


class Reckoning(Counting):
    """The part of `AnalyticsService` about savings of past cases. A place or a parameter that is not known any more
    takes nothing away: what was reckoned stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timers.on(RECKON_TIMER, self._on_timer)

    async def begin(self) -> None:
        """Look for such cases each night from now on, once this process is up."""
        async with self._database.transaction() as session:
            await self._timers.set(session, RECKON_TIMER, "", self._tonight())

    async def renewal(self, actor: Actor) -> Renewal:
        """Give how many cases would be reckoned anew now.

        Raises:
            Forbidden: the actor may not have them reckoned.
        """
        require(actor, Action.ANALYTICS_RECKON)
        return _counted(await self._stale())

    async def reckon_anew(self, actor: Actor, most: int = MOST_AT_ONCE) -> Renewal:
        """Reckon such cases anew, those of the earliest days first, and add up the sums of these days; audited.

        Args:
            most: no further day is begun after so many cases.

        Raises:
            Forbidden: the actor may not have them reckoned.
        """
        require(actor, Action.ANALYTICS_RECKON)
        stale = await self._stale()
        done = 0
        async for day, there in self._days(stale):
            if done >= most:
                break
            async with self._database.transaction() as session:
                await self._lock(session, day)
                done += sum([await _renew(session, day, one) for one in there])
                await add_up(session, (day, None, None))
        if done:
            async with self._database.transaction() as session:
                await self._audit.record(session, actor, Action.ANALYTICS_RECKON, subject=f"consultations:{done}")
        return replace(_counted(stale), done=done)

    async def _on_timer(self, _payload: Mapping[str, Any]) -> None:
        found = await self.reckon_anew(SYSTEM)
        async with self._database.transaction() as session:
            more = found.done and found.left
            at = self._clock.now() + _SOON if more else self._tonight()
            await self._timers.set(session, RECKON_TIMER, "", at)

    def _tonight(self) -> datetime:
        now = local(self._clock.now())
        tonight = datetime.combine(now.date(), RECKONED_AT, LOCAL_ZONE)
        return tonight if tonight > now else tonight + timedelta(days=1)

    async def _stale(self) -> list[Stale]:
        """Find groups of cases that are reckoned otherwise now; read without a lock."""
        found: list[Stale] = []
        places: dict[str, Place | None] = {}
        after: ColumnElement[bool] | None = None
        for held in reversed(self._known_parameters()):
            since = _FACT.day >= held.valid_from
            query = select(
                _FACT.institution_id, _FACT.hospital_id, _FACT.reckoned_with, func.min(_FACT.day),
                func.max(_FACT.day), func.count(),
            ).where(_FACT.hospital_id.is_not(None), since)  # fmt: skip
            if after is not None:
                query = query.where(~after)
            after = since
            async with self._database.reading() as session:
                rows: Sequence[Any] = (await session.execute(query.group_by(*_GROUP))).all()
            for institution_id, hospital_id, before, first, last, cases in rows:
                centre, hospital = [await self._place(places, one) for one in (institution_id, hospital_id)]
                if centre is None or hospital is None:
                    continue
                now = basis(held, centre, hospital)
                if now != before:
                    alike = (institution_id, hospital_id, before, first, last, cases, held, now)
                    found.append(Stale(*alike, per_case=saving(held, centre, hospital, 0)))
        return found

    async def _place(self, places: dict[str, Place | None], institution_id: str) -> Place | None:
        if institution_id not in places:
            places[institution_id] = await self._place_of(institution_id)
        return places[institution_id]

    async def _days(self, stale: Sequence[Stale]) -> AsyncIterator[tuple[date, list[Stale]]]:
        """Give each day that has such cases, the earliest first, with the groups that are of it."""
        if not stale:
            return
        first, last = min(one.first for one in stale), max(one.last for one in stale)
        groups: dict[tuple[str, str, str], list[Stale]] = defaultdict(list)
        for one in stale:
            groups[one.key].append(one)
        while first <= last:
            query = select(_FACT.day, *_GROUP).where(
                _FACT.hospital_id.is_not(None), _FACT.day >= first, _FACT.day < first + _WINDOW
            )
            async with self._database.reading() as session:
                rows: Sequence[Any] = (await session.execute(query.distinct().order_by(_FACT.day))).all()
            days: dict[date, list[Stale]] = defaultdict(list)
            for day, *key in rows:
                days[day] += [one for one in groups.get((key[0], key[1], key[2]), ()) if one.first <= day <= one.last]
            for day, there in days.items():
                if there:
                    yield day, there
            first += _WINDOW


async def _renew(session: AsyncSession, day: date, one: Stale) -> int:
    """Write anew what the cases of a day and a group spared; give how many there are."""
    each = one.per_case
    renewed = await session.execute(
        update(_FACT)
        .where(
            _FACT.day == day,
            _FACT.institution_id == one.institution_id,
            _FACT.hospital_id == one.hospital_id,
            _FACT.reckoned_with == one.before,
        )
        .values(
            metres_instead=each.metres_instead,
            metres_gone=each.metres_gone,
            fen_instead=each.fen_instead,
            fen_spent=each.fen_spent + func.coalesce(_FACT.paid_fen, 0),
            parameters=one.held.code,
            reckoned_with=one.now,
        )
    )
    return int(renewed.rowcount)  # type: ignore[attr-defined]  # of an UPDATE


def _counted(stale: Sequence[Stale]) -> Renewal:
    first_time = sum(one.cases for one in stale if not one.before)
    return Renewal(first_time, sum(one.cases for one in stale) - first_time)


_GROUP = (_FACT.institution_id, _FACT.hospital_id, _FACT.reckoned_with)
