"""WeChat Pay v3 for one merchant: orders paid inside WeChat (JSAPI), refunds, bills, notifications.

Source: pay.weixin.qq.com, 商户平台 / JSAPI支付.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import closing
from datetime import date
from typing import IO, Any, TypeVar
from urllib.parse import quote

from backend.clock import Clock, local
from backend.payment.bills import BillError, FundLine, funds_in, kept, payments_in
from backend.payment.client import Client
from backend.payment.notifications import NotificationReader
from backend.payment.payments import (
    BillLine,
    Notification,
    Order,
    Payment,
    PaymentRefused,
    Payments,
    PaymentUnclear,
    Refund,
)
from backend.payment.reading import Foreign, Malformed, field, read_payment, read_refund
from backend.payment.settings import Keys, WeChatPaySettings
from backend.payment.signatures import Signatures

_Told = TypeVar("_Told")
_Line = TypeVar("_Line")

_ORDERS = "/v3/pay/transactions"
_REFUNDS = "/v3/refund/domestic/refunds"
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_LONGEST_DESCRIPTION = 127
_LONGEST_REASON = 80
_UNKNOWN = {"ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"}
_CLOSED = "ORDER_CLOSED"
_NO_BILL = "NO_STATEMENT_EXIST"


class WeChatPay(Payments):
    """One merchant of WeChat Pay.

    Args:
        settings: of the merchant.
        notify_url: where notifications are to come.

    Raises:
        ValueError: a key cannot be used; names the setting.
    """

    def __init__(self, settings: WeChatPaySettings, clock: Clock, notify_url: str) -> None:
        self._settings = settings
        self._notify_url = settings.notify_url or notify_url
        self._signatures = Signatures(settings, Keys.of(settings), clock)
        self._client = Client(settings, self._signatures)
        self._reader = NotificationReader(settings, self._signatures)

    async def close_connections(self) -> None:
        """Close the connections; nothing may be asked afterwards."""
        await self._client.close()

    async def prepay(self, order: Order) -> dict[str, str]:
        """Open an order; give what the page hands to WeixinJSBridge.

        Refused among others with ORDERPAID, ORDER_CLOSED, OUT_TRADE_NO_USED (another order has the number).
        """
        content = {
            "appid": self._settings.appid,
            "mchid": self._settings.mchid,
            "description": order.description[:_LONGEST_DESCRIPTION],
            "out_trade_no": _number(order.number),
            "time_expire": local(order.expires_at).isoformat(timespec="seconds"),
            "notify_url": self._notify_url,
            "amount": {"total": order.amount, "currency": "CNY"},
            "payer": {"openid": order.payer},
        }
        answer = await self._client.call("POST", f"{_ORDERS}/jsapi", content)
        return self._signatures.bridge(_told(lambda: field(answer, "prepay_id", str)))

    async def query(self, number: str) -> Payment | None:
        """Ask what became of an order; None where WeChat Pay knows of none."""
        path = f"{_ORDERS}/out-trade-no/{_in_path(number)}?mchid={self._settings.mchid}"
        answer = await self._known(path)
        if answer is None:
            return None
        payment = _told(lambda: read_payment(answer, self._settings.mchid, self._settings.appid))
        if payment.number != number:
            raise PaymentUnclear("another order")
        return payment

    async def close(self, number: str) -> None:
        """See that an order can no longer be paid; nothing happens where it is closed.

        Refused with ORDERPAID where it is paid, and with ORDER_NOT_EXIST where there is none.
        """
        try:
            path = f"{_ORDERS}/out-trade-no/{_in_path(number)}/close"
            await self._client.call("POST", path, {"mchid": self._settings.mchid})
        except PaymentRefused as refusal:
            if refusal.code != _CLOSED:
                raise

    async def refund(self, order: str, number: str, amount: int, total: int, reason: str) -> Refund:
        """Give `amount` of the `total` of an order back, in fen; under one number it happens once."""
        content = {
            "out_trade_no": _number(order),
            "out_refund_no": _number(number),
            "reason": reason[:_LONGEST_REASON],
            "notify_url": self._notify_url,
            "amount": {"refund": amount, "total": total, "currency": "CNY"},
        }
        answer = await self._client.call("POST", _REFUNDS, content)
        refund = _told(lambda: read_refund(answer))
        if (refund.number, refund.order, refund.amount) != (number, order, amount):
            raise PaymentUnclear("another refund")
        return refund

    async def refund_of(self, number: str) -> Refund | None:
        """Ask what became of a refund; None where WeChat Pay knows of none."""
        answer = await self._known(f"{_REFUNDS}/{_in_path(number)}")
        if answer is None:
            return None
        refund = _told(lambda: read_refund(answer))
        if refund.number != number:
            raise PaymentUnclear("another refund")
        return refund

    async def bill(self, day: date) -> AsyncIterator[Sequence[BillLine]]:
        """Give what was paid and refunded on a day (of China), ordered by number, in parts.

        A day's bill is there from ten o'clock of the next day on; before that it is refused (STATEMENT_CREATING).
        """
        path = f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL"
        async for part in self._bill(path, payments_in):
            yield part

    async def funds(self, day: date) -> AsyncIterator[Sequence[FundLine]]:
        """Give how the merchant's balance moved on a day (of China), in parts; refused as `bill` is."""
        path = f"/v3/bill/fundflowbill?bill_date={day.isoformat()}&account_type=BASIC"
        async for part in self._bill(path, funds_in):
            yield part

    def read(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Verify and decrypt a notification.

        Raises:
            ForgedNotification: with one of the reasons headers, key, stale, signature, content, foreign.
        """
        return self._reader.read(headers, body)

    async def _known(self, path: str) -> dict[str, Any] | None:
        try:
            return await self._client.call("GET", path)
        except PaymentRefused as refusal:
            if refusal.code in _UNKNOWN:
                return None
            raise

    async def _bill(
        self, path: str, read: Callable[[IO[bytes]], Generator[list[_Line], None, None]]
    ) -> AsyncIterator[Sequence[_Line]]:
        try:
            answer = await self._client.call("GET", path)
        except PaymentRefused as refusal:
            if refusal.code == _NO_BILL:
                return
            raise
        names = ("download_url", "hash_type", "hash_value")
        url, algorithm, digest = _told(lambda: [_long(answer, name) for name in names])
        try:
            async with self._client.download(url) as pieces:
                file = await kept(pieces, algorithm, digest)
            with closing(file), closing(read(file)) as parts:
                while (part := await asyncio.to_thread(next, parts, None)) is not None:
                    yield part
        except BillError as error:
            raise PaymentUnclear(str(error)) from None


def _told(read: Callable[[], _Told]) -> _Told:
    """Read a proven answer; what cannot be read leaves open what happened."""
    try:
        return read()
    except (Malformed, Foreign) as error:
        raise PaymentUnclear(f"an answer of another form: {error}") from None


def _long(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str):
        raise Malformed(name)
    return value


def _number(number: str) -> str:
    if not _NUMBER.fullmatch(number):
        raise ValueError("a number of 6 to 32 letters and digits is needed")
    return number


def _in_path(number: str) -> str:
    return quote(_number(number), safe="")
