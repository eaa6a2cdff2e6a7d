"""The state machine of a charge as data, its steps towards insurer and payment provider, and its postings. Pure."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from backend.clock import backoff
from backend.errors import IllegalMove
from backend.insurance.coverage import Split
from backend.ledger import Line
from backend.money import to_fen


class ChargeState(StrEnum):
    """Where a charge stands."""

    QUOTING = "quoting"
    QUOTED = "quoted"
    AWAITING_PAYMENT = "awaiting_payment"
    CONFIRMED = "confirmed"
    SETTLING = "settling"
    SETTLED = "settled"
    DISPUTED = "disputed"
    CLOSING = "closing"
    CLOSED = "closed"
    REVERSING = "reversing"
    REVERSED = "reversed"

    @property
    def label(self) -> str:
        """The word people read."""
        return _LABELS[self]


_LABELS = {
    ChargeState.QUOTING: "正在问医保",
    ChargeState.QUOTED: "等您付钱",
    ChargeState.AWAITING_PAYMENT: "等您付钱",
    ChargeState.CONFIRMED: "已付清",
    ChargeState.SETTLING: "正在结算",
    ChargeState.SETTLED: "已结算",
    ChargeState.DISPUTED: "正在人工核对",
    ChargeState.CLOSING: "正在取消",
    ChargeState.CLOSED: "已取消，没有收钱",
    ChargeState.REVERSING: "正在退钱",
    ChargeState.REVERSED: "已全部退清",
}


class Move(StrEnum):
    """What moves a charge from one state to another."""

    QUOTE = "quote"
    ASK_PAYMENT = "ask_payment"
    CONFIRM = "confirm"
    COMPLETE = "complete"
    SETTLE = "settle"
    DISPUTE = "dispute"
    CLOSE = "close"
    SHUT = "shut"
    REVERSE = "reverse"


_S, _M = ChargeState, Move
MOVES: Mapping[tuple[ChargeState, Move], ChargeState] = MappingProxyType(
    {
        (_S.QUOTING, _M.QUOTE): _S.QUOTED,
        (_S.QUOTED, _M.ASK_PAYMENT): _S.AWAITING_PAYMENT,
        (_S.QUOTED, _M.CONFIRM): _S.CONFIRMED,  # nothing is left to pay
        (_S.AWAITING_PAYMENT, _M.CONFIRM): _S.CONFIRMED,
        (_S.CLOSING, _M.CONFIRM): _S.CONFIRMED,  # it was paid in time, and the notification came late
        (_S.CONFIRMED, _M.COMPLETE): _S.SETTLING,
        (_S.SETTLING, _M.SETTLE): _S.SETTLED,
        (_S.SETTLING, _M.DISPUTE): _S.DISPUTED,
        (_S.SETTLING, _M.REVERSE): _S.REVERSING,  # an administrator's decision, when the insurer never answers
        (_S.DISPUTED, _M.SETTLE): _S.SETTLED,
        (_S.QUOTING, _M.CLOSE): _S.CLOSING,
        (_S.QUOTED, _M.CLOSE): _S.CLOSING,
        (_S.AWAITING_PAYMENT, _M.CLOSE): _S.CLOSING,
        (_S.CLOSING, _M.SHUT): _S.CLOSED,
        (_S.AWAITING_PAYMENT, _M.REVERSE): _S.REVERSING,  # paid, and the time is not to be had any more
        (_S.CLOSING, _M.REVERSE): _S.REVERSING,
        (_S.CLOSED, _M.REVERSE): _S.REVERSING,  # paid after it was closed
        (_S.CONFIRMED, _M.REVERSE): _S.REVERSING,
        (_S.DISPUTED, _M.REVERSE): _S.REVERSING,
        (_S.SETTLED, _M.REVERSE): _S.REVERSING,  # an administrator's decision
        (_S.REVERSING, _M.SHUT): _S.REVERSED,
    }
)
"""Every move that there is."""

OPEN = frozenset({_S.QUOTING, _S.QUOTED, _S.AWAITING_PAYMENT, _S.CONFIRMED, _S.SETTLING, _S.DISPUTED})
"""States in which a consultation has its charge, so that no second one is begun."""

UNPAID = frozenset({_S.QUOTING, _S.QUOTED, _S.AWAITING_PAYMENT})
"""States in which the slot is held, until the charge expires."""

CANCELLABLE = UNPAID | {_S.CONFIRMED}
"""States in which it can be taken back by whom it is for."""


def moved(state: ChargeState, move: Move) -> ChargeState:
    """Give the state that `move` leads to.

    Raises:
        IllegalMove: no such move.
    """
    target = MOVES.get((state, move))
    if target is None:
        raise IllegalMove(f"这笔费用现在是“{state.label}”，这一步做不了。", state=state.value, move=move.value)
    return target


class Reason(StrEnum):
    """Why a charge was closed or reversed, or waits for a person."""

    NONE = ""
    EXPIRED = "expired"  # nobody paid in time
    CANCELLED = "cancelled"  # by the patient or their doctor
    CARE_CANCELLED = "care_cancelled"  # by the expert or the platform
    NO_SHOW = "no_show"
    SLOT_GONE = "slot_gone"  # paid, but the time is not to be had any more
    PAID_LATE = "paid_late"  # paid after it was closed
    WRONG_AMOUNT = "wrong_amount"  # paid, but not what was asked for
    DECIDED = "decided"  # by an administrator
    SETTLED_OTHERWISE = "settled_otherwise"  # the insurer settled more to pay than it had pre-settled
    SETTLEMENT_REFUSED = "settlement_refused"
    REFUND_FAILED = "refund_failed"
    UNDOING_REFUSED = "undoing_refused"  # the insurer does not take back what it knows
    NO_ANSWER = "no_answer"  # insurer or payment provider have not said for long what became of a step


class StepKind(StrEnum):
    """What a charge owes the outside world; see docs/money.md."""

    ELIGIBILITY = "eligibility"
    REGISTER = "register"
    UPLOAD = "upload"
    PRESETTLE = "presettle"
    SETTLE = "settle"
    REVOKE_SETTLEMENT = "revoke_settlement"
    REVOKE_UPLOAD = "revoke_upload"
    UNREGISTER = "unregister"
    WATCH = "watch"  # of an order: ask now and then whether it is paid
    CLOSE = "close"
    REFUND = "refund"


class StepState(StrEnum):
    """What became of a step."""

    TODO = "todo"
    SENT = "sent"
    UNCLEAR = "unclear"
    DONE = "done"
    REFUSED = "refused"
    DROPPED = "dropped"


class OrderState(StrEnum):
    """What became of an order at the payment provider."""

    OPEN = "open"
    PAID = "paid"
    CLOSED = "closed"


PENDING = frozenset({StepState.TODO, StepState.SENT, StepState.UNCLEAR})
"""States of steps that somebody still has to do."""

INSURANCE_LANE = "insurance"
"""Steps of one lane are done one after the other; each order of the payment provider is a lane of its own."""

UNDOES: Mapping[StepKind, StepKind] = MappingProxyType(
    {
        StepKind.SETTLE: StepKind.REVOKE_SETTLEMENT,
        StepKind.UPLOAD: StepKind.REVOKE_UPLOAD,
        StepKind.REGISTER: StepKind.UNREGISTER,
    }
)
"""What takes back what a step did, in the order in which it is to be done."""

INSURANCE_STEPS = frozenset(StepKind) - {StepKind.WATCH, StepKind.CLOSE, StepKind.REFUND}
"""Steps that the insurer answers; the others are the payment provider's."""

OF_A_VISIT = frozenset({StepKind.REGISTER, StepKind.UPLOAD, StepKind.REVOKE_UPLOAD, StepKind.UNREGISTER})
"""Steps about a visit that the insurer has noted: without a settlement no money hangs on them."""

HELD_FOR = timedelta(minutes=15)
"""How long the patient may take to pay."""

GRACE = timedelta(minutes=2)
"""So much longer the slot is held than one may pay, for the last payments to arrive."""

HELD_WHILE_UNCLEAR = timedelta(hours=1)
"""So long the slot stays held where nobody can say whether it was paid."""

SLOW_AFTER = timedelta(seconds=10)
"""After so long without an answer of the insurer the patient is told, and may pay themselves."""

WATCH_EVERY = timedelta(seconds=30)
"""So often it is asked whether an open order was paid, beside what the provider tells by itself."""

LEASE = timedelta(seconds=60)
"""So long a worker may take for one step; after that another one asks what became of it."""

CALL_TIMEOUT = 20.0
"""Seconds after which an outward call counts as unanswered."""

FIRST_BACKOFF = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(minutes=10)
"""While it is new that there is no answer; `next_question` says what comes after."""


def next_question(attempts: int, silence: timedelta, slowest: timedelta) -> timedelta:
    """Give how long to wait before a step is asked about again: at first each time twice as long; then a quarter of
    the time that nothing has been heard, so that it gets rarer; at most `slowest`.

    Args:
        attempts: how often it was tried. silence: since the first of these that had no clear answer.
    """
    return min(max(backoff(max(attempts, 1), FIRST_BACKOFF, LONGEST_BACKOFF), silence / 4), slowest)


def posted(*lines: tuple[str, int]) -> list[Line]:
    """Give the lines of a posting without those of nothing."""
    return [Line(account, amount) for account, amount in lines if amount]


def payment_lines(amount: int) -> list[Line]:
    """The provider has the patient's money: we owe it to the patient until there is a settlement."""
    return posted(("wechat_pay", amount), ("patient", -amount))


def refund_lines(amount: int) -> list[Line]:
    """The provider has given it back."""
    return posted(("patient", amount), ("wechat_pay", -amount))


def settlement_lines(institution_id: str, split: Split, borne: int = 0) -> list[Line]:
    """The institution has earned the fee; each of those who pay owes its part. `borne`: what the platform pays."""
    return posted(
        ("patient", to_fen(split.cash)),
        ("insurer", to_fen(split.insurance)),
        ("family_account", to_fen(split.account)),
        ("treasury", to_fen(split.subsidy)),
        ("platform", borne),
        (f"institution:{institution_id}", -to_fen(split.total) - borne),
    )


def kept_lines(institution_id: str, amount: int) -> list[Line]:
    """What a patient who did not come pays."""
    return posted(("patient", amount), (f"institution:{institution_id}", -amount))
