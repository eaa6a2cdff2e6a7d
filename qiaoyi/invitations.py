"""Invitations from the command line: the first administrator joins by one, before anybody can invite in the chat."""

import aiohttp

from backend.errors import NotFound
from backend.people.views import Invitation, PractitionerView
from backend.security.policy import SYSTEM
from backend.seed import demo_id
from bot.metrics import Metrics
from bot.wechat.client import WechatClient
from qiaoyi.house import House
from qiaoyi.sandbox_clock import ClockFollower
from qiaoyi.settings import SettingsError


async def make_invitation(house: House, who: str) -> tuple[PractitionerView, Invitation, str]:
    """Make a one-time invitation and give whom it is for, the invitation, and the address of its QR code's picture.

    Args:
        who: the licence number of a practitioner, or the code of one of the demonstration's.

    Raises:
        SettingsError: no WeChat account is set.
        NotFound: nobody has this number. Conflict: they have joined already.
        WechatError, WechatUnavailable, aiohttp.ClientError: WeChat refuses or does not answer.
    """
    settings = house.settings
    if settings.wechat is None:
        raise SettingsError("setting wechat: app_id, app_secret, token and aes_key of the account are needed")
    if settings.clock_url:  # a local WeChat may be days ahead
        async with aiohttp.ClientSession() as http:
            await ClockFollower(house.clock, settings.clock_url, "invite").follow_once(http)
    found = await find_practitioner(house, who)
    client = WechatClient(settings.wechat, house.clock, Metrics())
    try:
        invitation = await house.people.create_invitation(SYSTEM, found.id)
        left = invitation.expires_at - house.clock.now()
        return found, invitation, await client.create_qr_code(invitation.scene, int(left.total_seconds()))
    finally:
        await client.close()


async def find_practitioner(house: House, who: str) -> PractitionerView:
    """Give the practitioner of a licence number, or of a code of the demonstration. Raises NotFound."""
    try:
        return await house.people.practitioner_by_licence(who)
    except NotFound:
        return await house.people.practitioner(demo_id(who))
