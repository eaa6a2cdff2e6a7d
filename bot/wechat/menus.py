"""Publishes menus and tags people, changing at WeChat only what differs.

Source: developers.weixin.qq.com, 公众号 / 自定义菜单, 个性化菜单, 标签管理.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from backend.security.policy import Role
from bot.menus import BY_ROLE, PATIENT, TAGS, Button
from bot.wechat.client import WechatClient
from bot.wechat.errors import WechatError, WechatUnavailable

log = logging.getLogger(__name__)

_NO_MENU = 46003
_AGAIN_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 3600.0
_MOST_BUTTONS, _MOST_BELOW = 3, 5
_NAME_BYTES, _NAME_BELOW_BYTES, _KEY_BYTES = 16, 60, 128


def check(buttons: Sequence[Button]) -> None:
    """Check a menu against WeChat's limits: 3 × 5 buttons, names of 16 and 60 bytes, keys of 128.

    Raises:
        ValueError: a limit is broken.
    """
    if not 1 <= len(buttons) <= _MOST_BUTTONS:
        raise ValueError("a menu has one to three buttons")
    for button in buttons:
        if len(button.name.encode()) > _NAME_BYTES:
            raise ValueError(f"{button.name}: longer than {_NAME_BYTES} bytes")
        if bool(button.key) == bool(button.below) or len(button.below) > _MOST_BELOW:
            raise ValueError(f"{button.name}: needs a key, or one to five buttons below")
        for leaf in button.below or (button,):
            if not 0 < len(leaf.key.encode()) <= _KEY_BYTES or len(leaf.name.encode()) > _NAME_BELOW_BYTES:
                raise ValueError(f"{leaf.name}: the key or the name has a length that WeChat does not take")


class MenuPublisher:
    """Brings WeChat's menus and tags to what `bot.menus` says."""

    def __init__(self, client: WechatClient) -> None:
        self._client = client
        self._tags: dict[str, int] = {}
        self._publishing = asyncio.Lock()

    async def keep_published(self) -> None:
        """Publish the product's menus as soon as WeChat answers, and again where somebody has changed them there.

        What WeChat refuses is logged for an operator.
        """
        while True:
            pause = _LOOK_AGAIN_SECONDS
            try:
                await self.publish()
            except WechatUnavailable:
                pause = _AGAIN_SECONDS
            except WechatError as error:
                log.error("menus not published: code=%d", error.code)
            await asyncio.sleep(pause)

    async def publish(
        self, default: Sequence[Button] = PATIENT, by_role: Mapping[Role, Sequence[Button]] = BY_ROLE
    ) -> bool:
        """Publish the default menu and one menu for the tag of each role; False where WeChat has them already.

        Raises:
            ValueError: a menu breaks WeChat's limits.
            WechatError, WechatUnavailable: WeChat refuses or does not answer.
        """
        for buttons in (default, *by_role.values()):
            check(buttons)
        async with self._publishing:
            return await self._publish(default, by_role)

    async def _publish(self, default: Sequence[Button], by_role: Mapping[Role, Sequence[Button]]) -> bool:
        wanted = {await self.tag(role): to_json(buttons) for role, buttons in by_role.items()}
        shown = await self.shown()
        if shown == (to_json(default), wanted):
            return False
        if shown is not None:
            await self._client.call("/cgi-bin/menu/delete")
        await self._client.call("/cgi-bin/menu/create", {"button": to_json(default)})
        for tag_id, menu in wanted.items():
            rule = {"tag_id": str(tag_id)}
            await self._client.call("/cgi-bin/menu/addconditional", {"button": menu, "matchrule": rule})
        log.info("menus published: conditional=%d", len(wanted))
        return True

    async def shown(self) -> tuple[list[dict[str, Any]], dict[int, list[dict[str, Any]]]] | None:
        """Give the menus that WeChat has, as `to_json` writes ours: everybody's, and those by number of the tag."""
        try:
            answer = await self._client.call("/cgi-bin/menu/get")
        except WechatError as error:
            if error.code == _NO_MENU:
                return None
            raise
        conditional = {
            int(menu.get("matchrule", {}).get("tag_id") or menu.get("matchrule", {}).get("group_id") or 0): _plain(menu)
            for menu in answer.get("conditionalmenu", [])
        }
        return _plain(answer["menu"]), conditional

    async def tag(self, role: Role) -> int:
        """Give the number of the tag of `role`, making it where WeChat does not have it."""
        name = TAGS[role]
        if name not in self._tags:
            self._tags = {held: number for number, held in (await self.tag_names()).items()}
        if name not in self._tags:
            made = await self._client.call("/cgi-bin/tags/create", {"tag": {"name": name}})
            self._tags[name] = int(made["tag"]["id"])
        return self._tags[name]

    async def tag_names(self) -> dict[int, str]:
        """Give the tags that WeChat has, by their numbers."""
        answer = await self._client.call("/cgi-bin/tags/get")
        return {int(tag["id"]): tag["name"] for tag in answer.get("tags", [])}

    async def show_menu_of(self, openid: str, role: Role) -> None:
        """Let somebody see the menu of `role`, and of no other role that has one; harmless when repeated."""
        wanted = await self.tag(role)
        held = set((await self._client.call("/cgi-bin/tags/getidlist", {"openid": openid})).get("tagid_list", []))
        ours = {await self.tag(other) for other in TAGS}
        for tag_id in (held & ours) - {wanted}:
            await self._client.call("/cgi-bin/tags/members/batchuntagging", {"openid_list": [openid], "tagid": tag_id})
        if wanted not in held:
            await self._client.call("/cgi-bin/tags/members/batchtagging", {"openid_list": [openid], "tagid": wanted})


def to_json(buttons: Sequence[Button]) -> list[dict[str, Any]]:
    """Give the buttons of a menu in the form in which WeChat takes them."""
    return [
        {"name": button.name, "sub_button": to_json(button.below)}
        if button.below
        else {"type": "click", "name": button.name, "key": button.key}
        for button in buttons
    ]


def _plain(menu: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the buttons of a menu as WeChat shows it in the form in which we publish one."""
    found = []
    for button in menu.get("button", []):
        if button.get("sub_button"):
            found.append({"name": button["name"], "sub_button": _plain({"button": button["sub_button"]})})
        else:
            found.append({"type": button.get("type"), "name": button["name"], "key": button.get("key")})
    return found
