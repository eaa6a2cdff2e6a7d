"""Charges from above: looked for, added up, and one of them with everything that was done and posted about it."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, String, cast, func, literal, select

from backend import paging
from backend.charging.ending import Decision, Ending, may_waive, settlement_stalls
from backend.charging.rules import PENDING, ChargeState, OrderState, Reason, StepKind, StepState
from backend.charging.tables import Charge, ChargeOrder, ChargeStep
from backend.charging.views import ChargeView
from backend.clock import local
from backend.errors import InvalidInput, NotFound
from backend.ledger import Posting
from backend.money import to_yuan
from backend.people import masked_name
from backend.security.policy import Action, Actor, allowed, only_institution, require

LONGEST_SPAN = timedelta(days=366)
"""Totals are of at most a year."""

_NUMBER = re.compile(r"[A-Z0-9-]{1,40}")
_DECIDED = frozenset({ChargeState.DISPUTED, ChargeState.SETTLED})


@dataclass(frozen=True)
class ChargeFilter:
    """Which charges; what is None or empty does not matter.

    Attributes:
        institution_ids: whose fee it is. number: the beginning of it.
        since, until: of when it was begun; `until` itself is not among them. waiting: for a person alone.
    """

    state: ChargeState | None = None
    institution_ids: Collection[str] | None = None
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None
    waiting: bool = False


@dataclass(frozen=True)
class ChargeOverview:
    """A charge in a list; the patient's name is masked, `fee` is in yuan."""

    id: str
    number: str
    state: ChargeState
    reason: Reason
    attention: Reason
    institution_id: str
    patient_name: str = field(repr=False)
    expert_name: str
    fee: Decimal
    insured: bool
    made_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class ChargePage:
    """A page of a list, and what the next one is asked with; empty at the end."""

    items: list[ChargeOverview]
    next_cursor: str


@dataclass(frozen=True)
class ChargeSum:
    """How many charges, and what they cost together in yuan."""

    count: int = 0
    fee: Decimal = Decimal("0.00")

    def __add__(self, other: "ChargeSum") -> "ChargeSum":
        return ChargeSum(self.count + other.count, self.fee + other.fee)


@dataclass(frozen=True)
class ChargeTotals:
    """Sums of charges, by their state, the day in China on which they were begun, and whose fee it is.

    Attributes:
        balances: what is posted about them, by the kind of account ("patient", "institution"); they sum to zero.
        waiting: how many wait for a person.
    """

    total: ChargeSum
    by_state: dict[ChargeState, ChargeSum]
    by_day: dict[date, ChargeSum]
    by_institution: dict[str, ChargeSum]
    balances: dict[str, Decimal]
    waiting: int


@dataclass(frozen=True)
class StepOverview:
    """Something that was owed to the outside world; `code` is why it was refused. `amount` in yuan, of refunds.
    `silent_since`: nothing clear was heard since; `stalled`: for so long that a person was told."""

    kind: StepKind
    state: StepState
    amount: Decimal
    code: str
    attempts: int
    made_at: datetime
    due_at: datetime | None
    silent_since: datetime | None
    stalled: bool
    done_at: datetime | None


@dataclass(frozen=True)
class OrderOverview:
    """What somebody was asked to pay, and what came, in yuan."""

    number: str
    state: OrderState
    amount: Decimal
    received: Decimal
    transaction: str
    made_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True)
class ChargeDossier:
    """A charge with all that was done and posted about it.

    Attributes:
        decisions: what a person may decide about it now; empty for those who may not.
    """

    charge: ChargeView
    institution_id: str
    patient_name: str = field(repr=False)
    expert_name: str
    steps: list[StepOverview]
    orders: list[OrderOverview]
    postings: list[Posting]
    decisions: list[Decision]


class Overseeing(Ending):
    """The part of `ChargingService` for those who oversee charges: the platform's, or those whose fee is their
    institution's."""

    async def search(self, actor: Actor, wanted: ChargeFilter, *, limit: int = 20, cursor: str = "") -> ChargePage:
        """List charges, the latest begun first; audited as a list.

        Raises:
            Forbidden: the actor oversees none. InvalidInput: the number or the cursor has not the shape of one.
        """
        query = select(Charge).where(*_conditions(actor, wanted)).order_by(Charge.made_at.desc(), Charge.id.desc())
        if cursor:
            query = query.where(paging.older(cursor, Charge.made_at, Charge.id))
        limit = min(max(limit, 1), paging.LONGEST)
        async with self._database.transaction() as session:
            rows, more = paging.cut(list(await session.scalars(query.limit(limit + 1))), limit)
            await self._audit.record(session, actor, Action.CHARGE_OVERSEE, subject=f"charges:{len(rows)}")
        items = await self._overviews(rows)
        return ChargePage(items, paging.cursor(rows[-1].made_at, rows[-1].id) if more else "")

    async def totals(self, actor: Actor, wanted: ChargeFilter) -> ChargeTotals:
        """Add up the charges of a span of at most a year.

        Raises:
            Forbidden: the actor oversees none. InvalidInput: the span has no end, or is too long.
        """
        span = wanted.until - wanted.since if wanted.since and wanted.until else timedelta()
        if not timedelta() < span <= LONGEST_SPAN:
            raise InvalidInput("请选一段时间，最长一年。", field="since")
        conditions = _conditions(actor, wanted)
        # A moment is written alike by every database of ours; by hours, because days in China begin within one of UTC.
        hour = func.substr(cast(Charge.made_at, String(32)), 1, 13)
        grouped = select(Charge.state, Charge.institution_id, hour, func.count(), func.sum(Charge.fee))
        grouped = grouped.where(*conditions).group_by(Charge.state, Charge.institution_id, hour)
        waiting = select(func.count()).where(*conditions, Charge.attention != Reason.NONE)
        async with self._database.reading() as session:
            rows = (await session.execute(grouped)).all()
            attention = await session.scalar(waiting) or 0
        by_state: dict[ChargeState, ChargeSum] = defaultdict(ChargeSum)
        by_day: dict[date, ChargeSum] = defaultdict(ChargeSum)
        by_institution: dict[str, ChargeSum] = defaultdict(ChargeSum)
        for state, institution_id, of, count, fee in rows:
            one = ChargeSum(count, to_yuan(int(fee)))
            by_state[state] += one
            by_day[local(datetime.fromisoformat(f"{of}:00:00+00:00")).date()] += one
            by_institution[institution_id] += one
        subjects = select(literal("charge:").concat(Charge.id)).where(*conditions)
        return ChargeTotals(
            total=sum(by_state.values(), ChargeSum()),
            by_state=dict(by_state),
            by_day=dict(sorted(by_day.items())),
            by_institution=dict(by_institution),
            balances=_by_kind(await self._ledger.balances_of(subjects)),
            waiting=attention,
        )

    async def dossier(self, actor: Actor, charge_id: str) -> ChargeDossier:
        """Give one charge with its steps, orders and postings; the read is audited, with whose it is.

        Raises:
            NotFound: no such charge. Forbidden: it is none of those that the actor oversees.
        """
        async with self._database.transaction() as session:
            charge = await session.get(Charge, charge_id)
            if charge is None:
                raise NotFound("没有找到这笔费用。")
            require(actor, Action.CHARGE_OVERSEE, institution_id=charge.institution_id)
            await self._record(session, actor, Action.CHARGE_OVERSEE, charge)
            steps = await self._steps(session, charge)
            names = await self._people.names({charge.patient_id, charge.expert_id})
            return ChargeDossier(
                charge=await self._view(session, charge),
                institution_id=charge.institution_id,
                patient_name=names.get(charge.patient_id, ""),
                expert_name=names.get(charge.expert_id, ""),
                steps=[_step(one) for one in steps],
                orders=[_order(one) for one in await self._orders(session, charge)],
                postings=await self._ledger.of(f"charge:{charge.id}"),
                decisions=_decisions(charge, steps) if allowed(actor, Action.CHARGE_DECIDE) else [],
            )

    async def _overviews(self, rows: Sequence[Charge]) -> list[ChargeOverview]:
        names = await self._people.names({one for row in rows for one in (row.patient_id, row.expert_id)})
        return [
            ChargeOverview(
                id=row.id,
                number=row.number,
                state=row.state,
                reason=row.reason,
                attention=row.attention,
                institution_id=row.institution_id,
                patient_name=masked_name(names.get(row.patient_id, "")),
                expert_name=names.get(row.expert_id, ""),
                fee=to_yuan(row.fee),
                insured=row.insured,
                made_at=row.made_at,
                settled_at=row.settled_at,
            )
            for row in rows
        ]


def _conditions(actor: Actor, wanted: ChargeFilter) -> list[ColumnElement[bool]]:
    own = only_institution(actor, Action.CHARGE_OVERSEE)
    conditions = [] if own is None else [Charge.institution_id == own]
    if wanted.state is not None:
        conditions.append(Charge.state == wanted.state)
    if wanted.institution_ids is not None:
        conditions.append(Charge.institution_id.in_(wanted.institution_ids))
    if wanted.number:
        number = wanted.number.strip().upper()
        if not _NUMBER.fullmatch(number):
            raise InvalidInput("费用编号只有字母、数字和“-”，比如 FY20261121-0001-1。", field="number")
        conditions.append(Charge.number.between(number, number + "~"))
    if wanted.since is not None:
        conditions.append(Charge.made_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(Charge.made_at < wanted.until)
    if wanted.waiting:
        conditions.append(Charge.attention != Reason.NONE)
    return conditions


def _decisions(charge: Charge, steps: Sequence[ChargeStep]) -> list[Decision]:
    """Give what `decide` would take now: a refused step again, a disputed difference borne, all of it reversed, what is
    not answered asked about or, where no money hangs on it, waived."""
    found: list[Decision] = []
    silent = charge.state is ChargeState.SETTLING and settlement_stalls(steps)
    if any(step.state is StepState.REFUSED or (step.state in PENDING and step.stalled_at) for step in steps):
        found.append("again")
    if (charge.state is ChargeState.DISPUTED or silent) and charge.quote is not None:
        found.append("bear")
    if charge.state in _DECIDED or silent:
        found.append("reverse")
    if may_waive(charge, steps):
        found.append("waive")
    return found


def _by_kind(balances: dict[str, int]) -> dict[str, Decimal]:
    kinds: dict[str, int] = defaultdict(int)
    for account, amount in balances.items():
        kinds[account.partition(":")[0]] += amount
    return {kind: to_yuan(amount) for kind, amount in kinds.items() if amount}


def _step(row: ChargeStep) -> StepOverview:
    return StepOverview(
        kind=row.kind,
        state=row.state,
        amount=to_yuan(row.amount),
        code=row.code,
        attempts=row.attempts,
        made_at=row.made_at,
        due_at=row.due_at,
        silent_since=row.silent_since,
        stalled=row.stalled_at is not None,
        done_at=row.done_at,
    )


def _order(row: ChargeOrder) -> OrderOverview:
    return OrderOverview(
        number=row.number,
        state=row.state,
        amount=to_yuan(row.amount),
        received=to_yuan(row.received),
        transaction=row.transaction,
        made_at=row.made_at,
        paid_at=row.paid_at,
    )
