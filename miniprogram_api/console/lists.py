"""What lists and totals of the console are asked with: days, places, pages; and amounts and names as they show them."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from backend.clock import LOCAL_ZONE
from backend.errors import NotFound
from miniprogram_api.console import reference
from miniprogram_api.console.endpoint import ConsoleCall, Id
from miniprogram_api.endpoint import Model

_DEFAULT_DAYS = 30

Cursor = Annotated[str, StringConstraints(max_length=80)]


class SpanQuery(Model):
    """Days in China, of which the last one is among them (the last thirty where nothing is said); and where."""

    since: date | None = None
    until: date | None = None
    region: Annotated[str, StringConstraints(max_length=64)] | None = None
    institution_id: Id | None = None


class PageQuery(Model):
    """Which page of a list."""

    limit: int = Field(20, ge=1, le=100)
    cursor: Cursor = ""


class Counted(Model):
    """A count under a name; `key` is what it is filtered by."""

    key: str
    name: str
    count: int


def span_of(call: ConsoleCall) -> tuple[datetime, datetime]:
    """Give the moments between which the days of a `SpanQuery` lie; the second one is the end."""
    last = call.query.until or call.context.clock.today().date()
    first = call.query.since or last - timedelta(days=_DEFAULT_DAYS - 1)
    return midnight(first), midnight(last + timedelta(days=1))


def midnight(day: date) -> datetime:
    """Give when a day begins in China."""
    return datetime.combine(day, time(), LOCAL_ZONE)


async def places(call: ConsoleCall) -> list[str] | None:
    """Give the institutions that a `SpanQuery` names; None where it names none."""
    return await reference.chosen(call.context, call.actor, call.query.institution_id, call.query.region)


async def institution_names(call: ConsoleCall, ids: Collection[str]) -> dict[str, str]:
    """Give the names of institutions, also of others than the asker's own: they stand in the public directory."""
    found = {}
    for one in set(ids):
        try:
            found[one] = (await call.context.people.institution(one)).name
        except NotFound:
            found[one] = ""
    return found


def yuan(amount: Decimal) -> str:
    """Give an amount in yuan with two places."""
    return f"{amount:.2f}"
