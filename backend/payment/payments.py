"""What the house asks of a payment provider, and its answers; amounts in whole fen."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

PaymentState = Literal["open", "paying", "paid", "closed", "refunding", "failed"]
RefundState = Literal["processing", "done", "closed", "abnormal"]

FAILED_REFUNDS: frozenset[RefundState] = frozenset({"closed", "abnormal"})
"""States in which a refund has ended, and nothing was given back: its number is used up."""


@dataclass(frozen=True)
class Order:
    """What somebody is asked to pay; `number` is ours (out_trade_no), never used twice."""

    number: str
    description: str
    amount: int
    payer: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class Payment:
    """What became of an order. `transaction` is the provider's number, empty before it is paid."""

    number: str
    state: PaymentState
    amount: int = 0
    transaction: str = ""
    payer: str = field(default="", repr=False)
    paid_at: datetime | None = None


@dataclass(frozen=True)
class Refund:
    """What became of a refund; `number` is ours (out_refund_no)."""

    number: str
    order: str
    state: RefundState
    amount: int
    provider_number: str = ""
    done_at: datetime | None = None


@dataclass(frozen=True)
class Notification:
    """What the provider tells by itself, verified and decrypted; `id` is its own, once for each event."""

    id: str
    about: Payment | Refund


@dataclass(frozen=True)
class BillLine:
    """One line of a day's bill: a payment, or a refund of one."""

    kind: Literal["payment", "refund"]
    number: str
    order: str
    amount: int
    at: datetime


class PaymentUnreachable(Exception):
    """The request has certainly not arrived: it may be sent again under the same number."""


class PaymentUnclear(Exception):
    """The request was sent and no answer came, or one that cannot be verified: ask before doing anything else."""


class PaymentRefused(Exception):
    """The provider has answered no, and has changed nothing. `code` is the provider's."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ForgedNotification(Exception):
    """A notification whose signature, age or content does not hold; `reason` is a stable word for counters."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Payments(Protocol):
    """A payment provider. Every call raises PaymentUnreachable, PaymentUnclear or PaymentRefused."""

    async def prepay(self, order: Order) -> dict[str, str]:
        """Open an order (again under the same number: the same order); give what the payer's WeChat needs, signed."""

    async def query(self, number: str) -> Payment | None:
        """Ask what became of an order; None where the provider knows of none."""

    async def close(self, number: str) -> None:
        """See that an order can no longer be paid. Refused (ORDERPAID) where it is paid."""

    async def refund(self, order: str, number: str, amount: int, total: int, reason: str) -> Refund:
        """Give `amount` of the `total` of an order back (again under the same number: the same refund)."""

    async def refund_of(self, number: str) -> Refund | None:
        """Ask what became of a refund; None where the provider knows of none."""

    def bill(self, day: date) -> AsyncIterator[Sequence[BillLine]]:
        """Give what was paid and refunded on a day, ordered by number, in parts."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Verify and decrypt a notification.

        Raises:
            ForgedNotification: it is not the provider's, older or younger than five minutes, or not for us.
        """
