"""The official account as an administrator looks after it: menus and templates, ours beside those that WeChat has.

Source: developers.weixin.qq.com, 公众号 / 自定义菜单, 模板消息 (获取模板列表), 订阅通知 (getTemplateList).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from backend.clock import Clock, local
from backend.errors import InvalidInput
from backend.messaging.channel import (
    ChannelAway,
    ChannelRefused,
    ComparedMenu,
    ConfiguredTemplate,
    MenuButton,
    NeededTemplate,
)
from backend.messaging.service import MessagingService
from bot.delivery.courier import SUBSCRIBE, TEMPLATE
from bot.delivery.sender import CHANNEL
from bot.menus import BY_ROLE, PATIENT, TAGS
from bot.messages import Notice
from bot.templates import PURPOSES, TEMPLATES, fill
from bot.wechat.client import WechatClient
from bot.wechat.errors import Action, WechatError, WechatUnavailable
from bot.wechat.menus import MenuPublisher, to_json
from bot.wechat.settings import WechatSettings

_EVERYBODY = "所有人"
_FIELD = re.compile(r"\{\{(\w+)\.DATA\}\}")
_DROPPED = {"first", "remark"}  # WeChat shows them no more
_SENTENCES = {
    Action.ASK_CONSENT: "对方还没有同意接收这种订阅消息，要先在微信里点一次同意。",
    Action.UNREACHABLE: "对方没有关注公众号，收不到消息。",
    Action.DISABLE: "这个公众号没有开通这项功能。",
    Action.OPEN_CIRCUIT: "今天的次数已经用完，请明天再试。",
    Action.BACK_OFF: "发得太快了，请过一分钟再试。",
    Action.DEAD_LETTER: "微信不接受：模板编号不对，或者字段和模板对不上。请看上面的检查结果。",
}


class WechatAccount:
    """What `backend.messaging.channel` asks, asked of WeChat."""

    def __init__(
        self,
        client: WechatClient,
        menus: MenuPublisher,
        messaging: MessagingService,
        settings: WechatSettings,
        clock: Clock,
    ) -> None:
        self._client = client
        self._menus = menus
        self._messaging = messaging
        self._settings = settings
        self._clock = clock

    async def menus(self) -> list[ComparedMenu]:
        """Give everybody's menu, that of each role, and what WeChat shows besides."""
        try:
            shown, names = await self._menus.shown(), await self._menus.tag_names()
        except (WechatError, WechatUnavailable) as error:
            raise _told(error) from None
        live = {} if shown is None else {names.get(tag, str(tag)): menu for tag, menu in shown[1].items()}
        everybodys = None if shown is None else _buttons(shown[0])
        compared = [ComparedMenu(_EVERYBODY, _buttons(to_json(PATIENT)), everybodys)]
        for role, menu in BY_ROLE.items():
            held = live.pop(TAGS[role], None)
            compared.append(ComparedMenu(TAGS[role], _buttons(to_json(menu)), None if held is None else _buttons(held)))
        return compared + [ComparedMenu(name, None, _buttons(menu)) for name, menu in live.items()]

    async def publish_menus(self) -> bool:
        """Publish what differs."""
        try:
            return await self._menus.publish()
        except (WechatError, WechatUnavailable) as error:
            raise _told(error) from None

    async def templates(self) -> list[NeededTemplate]:
        """Give each kind of notice with the ids that are configured for it, held against WeChat's lists."""
        ours = await self._listed("/cgi-bin/template/get_all_private_template", "template_list", "template_id")
        subscribed = await self._listed("/wxaapi/newtmpl/gettemplate", "data", "priTmplId")
        return [
            NeededTemplate(
                kind,
                PURPOSES[kind],
                tuple(fields),
                _configured(self._settings.templates.get(kind, ""), fields, ours),
                _configured(self._settings.subscriptions.get(kind, ""), fields, subscribed),
            )
            for kind, fields in TEMPLATES.items()
        ]

    async def send_test(self, kind: str, person_id: str) -> None:
        """Send a test message by the template of its kind, else as a subscribe notification."""
        template, subscription = (ids.get(kind, "") for ids in (self._settings.templates, self._settings.subscriptions))
        if not template and not subscription:
            raise InvalidInput("这种消息还没有设置模板编号，发不了。", field="kind")
        contacts = await self._messaging.contacts(person_id, CHANNEL)
        if not contacts:
            raise ChannelRefused(_SENTENCES[Action.UNREACHABLE])
        now = self._clock.now()
        body = {
            "touser": contacts[0].address,
            "template_id": template or subscription,
            "data": fill(Notice(kind, {**_TEST, "time": f"{local(now):%Y-%m-%d %H:%M}"}), now),
        }
        try:
            await self._client.call(TEMPLATE if template else SUBSCRIBE, body)
        except (WechatError, WechatUnavailable) as error:
            raise _told(error) from None

    async def _listed(self, path: str, field: str, id_field: str) -> dict[str, Mapping[str, Any]] | None:
        """Give WeChat's templates by id; None where the account may not ask."""
        try:
            answer = await self._client.call(path)
        except WechatError:
            return None
        except WechatUnavailable as error:
            raise _told(error) from None
        return {str(one.get(id_field, "")): one for one in answer.get(field, [])}


_TEST = {
    "title": "测试消息，不用处理",
    "action": "不用处理",
    "guidance": "测试消息，不用处理",
    "number": "TEST-0001",
    "status": "测试",
    "urgency": "普通",
    "patient": "测试",
    "expert": "测试专家",
    "department": "测试科室",
    "institution": "测试医院",
    "way": "测试",
}


def _configured(
    template_id: str, fields: Mapping[str, object], listed: Mapping[str, Mapping[str, Any]] | None
) -> ConfiguredTemplate | None:
    if not template_id:
        return None
    if listed is None:
        return ConfiguredTemplate(template_id, None)
    found = listed.get(template_id)
    if found is None:
        return ConfiguredTemplate(template_id, exists=False)
    held = [name for name in _FIELD.findall(str(found.get("content", ""))) if name not in _DROPPED]
    return ConfiguredTemplate(
        template_id,
        exists=True,
        title=str(found.get("title", "")),
        lacking=tuple(name for name in fields if name not in held),
        unfilled=tuple(name for name in held if name not in fields),
    )


def _buttons(menu: Sequence[Mapping[str, Any]]) -> tuple[MenuButton, ...]:
    return tuple(
        MenuButton(
            str(one.get("name", "")),
            str(one.get("key") or ""),
            _buttons(one.get("sub_button") or ()),
        )
        for one in menu
    )


def _told(error: WechatError | WechatUnavailable) -> ChannelAway | ChannelRefused:
    if isinstance(error, WechatUnavailable):
        return ChannelAway()
    said = _SENTENCES.get(error.action, "微信不接受这个操作。")
    return ChannelRefused(f"{said}（错误代码 {error.code}）")
