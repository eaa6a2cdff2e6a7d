"""What WeChat Pay says of payments and refunds, read into our own types; nothing in it is believed unread.

Source: pay.weixin.qq.com, JSAPI支付 / 商户订单号查询订单, 查询单笔退款, 支付成功回调通知, 退款结果回调通知.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from backend.payment.payments import Payment, PaymentState, Refund, RefundState

Raw = Mapping[str, Any]
_Kind = TypeVar("_Kind", str, int, dict[str, Any])

_PAYMENTS: dict[str, PaymentState] = {
    "SUCCESS": "paid",
    "REFUND": "refunding",
    "NOTPAY": "open",
    "CLOSED": "closed",
    "REVOKED": "closed",
    "USERPAYING": "paying",
    "ACCEPT": "paying",
    "PAYERROR": "failed",
}
_REFUNDS: dict[str, RefundState] = {
    "SUCCESS": "done",
    "CLOSED": "closed",
    "PROCESSING": "processing",
    "ABNORMAL": "abnormal",
}
_CURRENCY = "CNY"
_LONGEST = 128
_LARGEST = 10**9


class Malformed(ValueError):
    """It is not what WeChat Pay's documents describe."""


class Foreign(ValueError):
    """It is about another merchant or another account."""


def read_object(body: bytes | str) -> dict[str, Any]:
    """Read a JSON object. Raises Malformed."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(value, dict):
        raise Malformed("no object")
    return value


def field(raw: Raw, name: str, kind: type[_Kind]) -> _Kind:
    """Give a field that has to be there. Raises Malformed."""
    value = raw.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Malformed(name)
    if isinstance(value, str) and not 0 < len(value) <= _LONGEST:
        raise Malformed(name)
    return value


def read_payment(raw: Raw, mchid: str, appid: str) -> Payment:
    """Read an order of ours.

    Raises:
        Malformed, Foreign: what their names say.
    """
    if field(raw, "mchid", str) != mchid or field(raw, "appid", str) != appid:
        raise Foreign
    state = _PAYMENTS.get(field(raw, "trade_state", str))
    if state is None:
        raise Malformed("trade_state")
    number = field(raw, "out_trade_no", str)
    if state not in ("paid", "refunding"):
        return Payment(number, state, _fen(raw, "total") if raw.get("amount") else 0)
    return Payment(
        number,
        state,
        amount=_fen(raw, "total"),
        transaction=field(raw, "transaction_id", str),
        payer=field(field(raw, "payer", dict), "openid", str),
        paid_at=_moment(raw, "success_time"),
    )


def read_refund(raw: Raw, status_field: str = "status") -> Refund:
    """Read a refund; in notifications its state stands under another name. Raises Malformed."""
    state = _REFUNDS.get(field(raw, status_field, str))
    if state is None:
        raise Malformed(status_field)
    return Refund(
        number=field(raw, "out_refund_no", str),
        order=field(raw, "out_trade_no", str),
        state=state,
        amount=_fen(raw, "refund"),
        provider_number=field(raw, "refund_id", str),
        done_at=_moment(raw, "success_time") if state == "done" else None,
    )


def _fen(raw: Raw, name: str) -> int:
    amount: dict[str, Any] = field(raw, "amount", dict)
    fen = field(amount, name, int)
    if amount.get("currency", _CURRENCY) != _CURRENCY or not 0 < fen <= _LARGEST:
        raise Malformed("amount")
    return fen


def _moment(raw: Raw, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(field(raw, name, str))
    except ValueError:
        raise Malformed(name) from None
    if moment.tzinfo is None:
        raise Malformed(name)
    return moment
