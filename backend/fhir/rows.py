"""Sources whose resources are made from the rows of a query: filters, order and pages in one place.

Most filters are conditions of the database. What is encrypted cannot be asked of it: such a filter looks at the
resources of one patient, which are few.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, String, and_, false, func, or_
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.errors import NotFound
from backend.fhir.elements import Resource
from backend.fhir.searching import (
    Criterion,
    Found,
    FoundPage,
    Moment,
    ParameterType,
    Position,
    Prefix,
    Search,
    SearchParameter,
    Token,
    TooCostly,
)
from backend.fhir.systems import URI
from backend.security.policy import Action, Actor

_MOST_LOOKED_AT = 2000
_NUMBER = re.compile(r"[0-9]{1,18}")

Column = SQLColumnExpression[Any]
"""A column, or what is computed of some."""

Made = tuple[Resource, str | None]
"""A resource, and the patient whom it is about."""

Condition = Callable[[Any], ColumnElement[bool]]
Test = Callable[[Resource, Any], bool]


@dataclass(frozen=True)
class Filter:
    """A search parameter with how one of its values is asked of the database, or of a resource where it cannot be."""

    parameter: SearchParameter
    condition: Condition | None = None
    test: Test | None = None


def by_id(column: Any) -> Filter:
    """Search by the identifier of the resource, which is text or a number."""
    parameter = SearchParameter("_id", ParameterType.TOKEN, "Logical id")
    if isinstance(column.type, String):
        return Filter(parameter, lambda token: column == token.code)
    return Filter(parameter, lambda token: column == int(token.code) if _NUMBER.fullmatch(token.code) else false())


def by_reference(name: str, type_: str, column: Column, documentation: str) -> Filter:
    """Search by what a column refers to."""
    parameter = SearchParameter(name, ParameterType.REFERENCE, documentation, target=type_)
    return Filter(parameter, lambda identifier: column == identifier)


def of_patient(column: Column) -> dict[str, Filter]:
    """Search by the patient, under both names that FHIR has for it."""
    return {name: by_reference(name, "Patient", column, "Whom it is about") for name in ("patient", "subject")}


def by_moment(name: str, column: Column, documentation: str, *, needs_patient: bool = False) -> Filter:
    """Search by a column that holds a moment."""
    parameter = SearchParameter(name, ParameterType.DATE, documentation, needs_patient=needs_patient)
    return Filter(parameter, lambda moment: _in_time(column, column, moment))


def by_period(name: str, start: Column, end: Column, documentation: str) -> Filter:
    """Search by two columns that hold a beginning and an end, which may be open."""
    parameter = SearchParameter(name, ParameterType.DATE, documentation)
    return Filter(parameter, lambda moment: _in_time(start, end, moment))


def by_code(name: str, column: Column, codes: Mapping[str, Sequence[Any]], documentation: str) -> Filter:
    """Search by a column whose values stand for FHIR's codes: `codes` gives the values of each code."""
    parameter = SearchParameter(name, ParameterType.TOKEN, documentation)
    return Filter(parameter, lambda token: column.in_(codes.get(token.code, ())))


def by_identifier(id_column: Column, numbers: Mapping[str, Column]) -> Filter:
    """Search by identifiers: the UUID of ours, and numbers that people read, by their systems."""
    documentation = "urn:uuid, or a number that people read"
    parameter = SearchParameter("identifier", ParameterType.TOKEN, documentation)

    def condition(token: Token) -> ColumnElement[bool]:
        ways = [column == token.code for system, column in numbers.items() if token.is_of(system)]
        if token.is_of(URI):
            ways.append(id_column == uuid_of(token.code))
        return or_(false(), *ways)

    return Filter(parameter, condition)


def by_content(name: str, test: Test, documentation: str) -> Filter:
    """Search by what is encrypted, so that each of a patient's resources has to be looked at."""
    return Filter(SearchParameter(name, ParameterType.TOKEN, documentation, needs_patient=True), test=test)


def has_code(concept: Resource, token: Token) -> bool:
    """Tell whether a concept has a code."""
    return any(token.is_of(one["system"]) and one["code"] == token.code for one in concept.get("coding", ()))


def lies_in(written: str, moment: Moment) -> bool:
    """Tell whether a moment, as a resource writes it, compares to the one that is searched."""
    at = datetime.fromisoformat(written)
    inside = moment.start <= at < moment.end
    comparisons = {
        Prefix.EQUAL: inside,
        Prefix.NOT_EQUAL: not inside,
        Prefix.GREATER: at >= moment.end,
        Prefix.STARTS_AFTER: at >= moment.end,
        Prefix.LESS: at < moment.start,
        Prefix.ENDS_BEFORE: at < moment.start,
        Prefix.GREATER_OR_EQUAL: at >= moment.start,
        Prefix.LESS_OR_EQUAL: at < moment.end,
    }
    return comparisons[moment.prefix]


def uuid_of(identifier: str) -> str:
    """Give an identifier as the tables hold it, from urn:uuid or without it."""
    return identifier.removeprefix("urn:uuid:").replace("-", "").lower()


def _in_time(start: Column, end: Column, moment: Moment) -> ColumnElement[bool]:
    """Compare a stretch of time, or a moment where both columns are one; an end that is NULL is open."""
    low, high = moment.start, moment.end
    begins_in, is_open = start >= low, end.is_(None)
    ends_in = end < high
    comparisons: dict[Prefix, ColumnElement[bool]] = {
        Prefix.EQUAL: and_(begins_in, ends_in),
        Prefix.NOT_EQUAL: or_(start < low, end >= high, is_open),
        Prefix.GREATER: or_(end >= high, is_open),
        Prefix.LESS: start < low,
        Prefix.GREATER_OR_EQUAL: or_(end >= low, is_open),
        Prefix.LESS_OR_EQUAL: start < high,
        Prefix.STARTS_AFTER: start >= high,
        Prefix.ENDS_BEFORE: end < low,
    }
    return and_(start.is_not(None), comparisons[moment.prefix])


class RowSource(ABC):
    """A source over a query. A subclass says what the actor may see, and how rows become resources.

    Attributes:
        order_columns: what can be sorted by, never NULL; the first is the usual one. `_id`, the identifier, is there.
    """

    type: str
    action: Action
    filters: Mapping[str, Filter]
    order_columns: Mapping[str, Any]

    def __init__(self, database: Database) -> None:
        self._database = database
        self.parameters: Mapping[str, SearchParameter] = {name: one.parameter for name, one in self.filters.items()}
        self.orders: tuple[str, ...] = tuple(self.order_columns)

    @abstractmethod
    def query(self) -> Any:
        """Give the query of all rows, with what belongs to each."""

    @abstractmethod
    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        """Give conditions, one of which has to hold for the actor to see a row. Each is asked by itself, so that each
        can read an index of its own.

        Raises:
            Forbidden: nothing of this type whatever.
        """

    @abstractmethod
    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        """Turn rows of `query` into resources, in their order.

        Args:
            whole: with everything; a search may leave out what is long, and says so.
        """

    async def read(self, actor: Actor, resource_id: str) -> Found:
        """See `ResourceSource`."""
        criterion = Criterion("_id", (Token(None, resource_id),))
        search = Search((criterion,), "_id", descending=True, after=None, count=1)
        async with self._database.reading() as session:
            places = await self._places(session, actor, search, most=1)
            rows = await self._rows(session, places)
        items = await self._found(actor, places, rows, whole=True)
        if not items:
            raise NotFound
        return items[0]

    async def search(self, actor: Actor, search: Search) -> FoundPage:
        """See `ResourceSource`."""
        if any(self.filters[one.name].test for one in search.criteria):
            return await self._looked_through(actor, search)
        async with self._database.reading() as session:
            total = await self._count(session, actor, search) if self._is_cheap_to_count(search) else None
            places = await self._places(session, actor, search, search.count + 1) if search.count else []
            more, places = len(places) > search.count, places[: search.count]
            rows = await self._rows(session, places)
        return FoundPage(tuple(await self._found(actor, places, rows, whole=False)), more, total)

    async def _looked_through(self, actor: Actor, search: Search) -> FoundPage:
        """Look at every resource of the patients, for what is encrypted."""
        async with self._database.reading() as session:
            places = await self._places(session, actor, replace(search, after=None), _MOST_LOOKED_AT + 1)
            if len(places) > _MOST_LOOKED_AT:
                raise TooCostly
            rows = await self._rows(session, places)
        return page_of(await self._found(actor, places, rows, whole=False), search, self.filters)

    async def _places(self, session: AsyncSession, actor: Actor, search: Search, most: int) -> list[Position]:
        """Give where the first rows stand that fit. Only their places are sorted, not all that they hold."""
        columns = (self.order_columns[search.order], self.order_columns["_id"])
        order = [column.desc() if search.descending else column.asc() for column in columns]
        fitting = self.query().with_only_columns(*columns, maintain_column_froms=True).where(*self._conditions(search))
        if search.after is not None:
            fitting = fitting.where(_behind(*columns, search.after, search.descending))
        found: set[Position] = set()
        for way in self.ways(actor, search):
            rows = await session.execute(fitting.where(way).order_by(*order).limit(most))
            found.update(Position(key, identifier) for key, identifier in rows)
        ordered = sorted(found, key=lambda place: (place.key, place.id), reverse=search.descending)
        return ordered[:most]

    async def _rows(self, session: AsyncSession, places: Sequence[Position]) -> dict[Any, Any]:
        """Give the rows at these places, by their identifiers."""
        if not places:
            return {}
        identifier = self.order_columns["_id"]
        query = self.query().add_columns(identifier.label("place")).where(identifier.in_([one.id for one in places]))
        return {row[-1]: row[:-1] for row in await session.execute(query)}

    async def _found(
        self, actor: Actor, places: Sequence[Position], rows: Mapping[Any, Any], *, whole: bool
    ) -> list[Found]:
        there = [place for place in places if place.id in rows]
        made = await self.resources(actor, [rows[place.id] for place in there], whole=whole) if there else []
        return [Found(resource, place, patient) for place, (resource, patient) in zip(there, made, strict=True)]

    def _conditions(self, search: Search) -> list[ColumnElement[bool]]:
        conditions = ((self.filters[one.name].condition, one.values) for one in search.criteria)
        return [or_(*map(condition, values)) for condition, values in conditions if condition is not None]

    async def _count(self, session: AsyncSession, actor: Actor, search: Search) -> int:
        counted = self.query().with_only_columns(func.count(), maintain_column_froms=True)
        fitting = counted.where(*self._conditions(search), or_(*self.ways(actor, search)))
        return await session.scalar(fitting) or 0

    def _is_cheap_to_count(self, search: Search) -> bool:
        return bool(search.patients or search.values("_id") or search.values("identifier"))


def _behind(column: Column, id_column: Column, after: Position, descending: bool) -> ColumnElement[bool]:
    further, later = (
        (column < after.key, id_column < after.id) if descending else (column > after.key, id_column > after.id)
    )
    return or_(further, and_(column == after.key, later))


def page_of(every: Sequence[Found], search: Search, filters: Mapping[str, Filter]) -> FoundPage:
    """Give the page of ordered resources that fit the filters which look at them, and stand behind the last one."""
    tests = [(one.values, test) for one in search.criteria if (test := filters[one.name].test) is not None]
    fitting = [
        item for item in every if all(any(test(item.resource, value) for value in values) for values, test in tests)
    ]
    behind = [item for item in fitting if _is_behind(item.position, search)]
    return FoundPage(tuple(behind[: search.count]), len(behind) > search.count, len(fitting))


def _is_behind(place: Position, search: Search) -> bool:
    if search.after is None:
        return True
    here, there = (place.key, place.id), (search.after.key, search.after.id)
    return here < there if search.descending else here > there
