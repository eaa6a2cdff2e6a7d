"""A merchant with the sandbox's WeChat Pay behind it: our client, the place for notifications, and payers' phones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from backend.clock import Clock
from backend.db import Database
from backend.payment.inbox import PaymentInbox
from backend.payment.payments import Notification, Order
from backend.payment.settings import WeChatPaySettings
from backend.payment.wechat_pay import WeChatPay
from miniprogram_api.payment_notifications import NOTIFICATIONS, notification_route
from sandbox import settings as account
from sandbox.client import JsonObject, Phone
from sandbox.wechat_pay import keys
from tests.e2e.product import free_port
from tests.support.sandbox import RunningSandbox, running_sandbox

ORDER = "QY20261122000001"


def merchant_settings(folder: Path, url: str, **changes: Any) -> WeChatPaySettings:
    """The merchant whose keys lie in `folder`, at a sandbox."""
    settings = WeChatPaySettings(
        mchid=account.LOCAL_MCHID,
        appid=account.LOCAL_APP_ID,
        serial=keys.MERCHANT_SERIAL,
        private_key_file=folder / keys.MERCHANT_KEY,
        platform_key_id=keys.PLATFORM_KEY_ID,
        platform_key_file=folder / keys.PLATFORM_PUBLIC_KEY,
        api_v3_key=account.LOCAL_API_V3_KEY,
        api_url=url,
    )
    return replace(settings, **changes)


@dataclass
class Shop:
    """Everything on both sides of a payment.

    Attributes:
        told: the notifications whose effect was kept, in the order in which they came.
        outcomes: what became of each that arrived.
        fails: how many more times the handler fails.
    """

    sandbox: RunningSandbox
    pay: WeChatPay
    settings: WeChatPaySettings
    clock: Clock
    payer: Phone
    told: list[Notification] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    fails: int = 0

    def order(self, number: str = ORDER, amount: int = 3600, **changes: Any) -> Order:
        """An order of the payer's for the next quarter of an hour."""
        expires_at = changes.pop("expires_at", self.clock.now() + timedelta(minutes=15))
        payer = changes.pop("payer", self.payer.openid)
        return Order(number, "远程会诊", amount, payer, expires_at)

    async def paid(self, number: str = ORDER, amount: int = 3600) -> JsonObject:
        """Open an order and pay it; give what the page had been given."""
        fields = await self.pay.prepay(self.order(number, amount))
        await self.payer.pay(fields)
        return fields

    async def fault(self, path: str, **fault: Any) -> None:
        """Set a fault at the sandbox; once unless `times` says otherwise (None: until it is removed)."""
        fields = {"path": path, "times": 1, **fault}
        await self.sandbox.client.call("POST", "/api/faults", fields)

    async def advance(self, seconds: float) -> None:
        """Move both clocks on."""
        await self.sandbox.client.advance(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    async def handle(self, notification: Notification) -> None:
        """Act on a notification: note it, or fail."""
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the handler fails")
        self.told.append(notification)


@asynccontextmanager
async def opened_shop(folder: Path, database: Database, clock: Clock, **changes: Any) -> AsyncIterator[Shop]:
    """Open a shop with the keys in `folder`; `changes` are settings of the sandbox."""
    port = free_port()
    async with running_sandbox(pay_keys=folder, **changes) as sandbox:
        assert sandbox.world.pay.keys  # they lie in the folder from now on
        settings = merchant_settings(folder, sandbox.base_url)
        pay = WeChatPay(settings, clock, f"http://127.0.0.1:{port}{NOTIFICATIONS}")
        payer = await sandbox.client.phone("王阿姨", "o-wang", following=True)
        shop = Shop(sandbox, pay, settings, clock, payer)
        inbox = PaymentInbox(database, clock, pay)
        inbox.handled_by(shop.handle)
        application = web.Application()
        application.add_routes([notification_route(inbox, shop.outcomes.append)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield shop
        finally:
            await pay.close_connections()
            await runner.cleanup()
