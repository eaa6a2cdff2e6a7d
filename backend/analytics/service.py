"""Figures: kept up by the events of consultations, read by who runs the platform."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import product
from typing import Any

from sqlalchemy import Case, ColumnElement, case, delete, func, insert, literal, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from backend.analytics import rules
from backend.analytics.rules import Sums
from backend.analytics.tables import ConsultationFact, DailyFigure
from backend.clock import Clock, local
from backend.consultation import CaseOutcome, ConsultationService, Status
from backend.db import Database
from backend.errors import InvalidInput
from backend.events import Event, EventBus
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, Relation, granted, require

CONSUMER = "analytics"
LONGEST_SPAN = timedelta(days=366 * 3)
_TYPES = (
    "consultation.submitted",
    "consultation.assigned",
    "consultation.given_back",
    "consultation.completed",
    "consultation.cancelled",
    "consultation.rated",
)
_PLAIN = ("asked", "completed", "answered", "answer_seconds", "compared", "agreed", "rated", "satisfied")
_BUCKETS = (*(f"within_{minutes}" for minutes in rules.BUCKET_MINUTES), "longer")
_COLUMNS = {name: getattr(DailyFigure, name) for name in (*_PLAIN, *_BUCKETS)}
_LONGEST_PAGE = 100


class Behind(StrEnum):
    """Which of the cases of a span stand behind a number."""

    ASKED = "asked"
    COMPLETED = "completed"
    UNANSWERED = "unanswered"
    LATE = "late"  # answered after the target
    DISAGREED = "disagreed"
    DISSATISFIED = "dissatisfied"


_BEHIND: Mapping[Behind, ColumnElement[bool]] = {
    Behind.ASKED: true(),
    Behind.COMPLETED: ConsultationFact.completed.is_(True),
    Behind.UNANSWERED: ConsultationFact.answer_seconds.is_(None),
    Behind.LATE: ConsultationFact.answer_seconds > rules.ANSWER_TARGET_MINUTES * 60,
    Behind.DISAGREED: ConsultationFact.agreed.is_(False),
    Behind.DISSATISFIED: ConsultationFact.stars < rules.SATISFIED_FROM,
}


@dataclass(frozen=True)
class Span:
    """Which facts: of these days, both among them, of these institutions and this department, where they are given."""

    first: date
    last: date
    institution_ids: Collection[str] | None = None
    department_code: str | None = None


@dataclass(frozen=True)
class Figures:
    """The sums of a span: in all, and by day, institution and department; only what has any is there."""

    total: Sums
    by_day: dict[date, Sums]
    by_institution: dict[str, Sums]
    by_department: dict[str, Sums]


class AnalyticsService:
    """The figures. Each case counts on the day on which an expert was asked for it (docs/console.md)."""

    def __init__(
        self, database: Database, clock: Clock, events: EventBus, audit: AuditLog, consultations: ConsultationService
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._consultations = consultations
        events.subscribe(CONSUMER, _TYPES, self._on_event)

    async def figures(self, actor: Actor, span: Span) -> Figures:
        """Give the sums of a span; an institution's administrator sees their own.

        Raises:
            Forbidden: the actor may see no figures, or not those of these institutions.
            InvalidInput: the span ends before it begins, or is longer than three years.
        """
        span = self._allowed(actor, span)
        by_day = self._sums(span, DailyFigure.day, _of_places(span), _of_department(span))
        by_institution = self._sums(span, DailyFigure.institution_id, _each_place(span), _of_department(span))
        by_department = self._sums(span, DailyFigure.department_code, _of_places(span), _each_department(span))
        days = await by_day
        return Figures(rules.total(days.values()), days, await by_institution, await by_department)

    async def _sums(self, span: Span, by: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]) -> Any:
        sums = [func.coalesce(func.sum(column), 0).label(name) for name, column in _COLUMNS.items()]
        query = select(by.label("of"), *sums).where(*conditions, DailyFigure.day.between(span.first, span.last))
        async with self._database.reading() as session:
            return {row.of: _read(row._mapping) for row in await session.execute(query.group_by(by).order_by(by))}

    async def asked_in_year(self, actor: Actor, span: Span) -> int:
        """Give how many were asked in the calendar year of the span's last day, until that day."""
        span = self._allowed(actor, span)
        year = Span(span.last.replace(month=1, day=1), span.last, span.institution_ids, span.department_code)
        query = select(func.coalesce(func.sum(DailyFigure.asked), 0)).where(
            _of_places(year), _of_department(year), DailyFigure.day.between(year.first, year.last)
        )
        async with self._database.reading() as session:
            return int(await session.scalar(query) or 0)

    async def behind(
        self, actor: Actor, span: Span, which: Behind, *, limit: int = 20, offset: int = 0
    ) -> Sequence[str]:
        """Give the identifiers of the cases behind a number, the latest asked first.

        Raises:
            Forbidden, InvalidInput: as in `figures`.
        """
        span = self._allowed(actor, span)
        query = (
            select(ConsultationFact.consultation_id)
            .where(*_facts_of(span), _BEHIND[which])
            .order_by(ConsultationFact.asked_at.desc(), ConsultationFact.consultation_id.desc())
            .limit(min(max(limit, 1), _LONGEST_PAGE))
            .offset(max(offset, 0))
        )
        async with self._database.reading() as session:
            return (await session.scalars(query)).all()

    def _allowed(self, actor: Actor, span: Span) -> Span:
        """Narrow a span to what the actor may see."""
        if not timedelta() <= span.last - span.first <= LONGEST_SPAN:
            raise InvalidInput("日期不对：结束要在开始之后，最长三年。", field="until")
        if Relation.ANY in granted(actor, Action.ANALYTICS_READ):
            return span
        wanted = span.institution_ids
        chosen = {actor.institution_id or ""} if wanted is None else set(wanted)
        for institution_id in chosen:
            require(actor, Action.ANALYTICS_READ, institution_id=institution_id)
        return Span(span.first, span.last, chosen, span.department_code)

    # keeping them up

    async def _on_event(self, event: Event) -> None:
        outcome = await self._consultations.outcome(event.payload["consultation_id"])
        if outcome is not None and outcome.submitted_at is not None:
            await self._count(outcome, outcome.submitted_at)

    async def _count(self, outcome: CaseOutcome, asked_at: datetime) -> None:
        fact = _fact(outcome, asked_at)
        cell = (fact["day"], fact["institution_id"], fact["department_code"])
        async with self._database.transaction() as session:
            # Whoever changes a fact of a day holds the row of the day: the sums are made of all facts, one by one.
            await self._lock(session, fact["day"])
            await session.execute(
                delete(ConsultationFact).where(ConsultationFact.consultation_id == fact["consultation_id"])
            )
            await session.execute(insert(ConsultationFact), [fact])
            await add_up(session, cell)

    async def _lock(self, session: AsyncSession, day: date) -> None:
        whole_day = (DailyFigure.day == day, DailyFigure.institution_id == "", DailyFigure.department_code == "")
        query = select(DailyFigure.day).where(*whole_day).with_for_update()
        if await session.scalar(query) is not None:
            return
        try:
            async with session.begin_nested():
                session.add(DailyFigure(day=day, institution_id="", department_code=""))
                await session.flush()
        except IntegrityError:  # the day's first two facts came in the same moment
            await session.scalar(query)


async def add_up(session: AsyncSession, cell: tuple[date, str, str] | None = None) -> None:
    """Make the sums of a day, an institution and a department, and those that they are part of, anew out of the facts;
    all sums there are where none is named."""
    for is_of_institution, is_of_department in product((True, False), repeat=2):
        institution = ConsultationFact.institution_id if is_of_institution else literal("")
        department = ConsultationFact.department_code if is_of_department else literal("")
        facts: list[ColumnElement[bool]] = []
        sums = [
            DailyFigure.institution_id != "" if is_of_institution else DailyFigure.institution_id == "",
            DailyFigure.department_code != "" if is_of_department else DailyFigure.department_code == "",
        ]
        if cell is not None:
            day, institution_id, department_code = cell
            facts, sums = [ConsultationFact.day == day], [*sums, DailyFigure.day == day]
            if is_of_institution:
                facts.append(ConsultationFact.institution_id == institution_id)
                sums.append(DailyFigure.institution_id == institution_id)
            if is_of_department:
                facts.append(ConsultationFact.department_code == department_code)
                sums.append(DailyFigure.department_code == department_code)
        await session.execute(delete(DailyFigure).where(*sums))
        query = select(ConsultationFact.day, institution.label("place"), department.label("part"), *_summed()).where(
            *facts
        )
        keys: list[Any] = [ConsultationFact.day]
        keys += [ConsultationFact.institution_id] if is_of_institution else []
        keys += [ConsultationFact.department_code] if is_of_department else []
        columns = ["day", "institution_id", "department_code", *_PLAIN, *_BUCKETS]
        await session.execute(insert(DailyFigure).from_select(columns, query.group_by(*keys)))


def _summed() -> list[Any]:
    """Give the sums of facts under the names of the columns of `DailyFigure`."""
    fact = ConsultationFact

    def count(condition: ColumnElement[bool]) -> Case[int]:
        return case((condition, 1), else_=0)

    parts: dict[str, Any] = {
        "asked": count(true()),
        "completed": count(fact.completed.is_(True)),
        "answered": count(fact.answer_seconds.is_not(None)),
        "answer_seconds": fact.answer_seconds,
        "compared": count(fact.agreed.is_not(None)),
        "agreed": count(fact.agreed.is_(True)),
        "rated": count(fact.stars.is_not(None)),
        "satisfied": count(fact.stars >= rules.SATISFIED_FROM),
    }
    bounds = [-1, *(minutes * 60 for minutes in rules.BUCKET_MINUTES)]
    for name, over, to in zip(_BUCKETS, bounds, [*bounds[1:], None], strict=True):
        within = fact.answer_seconds > over
        parts[name] = count(within if to is None else within & (fact.answer_seconds <= to))
    return [func.coalesce(func.sum(part), 0).label(name) for name, part in parts.items()]


def _fact(outcome: CaseOutcome, asked_at: datetime) -> dict[str, Any]:
    assigned_at = outcome.assigned_at
    return {
        "consultation_id": outcome.id,
        "day": local(asked_at).date(),
        "institution_id": outcome.institution_id,
        "department_code": outcome.department_code,
        "asked_at": asked_at,
        "completed": outcome.status is Status.COMPLETED,
        "answer_seconds": None if assigned_at is None else max(int((assigned_at - asked_at).total_seconds()), 0),
        "agreed": rules.same_disease(outcome.suspected, outcome.diagnosed),
        "stars": outcome.stars,
    }


def _of_places(span: Span) -> ColumnElement[bool]:
    chosen = span.institution_ids
    return DailyFigure.institution_id == "" if chosen is None else DailyFigure.institution_id.in_(chosen)


def _each_place(span: Span) -> ColumnElement[bool]:
    chosen = span.institution_ids
    return DailyFigure.institution_id != "" if chosen is None else DailyFigure.institution_id.in_(chosen)


def _of_department(span: Span) -> ColumnElement[bool]:
    return DailyFigure.department_code == (span.department_code or "")


def _each_department(span: Span) -> ColumnElement[bool]:
    chosen = span.department_code
    return DailyFigure.department_code != "" if chosen is None else DailyFigure.department_code == chosen


def _facts_of(span: Span) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ConsultationFact.day.between(span.first, span.last)]
    if span.institution_ids is not None:
        conditions.append(ConsultationFact.institution_id.in_(span.institution_ids))
    if span.department_code is not None:
        conditions.append(ConsultationFact.department_code == span.department_code)
    return conditions


def _read(row: Mapping[Any, Any]) -> Sums:
    numbers = {name: int(row[name]) for name in _PLAIN}
    return Sums(**numbers, histogram=tuple(int(row[name]) for name in _BUCKETS))
