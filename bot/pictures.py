"""Fetches the pictures that people send, before the transaction of the turn begins."""

import asyncio
import logging

from backend.messaging.service import MessagingService
from bot.turns import Behind, Job
from bot.wechat.client import WechatClient
from bot.wechat.errors import Action, WechatError, WechatUnavailable

log = logging.getLogger(__name__)


class PictureFetcher:
    """Gets the bytes of a picture from WeChat.

    Args:
        patience: longest time for one picture while the person's callback is waiting, in seconds.
    """

    def __init__(self, client: WechatClient, messaging: MessagingService, patience: float = 3.0) -> None:
        self._client = client
        self._messaging = messaging
        self._patience = patience

    async def fetch(self, job: Job) -> tuple[bytes, str] | None:
        """Give bytes and media type of the picture of `job`; None where WeChat does not keep it (any more).

        Raises:
            bot.turns.Behind: it cannot be had just now, so the message has its turn later.
        """
        if job.deferred is None and await self._messaging.answer(job.arrival.key) is not None:
            return None  # a redelivery: the turn will find the stored answer
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
