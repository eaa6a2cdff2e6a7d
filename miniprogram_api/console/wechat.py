"""The official account: its menus beside those that people see, its templates, and a test message."""

from typing import Annotated

from pydantic import StringConstraints

from backend.messaging.channel import ConfiguredTemplate, MenuButton
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint, Done, Id
from miniprogram_api.endpoint import Model

_PATH = "/console/api/wechat"


class LeafItem(Model):
    """A button below another."""

    name: str
    key: str


class ButtonItem(LeafItem):
    """A button of a menu, with those below it."""

    below: list[LeafItem]


class MenuItem(Model):
    """A menu as the product wants it, and as people see it; null where there is none."""

    audience: str
    wanted: list[ButtonItem] | None
    live: list[ButtonItem] | None
    same: bool


class MenusAnswer(Model):
    """Every menu."""

    menus: list[MenuItem]


class PublishedAnswer(MenusAnswer):
    """Every menu as it is now; `changed` where something had to be published."""

    changed: bool


class TemplateItem(Model):
    """A template that is configured; `exists` is null where WeChat does not say."""

    id: str
    exists: bool | None
    title: str
    lacking: list[str]
    unfilled: list[str]
    good: bool


class NeedItem(Model):
    """A kind of message that goes by a template."""

    kind: str
    purpose: str
    fields: list[str]
    template: TemplateItem | None
    subscription: TemplateItem | None


class RecipientItem(Model):
    """Somebody to whom a test message may be sent."""

    practitioner_id: str
    name: str


class TemplatesAnswer(Model):
    """Every kind of message that goes by a template, and who may get a test."""

    needs: list[NeedItem]
    recipients: list[RecipientItem]


class TestMessage(Model):
    """Which kind of message, and to whom."""

    kind: Annotated[str, StringConstraints(max_length=32)]
    practitioner_id: Id


async def _menus(call: ConsoleCall) -> MenusAnswer:
    return MenusAnswer(menus=await _shown(call))


async def _publish(call: ConsoleCall) -> PublishedAnswer:
    changed = await call.context.channel.publish_menus(call.actor)
    return PublishedAnswer(menus=await _shown(call), changed=changed)


async def _shown(call: ConsoleCall) -> list[MenuItem]:
    return [
        MenuItem(
            audience=one.audience,
            wanted=None if one.wanted is None else [_button(button) for button in one.wanted],
            live=None if one.live is None else [_button(button) for button in one.live],
            same=one.same,
        )
        for one in await call.context.channel.menus(call.actor)
    ]


def _button(one: MenuButton) -> ButtonItem:
    return ButtonItem(name=one.name, key=one.key, below=[LeafItem(name=leaf.name, key=leaf.key) for leaf in one.below])


async def _templates(call: ConsoleCall) -> TemplatesAnswer:
    needs = await call.context.channel.templates(call.actor)
    return TemplatesAnswer(
        needs=[
            NeedItem(
                kind=one.kind,
                purpose=one.purpose,
                fields=list(one.fields),
                template=_template(one.template),
                subscription=_template(one.subscription),
            )
            for one in needs
        ],
        recipients=[RecipientItem(**vars(one)) for one in await call.context.channel.recipients(call.actor)],
    )


def _template(one: ConfiguredTemplate | None) -> TemplateItem | None:
    if one is None:
        return None
    return TemplateItem(
        id=one.id,
        exists=one.exists,
        title=one.title,
        lacking=list(one.lacking),
        unfilled=list(one.unfilled),
        good=one.good,
    )


async def _test(call: ConsoleCall) -> Done:
    await call.context.channel.send_test(call.actor, call.body.kind, call.body.practitioner_id)
    return Done()


ENDPOINTS = (
    ConsoleEndpoint("GET", f"{_PATH}/menus", "wechatMenus", "Menus, ours and those shown", _menus, MenusAnswer),
    ConsoleEndpoint("POST", f"{_PATH}/menus", "publishMenus", "Publish what differs", _publish, PublishedAnswer),
    ConsoleEndpoint(
        "GET", f"{_PATH}/templates", "wechatTemplates", "Templates and what is wrong", _templates, TemplatesAnswer
    ),
    ConsoleEndpoint("POST", f"{_PATH}/test", "sendTestMessage", "Send a test message", _test, Done, body=TestMessage),
)
