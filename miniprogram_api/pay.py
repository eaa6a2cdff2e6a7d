"""The pay page: what is to be paid and why, the order for WeChat's payment sheet, and what became of it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol

from backend.errors import NotFound
from backend.insurance.coverage import Split
from backend.security.policy import Actor
from miniprogram_api.endpoint import Call, Endpoint, Model

_CHARGE = {"charge_id": "The charge."}
_NO_CHARGE = "没有找到这笔费用。"

PayState = Literal["asking", "payable", "paid", "free", "over", "giving_back", "given_back"]
_STATES: Mapping[str, PayState] = {
    "quoting": "asking",
    "closing": "over",
    "closed": "over",
    "reversing": "giving_back",
    "reversed": "given_back",
}


class Charge(Protocol):
    """What the pay page has to know of a charge; amounts in yuan."""

    @property
    def id(self) -> str: ...

    @property
    def number(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def fee(self) -> Decimal: ...

    @property
    def quote(self) -> Split | None: ...

    @property
    def cash(self) -> Decimal: ...

    @property
    def paid(self) -> Decimal: ...

    @property
    def refunding(self) -> Decimal: ...

    @property
    def refunded(self) -> Decimal: ...

    @property
    def payable(self) -> bool: ...

    @property
    def slow(self) -> bool: ...

    @property
    def starts_at(self) -> datetime: ...

    @property
    def expires_at(self) -> datetime: ...


class ChargeDesk(Protocol):
    """What the pay page asks of charging; everything is checked against the policy there, and audited."""

    async def view(self, actor: Actor, charge_id: str) -> Charge:
        """Give a charge."""

    async def prepay(self, actor: Actor, charge_id: str) -> Mapping[str, str]:
        """Give what the actor's WeChat needs to pay."""

    async def refresh(self, actor: Actor, charge_id: str) -> Charge:
        """Ask the provider what became of it, and give the charge as it stands then."""


class PayPart(Model):
    """Who pays what, in yuan with two places."""

    label: str
    amount: str


class PayItem(Model):
    """A charge as the pay page shows it; amounts in yuan with two places.

    Attributes:
        state: `asking` while the insurer is asked; `free` where nothing is left to pay; `over` where it can no longer
            be paid, and nothing was taken.
        slow: the insurer has not answered for ten seconds: one may wait, or book without insurance.
        cash: what the patient pays. parts: who pays the rest, without those who pay nothing.
        explained: how it was worked out, line by line.
        returned: what has gone back, or is on its way.
        starts_at: the time that it is for. expires_at: until when it may be paid.
    """

    id: str
    number: str
    state: PayState
    slow: bool
    total: str
    cash: str
    parts: list[PayPart]
    explained: list[str]
    paid: str
    returned: str
    starts_at: datetime
    expires_at: datetime


class PayOrder(Model):
    """What the page hands to WeixinJSBridge `getBrandWCPayRequest`, as it is."""

    appId: str  # noqa: N815 -- WeChat's names
    timeStamp: str  # noqa: N815
    nonceStr: str  # noqa: N815
    package: str
    signType: str  # noqa: N815
    paySign: str  # noqa: N815


async def _read(call: Call) -> PayItem:
    return pay_item(await _desk(call).view(call.actor, call.path["charge_id"]), call.context.clock.now())


async def _prepay(call: Call) -> PayOrder:
    return PayOrder.model_validate(dict(await _desk(call).prepay(call.actor, call.path["charge_id"])))


async def _result(call: Call) -> PayItem:
    return pay_item(await _desk(call).refresh(call.actor, call.path["charge_id"]), call.context.clock.now())


def _desk(call: Call) -> ChargeDesk:
    if call.context.charges is None:
        raise NotFound(_NO_CHARGE)
    return call.context.charges


def pay_item(charge: Charge, now: datetime) -> PayItem:
    """Show a charge as it stands at `now`."""
    quote = charge.quote
    shares = (
        {} if quote is None else {"医保付": quote.insurance, "医保账户付": quote.account, "政府补助": quote.subsidy}
    )
    return PayItem(
        id=charge.id,
        number=charge.number,
        state=_state(charge, now),
        slow=charge.slow,
        total=_yuan(charge.fee),
        cash=_yuan(charge.cash),
        parts=[PayPart(label=label, amount=_yuan(amount)) for label, amount in shares.items() if amount],
        explained=[] if quote is None else list(quote.lines),
        paid=_yuan(charge.paid),
        returned=_yuan(charge.refunding + charge.refunded),
        starts_at=charge.starts_at,
        expires_at=charge.expires_at,
    )


def _state(charge: Charge, now: datetime) -> PayState:
    known = _STATES.get(str(charge.state))
    if known is not None:
        return known
    if charge.payable:
        return "payable" if now < charge.expires_at else "over"
    return "paid" if charge.paid else "free"


def _yuan(amount: Decimal) -> str:
    return f"{amount:.2f}"


ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/pay/{charge_id}", "getPayment", "What is to be paid, and who pays the rest", _read, PayItem,
        path_parameters=_CHARGE,
    ),
    Endpoint(
        "POST", "/api/v1/pay/{charge_id}/prepay", "openPayment",
        "Open the order that WeChat's payment sheet shows; the same one as long as it is open", _prepay, PayOrder,
        status=201, path_parameters=_CHARGE,
    ),
    Endpoint(
        "GET", "/api/v1/pay/{charge_id}/result", "askPaymentResult",
        "Ask WeChat Pay what became of it; its word counts, never the page's", _result, PayItem,
        path_parameters=_CHARGE,
    ),
)  # fmt: skip
