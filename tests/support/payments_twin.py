"""A payment provider in memory that does what docs/money.md asks of one, with books that can be compared with ours."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from backend.clock import Clock, local
from backend.payment.payments import (
    BillLine,
    ForgedNotification,
    Notification,
    Order,
    Payment,
    PaymentRefused,
    PaymentUnclear,
    PaymentUnreachable,
    Refund,
)
from tests.support.money_wire import Wire


@dataclass
class Account:
    """An order as the provider knows it."""

    order: Order
    payment: Payment
    refunds: list[str] = field(default_factory=list)


@dataclass
class PaymentsTwin:
    """The provider. `skew` is how far its clock is ahead of ours; `slow_refunds`: they arrive with `progress`."""

    clock: Clock
    wire: Wire = field(default_factory=lambda: Wire(PaymentUnreachable, PaymentUnclear))
    accounts: dict[str, Account] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    notifications: list[Notification] = field(default_factory=list)
    skew: timedelta = timedelta()
    slow_refunds: bool = False
    refuse_refunds: str = ""
    _numbers: int = 0

    # the interface

    async def prepay(self, order: Order) -> dict[str, str]:
        return await self.wire.carry(lambda: self._prepay(order))

    async def query(self, number: str) -> Payment | None:
        return await self.wire.carry(lambda: self.accounts[number].payment if number in self.accounts else None)

    async def close(self, number: str) -> None:
        await self.wire.carry(lambda: self._close(number))

    async def refund(self, order: str, number: str, amount: int, total: int, reason: str) -> Refund:
        return await self.wire.carry(lambda: self._refund(order, number, amount, total))

    async def refund_of(self, number: str) -> Refund | None:
        return await self.wire.carry(lambda: self.refunds.get(number))

    async def bill(self, day: date) -> AsyncIterator[Sequence[BillLine]]:
        lines = await self.wire.carry(lambda: self._bill(day))
        for at in range(0, len(lines), 100):
            yield lines[at : at + 100]

    def read(self, headers: Mapping[str, str], body: bytes) -> Notification:
        if headers.get("signature") != "true":
            raise ForgedNotification("signature")
        wanted = json.loads(body)["id"]
        return next(one for one in self.notifications if one.id == wanted)

    # what the payer and time do

    def pay(self, number: str, *, amount: int | None = None, though_closed: bool = False) -> bool:
        """Let the payer pay an order on their phone; tell whether it went through."""
        account = self.accounts.get(number)
        if account is None or account.payment.state == "paid":
            return False
        if not though_closed and (account.payment.state != "open" or self._now() >= account.order.expires_at):
            return False
        self._numbers += 1
        account.payment = replace(
            account.payment,
            state="paid",
            amount=account.order.amount if amount is None else amount,
            transaction=f"T{self._numbers:08}",
            paid_at=self._now(),
        )
        self._notify(account.payment)
        return True

    def progress(self) -> None:
        """Let refunds that are under way arrive."""
        for number, refund in self.refunds.items():
            if refund.state == "processing":
                self.refunds[number] = replace(refund, state="done", done_at=self._now())
                self._notify(self.refunds[number])

    def letter(self, notification: Notification) -> tuple[dict[str, str], bytes]:
        """Give a notification as it comes over the wire: its headers and its body."""
        return {"signature": "true"}, json.dumps({"id": notification.id}).encode()

    def received(self) -> int:
        """Give what it has of ours: paid less given back."""
        paid = sum(one.payment.amount for one in self.accounts.values() if one.payment.state == "paid")
        return paid - sum(one.amount for one in self.refunds.values() if one.state == "done")

    # inside

    def _now(self) -> datetime:
        return self.clock.now() + self.skew

    def _notify(self, about: Payment | Refund) -> None:
        self.notifications.append(Notification(f"E{len(self.notifications):08}", about))

    def _prepay(self, order: Order) -> dict[str, str]:
        known = self.accounts.get(order.number)
        if known is None:
            if self._now() >= order.expires_at:
                raise PaymentRefused("PARAM_ERROR")
            known = self.accounts[order.number] = Account(order, Payment(order.number, "open", payer=order.payer))
        if known.payment.state != "open":
            raise PaymentRefused("ORDERPAID" if known.payment.state == "paid" else "ORDER_CLOSED")
        if (known.order.payer, known.order.amount) != (order.payer, order.amount):
            raise PaymentRefused("INVALID_REQUEST")
        sheet = {"appId": "wx1", "timeStamp": "1", "nonceStr": "n", "signType": "RSA", "paySign": "s"}
        return {**sheet, "package": f"prepay_id={order.number}"}

    def _close(self, number: str) -> None:
        if number not in self.accounts:
            raise PaymentRefused("ORDER_NOT_EXIST")
        account = self.accounts[number]
        if account.payment.state == "paid":
            raise PaymentRefused("ORDERPAID")
        account.payment = replace(account.payment, state="closed")

    def _refund(self, order: str, number: str, amount: int, total: int) -> Refund:
        if number in self.refunds:
            return self.refunds[number]
        if self.refuse_refunds:
            raise PaymentRefused(self.refuse_refunds)
        account = self.accounts[order]
        given = sum(self.refunds[one].amount for one in account.refunds)
        if account.payment.state != "paid" or total != account.payment.amount:
            raise PaymentRefused("PARAM_ERROR")
        if amount <= 0 or given + amount > account.payment.amount:
            raise PaymentRefused("NOT_ENOUGH")
        account.refunds.append(number)
        done_at = None if self.slow_refunds else self._now()
        refund = Refund(number, order, "processing" if done_at is None else "done", amount, f"R{number[:8]}", done_at)
        self.refunds[number] = refund
        if done_at is not None:
            self._notify(refund)
        return refund

    def _bill(self, day: date) -> list[BillLine]:
        lines = [
            BillLine("payment", one.payment.number, one.payment.number, one.payment.amount, one.payment.paid_at)
            for one in self.accounts.values()
            if one.payment.paid_at is not None and local(one.payment.paid_at).date() == day
        ]
        lines += [
            BillLine("refund", one.number, one.order, one.amount, one.done_at)
            for one in self.refunds.values()
            if one.done_at is not None and local(one.done_at).date() == day
        ]
        return sorted(lines, key=lambda line: line.number)
