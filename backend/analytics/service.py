"""Figures: kept up by the events of consultations, read by who runs the platform."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from backend.analytics import rules
from backend.analytics.counting import BUCKETS, PLAIN
from backend.analytics.definitions import definitions
from backend.analytics.monthly import Month, month_of, page_of
from backend.analytics.reckoning import Reckoning
from backend.analytics.rules import Sums
from backend.analytics.savings import Saving
from backend.analytics.tables import ConsultationFact, DailyFigure
from backend.errors import InvalidInput
from backend.monthly_page import print_monthly
from backend.security.policy import Action, Actor, Relation, granted, require

LONGEST_SPAN = timedelta(days=366 * 3)
_COLUMNS = {name: getattr(DailyFigure, name) for name in (*PLAIN, *BUCKETS)}
_LONGEST_PAGE = 100
_FEW = 5_000


class Behind(StrEnum):
    """Which of the cases of a span stand behind a number."""

    ASKED = "asked"
    COMPLETED = "completed"
    ANSWERED = "answered"  # those that waited longest first: behind the mean and p90
    UNANSWERED = "unanswered"
    LATE = "late"  # answered after the target
    COMPARED = "compared"
    DISAGREED = "disagreed"
    RATED = "rated"
    DISSATISFIED = "dissatisfied"
    RECKONED = "reckoned"  # completed, what it spared the patient is known
    UNRECKONED = "unreckoned"  # completed, and it is not


_FACT, _SUM = ConsultationFact, DailyFigure
_BEHIND: Mapping[Behind, tuple[ColumnElement[bool], ColumnElement[int] | InstrumentedAttribute[int]]] = {
    Behind.ASKED: (true(), _SUM.asked),
    Behind.COMPLETED: (_FACT.completed.is_(True), _SUM.completed),
    Behind.UNANSWERED: (_FACT.answer_seconds.is_(None), _SUM.asked - _SUM.answered),
    Behind.COMPARED: (_FACT.agreed.is_not(None), _SUM.compared),
    Behind.DISAGREED: (_FACT.agreed.is_(False), _SUM.compared - _SUM.agreed),
    Behind.RATED: (_FACT.stars.is_not(None), _SUM.rated),
    Behind.DISSATISFIED: (_FACT.stars < rules.SATISFIED_FROM, _SUM.rated - _SUM.satisfied),
    Behind.RECKONED: (_FACT.metres_instead.is_not(None), _SUM.reckoned),
    Behind.UNRECKONED: (_FACT.completed.is_(True) & _FACT.metres_instead.is_(None), _SUM.completed - _SUM.reckoned),
}
"""Of each that is shown from the latest day on, which facts it is, and how many of them a day has."""

_SLOW: Mapping[Behind, int] = {Behind.ANSWERED: -1, Behind.LATE: rules.ANSWER_TARGET_MINUTES * 60}
"""Of each that is shown from the slowest on, the seconds that all of them took longer than."""


@dataclass(frozen=True)
class FactView:
    """What one case counts for; None where it does not count, or not yet. `parameters`: what the saving was reckoned
    with, by their code; empty where it was not."""

    consultation_id: str
    completed: bool
    answer_seconds: int | None
    agreed: bool | None
    stars: int | None
    saving: Saving | None
    parameters: str


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


class AnalyticsService(Reckoning):
    """The figures. Each case counts on the day on which an expert was asked for it (docs/console.md)."""

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
    ) -> Sequence[FactView]:
        """Give the cases behind a number, the latest asked or the longest waiting first.

        Raises:
            Forbidden, InvalidInput: as in `figures`.
        """
        span, limit, offset = self._allowed(actor, span), min(max(limit, 1), _LONGEST_PAGE), max(offset, 0)
        query = select(ConsultationFact).where(*_facts_at(span)).limit(limit)
        if which in _SLOW:
            query = await self._slowest(query, span, _SLOW[which], limit, offset)
        else:
            query = await self._latest(query, span, which, limit, offset)
        async with self._database.reading() as session:
            return [_fact_view(row) for row in await session.scalars(query)]

    async def _slowest(self, query: Select[Any], span: Span, over: int, limit: int, offset: int) -> Select[Any]:
        """Read only the answers that are slow enough to be among those wanted: the histogram tells which."""
        days = await self._sums(span, DailyFigure.day, _of_places(span), _of_department(span))
        sums = rules.total(days.values())
        bound = max(over, rules.slowest_from(sums.histogram, offset + limit))
        # Few are found by their days and sorted. Of many the index of slow answers has the first in order: a day that
        # is an expression keeps databases from walking all the days instead.
        day = ConsultationFact.day if sums.answered <= _FEW else func.coalesce(ConsultationFact.day, span.first)
        return (
            query.where(ConsultationFact.answer_seconds > bound, day.between(span.first, span.last))
            .order_by(ConsultationFact.answer_seconds.desc(), ConsultationFact.consultation_id.desc())
            .offset(offset)
        )

    async def _latest(self, query: Select[Any], span: Span, which: Behind, limit: int, offset: int) -> Select[Any]:
        """Read only the days that hold what is wanted: the sums tell which."""
        condition, counted = _BEHIND[which]
        count = func.sum(counted)
        held = select(DailyFigure.day, count).where(
            _of_places(span), _of_department(span), DailyFigure.day.between(span.first, span.last)
        )
        held = held.group_by(DailyFigure.day).having(count > 0).order_by(DailyFigure.day.desc())
        async with self._database.reading() as session:
            counts = (await session.execute(held)).all()
        days, skipped, before = [], 0, 0
        for day, number in counts:
            if before + number <= offset:
                skipped += int(number)
            elif before < offset + limit:
                days.append(day)
            before += int(number)
        return (
            query.where(condition, ConsultationFact.day.in_(days))
            .order_by(ConsultationFact.asked_at.desc(), ConsultationFact.consultation_id.desc())
            .offset(offset - skipped)
        )

    async def print_month(self, month: Month) -> bytes:
        """Give the report of a month as a PDF file, with the definitions that held in it."""
        _, last = month_of(month.first)
        return await self._printer.run(print_monthly, page_of(month, definitions(month.first, last)))

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


def _facts_at(span: Span) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if span.institution_ids is not None:
        conditions.append(ConsultationFact.institution_id.in_(span.institution_ids))
    if span.department_code is not None:
        conditions.append(ConsultationFact.department_code == span.department_code)
    return conditions


def _fact_view(row: ConsultationFact) -> FactView:
    saved = None
    if (
        row.metres_instead is not None
        and row.metres_gone is not None
        and row.fen_instead is not None
        and row.fen_spent is not None
    ):
        saved = Saving(row.metres_instead, row.metres_gone, row.fen_instead, row.fen_spent)
    return FactView(
        row.consultation_id, row.completed, row.answer_seconds, row.agreed, row.stars, saved, row.parameters
    )


def _read(row: Mapping[Any, Any]) -> Sums:
    numbers = {name: int(row[name]) for name in PLAIN}
    return Sums(**numbers, histogram=tuple(int(row[name]) for name in BUCKETS))
