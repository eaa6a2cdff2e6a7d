"""Our ledger beside the books of insurer and payment provider: what was compared, what differed, what became of it."""

from datetime import date, datetime, timedelta

from pydantic import Field

from backend.charging import DifferenceView, RunView
from backend.charging.words import BOOKS, DIFFERENCES, OUTCOMES, RULES
from backend.errors import InvalidInput
from backend.money import to_yuan
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done, Id
from miniprogram_api.console.lists import Counted, PageQuery, yuan
from miniprogram_api.endpoint import Model, Reason

_PATH = "/console/api/reconciliation"
_KINDS = {"payment": "付款", "refund": "退款", "settlement": "结算"}
_SUMS = {"totals": "总数", "listed": "明细合计"}


class RunItem(Model):
    """One comparison of a day in one book; `open` is how many of its differences wait for a person still."""

    id: str
    day: date
    book_name: str
    began_at: datetime
    complete: bool
    entries: int
    outcomes: list[Counted]
    open: int


class RunItems(Model):
    """A page; `next_cursor` is empty at the end."""

    items: list[RunItem]
    next_cursor: str


class DifferencesQuery(Model):
    """Of which comparison (of all, those that wait for a person), and before which difference."""

    run_id: Id | None = None
    before: int | None = Field(None, ge=1)
    limit: int = Field(20, ge=1, le=100)


class DifferenceItem(Model):
    """One number about which the books do not agree; `here` and `there` say what stands in each, "" for nothing.

    Attributes:
        waits: for a person. superseded: the day was compared once more since.
        note: how a person has dealt with it, by `noted_by`; "" where nobody has.
    """

    id: int
    day: date
    book_name: str
    kind_name: str
    number: str
    here: str
    there: str
    outcome: str
    outcome_name: str
    rule_name: str
    at: datetime
    waits: bool
    superseded: bool
    note: str
    noted_by: str
    noted_at: datetime | None


class DifferenceItems(Model):
    """Differences, the latest found first."""

    items: list[DifferenceItem]


class ReconcileRequest(Model):
    """Which day."""

    day: date


class ReportItem(Model):
    """What a comparison found."""

    book_name: str
    entries: int
    differences: int
    for_a_person: int
    complete: bool


class ReconcileAnswer(Model):
    """What was found, book by book."""

    reports: list[ReportItem]


class SettlementRequest(Model):
    """Which difference a person has dealt with, and how."""

    difference_id: int = Field(ge=1)
    reason: Reason


async def _runs(call: ConsoleCall) -> RunItems:
    runs, cursor = await call.context.money.reconciliation.runs(
        call.actor, limit=call.query.limit, cursor=call.query.cursor
    )
    return RunItems(items=[_run(one) for one in runs], next_cursor=cursor)


async def _differences(call: ConsoleCall) -> DifferenceItems:
    wanted = call.query
    found = await call.context.money.reconciliation.differences(
        call.actor, run_id=wanted.run_id, limit=wanted.limit, before=wanted.before
    )
    ids = {one.note.noted_by for one in found if one.note}
    names = await call.context.people.names(ids) | await call.context.console.names(ids)
    return DifferenceItems(items=[_difference(one, names) for one in found])


async def _reconcile(call: ConsoleCall) -> ReconcileAnswer:
    # WeChat Pay writes the bill of a day in the morning of the next one.
    if call.body.day > call.context.clock.today().date() - timedelta(days=1):
        raise InvalidInput("当天的账单还没有出来，最早能对昨天的账。", field="day")
    reports = await call.context.money.reconciliation.reconcile(call.actor, call.body.day)
    return ReconcileAnswer(
        reports=[
            ReportItem(
                book_name=BOOKS[one.book],
                entries=one.entries,
                differences=sum(one.differences.values()),
                for_a_person=one.for_a_person,
                complete=one.complete,
            )
            for one in reports
        ]
    )


async def _settle(call: ConsoleCall) -> Done:
    await call.context.money.reconciliation.settle(call.actor, call.body.difference_id, call.body.reason)
    return Done()


def _run(one: RunView) -> RunItem:
    return RunItem(
        id=one.id,
        day=one.day,
        book_name=BOOKS[one.book],
        began_at=one.began_at,
        complete=one.complete,
        entries=one.entries,
        outcomes=[Counted(key=key, name=OUTCOMES[key], count=count) for key, count in one.outcomes.items()],
        open=one.open,
    )


def _difference(one: DifferenceView, names: dict[str, str]) -> DifferenceItem:
    return DifferenceItem(
        id=one.id,
        day=one.day,
        book_name=BOOKS[one.book],
        kind_name=DIFFERENCES[one.kind],
        number=one.number,
        here=_entry(one.here),
        there=_entry(one.there),
        outcome=one.outcome,
        outcome_name=OUTCOMES[one.outcome],
        rule_name=RULES.get(one.rule, one.rule),
        at=one.at,
        waits=one.waits,
        superseded=one.superseded,
        note=one.note.reason if one.note else "",
        noted_by=names.get(one.note.noted_by, "") if one.note else "",
        noted_at=one.note.noted_at if one.note else None,
    )


def _entry(kept: list[str | int] | None) -> str:
    """Say what stands in a book: of a payment its amount; of a settlement the whole, the fund's and the account's; of
    totals and of what a list comes to, how many and the same sums."""
    if kept is None:
        return ""
    kind, *amounts = kept
    if kind in _SUMS:
        count, *sums = amounts
        total, funds, account = (yuan(to_yuan(int(one))) for one in sums)
        return f"{_SUMS[str(kind)]} {count}笔，总额{total}元，医保{funds}元，账户{account}元"
    said = [yuan(to_yuan(int(one))) for one in amounts]
    if kind == "settlement":
        return f"结算 总额{said[0]}元，医保{said[1]}元，账户{said[2]}元"
    return f"{_KINDS.get(str(kind), kind)} {said[0]}元"


ENDPOINTS = (
    ConsoleEndpoint(
        "GET", f"{_PATH}/runs", "reconciliationRuns", "What was compared", _runs, RunItems, query=PageQuery
    ),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/differences",
        "reconciliationDifferences",
        "What differed",
        _differences,
        DifferenceItems,
        query=DifferencesQuery,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/runs",
        "reconcile",
        "Compare a day",
        _reconcile,
        ReconcileAnswer,
        body=ReconcileRequest,
        status=201,
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/settlements",
        "settleDifference",
        "Note that a difference was dealt with",
        _settle,
        Done,
        body=SettlementRequest,
        status=201,
        refusals={404: "No such difference."},
    ),
)
