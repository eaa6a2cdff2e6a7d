"""The account's menu: one default, and conditional menus for users with a tag.

Source: developers.weixin.qq.com, 公众号 / 自定义菜单, 个性化菜单.
"""

import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sandbox.errors import JsonObject
from sandbox.wechat.errors import WechatError

MAX_CONDITIONAL_MENUS = 100
MAX_BUTTONS, MAX_SUB_BUTTONS = 3, 5
MAX_NAME_BYTES, MAX_SUB_NAME_BYTES = 16, 60
MAX_KEY_BYTES, MAX_URL_BYTES = 128, 1024
NUMBER = re.compile(r"[0-9]{1,18}")
KEY_KINDS = {"click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin"} | {
    "location_select"
}
KINDS = KEY_KINDS | {"view", "miniprogram"}


def _too_long(value: Any, limit: int) -> bool:
    return not isinstance(value, str) or not value or len(value.encode(errors="replace")) > limit


def _check_action(button: JsonObject, sub: bool) -> None:
    kind = button.get("type")
    if kind not in KINDS:
        raise WechatError(40024 if sub else 40017)
    if kind in KEY_KINDS and _too_long(button.get("key"), MAX_KEY_BYTES):
        raise WechatError(40026 if sub else 40019)
    if kind in ("view", "miniprogram") and _too_long(button.get("url"), MAX_URL_BYTES):
        raise WechatError(40027 if sub else 40020)


def _number(value: Any) -> int:
    """An id that WeChat takes as number or as text; -1 for anything else."""
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and NUMBER.fullmatch(value) else -1


def _leaves(buttons: list[JsonObject]) -> list[JsonObject]:
    """The buttons that can be pressed."""
    return [leaf for button in buttons for leaf in (button.get("sub_button") or [button])]


def check_buttons(buttons: Any) -> list[JsonObject]:
    """The buttons of a menu, unchanged; raises the error that WeChat gives for what breaks its limits."""
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MAX_BUTTONS:
        raise WechatError(40016)
    for button in buttons:
        if not isinstance(button, dict):
            raise WechatError(47001)
        if _too_long(button.get("name"), MAX_NAME_BYTES):
            raise WechatError(40018)
        subs = button.get("sub_button") or []
        if not subs:
            _check_action(button, sub=False)
            continue
        if not isinstance(subs, list) or len(subs) > MAX_SUB_BUTTONS:
            raise WechatError(40023)
        for sub in subs:
            if not isinstance(sub, dict) or _too_long(sub.get("name"), MAX_SUB_NAME_BYTES):
                raise WechatError(40025)
            _check_action(sub, sub=True)
    return buttons


@dataclass(slots=True)
class Menu:
    """One menu; without a tag it is the default."""

    id: int
    buttons: list[JsonObject]
    tag_id: int | None = None

    def to_json(self) -> JsonObject:
        """The menu as /cgi-bin/menu/get shows it."""
        shown: JsonObject = {"button": self.buttons, "menuid": self.id}
        if self.tag_id is not None:
            shown["matchrule"] = {"tag_id": str(self.tag_id)}
        return shown

    def find_button(self, wanted: str) -> JsonObject | None:
        """The button with this key, else with this name, else with this address."""
        leaves = _leaves(self.buttons)
        for attribute in ("key", "name", "url"):
            for leaf in leaves:
                if leaf.get(attribute) == wanted:
                    return leaf
        return None


@dataclass(slots=True)
class Menus:
    """The menus of the account."""

    default: Menu | None = None
    conditional: dict[int, Menu] = field(default_factory=dict)
    _ids: "count[int]" = field(default_factory=lambda: count(400_000_001))

    def create(self, body: JsonObject) -> None:
        """Set the default menu."""
        self.default = Menu(next(self._ids), check_buttons(body.get("button")))

    def add_conditional(self, body: JsonObject, known_tags: set[int]) -> int:
        """Add a conditional menu for a tag and give its id."""
        if self.default is None:
            raise WechatError(65303)
        rule = body.get("matchrule")
        if not isinstance(rule, dict) or not any(rule.values()):
            raise WechatError(65304)
        tag_id = _number(rule.get("tag_id") or rule.get("group_id"))
        if tag_id not in known_tags:
            raise WechatError(45159)
        if len(self.conditional) >= MAX_CONDITIONAL_MENUS:
            raise WechatError(65305)
        menu = Menu(next(self._ids), check_buttons(body.get("button")), tag_id)
        self.conditional[menu.id] = menu
        return menu.id

    def delete_conditional(self, menu_id: Any) -> None:
        """Delete a conditional menu; 65301 when it does not exist."""
        if self.conditional.pop(_number(menu_id), None) is None:
            raise WechatError(65301)

    def delete_all(self) -> None:
        """Delete the default and every conditional menu."""
        self.default = None
        self.conditional.clear()

    def resolve(self, tag_ids: set[int]) -> Menu | None:
        """The menu of a user with these tags: the conditional menu added last that fits, else the default."""
        for menu in reversed(self.conditional.values()):
            if menu.tag_id in tag_ids:
                return menu
        return self.default

    def describe(self) -> JsonObject:
        """The answer of /cgi-bin/menu/get; 46003 without a menu."""
        if self.default is None:
            raise WechatError(46003)
        shown: JsonObject = {"menu": self.default.to_json()}
        if self.conditional:
            shown["conditionalmenu"] = [menu.to_json() for menu in reversed(self.conditional.values())]
        return shown

    def skip_ids(self, last: int) -> None:
        """Let new menus get ids above ``last``."""
        self._ids = count(max(last + 1, next(self._ids)))
