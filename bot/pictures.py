"""Fetches the pictures that people send and makes them fit to be kept, before the transaction of the turn begins."""

import asyncio
import logging
from typing import Protocol

from backend.errors import InvalidInput
from backend.messaging.service import MessagingService
from backend.photographs import CleanPicture
from bot.turns import Behind, Job
from bot.wechat.client import WechatClient
from bot.wechat.errors import Action, WechatError, WechatUnavailable

log = logging.getLogger(__name__)

Fetched = CleanPicture | InvalidInput
"""A picture, or why it cannot be kept."""


class Files(Protocol):
    """What fetching needs of `backend.files`."""

    async def clean(self, data: bytes, media_type: str) -> CleanPicture:
        """Make a picture fit to be kept."""


class PictureFetcher:
    """Gets pictures from WeChat.

    Args:
        files: where pictures are kept; None where none are.
        patience: longest time for one picture while the person's callback is waiting, in seconds.
    """

    def __init__(
        self, client: WechatClient, messaging: MessagingService, files: Files | None, patience: float = 3.0
    ) -> None:
        self._client = client
        self._messaging = messaging
        self._files = files
        self._patience = patience

    async def fetch(self, job: Job) -> Fetched | None:
        """Give the picture of `job`, or why it cannot be kept; None where WeChat does not have it (any more).

        Raises:
            bot.turns.Behind: it cannot be had just now, so the message has its turn later.
        """
        if self._files is None:
            return None
        if job.deferred is None and await self._messaging.answer(job.arrival.key) is not None:
            return None  # a redelivery: the turn will find the stored answer
        fetched = await self._download(job)
        if fetched is None:
            return None
        try:
            return await self._files.clean(*fetched)
        except InvalidInput as refusal:
            return refusal

    async def _download(self, job: Job) -> tuple[bytes, str] | None:
        try:
            async with asyncio.timeout(self._patience):
                return await self._client.download(job.arrival.media_id)
        except WechatError as error:
            if error.action is Action.UPLOAD_AGAIN:
                return None
            log.warning("picture refused: code=%d", error.code)
            raise Behind from error
        except (WechatUnavailable, TimeoutError) as error:
            log.warning("picture not fetched: %s", type(error).__name__)
            raise Behind from error
