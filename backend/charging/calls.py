"""The calls outwards: what a step does there, and what its answer means. Nothing here reads or writes the database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from backend.charging.rules import CALL_TIMEOUT, StepKind
from backend.insurance.insurer import Insurer, InsurerRefused, InsurerUnclear, InsurerUnreachable, Visit
from backend.payment.payments import (
    Payment,
    PaymentRefused,
    Payments,
    PaymentUnclear,
    PaymentUnreachable,
    Refund,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """What a step needs to be done, read before it is begun.

    Args:
        ask: it may have been sent before: what became of it is asked first.
        order, amount, total: of refunds; a `close` and a `watch` are about `order`.
        settlement: the insurer's number of what is to be taken back.
    """

    kind: StepKind
    number: str
    ask: bool
    visit: Visit | None = field(default=None, repr=False)
    identity: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    settlement: str = ""
    order: str = ""
    amount: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True)
class Done:
    """It is done; `value` is what the other side gave."""

    value: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Refused:
    """The other side has said no, and has changed nothing."""

    code: str
    sentence: str = field(default="", repr=False)


@dataclass(frozen=True)
class NotSent:
    """It has certainly not arrived."""


@dataclass(frozen=True)
class Unclear:
    """Nobody knows what became of it."""


@dataclass(frozen=True)
class Later:
    """It is under way there: ask again after a while."""


Answer = Done | Refused | NotSent | Unclear | Later


class Outward:
    """Does the steps of charges at insurer and payment provider."""

    def __init__(self, insurer: Insurer, payments: Payments, timeout: float = CALL_TIMEOUT) -> None:
        self._insurer = insurer
        self._payments = payments
        self._timeout = timeout
        self._ways: dict[StepKind, Callable[[Call], Awaitable[Answer]]] = {
            StepKind.ELIGIBILITY: self._eligibility,
            StepKind.REGISTER: self._register,
            StepKind.UPLOAD: self._upload,
            StepKind.PRESETTLE: self._presettle,
            StepKind.SETTLE: self._settle,
            StepKind.REVOKE_SETTLEMENT: self._revoke,
            StepKind.REVOKE_UPLOAD: self._revoke_upload,
            StepKind.UNREGISTER: self._unregister,
            StepKind.WATCH: self._watch,
            StepKind.CLOSE: self._close,
            StepKind.REFUND: self._refund,
        }

    async def do(self, call: Call) -> Answer:
        """Do a step, and say what became of it; whatever goes wrong in a way that nobody foresaw is unclear."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ways[call.kind](call)
        except (InsurerUnreachable, PaymentUnreachable):
            return NotSent()
        except (InsurerUnclear, PaymentUnclear, TimeoutError):
            return Unclear()
        except InsurerRefused as refused:
            return Refused(refused.code, refused.sentence)
        except PaymentRefused as refused:
            return Refused(refused.code)
        except Exception:
            log.exception("step failed: kind=%s number=%s", call.kind, call.number)
            return Unclear()

    # the insurer; a message repeated under its id is answered as it was at first, so repeating it is asking

    async def _eligibility(self, call: Call) -> Answer:
        return Done(await self._insurer.person(call.identity, call.name, message=call.number))

    async def _register(self, call: Call) -> Answer:
        await self._insurer.register(_visit(call), message=call.number)
        return Done()

    async def _upload(self, call: Call) -> Answer:
        await self._insurer.upload(_visit(call), message=call.number)
        return Done()

    async def _presettle(self, call: Call) -> Answer:
        return Done(await self._insurer.presettle(_visit(call), message=call.number))

    async def _settle(self, call: Call) -> Answer:
        if call.ask:
            settled = await self._insurer.settled(_visit(call).number)
            if settled is not None:
                return Done(settled)
        return Done(await self._insurer.settle(_visit(call), message=call.number))

    async def _revoke(self, call: Call) -> Answer:
        if call.ask and await self._insurer.settled(_visit(call).number) is None:
            return Done()
        await self._insurer.revoke(call.settlement, _visit(call).number, message=call.number)
        return Done()

    async def _revoke_upload(self, call: Call) -> Answer:
        await self._insurer.revoke_upload(_visit(call).number, message=call.number)
        return Done()

    async def _unregister(self, call: Call) -> Answer:
        await self._insurer.unregister(_visit(call).number, message=call.number)
        return Done()

    # the payment provider

    async def _watch(self, call: Call) -> Answer:
        payment = await self._payments.query(call.order)
        return Later() if payment is None or _undecided(payment) else Done(payment)

    async def _close(self, call: Call) -> Answer:
        """Asked about each time: an order that may have been paid is never taken for closed."""
        payment = await self._payments.query(call.order)
        if payment is not None and not _undecided(payment):
            return Done(payment)
        if payment is None:
            payment = Payment(call.order, "closed")
        try:
            await self._payments.close(call.order)
        except PaymentRefused as refused:
            known = await self._payments.query(call.order)
            if known is None:
                return Done(payment)  # it never came to be, and nobody has what is needed to pay it
            return Later() if _undecided(known) else _noted(refused, known)
        return Done(replace(payment, state="closed", amount=0))

    async def _refund(self, call: Call) -> Answer:
        refund: Refund | None = await self._payments.refund_of(call.number) if call.ask else None
        if refund is None:
            refund = await self._payments.refund(call.order, call.number, call.amount, call.total, call.note)
        if refund.state == "processing":
            return Later()
        return Done(refund) if refund.state == "done" else Refused(refund.state)


def _visit(call: Call) -> Visit:
    if call.visit is None:
        raise ValueError(f"a step {call.kind} without its visit")
    return call.visit


def _undecided(payment: Payment) -> bool:
    return payment.state in ("open", "paying", "failed")  # after a failure the payer may try again


def _noted(refused: PaymentRefused, payment: Payment) -> Answer:
    log.info("close refused: order=%s code=%s state=%s", payment.number, refused.code, payment.state)
    return Done(payment)
