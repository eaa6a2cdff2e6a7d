"""Takes notifications of the payment provider: each proven one has its effect once."""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy.exc import IntegrityError

from backend.clock import Clock
from backend.db import Database
from backend.payment.payments import Notification, Payments
from backend.payment.tables import PaymentNotificationRow

Handler = Callable[[Notification], Awaitable[None]]


class NobodyListens(Exception):
    """There is no handler yet; the provider has to tell it again."""


class PaymentInbox:
    """What stands between the provider's notifications and whoever acts on them."""

    def __init__(self, database: Database, clock: Clock, payments: Payments) -> None:
        self._database = database
        self._clock = clock
        self._payments = payments
        self._handler: Handler | None = None

    def handled_by(self, handler: Handler) -> None:
        """Let `handler` act on every proven notification, in the transaction that notes it; set once, at the wiring."""
        self._handler = handler

    async def take(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Take one; tell whether it was new. Where the handler fails, nothing is noted: it may come again.

        Raises:
            ForgedNotification: nothing of it is proven.
            NobodyListens: nobody acts on notifications yet.
        """
        notification = self._payments.read(headers, body)
        if self._handler is None:
            raise NobodyListens
        async with self._database.transaction() as session:
            try:
                async with session.begin_nested():
                    session.add(PaymentNotificationRow(id=notification.id, taken_at=self._clock.now()))
            except IntegrityError:
                return False
            await self._handler(notification)
        return True
