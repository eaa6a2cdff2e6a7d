"""Notifications: taken once when they are WeChat Pay's and of now, refused and counted otherwise."""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.clock import Clock
from backend.db import Database
from backend.payment.inbox import NobodyListens, PaymentInbox
from backend.payment.payments import ForgedNotification, Notification, Payment
from backend.payment.wechat_pay import WeChatPay
from sandbox import settings as account
from sandbox.faults import PAY_NOTIFICATION
from sandbox.wechat_pay.keys import PLATFORM_KEY_ID, Keys
from sandbox.wechat_pay.signing import sealed, signed_headers
from tests.support.shop import ORDER, Shop, merchant_settings
from tests.support.waiting import eventually

PAID = {
    "mchid": account.LOCAL_MCHID,
    "appid": account.LOCAL_APP_ID,
    "out_trade_no": ORDER,
    "transaction_id": "4200001234",
    "trade_state": "SUCCESS",
    "success_time": "2026-11-22T13:00:00+08:00",
    "payer": {"openid": "o-wang"},
    "amount": {"total": 3600, "payer_total": 3600, "currency": "CNY"},
}
BACK = {
    "mchid": account.LOCAL_MCHID,
    "out_trade_no": ORDER,
    "out_refund_no": "QYR000001",
    "refund_id": "5030001234",
    "refund_status": "SUCCESS",
    "success_time": "2026-11-22T13:00:00+08:00",
    "amount": {"total": 3600, "refund": 3600},
}
Told = tuple[dict[str, str], bytes]


@dataclass
class Teller:
    """Signs notifications as WeChat Pay does, whatever is in them."""

    keys: Keys
    clock: Clock

    def tell(self, content: Any = PAID, kind: str = "transaction", **changes: Any) -> Told:
        """Give headers and body; `changes` are of the notification's own fields."""
        plain = content if isinstance(content, bytes) else json.dumps(content).encode()
        notification = {
            "id": "EV-1",
            "event_type": "TRANSACTION.SUCCESS" if kind == "transaction" else "REFUND.SUCCESS",
            "resource_type": "encrypt-resource",
            "resource": {**sealed(account.LOCAL_API_V3_KEY, plain, kind), "original_type": kind},
        }
        return self.sign(json.dumps(notification | changes).encode())

    def sign(self, body: bytes, late: timedelta = timedelta()) -> Told:
        """Sign any body, as if `late` ago."""
        now = (self.clock.now() - late).timestamp()
        return signed_headers(self.keys.platform, PLATFORM_KEY_ID, body, now), body


@pytest.fixture
def teller(pay_keys: Path, clock: Clock) -> Teller:
    """WeChat Pay's voice."""
    return Teller(Keys(pay_keys), clock)


@pytest.fixture
def pay(pay_keys: Path, clock: Clock) -> WeChatPay:
    """The merchant, with nobody at the other end."""
    return WeChatPay(merchant_settings(pay_keys, "http://127.0.0.1:1"), clock, "http://127.0.0.1:1/")


def refused(pay: WeChatPay, told: Told) -> str:
    """Give why a notification is refused."""
    with pytest.raises(ForgedNotification) as forgery:
        pay.read(*told)
    return forgery.value.reason


def test_what_is_told_is_read(pay: WeChatPay, teller: Teller) -> None:
    notification = pay.read(*teller.tell())
    assert notification.id == "EV-1"
    assert isinstance(notification.about, Payment)
    assert (notification.about.number, notification.about.amount, notification.about.state) == (ORDER, 3600, "paid")
    back = pay.read(*teller.tell(BACK, "refund")).about
    assert (back.number, back.amount, back.state) == ("QYR000001", 3600, "done")
    abnormal = {**BACK, "refund_status": "ABNORMAL"}
    assert pay.read(*teller.tell(abnormal, "refund", event_type="REFUND.ABNORMAL")).about.state == "abnormal"


def test_what_is_not_signed_by_them_is_refused(pay: WeChatPay, teller: Teller) -> None:
    headers, body = teller.tell()
    assert refused(pay, ({}, body)) == "headers"
    assert refused(pay, (headers, body.replace(b"EV-1", b"EV-2"))) == "signature"
    assert refused(pay, ({**headers, "Wechatpay-Nonce": "0"}, body)) == "signature"
    assert refused(pay, ({**headers, "Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc"}, body)) == "signature"
    assert refused(pay, ({**headers, "Wechatpay-Serial": "PUB_KEY_ID_0000000000"}, body)) == "key"
    assert refused(pay, ({**headers, "Wechatpay-Timestamp": "soon"}, body)) == "headers"
    assert refused(pay, ({**headers, "Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}, body)) == "headers"
    stranger = Teller(Keys(), teller.clock)
    assert refused(pay, stranger.tell()) == "signature"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_was_signed_long_ago_or_is_yet_to_be_is_refused(pay: WeChatPay, teller: Teller, minutes: int) -> None:
    assert refused(pay, teller.sign(teller.tell()[1], timedelta(minutes=minutes))) == "stale"
    assert pay.read(*teller.sign(teller.tell()[1], timedelta(minutes=minutes * 0.8))).id == "EV-1"


def test_what_is_about_others_is_refused(pay: WeChatPay, teller: Teller) -> None:
    assert refused(pay, teller.tell({**PAID, "mchid": "1900000110"})) == "foreign"
    assert refused(pay, teller.tell({**PAID, "appid": "wx0000000000000000"})) == "foreign"
    assert refused(pay, teller.tell({**BACK, "mchid": "1900000110"}, "refund")) == "foreign"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        {**PAID, "amount": {"total": "3600"}},
        {**PAID, "amount": {"total": 36.5}},
        {**PAID, "amount": {"total": -1}},
        {**PAID, "amount": {"total": True}},
        {**PAID, "amount": {"total": 3600, "currency": "USD"}},
        {**PAID, "trade_state": "WON"},
        {**PAID, "success_time": "yesterday"},
        {**PAID, "success_time": "2026-11-22T13:00:00"},
        {**PAID, "out_trade_no": ""},
        {**PAID, "payer": {}},
        {name: value for name, value in PAID.items() if name != "transaction_id"},
    ],
)
def test_what_makes_no_sense_is_refused(pay: WeChatPay, teller: Teller, content: Any) -> None:
    assert refused(pay, teller.tell(content)) == "content"


def test_what_is_sealed_otherwise_is_refused(pay: WeChatPay, teller: Teller) -> None:
    plain = json.dumps(PAID).encode()
    wrong_key = sealed("another key of thirty-two bytes!", plain, "transaction")
    right = sealed(account.LOCAL_API_V3_KEY, plain, "transaction")
    for resource in (
        wrong_key,
        {**right, "associated_data": "refund"},
        {**right, "algorithm": "AEAD_SM4_GCM"},
        {**right, "nonce": "short"},
        {**right, "ciphertext": right["ciphertext"][:-8]},
        {**right, "ciphertext": None},
        {},
    ):
        assert refused(pay, teller.tell(resource=resource)) == "content"
    assert refused(pay, teller.tell(event_type="TRANSACTION.WON")) == "content"
    assert refused(pay, teller.tell(id="x" * 65)) == "content"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(PAID)), value=_JSON, inside=st.booleans())
def test_whatever_a_field_holds_it_is_read_or_refused(
    pay: WeChatPay, teller: Teller, name: str, value: Any, inside: bool
) -> None:
    told = teller.tell({**PAID, name: value}) if inside else teller.tell(resource=value, id=str(value))
    with contextlib.suppress(ForgedNotification):
        about = pay.read(*told).about
        assert isinstance(about, Payment)
        assert about.amount >= 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), headers=st.dictionaries(st.sampled_from(
    ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"]
), st.text(max_size=40)))  # fmt: skip
def test_nothing_that_is_sent_at_random_is_believed(
    pay: WeChatPay, teller: Teller, body: bytes, headers: dict[str, str]
) -> None:
    assert refused(pay, (headers, body)) in ("headers", "key", "stale", "signature", "content")
    assert refused(pay, teller.sign(body)) == "content"


async def test_each_is_taken_once(database: Database, clock: Clock, pay: WeChatPay, teller: Teller) -> None:
    told: list[Notification] = []
    inbox = PaymentInbox(database, clock, pay)

    async def handle(notification: Notification) -> None:
        if not told:
            told.append(notification)
            raise RuntimeError("killed between two lines")
        told.append(notification)

    with pytest.raises(NobodyListens):
        await inbox.take(*teller.tell())
    inbox.handled_by(handle)
    with pytest.raises(RuntimeError):
        await inbox.take(*teller.tell())
    taken = await asyncio.gather(*(inbox.take(*teller.tell()) for _ in range(5)))
    assert sorted(taken) == [False, False, False, False, True]
    assert len(told) == 2
    assert await inbox.take(*teller.tell(id="EV-2"))


async def test_a_payment_is_told_of_over_http(shop: Shop) -> None:
    await shop.paid()
    await eventually(lambda: shop.outcomes == ["taken"])
    [told] = shop.told
    assert isinstance(told.about, Payment)
    assert (told.about.number, told.about.amount, told.about.payer) == (ORDER, 3600, shop.payer.openid)
    assert shop.sandbox.world.pay.notifier.pending == {}


async def test_what_is_told_twice_has_its_effect_once(shop: Shop) -> None:
    await shop.fault(PAY_NOTIFICATION, kind="duplicate", copies=4)
    await shop.paid()
    await eventually(lambda: len(shop.outcomes) == 4)
    assert sorted(shop.outcomes) == ["repeated", "repeated", "repeated", "taken"]
    assert len(shop.told) == 1


async def test_what_was_not_taken_is_told_again(shop: Shop) -> None:
    shop.fails = 2
    await shop.paid()
    await eventually(lambda: shop.outcomes == ["failed"])
    await shop.advance(16)
    await eventually(lambda: shop.outcomes == ["failed"] * 2)
    await shop.advance(16)
    await eventually(lambda: shop.outcomes == ["failed", "failed", "taken"])


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_what_was_lost_on_the_way_is_told_again(shop: Shop, drop: str) -> None:
    await shop.fault(PAY_NOTIFICATION, drop=drop)
    await shop.paid()
    first = ["taken"] if drop == "after" else []
    await eventually(lambda: any(one.attempts == 1 for one in shop.sandbox.world.pay.notifier.pending.values()))
    await eventually(lambda: shop.outcomes == first)
    await shop.advance(16)
    await eventually(lambda: shop.outcomes == (["taken", "repeated"] if first else ["taken"]))
    assert len(shop.told) == 1


async def test_what_comes_in_another_order_is_all_taken(shop: Shop) -> None:
    await shop.fault(PAY_NOTIFICATION, kind="reorder")
    await shop.paid("QY0000001")
    await shop.paid("QY0000002")
    await eventually(lambda: len(shop.told) == 2)
    assert [one.about.number for one in shop.told] == ["QY0000002", "QY0000001"]


@pytest.mark.parametrize(("kind", "reason"), [("bad_signature", "signature"), ("stale_timestamp", "stale")])
async def test_what_is_forged_is_refused_and_counted(shop: Shop, kind: str, reason: str) -> None:
    await shop.fault(PAY_NOTIFICATION, kind=kind)
    await shop.paid()
    await eventually(lambda: shop.outcomes == [reason])
    assert shop.told == []
    await shop.advance(16)
    await eventually(lambda: shop.outcomes == [reason, "taken"])


async def test_another_amount_is_told_as_it_is(shop: Shop) -> None:
    await shop.fault(PAY_NOTIFICATION, kind="tampered_amount")
    await shop.paid()
    await eventually(lambda: len(shop.told) == 1)
    assert shop.told[0].about.amount == 3599  # it is signed: whoever charges compares it with what was asked


async def test_the_answer_to_what_is_refused_says_why(shop: Shop) -> None:
    await shop.pay.prepay(shop.order())
    address = shop.sandbox.world.pay.book.order(ORDER).notify_url
    async with aiohttp.ClientSession() as http:
        async with http.post(address, data=b"{}") as answer:
            assert (answer.status, await answer.json()) == (400, {"code": "FAIL", "message": "headers"})
        async with http.post(address, data=b"x" * 70_000) as answer:
            assert answer.status == 413
    assert shop.outcomes == ["headers", "too_large"]


async def test_what_was_not_taken_outlives_the_sandbox(shop: Shop) -> None:
    shop.fails = 1
    await shop.paid()
    await eventually(lambda: shop.outcomes == ["failed"])
    kept = json.loads(json.dumps(shop.sandbox.world.pay.dump()))
    other = shop.sandbox.world.pay
    other.clear()
    other.load(kept)
    assert [one.attempts for one in other.notifier.pending.values()] == [1]
    payment = await shop.pay.query(ORDER)
    assert payment is not None
    assert payment.state == "paid"
    await shop.advance(16)
    await eventually(lambda: shop.outcomes == ["failed", "taken"])
