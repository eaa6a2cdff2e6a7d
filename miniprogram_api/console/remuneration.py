"""What experts and township institutions are paid for a month: statements, one line by line, and all as a table."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import StringConstraints

from backend import paging
from backend.errors import InvalidInput, NotFound
from backend.remuneration import StatementView
from backend.remuneration.export import HEADINGS, PAYEES, rows
from backend.security.policy import Action, only_institution
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.lists import PageQuery, yuan
from miniprogram_api.console.tables import CSV, csv_file
from miniprogram_api.endpoint import File, Model

_PATH = "/console/api/remuneration"
_PAYEE = {"payee_id": "The expert, or the institution."}


class MonthQuery(Model):
    """Which month ("2026-11"); the running one where nothing is said."""

    month: Annotated[str, StringConstraints(max_length=7)] = ""


class StatementsQuery(MonthQuery, PageQuery):
    """Which month, and which page of its statements."""


class StatementItem(Model):
    """What somebody gets for a month, in yuan."""

    payee_id: str
    payee_name: str
    kind_name: str
    institution_name: str
    cases: int
    earned: str
    carried_in: str
    payable: str
    carried_out: str


class StatementItems(Model):
    """The statements of a month; while it runs (`closed_at` is null) everything in it may still change.

    Attributes:
        months: that can be asked for, the latest first. payable: the sum of all pages, count: how many they have.
        next_cursor: empty at the end.
    """

    month: str
    months: list[str]
    closed_at: datetime | None
    payable: str
    count: int
    items: list[StatementItem]
    next_cursor: str


class EntryItem(Model):
    """One amount, and how it was worked out."""

    consultation_id: str
    consultation_number: str
    kind_name: str
    amount: str
    formula: str
    lines: list[str]


class StatementAnswer(StatementItem):
    """One statement, amount by amount."""

    month: str
    closed_at: datetime | None
    entries: list[EntryItem]


async def _statements(call: ConsoleCall) -> StatementItems:
    month, found = await _found(call)
    closed = await call.context.money.remuneration.closed_months(call.actor)
    page, cursor = _page(found, call.query.cursor, call.query.limit)
    return StatementItems(
        month=month,
        months=sorted({_running(call), month, *closed}, reverse=True),
        closed_at=found[0].closed_at if found else None,
        payable=yuan(sum((one.payable for one in found), Decimal(0))),
        count=len(found),
        items=[StatementItem(**_facts(one)) for one in page],
        next_cursor=cursor,
    )


def _page(found: Sequence[StatementView], cursor: str, limit: int) -> tuple[Sequence[StatementView], str]:
    """Give a page, and what the next one is asked with: the last payee of this one."""
    first = 0
    if cursor:
        at = next((at for at, one in enumerate(found) if one.payee_id == cursor), None)
        if at is None:
            raise InvalidInput("翻页的位置不对，请从第一页重新看。", field="cursor")
        first = at + 1
    page, more = paging.cut(found[first : first + limit + 1], limit)
    return page, page[-1].payee_id if more else ""


async def _statement(call: ConsoleCall) -> StatementAnswer:
    month, found = await _found(call)
    one = next((one for one in found if one.payee_id == call.path["payee_id"]), None)
    if one is None:
        raise NotFound("这个月没有这份对账单。")
    return StatementAnswer(
        **_facts(one),
        month=month,
        closed_at=one.closed_at,
        entries=[
            EntryItem(
                consultation_id=entry.consultation_id,
                consultation_number=entry.consultation_number,
                kind_name=entry.kind.label,
                amount=yuan(entry.amount),
                formula=entry.formula,
                lines=list(entry.lines),
            )
            for entry in one.entries
        ],
    )


async def _export(call: ConsoleCall) -> File:
    month, found = await _found(call)
    return csv_file(f"劳务费_{month}.csv", HEADINGS, rows(found))


async def _found(call: ConsoleCall) -> tuple[str, list[StatementView]]:
    month = call.query.month or _running(call)
    remuneration = call.context.money.remuneration
    place = only_institution(call.actor, Action.REMUNERATION_LIST)
    return month, await remuneration.statements(call.actor, month, place)


def _running(call: ConsoleCall) -> str:
    return f"{call.context.clock.today():%Y-%m}"


def _facts(one: StatementView) -> dict[str, Any]:
    return {
        "payee_id": one.payee_id,
        "payee_name": one.name,
        "kind_name": PAYEES[one.payee],
        "institution_name": one.institution_name,
        "cases": len({entry.consultation_id for entry in one.entries}),
        "earned": yuan(one.earned),
        "carried_in": yuan(one.carried_in),
        "payable": yuan(one.payable),
        "carried_out": yuan(one.carried_out),
    }


ENDPOINTS = (
    ConsoleEndpoint(
        "GET", _PATH, "payStatements", "Statements of a month", _statements, StatementItems, query=StatementsQuery
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/export",
        "exportPayStatements",
        "Statements as a table",
        _export,
        File,
        query=MonthQuery,
        media_type=CSV,
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/{{payee_id}}",
        "payStatement",
        "One statement",
        _statement,
        StatementAnswer,
        query=MonthQuery,
        path_parameters=_PAYEE,
    ),
)
