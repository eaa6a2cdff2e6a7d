"""Everything between WeChat and the dialogue, put together: one object to build, one task to run."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from backend.clock import Clock
from backend.db import Database
from backend.messaging.outbox import OutboxService
from backend.messaging.service import MessagingService, Registry
from backend.photographs import CleanPicture
from bot.deferral import DeferredServer, DeferredStore
from bot.delivery.courier import Courier
from bot.delivery.sender import Sender, SenderSettings
from bot.delivery.worker import DeliveryWorker
from bot.gateway import Gateway
from bot.metrics import Metrics
from bot.outbox import Outbox
from bot.pictures import PictureFetcher
from bot.turn import Followed, Responder, TurnPerformer
from bot.turns import TurnRunner, TurnSettings
from bot.wechat.callback import CallbackCodec
from bot.wechat.client import WechatClient
from bot.wechat.menus import MenuPublisher
from bot.wechat.settings import WechatSettings
from bot.wechat.token import TokenStore

log = logging.getLogger(__name__)

# WeChat delivers again for some seconds; a week leaves room for a look at what happened.
_REMEMBERED = timedelta(days=7)
_FORGET_SECONDS = 3600.0


class Files(Protocol):
    """The file store (`backend.files`)."""

    async def prepare(self) -> None:
        """Get ready for the first picture."""

    async def clean(self, data: bytes, media_type: str) -> CleanPicture:
        """Make a picture fit to be kept."""

    async def put_picture(self, picture: CleanPicture, owner: str) -> str:
        """Keep a picture and give its identifier."""

    async def get(self, file_id: str) -> tuple[bytes, str]:
        """Give the bytes of a file and its media type."""


class Sending:
    """The way out: from the outbox to WeChat. Needs no dialogue, so a worker process runs it alone.

    Attributes:
        outbox: takes messages for people (`bot.outbox`).
        client: calls WeChat.
        menus: publishes the menus.
        messaging: contacts and conversations.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        people: Registry,
        wechat: WechatSettings,
        *,
        files: Files | None = None,
        tokens: TokenStore | None = None,
        metrics: Metrics | None = None,
        settings: SenderSettings | None = None,
    ) -> None:
        self._clock = clock
        self.metrics = metrics or Metrics()
        self.messaging = MessagingService(database, clock, people)
        self.rows = OutboxService(database, clock)
        self.client = WechatClient(wechat, clock, self.metrics, tokens)
        self.courier = Courier(self.client, wechat, clock, self.metrics, files)
        self.sender = Sender(self.courier, self.rows, self.messaging, clock, wechat, settings)
        self.worker = DeliveryWorker(self.rows, self.sender, clock)
        self.outbox = Outbox(database, self.rows, wechat, self.worker)
        self.menus = MenuPublisher(self.client)

    async def run(self) -> None:
        """Send until cancelled; what was not sent by then is left to the next process."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.sender.run())
                group.create_task(self.worker.run())
                group.create_task(self._forget_old())
        finally:
            await self.client.close()

    async def _forget_old(self) -> None:
        """Remove what no redelivery and no repeated notification will ask for again."""
        while True:
            before = self._clock.now() - _REMEMBERED
            try:
                await self.messaging.forget(before)
                await self.rows.forget_keys(before)
            except Exception:
                log.exception("old answers not removed")
            await asyncio.sleep(_FORGET_SECONDS)


class Receiving:
    """The way in: from the callback to the dialogue and back.

    Attributes:
        gateway: offers the routes of the callback address.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sending: Sending,
        wechat: WechatSettings,
        dialogue: Responder,
        *,
        files: Files | None = None,
        settings: TurnSettings | None = None,
        followed: Followed | None = None,
        performer: Callable[..., TurnPerformer] = TurnPerformer,
    ) -> None:
        self._files = files
        chosen = settings or TurnSettings()
        pictures = PictureFetcher(sending.client, sending.messaging, files)
        turns = performer(
            database,
            clock,
            sending.messaging,
            sending.rows,
            sending.sender,
            dialogue,
            pictures,
            wechat,
            chosen,
            files,
            followed,
        )
        self._store = DeferredStore(sending.messaging, self._stored)
        self.runner = TurnRunner(
            sending.messaging,
            sending.rows,
            sending.sender,
            sending.metrics,
            turns.perform,
            turns.apologise,
            self._store.store,
            chosen,
        )
        self._server = DeferredServer(sending.messaging, self.runner)
        codec = CallbackCodec(wechat, clock)
        self.gateway = Gateway(wechat, codec, self.runner, clock, sending.metrics)

    def _stored(self) -> None:
        self._server.wake()

    async def run(self) -> None:
        """Have turns until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.runner.run())
            group.create_task(self._store.run())
            group.create_task(self._server.run())
            if self._files is not None:
                group.create_task(self._files.prepare())
