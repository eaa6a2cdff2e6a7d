"""Orders, refunds and their queries, against the sandbox's WeChat Pay; and each way in which an answer can fail."""

from datetime import timedelta

import pytest

from backend.payment.payments import PaymentRefused, PaymentUnclear, PaymentUnreachable
from backend.payment.wechat_pay import WeChatPay
from sandbox.client import SandboxError
from tests.support.shop import ORDER, Shop, merchant_settings
from tests.support.waiting import eventually

JSAPI = "/v3/pay/transactions/jsapi"
REFUNDS = "/v3/refund/domestic/refunds"
OF_ORDER = f"/v3/pay/transactions/out-trade-no/{ORDER}"
BACK = "QYR20261122000001"


async def test_what_is_ordered_is_shown_on_the_sheet_and_paid(shop: Shop) -> None:
    fields = await shop.pay.prepay(shop.order())
    shown = await shop.payer.payment(fields)
    assert (shown["amount"], shown["description"]) == (3600, "远程会诊")
    await shop.payer.pay(fields)
    payment = await shop.pay.query(ORDER)
    assert payment is not None
    assert (payment.state, payment.amount, payment.payer) == ("paid", 3600, shop.payer.openid)
    assert payment.transaction
    assert payment.paid_at is not None
    assert abs(payment.paid_at - shop.clock.now()) < timedelta(minutes=1)


async def test_an_order_is_opened_once_however_often_it_is_asked_for(shop: Shop) -> None:
    order = shop.order()
    first, second = await shop.pay.prepay(order), await shop.pay.prepay(order)
    assert first["package"] == second["package"]
    assert first["paySign"] != second["paySign"]
    with pytest.raises(PaymentRefused, match="OUT_TRADE_NO_USED"):
        await shop.pay.prepay(shop.order(amount=3601))


async def test_a_number_that_nobody_knows_is_nobody_s(shop: Shop) -> None:
    assert await shop.pay.query("QY0000000") is None
    assert await shop.pay.refund_of("QYR000000") is None
    with pytest.raises(PaymentRefused, match="ORDER_NOT_EXIST"):
        await shop.pay.close("QY0000000")
    for wrong in ("", "short", "x" * 33, "../../secret", "QY 000001"):
        with pytest.raises(ValueError, match="a number of"):
            await shop.pay.query(wrong)


async def test_a_closed_order_can_neither_be_paid_nor_opened_again(shop: Shop) -> None:
    fields = await shop.pay.prepay(shop.order())
    await shop.pay.close(ORDER)
    await shop.pay.close(ORDER)
    payment = await shop.pay.query(ORDER)
    assert payment is not None
    assert payment.state == "closed"
    with pytest.raises(SandboxError, match="payment_closed"):
        await shop.payer.pay(fields)
    with pytest.raises(PaymentRefused, match="ORDER_CLOSED"):
        await shop.pay.prepay(shop.order())


async def test_a_paid_order_can_neither_be_closed_nor_paid_again(shop: Shop) -> None:
    fields = await shop.paid()
    with pytest.raises(PaymentRefused, match="ORDERPAID"):
        await shop.pay.close(ORDER)
    with pytest.raises(PaymentRefused, match="ORDERPAID"):
        await shop.pay.prepay(shop.order())
    with pytest.raises(SandboxError, match="payment_paid"):
        await shop.payer.pay(fields)


async def test_of_two_devices_one_pays(shop: Shop) -> None:
    order = shop.order()
    here, there = await shop.pay.prepay(order), await shop.pay.prepay(order)
    await shop.payer.payment(here)
    await shop.payer.payment(there)
    await shop.payer.pay(here)
    with pytest.raises(SandboxError, match="payment_paid"):
        await shop.payer.pay(there)


async def test_nobody_pays_an_order_of_somebody_else_s(shop: Shop) -> None:
    fields = await shop.pay.prepay(shop.order())
    other = await shop.sandbox.client.phone("别人", following=True)
    with pytest.raises(SandboxError, match="payment_of_other"):
        await other.pay(fields)
    with pytest.raises(PaymentRefused, match="PARAM_ERROR"):
        await shop.pay.prepay(shop.order("QY9999999", payer="o-nobody"))


async def test_a_page_that_changes_what_it_hands_over_is_told_no(shop: Shop) -> None:
    fields = await shop.pay.prepay(shop.order())
    for name in ("appId", "timeStamp", "nonceStr", "package", "paySign"):
        with pytest.raises(SandboxError, match="payment_signature"):
            await shop.payer.payment({**fields, name: fields[name][::-1]})


async def test_a_wrong_password_pays_nothing(shop: Shop) -> None:
    fields = await shop.pay.prepay(shop.order())
    with pytest.raises(SandboxError, match="password_wrong"):
        await shop.payer.pay(fields, "654321")
    payment = await shop.pay.query(ORDER)
    assert payment is not None
    assert payment.state == "open"


async def test_an_order_ends_by_itself(shop: Shop) -> None:
    fields = await shop.pay.prepay(shop.order())
    await shop.advance(16 * 60)
    with pytest.raises(SandboxError, match="payment_closed"):
        await shop.payer.pay(fields)
    payment = await shop.pay.query(ORDER)
    assert payment is not None
    assert payment.state == "closed"


async def test_what_is_given_back_arrives_once(shop: Shop) -> None:
    await shop.paid()
    refund = await shop.pay.refund(ORDER, BACK, 1600, 3600, "取消预约")
    assert (refund.state, refund.amount, refund.order) == ("processing", 1600, ORDER)
    again = await shop.pay.refund(ORDER, BACK, 1600, 3600, "取消预约")
    assert again.provider_number == refund.provider_number
    await shop.advance(3)
    arrived = await shop.pay.refund_of(BACK)
    assert arrived is not None
    assert (arrived.state, arrived.amount) == ("done", 1600)
    assert arrived.done_at is not None
    payment = await shop.pay.query(ORDER)
    assert payment is not None
    assert (payment.state, payment.amount) == ("refunding", 3600)


async def test_no_more_is_given_back_than_was_paid(shop: Shop) -> None:
    await shop.paid()
    await shop.pay.refund(ORDER, BACK, 3000, 3600, "取消预约")
    for number, amount, total in ((f"{BACK}2", 601, 3600), (f"{BACK}3", 600, 3601), (BACK, 2999, 3600)):
        with pytest.raises(PaymentRefused, match="INVALID_REQUEST"):
            await shop.pay.refund(ORDER, number, amount, total, "取消预约")
    assert (await shop.pay.refund(ORDER, f"{BACK}2", 600, 3600, "取消预约")).amount == 600


async def test_nothing_is_given_back_of_what_was_not_paid(shop: Shop) -> None:
    await shop.pay.prepay(shop.order())
    with pytest.raises(PaymentRefused, match="INVALID_REQUEST"):
        await shop.pay.refund(ORDER, BACK, 3600, 3600, "取消预约")
    with pytest.raises(PaymentRefused, match="RESOURCE_NOT_EXISTS"):
        await shop.pay.refund("QY0000000", BACK, 3600, 3600, "取消预约")


@pytest.mark.parametrize("drop", ["before", "after"])
async def test_a_lost_answer_is_unclear_until_it_is_asked_for(shop: Shop, drop: str) -> None:
    await shop.fault(JSAPI, drop=drop)
    with pytest.raises(PaymentUnclear):
        await shop.pay.prepay(shop.order())
    known = await shop.pay.query(ORDER)
    assert (known is not None) == (drop == "after")
    await shop.paid()
    await shop.fault(REFUNDS, drop=drop)
    with pytest.raises(PaymentUnclear):
        await shop.pay.refund(ORDER, BACK, 3600, 3600, "取消预约")
    assert (await shop.pay.refund_of(BACK) is not None) == (drop == "after")
    assert (await shop.pay.refund(ORDER, BACK, 3600, 3600, "取消预约")).amount == 3600


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502, "body": "<html>"},
        {"status": 200, "body": '{"prepay_id": "wx1"}'},  # unsigned
        {"status": 400, "body": '{"code": "ORDERPAID"}'},  # an unsigned no is none
        {"status": 302, "body": ""},
        {"kind": "bad_signature"},
        {"kind": "stale_timestamp"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values())[:20],
)
async def test_an_answer_that_proves_nothing_is_unclear(shop: Shop, fault: dict[str, object]) -> None:
    await shop.fault(JSAPI, **fault)
    with pytest.raises(PaymentUnclear):
        await shop.pay.prepay(shop.order())


async def test_an_answer_that_comes_too_late_is_unclear(shop: Shop) -> None:
    settings = merchant_settings(shop.settings.private_key_file.parent, shop.sandbox.base_url, call_timeout=0.3)
    hurried = WeChatPay(settings, shop.clock, "http://127.0.0.1:1/")
    await shop.fault(OF_ORDER, latency_ms=3000)
    try:
        with pytest.raises(PaymentUnclear):
            await hurried.query(ORDER)
    finally:
        await hurried.close_connections()


async def test_where_nobody_listens_nothing_has_arrived(shop: Shop) -> None:
    settings = merchant_settings(shop.settings.private_key_file.parent, "http://127.0.0.1:1")
    deserted = WeChatPay(settings, shop.clock, "http://127.0.0.1:1/")
    try:
        with pytest.raises(PaymentUnreachable):
            await deserted.prepay(shop.order())
    finally:
        await deserted.close_connections()


async def test_another_amount_in_an_answer_is_seen(shop: Shop) -> None:
    await shop.paid()
    await shop.fault(OF_ORDER, kind="tampered_amount")
    payment = await shop.pay.query(ORDER)
    assert payment is not None
    assert payment.amount == 3599  # it is signed: whoever charges compares it with what was asked
    await shop.fault(REFUNDS, kind="tampered_amount")
    with pytest.raises(PaymentUnclear, match="another refund"):
        await shop.pay.refund(ORDER, BACK, 3600, 3600, "取消预约")


@pytest.mark.parametrize("minutes", [-11, 11])
async def test_with_a_wrong_clock_nothing_moves(shop: Shop, minutes: int) -> None:
    shop.clock.advance(timedelta(minutes=minutes))
    with pytest.raises((PaymentUnclear, PaymentRefused)):
        await shop.pay.prepay(shop.order())
    shop.clock.advance(-timedelta(minutes=minutes))
    assert await shop.pay.query(ORDER) is None


async def test_another_merchant_s_key_opens_nothing(shop: Shop) -> None:
    settings = merchant_settings(
        shop.settings.private_key_file.parent, shop.sandbox.base_url, private_key_file=shop.settings.platform_key_file
    )
    with pytest.raises(ValueError, match="private_key_file"):
        WeChatPay(settings, shop.clock, "http://127.0.0.1:1/")
    changed = merchant_settings(shop.settings.private_key_file.parent, shop.sandbox.base_url, mchid="1900000110")
    other = WeChatPay(changed, shop.clock, "http://127.0.0.1:1/")
    try:
        with pytest.raises(PaymentRefused, match="SIGN_ERROR"):
            await other.prepay(shop.order())
    finally:
        await other.close_connections()


async def test_a_refund_is_told_of_when_it_has_arrived(shop: Shop) -> None:
    await shop.paid()
    await eventually(lambda: len(shop.told) == 1)
    await shop.pay.refund(ORDER, BACK, 3600, 3600, "取消预约")
    await shop.advance(3)
    await eventually(lambda: len(shop.told) == 2)
    refund = shop.told[1].about
    assert (refund.number, refund.state, refund.amount) == (BACK, "done", 3600)
