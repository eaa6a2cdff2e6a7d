"""Asks WeChat for the union ids of people who have met the account, so that the mini-program knows them."""

import asyncio

from backend.messaging.identities import Identities
from bot.wechat.client import WechatClient
from bot.wechat.errors import Action, WechatError, WechatUnavailable

_BATCH = 50
_POLL_SECONDS = 1.0


class UnionIds:
    """Fills in what is not known yet, a few people at a time; an account outside an open platform has none to give."""

    def __init__(self, identities: Identities, client: WechatClient) -> None:
        self._identities = identities
        self._client = client

    async def ask(self) -> int:
        """Ask for a batch of people; give how many answers were kept. Whom WeChat refuses to tell of has none."""
        contacts = await self._identities.unasked(_BATCH)
        for kept, contact in enumerate(contacts):
            try:
                told = await self._client.call("/cgi-bin/user/info", openid=contact.address, lang="zh_CN")
            except WechatError as refusal:
                if refusal.action in (Action.ALARM, Action.REFRESH_TOKEN, Action.DISABLE):
                    return kept  # the account's trouble, not the person's
                told = {}
            except WechatUnavailable:
                return kept
            await self._identities.learn(contact, str(told.get("unionid", "")))
        return len(contacts)

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            if await self.ask() < _BATCH:
                await asyncio.sleep(_POLL_SECONDS)
