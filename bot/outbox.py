"""Messages for people other than the one who is speaking: from notifications, and from flows that tell a third."""

from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database, after_commit
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Draft
from bot.delivery import rules
from bot.delivery.worker import DeliveryWorker
from bot.messages import Message, to_json
from bot.wechat.settings import WechatSettings


class Outbox:
    """Takes messages in the transaction of the change that they tell of."""

    def __init__(
        self, database: Database, outbox: OutboxService, settings: WechatSettings, worker: DeliveryWorker | None = None
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._settings = settings
        self._worker = worker

    async def send(
        self,
        session: AsyncSession | None,
        person_id: str,
        *messages: Message,
        key: str | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        """Put `messages` for a person, in order; they leave when the transaction has been committed.

        Args:
            session: the transaction to join; None opens one (or joins the one of this task).
            key: an idempotency key (at most 96 characters): a second call with it puts nothing.
            expires_at: after this moment they are not worth sending any more.
        """
        transaction: AbstractAsyncContextManager[AsyncSession] = (
            nullcontext(session) if session is not None else self._database.transaction()
        )
        async with transaction as joined:
            if key is not None and not await self._outbox.is_new(joined, key):
                return
            pieces = [piece for message in messages for piece in rules.fit(message, self._settings.text_bytes)]
            drafts = [Draft(to_json(piece), expires_at=expires_at) for piece in pieces]
            await self._outbox.put(joined, person_id, drafts)
            if self._worker is not None:
                after_commit(joined, self._worker.wake)
