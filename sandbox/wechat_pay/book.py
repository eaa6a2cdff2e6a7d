"""Orders and refunds as WeChat Pay keeps them, and what may happen to them.

Source: pay.weixin.qq.com, JSAPI支付 / JSAPI下单, 查询订单, 关闭订单, 申请退款, 查询单笔退款 with their codes.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.errors import JsonObject

CHINA = timezone(timedelta(hours=8))
REFUND_SECONDS = 2.0
_PREPAY_SECONDS = 7200.0
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_LARGEST = 100_000_000


class Refusal(Exception):
    """A request that is answered with no: HTTP status, code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass(slots=True)
class Order:
    """What somebody is asked to pay, in fen, at times in seconds; `transaction` is empty until it is paid."""

    number: str
    prepay_id: str
    prepaid_at: float
    openid: str
    amount: int
    description: str
    notify_url: str
    expires_at: float | None
    transaction: str = ""
    paid_at: float = 0.0
    closed: bool = False


@dataclass(slots=True)
class Refund:
    """Money on its way back; it has arrived when `done_at` has come."""

    number: str
    order: str
    id: str
    amount: int
    reason: str
    notify_url: str
    created_at: float
    done_at: float


class Book:
    """Every order and every refund of the merchant."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.orders: dict[str, Order] = {}
        self.refunds: dict[str, Refund] = {}
        self.changes = 0

    def clear(self) -> None:
        """Forget everything."""
        self.orders.clear()
        self.refunds.clear()
        self.changes += 1

    def dump(self) -> JsonObject:
        """What a state file keeps."""
        return {
            "orders": [asdict(order) for order in self.orders.values()],
            "refunds": [asdict(refund) for refund in self.refunds.values()],
        }

    def load(self, state: JsonObject) -> None:
        """Take up what a state file kept."""
        self.orders = {entry["number"]: Order(**entry) for entry in state["orders"]}
        self.refunds = {entry["number"]: Refund(**entry) for entry in state["refunds"]}

    def prepay(self, body: JsonObject, payer_is_known: Callable[[str], bool]) -> Order:
        """Open an order; the same order once more for the same request under the same number."""
        number = _checked_number(body.get("out_trade_no"))
        openid = str(_part(body, "payer").get("openid", ""))
        if not payer_is_known(openid):
            raise Refusal(400, "PARAM_ERROR", "无效的openid")
        amount = _fen(_part(body, "amount"), "total")
        description = str(body.get("description", ""))
        expires_at = _moment(body.get("time_expire"))
        if not 0 < len(description) <= 127 or (expires_at is not None and expires_at <= self._now()):
            raise Refusal(400, "PARAM_ERROR", "参数错误")
        known = self.orders.get(number)
        if known is None:
            notify_url = str(body.get("notify_url", ""))
            prepay_id = f"wx{datetime.now(CHINA):%d%H%M%S}{secrets.token_hex(12)}"
            known = Order(number, prepay_id, self._now(), openid, amount, description, notify_url, expires_at)
            self.orders[number] = known
            self.changes += 1
        self._require_open(known)
        if (known.openid, known.amount, known.description) != (openid, amount, description):
            raise Refusal(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        return known

    def order(self, number: str) -> Order:
        """An order; 404 where there is none."""
        if (order := self.orders.get(number)) is None:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在")
        return order

    def close(self, number: str) -> None:
        """See that an order can no longer be paid."""
        order = self.order(number)
        self._require_open(order)
        order.closed = True
        self.changes += 1

    def to_pay(self, prepay_id: str) -> Order:
        """The order of a payment sheet that may be paid now."""
        order = next((one for one in self.orders.values() if one.prepay_id == prepay_id), None)
        if order is None or self._now() > order.prepaid_at + _PREPAY_SECONDS:
            raise Refusal(404, "ORDER_NOT_EXIST", "订单不存在或已失效")
        self._require_open(order)
        return order

    def pay(self, order: Order) -> None:
        """Take the money."""
        self._require_open(order)
        order.transaction = f"42000{secrets.randbelow(10**23):023d}"
        order.paid_at = self._now()
        self.changes += 1

    def refund(self, body: JsonObject) -> tuple[Refund, bool]:
        """Begin to give money back, and whether it is new; the same refund for the same request under its number."""
        amounts = _part(body, "amount")
        number, fen = _checked_number(body.get("out_refund_no")), _fen(amounts, "refund")
        order = self.orders.get(str(body.get("out_trade_no", "")))
        if order is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在")
        if (known := self.refunds.get(number)) is not None:
            if (known.order, known.amount) != (order.number, fen):
                raise Refusal(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
            return known, False
        if not order.transaction or amounts.get("total") != order.amount:
            raise Refusal(400, "INVALID_REQUEST", "订单未支付，或订单金额不对")
        if self.refunded(order) + fen > order.amount:
            raise Refusal(400, "INVALID_REQUEST", "退款金额大于支付金额")
        now = self._now()
        id_ = f"50300{secrets.randbelow(10**24):024d}"
        refund = Refund(
            number, order.number, id_, fen, str(body.get("reason", "")), str(body.get("notify_url", "")), now,
            now + REFUND_SECONDS,
        )  # fmt: skip
        self.refunds[number] = refund
        self.changes += 1
        return refund, True

    def refunded(self, order: Order) -> int:
        """How much of an order has gone back."""
        return sum(one.amount for one in self.refunds.values() if one.order == order.number)

    def is_expired(self, order: Order) -> bool:
        """Whether an order's time is over; WeChat Pay closes it then."""
        return not order.transaction and order.expires_at is not None and order.expires_at <= self._now()

    def happened(self, begin: float, end: float) -> Iterator[tuple[float, Order, Refund | None]]:
        """Every payment and every refund between two moments, in the order in which they happened."""
        paid = [(one.paid_at, one, None) for one in self.orders.values() if one.transaction]
        back = [(one.created_at, self.orders[one.order], one) for one in self.refunds.values()]
        everything: list[tuple[float, Order, Refund | None]] = [*paid, *back]
        return iter(sorted((one for one in everything if begin <= one[0] < end), key=lambda one: one[0]))

    def _require_open(self, order: Order) -> None:
        if order.transaction:
            raise Refusal(400, "ORDERPAID", "该订单已支付")
        if order.closed or self.is_expired(order):
            raise Refusal(400, "ORDER_CLOSED", "订单已关闭")

    def told_order(self, order: Order, mchid: str, appid: str) -> JsonObject:
        """An order as queries and notifications tell it."""
        told: JsonObject = {
            "appid": appid, "mchid": mchid, "out_trade_no": order.number, "attach": "",
            "amount": {"total": order.amount, "currency": "CNY"},
        }  # fmt: skip
        if not order.transaction:
            is_over = order.closed or self.is_expired(order)
            state, said = ("CLOSED", "订单已关闭") if is_over else ("NOTPAY", "订单未支付")
            return {**told, "trade_state": state, "trade_state_desc": said, "payer": {"openid": order.openid}}
        is_back = self.refunded(order) > 0
        return {
            **told,
            "amount": {"total": order.amount, "payer_total": order.amount, "currency": "CNY", "payer_currency": "CNY"},
            "trade_type": "JSAPI",
            "trade_state": "REFUND" if is_back else "SUCCESS",
            "trade_state_desc": "转入退款" if is_back else "支付成功",
            "bank_type": "OTHERS",
            "transaction_id": order.transaction,
            "success_time": china_time(order.paid_at),
            "payer": {"openid": order.openid},
        }

    def told_refund(self, refund: Refund) -> JsonObject:
        """A refund as its API tells it."""
        order = self.orders[refund.order]
        is_done = refund.done_at <= self._now()
        told = {
            "refund_id": refund.id,
            "out_refund_no": refund.number,
            "transaction_id": order.transaction,
            "out_trade_no": order.number,
            "channel": "ORIGINAL",
            "user_received_account": "支付用户零钱",
            "create_time": china_time(refund.created_at),
            "status": "SUCCESS" if is_done else "PROCESSING",
            "amount": {
                "total": order.amount, "refund": refund.amount, "payer_total": order.amount,
                "payer_refund": refund.amount, "currency": "CNY",
            },
        }  # fmt: skip
        return {**told, "success_time": china_time(refund.done_at)} if is_done else told


def china_time(moment: float) -> str:
    """A moment as WeChat Pay writes it."""
    return datetime.fromtimestamp(moment, CHINA).isoformat(timespec="seconds")


def _part(body: JsonObject, name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise Refusal(400, "PARAM_ERROR", f"参数 {name} 缺失")
    return value


def _fen(amounts: dict[str, Any], name: str) -> int:
    fen = amounts.get(name)
    is_right = isinstance(fen, int) and not isinstance(fen, bool) and 0 < fen <= _LARGEST
    if not is_right or amounts.get("currency", "CNY") != "CNY":
        raise Refusal(400, "PARAM_ERROR", f"参数 {name} 不对")
    return int(fen or 0)


def _checked_number(value: object) -> str:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise Refusal(400, "PARAM_ERROR", "商户单号不对")
    return value


def _moment(value: object) -> float | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        raise Refusal(400, "PARAM_ERROR", "时间格式不对") from None
