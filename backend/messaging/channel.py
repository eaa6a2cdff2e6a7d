"""The channel by which people are reached, as an administrator looks after it: its menus and its message templates.

What the channel is, and how it is asked, is a matter of whoever implements `Channel`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from backend.db import Database
from backend.errors import DomainError, InvalidInput
from backend.people import PeopleService
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, Role, require


class ChannelAway(DomainError):
    """The channel did not answer."""

    code = "channel_away"
    sentence = "微信暂时没有回应，请过一会儿再试。"


class ChannelRefused(DomainError):
    """The channel answered, and refused; the sentence says what to do."""

    code = "channel_refused"


@dataclass(frozen=True)
class MenuButton:
    """A button of a menu: what a tap brings (`key`), or the buttons `below`."""

    name: str
    key: str = ""
    below: tuple["MenuButton", ...] = ()


@dataclass(frozen=True)
class ComparedMenu:
    """A menu as the product wants it, and as people see it.

    Args:
        audience: who sees it, in words.
        wanted: None where the product knows no such menu. live: None where the channel shows none.
    """

    audience: str
    wanted: tuple[MenuButton, ...] | None
    live: tuple[MenuButton, ...] | None

    @property
    def same(self) -> bool:
        """Whether people see what the product wants."""
        return self.wanted == self.live


@dataclass(frozen=True)
class ConfiguredTemplate:
    """A template that the product is told to use for a kind of message.

    Args:
        exists: whether the channel has it; None where the channel does not say.
        lacking: fields that the product fills and the template does not have: such messages are refused.
        unfilled: fields of the template that the product leaves empty: such messages are refused too.
    """

    id: str
    exists: bool | None
    title: str = ""
    lacking: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether messages can be sent by it, as far as is known."""
        return self.exists is not False and not self.lacking and not self.unfilled


@dataclass(frozen=True)
class NeededTemplate:
    """A kind of message that the product sends by a template.

    Args:
        purpose: what it is for, in words. fields: those that the product fills.
        template, subscription: the two ways; None where nothing is configured.
    """

    kind: str
    purpose: str
    fields: tuple[str, ...]
    template: ConfiguredTemplate | None
    subscription: ConfiguredTemplate | None


class Channel(Protocol):
    """What the service asks of the channel. Raises ChannelAway or ChannelRefused."""

    async def menus(self) -> Sequence[ComparedMenu]:
        """Give every menu that the product or the channel has."""

    async def publish_menus(self) -> bool:
        """Let people see the product's menus; False where they do already."""

    async def templates(self) -> Sequence[NeededTemplate]:
        """Give every kind of message that goes by a template."""

    async def send_test(self, kind: str, person_id: str) -> None:
        """Send a test message of a kind to a person."""


@dataclass(frozen=True)
class Recipient:
    """Somebody to whom a test message may be sent."""

    practitioner_id: str
    name: str


class ChannelService:
    """The use cases of who looks after the channel."""

    def __init__(self, database: Database, audit: AuditLog, people: PeopleService, channel: Channel) -> None:
        self._database = database
        self._audit = audit
        self._people = people
        self._channel = channel

    async def menus(self, actor: Actor) -> Sequence[ComparedMenu]:
        """Give every menu as the product wants it and as people see it."""
        require(actor, Action.MESSAGING_MANAGE_CHANNEL)
        return await self._channel.menus()

    async def publish_menus(self, actor: Actor) -> bool:
        """Let people see the product's menus; False where they do already."""
        require(actor, Action.MESSAGING_MANAGE_CHANNEL)
        changed = await self._channel.publish_menus()
        await self._record(actor, "menus:published" if changed else "menus:unchanged")
        return changed

    async def templates(self, actor: Actor) -> Sequence[NeededTemplate]:
        """Give every kind of message that goes by a template, and what is wrong with it."""
        require(actor, Action.MESSAGING_MANAGE_CHANNEL)
        return await self._channel.templates()

    async def recipients(self, actor: Actor) -> list[Recipient]:
        """Give the platform's administrators who have joined: nobody else gets test messages."""
        require(actor, Action.MESSAGING_MANAGE_CHANNEL)
        found = await self._people.practitioners(role=Role.ADMINISTRATOR, joined_only=True, limit=100)
        return [Recipient(one.id, one.name) for one in found]

    async def send_test(self, actor: Actor, kind: str, practitioner_id: str) -> None:
        """Send a test message of a kind to an administrator.

        Raises:
            InvalidInput: that practitioner is no administrator who has joined.
        """
        require(actor, Action.MESSAGING_MANAGE_CHANNEL)
        one = (await self._people.practitioners_by_id([practitioner_id])).get(practitioner_id)
        if one is None or one.role is not Role.ADMINISTRATOR or one.person_id is None:
            raise InvalidInput("测试消息只能发给已经加入的平台管理员。", field="practitioner_id")
        await self._record(actor, f"test:{kind}")
        await self._channel.send_test(kind, one.person_id)

    async def _record(self, actor: Actor, subject: str) -> None:
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.MESSAGING_MANAGE_CHANNEL, subject=subject)
