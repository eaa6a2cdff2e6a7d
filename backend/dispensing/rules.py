"""How an order for medicines goes, and which pharmacy suits. Pure: no I/O, no present time."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from backend.errors import IllegalMove

ACCEPT_WITHIN = timedelta(minutes=30)
"""After it the pharmacy is asked once more, and after twice as long the patient is offered another one."""

ASK_RECEIVED_AFTER = timedelta(days=3)
"""After it a patient who was sent something is asked whether it came. The project's own."""


class Method(StrEnum):
    """How medicines come to the patient."""

    PICKUP = "pickup"
    DELIVERY = "delivery"
    COUNTER = "counter"  # the paper is shown at a pharmacy, without an order before

    @property
    def label(self) -> str:
        """The words people read."""
        return {Method.PICKUP: "到店自取", Method.DELIVERY: "送药上门", Method.COUNTER: "柜台取药"}[self]


class OrderState(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    ACCEPTED = "accepted"
    PACKED = "packed"
    SENT = "sent"
    RECEIVED = "received"
    REFUSED = "refused"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """The word people read."""
        return _LABELS[self]


_LABELS = {
    OrderState.PLACED: "等药店接单",
    OrderState.ACCEPTED: "正在配药",
    OrderState.PACKED: "已配好",
    OrderState.SENT: "已发出",
    OrderState.RECEIVED: "已签收",
    OrderState.REFUSED: "药店配不了",
    OrderState.CANCELLED: "已取消",
}

OPEN = frozenset({OrderState.PLACED, OrderState.ACCEPTED, OrderState.PACKED, OrderState.SENT})
"""States in which somebody still has something to do."""


class OrderStep(StrEnum):
    """What can be done with an order."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    PACK = "pack"
    SEND = "send"
    RECEIVE = "receive"
    CANCEL = "cancel"


MOVES: Mapping[tuple[OrderState, OrderStep], OrderState] = MappingProxyType(
    {
        (OrderState.PLACED, OrderStep.ACCEPT): OrderState.ACCEPTED,
        (OrderState.PLACED, OrderStep.REFUSE): OrderState.REFUSED,
        (OrderState.PLACED, OrderStep.CANCEL): OrderState.CANCELLED,
        (OrderState.ACCEPTED, OrderStep.PACK): OrderState.PACKED,
        (OrderState.ACCEPTED, OrderStep.REFUSE): OrderState.REFUSED,
        (OrderState.ACCEPTED, OrderStep.CANCEL): OrderState.CANCELLED,
        (OrderState.PACKED, OrderStep.SEND): OrderState.SENT,
        (OrderState.PACKED, OrderStep.RECEIVE): OrderState.RECEIVED,
        (OrderState.SENT, OrderStep.RECEIVE): OrderState.RECEIVED,
    }
)
"""Every legal move. What is packed was dispensed (处方管理办法 第33条): it is not taken back, and what was
sold is not returned (药品经营质量管理规范 第177条)."""


def after(state: OrderState, step: OrderStep) -> OrderState:
    """Give the state that `step` leads to.

    Raises:
        IllegalMove: the order does not stand where this can be done.
    """
    try:
        return MOVES[state, step]
    except KeyError:
        raise IllegalMove(f"这张取药单现在是“{state.label}”，不能这样操作。") from None


@dataclass(frozen=True)
class Item:
    """A line of a prescription as a pharmacy sees it.

    Args:
        index: its place in the prescription. packs: how many are handed out, in `unit`s.
        text: what it is and how it is taken, as the prescription says it.
    """

    index: int
    preparation: str
    name: str
    spec: str
    packs: int
    unit: str
    text: str


@dataclass(frozen=True)
class Option:
    """A pharmacy that has something of what is wanted.

    Args:
        lines: indices of the lines that it has in full. distance_km: None where it is not known.
    """

    pharmacy_id: str
    name: str
    address: str
    distance_km: float | None
    lines: tuple[int, ...]
    missing: tuple[int, ...]


def ranked(options: Iterable[Option]) -> list[Option]:
    """Give the pharmacies in the order in which they suit: those that have more first, the nearer before the farther
    and before those of which that is not known; one that has nothing of it is left out."""
    useful = (one for one in options if one.lines)
    return sorted(useful, key=lambda one: (len(one.missing), _far(one), one.name, one.pharmacy_id))


def _far(option: Option) -> float:
    return math.inf if option.distance_km is None else option.distance_km


def lines_in_stock(wanted: Iterable[Item], stock: Mapping[str, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the indices of the lines that a stock covers in full, and of the others.

    Two lines of one preparation draw on the same packs, the earlier one first.
    """
    left = dict(stock)
    here, missing = [], []
    for item in wanted:
        if left.get(item.preparation, 0) >= item.packs:
            left[item.preparation] -= item.packs
            here.append(item.index)
        else:
            missing.append(item.index)
    return tuple(here), tuple(missing)
