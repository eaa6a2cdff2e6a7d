"""A client that others wrote (wechatpayv3) against the sandbox, and against our signatures: all three say the same."""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from wechatpayv3 import WeChatPay as TheirWeChatPay
from wechatpayv3.type import WeChatPayType
from wechatpayv3.utils import build_authorization, rsa_verify

from backend.clock import Clock
from backend.payment.settings import Keys
from backend.payment.signatures import Signatures
from sandbox import settings as account
from sandbox.wechat_pay import keys
from tests.support.shop import ORDER, Shop, merchant_settings
from tests.support.waiting import eventually


def their_client(folder: Path, url: str, **changes: Any) -> TheirWeChatPay:
    """Give their client for the merchant whose keys lie in `folder`; its address is not meant to be changed."""
    given = {
        "public_key": (folder / keys.PLATFORM_PUBLIC_KEY).read_text(),
        "public_key_id": keys.PLATFORM_KEY_ID,
        **changes,
    }
    client = TheirWeChatPay(
        WeChatPayType.JSAPI, account.LOCAL_MCHID, (folder / keys.MERCHANT_KEY).read_text(), keys.MERCHANT_SERIAL,
        account.LOCAL_APP_ID, account.LOCAL_API_V3_KEY, "http://127.0.0.1:1/", **given,
    )  # fmt: skip
    client._core._gate_way = url
    return client


async def test_the_sandbox_is_we_chat_pay_to_a_client_of_others(shop: Shop, pay_keys: Path) -> None:
    client = their_client(pay_keys, shop.sandbox.base_url)
    amount, payer = {"total": 3600, "currency": "CNY"}, {"openid": shop.payer.openid}

    async def ask(call: Any, *arguments: Any, **more: Any) -> tuple[int, Any]:
        status, body = await asyncio.to_thread(call, *arguments, **more)
        return status, json.loads(body) if body else None

    status, opened = await ask(client.pay, "远程会诊", ORDER, amount, payer)
    assert (status, list(opened)) == (200, ["prepay_id"])
    status, found = await ask(client.query, out_trade_no=ORDER)
    assert (status, found["trade_state"]) == (200, "NOTPAY")
    await shop.payer.pay(await shop.pay.prepay(shop.order()))
    assert (await ask(client.close, ORDER))[1]["code"] == "ORDERPAID"
    back = {"refund": 3600, "total": 3600, "currency": "CNY"}
    status, refund = await ask(client.refund, "QYR000001", back, out_trade_no=ORDER)
    assert (status, refund["status"]) == (200, "PROCESSING")
    assert (await ask(client.query_refund, "QYR000001"))[1]["out_trade_no"] == ORDER
    assert (await ask(client.trade_bill, "2026-01-01"))[1]["code"] == "NO_STATEMENT_EXIST"


async def test_certificates_are_told_as_they_are_at_we_chat_pay(shop: Shop, pay_keys: Path) -> None:
    client = their_client(pay_keys, shop.sandbox.base_url)
    core = client._core
    core._public_key = core._public_key_id = None
    await asyncio.to_thread(core._update_certificates)
    [certificate] = core._certificates
    assert certificate == shop.sandbox.world.pay.keys.certificate
    status, _ = await asyncio.to_thread(client.query, out_trade_no=ORDER)  # its answer is verified by the certificate
    assert status == 404


async def test_notifications_open_in_a_client_of_others(shop: Shop, pay_keys: Path, monkeypatch: Any) -> None:
    client = their_client(pay_keys, shop.sandbox.base_url)
    heard: list[Any] = []
    ours = shop.pay.read

    def read(headers: Any, body: bytes) -> Any:
        heard.append(client.callback(dict(headers), body.decode()))
        return ours(headers, body)

    monkeypatch.setattr(shop.pay, "read", read)
    await shop.paid()
    await eventually(lambda: shop.outcomes == ["taken"])
    assert heard[0]["resource"]["out_trade_no"] == ORDER
    assert heard[0]["id"] == shop.told[0].id


def test_our_signature_of_a_request_is_theirs(pay_keys: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = merchant_settings(pay_keys, "http://127.0.0.1:1")
    pair = Keys.of(settings)
    now = clock.now().timestamp()
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(now, UTC))
    monkeypatch.setattr(time, "time", lambda: now)
    ours = Signatures(settings, pair, clock).authorization("GET", "/v3/certificates", b"")
    nonce = ours.split('nonce_str="')[1].split('"')[0]
    theirs = build_authorization("/v3/certificates", "GET", settings.mchid, settings.serial, pair.ours, nonce_str=nonce)
    assert ours == theirs


def test_our_signature_for_the_page_is_verified_by_theirs(pay_keys: Path, clock: Clock) -> None:
    settings = merchant_settings(pay_keys, "http://127.0.0.1:1")
    pair = Keys.of(settings)
    fields = Signatures(settings, pair, clock).bridge("wx1")
    message = (fields["appId"] + "\n" + fields["timeStamp"], fields["nonceStr"], fields["package"])
    assert rsa_verify(*message, fields["paySign"], pair.ours.public_key())
