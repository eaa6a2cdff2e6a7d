"""Charges from above: looked for, added up, one with its steps and postings, and a person's decision about one."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from backend.charging import ChargeDossier, ChargeFilter, ChargeOverview, ChargeState, ChargeSum, ChargeView
from backend.charging.ending import Decision
from backend.charging.words import ACCOUNTS, ORDER_STATES, POSTINGS, REASONS, STATES, STEP_STATES, STEPS
from backend.insurance.coverage import Split
from backend.ledger import Posting
from backend.money import to_yuan
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.console.lists import PageQuery, SpanQuery, institution_names, places, span_of, yuan
from miniprogram_api.endpoint import Model, Reason

_PATH = "/console/api/charges"
_CHARGE = {"charge_id": "The charge."}


class ChargeTotalsQuery(SpanQuery):
    """Which charges; days are those on which they were begun."""

    state: ChargeState | None = None
    number: Annotated[str, StringConstraints(max_length=40)] = ""
    waiting: bool = False


class ChargesQuery(ChargeTotalsQuery, PageQuery):
    """Which charges, and which page of them."""


class ChargeItem(Model):
    """A charge in a list; the patient's name is masked, `fee` is in yuan.

    Attributes:
        attention_name: why it waits for a person; "" where it does not.
    """

    id: str
    number: str
    state: ChargeState
    state_name: str
    reason_name: str
    attention_name: str
    institution_name: str
    patient_name: str
    expert_name: str
    fee: str
    insured: bool
    made_at: datetime
    settled_at: datetime | None


class ChargeItems(Model):
    """A page; `next_cursor` is empty at the end."""

    items: list[ChargeItem]
    next_cursor: str


class ChargeSumItem(Model):
    """How many charges, and what they cost together in yuan."""

    key: str
    name: str
    count: int
    fee: str


class BalanceItem(Model):
    """What an account has received (above zero) or given (below zero), in yuan."""

    account: str
    name: str
    amount: str


class ChargeTotalsAnswer(Model):
    """Sums of charges. `balances` are what is posted about them, and sum to zero."""

    since: datetime
    until: datetime
    total: ChargeSumItem
    waiting: int
    by_state: list[ChargeSumItem]
    by_day: list[ChargeSumItem]
    by_institution: list[ChargeSumItem]
    balances: list[BalanceItem]


class SplitItem(Model):
    """Who pays what, in yuan, and why, line by line."""

    total: str
    insurance: str
    account: str
    subsidy: str
    cash: str
    table: str
    lines: list[str]


class StepItem(Model):
    """Something that was owed to the insurer or the payment provider; `code` is why it was refused. While it is owed,
    `due_at` is when it is asked about next, and `silent_since` since when nothing clear was heard; `stalled` where that
    is so long that a person was told."""

    name: str
    state: str
    state_name: str
    amount: str
    code: str
    attempts: int
    made_at: datetime
    due_at: datetime | None
    silent_since: datetime | None
    stalled: bool
    done_at: datetime | None


class OrderItem(Model):
    """What somebody was asked to pay, and what came."""

    number: str
    state_name: str
    amount: str
    received: str
    transaction: str
    made_at: datetime
    paid_at: datetime | None


class PostingItem(Model):
    """What was written into the ledger, with its lines, which sum to zero."""

    id: int
    name: str
    at: datetime
    corrects: int | None
    lines: list[BalanceItem]


class ChargeAnswer(Model):
    """One charge with all that was done and posted about it.

    Attributes:
        decisions: what the asker may decide about it now.
    """

    id: str
    number: str
    state: ChargeState
    state_name: str
    reason_name: str
    attention_name: str
    consultation_id: str
    institution_name: str
    patient_name: str
    expert_name: str
    fee: str
    tariff: str
    insured: bool
    why_not: str
    paid: str
    refunding: str
    refunded: str
    kept: str
    made_at: datetime
    starts_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    settled_at: datetime | None
    closed_at: datetime | None
    quote: SplitItem | None
    settled: SplitItem | None
    steps: list[StepItem]
    orders: list[OrderItem]
    postings: list[PostingItem]
    decisions: list[str]


class DecisionRequest(Model):
    """What a person decides about a charge that waits, and why."""

    decision: Decision
    reason: Reason


async def _charges(call: ConsoleCall) -> ChargeItems:
    wanted = await _filter(call)
    page = await call.context.money.charging.search(
        call.actor, wanted, limit=call.query.limit, cursor=call.query.cursor
    )
    names = await institution_names(call, {one.institution_id for one in page.items})
    return ChargeItems(items=[_item(one, names) for one in page.items], next_cursor=page.next_cursor)


async def _totals(call: ConsoleCall) -> ChargeTotalsAnswer:
    wanted = await _filter(call)
    found = await call.context.money.charging.totals(call.actor, wanted)
    names = await institution_names(call, found.by_institution)
    since, until = span_of(call)
    return ChargeTotalsAnswer(
        since=since,
        until=until,
        total=_sum("", "合计", found.total),
        waiting=found.waiting,
        by_state=[_sum(one, STATES[one], found.by_state[one]) for one in ChargeState if one in found.by_state],
        by_day=[_sum(str(day), str(day), one) for day, one in reversed(found.by_day.items())],
        by_institution=_largest(_sum(key, names[key], one) for key, one in found.by_institution.items()),
        balances=[
            BalanceItem(account=kind, name=name, amount=yuan(found.balances[kind]))
            for kind, name in ACCOUNTS.items()
            if kind in found.balances
        ],
    )


async def _charge(call: ConsoleCall) -> ChargeAnswer:
    return await _shown(call, await call.context.money.charging.dossier(call.actor, call.path["charge_id"]))


async def _decide(call: ConsoleCall) -> ChargeAnswer:
    charging, charge_id = call.context.money.charging, call.path["charge_id"]
    await charging.decide(call.actor, charge_id, call.body.decision, call.body.reason)
    return await _shown(call, await charging.dossier(call.actor, charge_id))


async def _filter(call: ConsoleCall) -> ChargeFilter:
    wanted = call.query
    since, until = span_of(call)
    return ChargeFilter(
        state=wanted.state,
        institution_ids=await places(call),
        number=wanted.number,
        since=since,
        until=until,
        waiting=wanted.waiting,
    )


async def _shown(call: ConsoleCall, found: ChargeDossier) -> ChargeAnswer:
    charge = found.charge
    accounts = [line.account.partition(":") for one in found.postings for line in one.lines]
    institutions = {identifier for kind, _, identifier in accounts if kind == "institution"}
    names = await institution_names(call, {found.institution_id, *institutions})
    names |= await call.context.people.names({identifier for kind, _, identifier in accounts if kind == "expert"})
    return ChargeAnswer(
        **_facts(charge),
        institution_name=names[found.institution_id],
        patient_name=found.patient_name,
        expert_name=found.expert_name,
        quote=_split(charge.quote),
        settled=_split(charge.settled),
        steps=[
            StepItem(
                name=STEPS[one.kind],
                state=one.state,
                state_name=STEP_STATES[one.state],
                amount=yuan(one.amount) if one.amount else "",
                code=one.code,
                attempts=one.attempts,
                made_at=one.made_at,
                due_at=one.due_at,
                silent_since=one.silent_since,
                stalled=one.stalled,
                done_at=one.done_at,
            )
            for one in found.steps
        ],
        orders=[
            OrderItem(
                number=one.number,
                state_name=ORDER_STATES[one.state],
                amount=yuan(one.amount),
                received=yuan(one.received),
                transaction=one.transaction,
                made_at=one.made_at,
                paid_at=one.paid_at,
            )
            for one in found.orders
        ],
        postings=[_posting(one, names) for one in found.postings],
        decisions=list(found.decisions),
    )


def _facts(charge: ChargeView) -> dict[str, Any]:
    return {
        "id": charge.id,
        "number": charge.number,
        "state": charge.state,
        "state_name": STATES[charge.state],
        "reason_name": REASONS[charge.reason],
        "attention_name": REASONS[charge.attention],
        "consultation_id": charge.consultation_id,
        "fee": yuan(charge.fee),
        "tariff": charge.tariff,
        "insured": charge.insured,
        "why_not": charge.why_not,
        "paid": yuan(charge.paid),
        "refunding": yuan(charge.refunding),
        "refunded": yuan(charge.refunded),
        "kept": yuan(charge.kept),
        "made_at": charge.made_at,
        "starts_at": charge.starts_at,
        "expires_at": charge.expires_at,
        "paid_at": charge.paid_at,
        "settled_at": charge.settled_at,
        "closed_at": charge.closed_at,
    }


def _item(one: ChargeOverview, names: dict[str, str]) -> ChargeItem:
    return ChargeItem(
        id=one.id,
        number=one.number,
        state=one.state,
        state_name=STATES[one.state],
        reason_name=REASONS[one.reason],
        attention_name=REASONS[one.attention],
        institution_name=names[one.institution_id],
        patient_name=one.patient_name,
        expert_name=one.expert_name,
        fee=yuan(one.fee),
        insured=one.insured,
        made_at=one.made_at,
        settled_at=one.settled_at,
    )


def _sum(key: str, name: str, one: ChargeSum) -> ChargeSumItem:
    return ChargeSumItem(key=key, name=name, count=one.count, fee=yuan(one.fee))


def _largest(sums: Iterable[ChargeSumItem]) -> list[ChargeSumItem]:
    return sorted(sums, key=lambda one: (-one.count, one.name))


def _split(split: Split | None) -> SplitItem | None:
    if split is None:
        return None
    return SplitItem(
        total=yuan(split.total),
        insurance=yuan(split.insurance),
        account=yuan(split.account),
        subsidy=yuan(split.subsidy),
        cash=yuan(split.cash),
        table=split.table,
        lines=list(split.lines),
    )


def _posting(one: Posting, names: dict[str, str]) -> PostingItem:
    lines = []
    for line in one.lines:
        kind, _, identifier = line.account.partition(":")
        whose = names.get(identifier, "")
        name = f"{ACCOUNTS[kind]} {whose}" if whose else ACCOUNTS[kind]
        lines.append(BalanceItem(account=kind, name=name, amount=yuan(to_yuan(line.amount))))
    return PostingItem(id=one.id, name=POSTINGS.get(one.kind, one.kind), at=one.at, corrects=one.corrects, lines=lines)


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "searchCharges", "Look for charges", _charges, ChargeItems, query=ChargesQuery),
    ConsoleEndpoint(
        "GET",
        f"{_PATH}/totals",
        "chargeTotals",
        "Charges added up",
        _totals,
        ChargeTotalsAnswer,
        query=ChargeTotalsQuery,
    ),
    ConsoleEndpoint(
        "GET", f"{_PATH}/{{charge_id}}", "overseenCharge", "One charge", _charge, ChargeAnswer, path_parameters=_CHARGE
    ),
    ConsoleEndpoint(
        "POST",
        f"{_PATH}/{{charge_id}}/decision",
        "decideCharge",
        "Decide about a charge that waits for a person",
        _decide,
        ChargeAnswer,
        body=DecisionRequest,
        path_parameters=_CHARGE,
    ),
)
