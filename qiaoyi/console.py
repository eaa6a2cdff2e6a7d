"""The console's parts of a serving process, and how the first administrator comes to be."""

import argparse
import asyncio
import base64
import contextlib
import logging
from collections.abc import Callable, Mapping

import aiohttp

from backend.clock import local
from backend.limits import RateLimits
from backend.messaging.channel import ChannelService
from backend.security.policy import SYSTEM, Role
from bot.wechat.client import WechatClient
from bot.wechat.errors import WechatError, WechatUnavailable
from miniprogram_api.console.accounts import enrolment_url
from miniprogram_api.console.endpoint import ConsoleContext, Money, WechatAway
from qiaoyi.house import House
from qiaoyi.sandbox_clock import ClockFollower

log = logging.getLogger(__name__)

_MOST_PICTURE_BYTES = 512 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class InvitationPictures:
    """Fetches the pictures of WeChat's QR codes, so that the console's pages load nothing from elsewhere."""

    def __init__(self, client: WechatClient, http: aiohttp.ClientSession) -> None:
        self._client = client
        self._http = http

    async def make(self, scene: str, seconds: int) -> str:
        """Give the QR code of `scene` as a `data:` address. Raises WechatAway where there is none to be had."""
        try:
            url = await self._client.create_qr_code(scene, seconds)
            async with self._http.get(url, timeout=_TIMEOUT) as answer:
                answer.raise_for_status()
                content = await answer.content.read(_MOST_PICTURE_BYTES)
        except (WechatError, WechatUnavailable, aiohttp.ClientError, TimeoutError) as error:
            log.warning("no picture of an invitation: %s", type(error).__name__)
            raise WechatAway from None
        return f"data:{answer.content_type};base64,{base64.b64encode(content).decode()}"


def console_context(
    house: House,
    pictures: InvitationPictures,
    channel: ChannelService,
    limits: RateLimits,
    loops: Callable[[], Mapping[str, asyncio.Task[None]]],
) -> ConsoleContext:
    """Give what the console's endpoints use; `loops` gives the process's loops by name."""
    return ConsoleContext(
        console=house.console,
        people=house.people,
        consultations=house.consultations,
        scheduling=house.scheduling,
        analytics=house.analytics,
        surveillance=house.surveillance,
        undelivered=house.undelivered,
        channel=channel,
        operations=house.operations,
        teaching_cases=house.teaching_cases,
        audit=house.audit,
        imaging=house.imaging,
        prescriptions=house.prescriptions,
        dispensing=house.dispensing,
        held_money=_money(house),
        exports=house.exports,
        amendments=house.amendments,
        invitation_picture=pictures.make,
        parts=lambda: {name: not task.done() for name, task in loops().items()},
        public_url=house.settings.public,
        clock=house.clock,
        limits=limits,
        trusted_proxies=house.settings.trusted_proxies,
    )


def _money(house: House) -> Money | None:
    if house.charging is None or house.reconciliation is None or house.remuneration is None:
        return None
    return Money(house.charging, house.reconciliation, house.remuneration)


async def make_administrator(house: House, options: argparse.Namespace) -> None:
    """Make a platform administrator of the console, or let one who is there begin anew, and print the link once.

    Raises:
        DomainError: the name is none.
    """
    if house.settings.clock_url:  # a local WeChat may be days ahead
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with aiohttp.ClientSession() as http:
                await ClockFollower(house.clock, house.settings.clock_url, "administrator").follow_once(http)
    known = await house.console.account_named(options.name)
    if known is None:
        link = await house.console.create_account(SYSTEM, options.name, Role.ADMINISTRATOR)
    else:
        link = await house.console.renew_link(SYSTEM, known.id)
        print("这个账号已经有了：原来的密码、手机验证器和登录都作废，请用下面的链接重新设置。")
    print(f"请在浏览器里打开（只能用一次，{local(link.expires_at):%Y-%m-%d %H:%M} 前有效）：")
    print(enrolment_url(house.settings.public, link.code))
