"""Keeps WeChat's menus true: published at the start, and each practitioner sees the one of their role."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from backend.db import Database, after_commit
from backend.events import Event, EventBus
from backend.messaging.service import MessagingService
from backend.people import PeopleService
from backend.security.policy import Role
from bot.delivery.sender import CHANNEL
from bot.menus import BY_ROLE
from bot.wechat.errors import Action, WechatError, WechatUnavailable
from bot.wechat.menus import MenuPublisher

log = logging.getLogger(__name__)

CONSUMER = "menus"
_PAGE = 100
_AGAIN_SECONDS = 30.0


class MenuKeeper:
    """Publishes, then tags whoever practises: those of earlier at the start, those who join as they do.

    WeChat is called outside every transaction. What a killed process left undone is found at the next start.
    """

    def __init__(
        self, database: Database, people: PeopleService, messaging: MessagingService, publisher: MenuPublisher
    ) -> None:
        self._database = database
        self._people = people
        self._messaging = messaging
        self._publisher = publisher
        self._joined: asyncio.Queue[str] = asyncio.Queue()

    def register(self, bus: EventBus) -> None:
        """Hear of everybody who joins."""
        bus.subscribe(CONSUMER, ["practitioner.joined"], self._note)

    async def _note(self, event: Event) -> None:
        async with self._database.transaction() as session:
            practitioner_id = str(event.payload["practitioner_id"])
            after_commit(session, lambda: self._joined.put_nowait(practitioner_id))

    async def run(self) -> None:
        """Publish, look over everybody, then follow those who join, until cancelled."""
        await self._until_done(self._publish)
        await self._until_done(self._look_over)
        while True:
            practitioner_id = await self._joined.get()
            await self._until_done(partial(self._show, practitioner_id))

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        """Try `work` again while WeChat is away; what it refuses is an operator's matter, and logged as such."""
        while True:
            try:
                await work()
                return
            except WechatUnavailable:
                await asyncio.sleep(_AGAIN_SECONDS)
            except WechatError as error:
                log.error("menus not kept: code=%d", error.code)
                return

    async def _publish(self) -> None:
        await self._publisher.publish()

    async def _look_over(self) -> None:
        for role in BY_ROLE:
            offset = 0
            while page := await self._people.practitioners(role=role, joined_only=True, limit=_PAGE, offset=offset):
                for practitioner in page:
                    await self._show_to(practitioner.person_id, role)
                offset += len(page)

    async def _show(self, practitioner_id: str) -> None:
        practitioner = await self._people.practitioner(practitioner_id)
        await self._show_to(practitioner.person_id, practitioner.role)

    async def _show_to(self, person_id: str | None, role: Role) -> None:
        if person_id is None or role not in BY_ROLE:
            return
        for contact in await self._messaging.contacts(person_id, CHANNEL):
            try:
                await self._publisher.show_menu_of(contact.address, role)
            except WechatError as error:
                # Somebody who has left the account cannot be tagged; they are looked over at the next start.
                if error.action is not Action.UNREACHABLE:
                    raise
