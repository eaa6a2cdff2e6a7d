"""What a phone is told of a payment, the faults that may be set, and what a state file keeps of it."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.client import Phone, SandboxError
from sandbox.faults import PAY_NOTIFICATION
from sandbox.state_file import StateFile
from sandbox.wechat_pay.book import Book, Refusal
from sandbox.world import World
from tests.support.sandbox import RunningSandbox, running_sandbox

ORDER = {
    "out_trade_no": "QY0000001",
    "description": "远程会诊",
    "notify_url": "http://127.0.0.1:1/",
    "amount": {"total": 3600, "currency": "CNY"},
    "payer": {"openid": "o-wang"},
}


@pytest.fixture
def book() -> Book:
    """A book at moment 1000."""
    return Book(lambda: 1000.0)


@pytest.mark.parametrize(
    "change",
    [
        {"out_trade_no": "short"},
        {"out_trade_no": 7},
        {"payer": {}},
        {"payer": "o-wang"},
        {"amount": {"total": 0}},
        {"amount": {"total": 36.5}},
        {"amount": {"total": True}},
        {"amount": {"total": 100_000_001}},
        {"amount": {"total": 3600, "currency": "USD"}},
        {"description": ""},
        {"time_expire": "soon"},
        {"time_expire": "1970-01-01T08:00:00+08:00"},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(book: Book, change: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        book.prepay({**ORDER, **change}, lambda openid: openid == "o-wang")
    assert (refusal.value.status, refusal.value.code) == (400, "PARAM_ERROR")
    assert book.orders == {}


def test_a_sheet_is_good_for_two_hours() -> None:
    now = 1000.0
    book = Book(lambda: now)
    prepay_id = book.prepay(ORDER, lambda _: True).prepay_id
    now += 7200
    assert book.to_pay(prepay_id).number == "QY0000001"
    now += 1
    with pytest.raises(Refusal, match="ORDER_NOT_EXIST"):
        book.to_pay(prepay_id)


async def test_a_phone_pays_nothing_that_nobody_signed(sandbox: RunningSandbox, phone: Phone) -> None:
    for fields in ({}, {"appId": sandbox.settings.app_id, "signType": "RSA", "paySign": "!", "package": "prepay_id=1"}):
        with pytest.raises(SandboxError, match="payment_signature"):
            await phone.payment(fields)
    with pytest.raises(SandboxError, match="payment_unknown"):
        await sandbox.client.call("POST", f"/api/phones/{phone.openid}/payments/wx1", {"password": "123456"})


async def test_the_api_serves_nobody_who_does_not_sign(sandbox: RunningSandbox) -> None:
    for authorization in (
        "",
        "Bearer x",
        'WECHATPAY2-SHA256-RSA2048 mchid="1900000109",signature="x",timestamp="soon"',
    ):
        with pytest.raises(SandboxError, match="SIGN_ERROR"):
            await sandbox.client.call("GET", "/v3/certificates", None, authorization=authorization)
    assert [entry["status"] for entry in await sandbox.client.journal(path="/v3/certificates")] == [401] * 3


@pytest.mark.parametrize(
    ("fault", "is_one"),
    [
        ({"path": PAY_NOTIFICATION, "kind": "reorder"}, True),
        ({"path": PAY_NOTIFICATION, "kind": "drop_reply"}, False),
        ({"path": "/v3/refund/domestic/refunds", "kind": "tampered_amount"}, True),
        ({"path": "/v3/*", "kind": "reorder"}, False),
        ({"path": "/cgi-bin/menu/get", "kind": "bad_signature"}, False),
        ({"kind": "bad_signature"}, True),
    ],
)
async def test_a_fault_is_of_a_kind_that_its_path_knows(
    sandbox: RunningSandbox, fault: dict[str, Any], is_one: bool
) -> None:
    if is_one:
        await sandbox.client.call("POST", "/api/faults", fault)
    else:
        with pytest.raises(SandboxError, match="fault_invalid"):
            await sandbox.client.call("POST", "/api/faults", fault)


async def test_what_was_paid_and_not_yet_told_survives_a_restart(tmp_path: Path) -> None:
    async with running_sandbox() as first:
        await first.client.phone("王阿姨", "o-wang")
        pay = first.world.pay
        order = pay.book.prepay(ORDER, lambda _: True)
        await StateFile(tmp_path / "state.json", first.world).save()
        before = World(first.settings)
        StateFile(tmp_path / "state.json", before).read()
        pay.take_payment(order)
        await StateFile(tmp_path / "state.json", first.world).save()
    after = World(first.settings)
    StateFile(tmp_path / "state.json", after).read()
    assert before.pay.book.order("QY0000001").transaction == ""
    assert after.pay.book.order("QY0000001").transaction == order.transaction
    assert [one.content["out_trade_no"] for one in after.pay.notifier.pending.values()] == ["QY0000001"]


async def test_a_reset_forgets_what_was_paid(sandbox: RunningSandbox) -> None:
    sandbox.world.pay.take_payment(sandbox.world.pay.book.prepay(ORDER, lambda _: True))
    await sandbox.client.call("POST", "/api/reset")
    assert sandbox.world.pay.dump() == {"orders": [], "refunds": [], "notices": []}
