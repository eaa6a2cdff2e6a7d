"""What WeChat has to know of those who practise: their tag, and so their menu."""

from typing import Protocol

from backend.db import Database, after_commit
from backend.events import Event, EventBus
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Draft
from backend.security.policy import Actor
from bot.delivery.courier import role_content
from bot.delivery.worker import DeliveryWorker
from bot.menus import TAGS

CONSUMER = "membership"


class Actors(Protocol):
    """What is needed of `backend.people`."""

    async def actor(self, person_id: str) -> Actor:
        """Give who a person is to the policy."""


class Membership:
    """Lets people see the menu of their role, from the moment at which they join or come back.

    WeChat is told through the outbox: not inside a transaction, with the retries of every other message, and before
    what is said to the person next.
    """

    def __init__(
        self,
        database: Database,
        people: Actors,
        rows: OutboxService,
        worker: DeliveryWorker,
    ) -> None:
        self._database = database
        self._people = people
        self._rows = rows
        self._worker = worker

    def register(self, bus: EventBus) -> None:
        """Hear of those who join."""
        bus.subscribe(CONSUMER, ["practitioner.joined"], self._joined)

    async def _joined(self, event: Event) -> None:
        await self.followed(event.payload["person_id"])

    async def followed(self, person_id: str) -> None:
        """Tell WeChat the role of somebody who has just followed (a person who leaves loses the tag)."""
        actor = await self._people.actor(person_id)
        role = next((role for role in TAGS if role in actor.roles), None)
        if role is None:
            return
        async with self._database.transaction() as session:
            await self._rows.put(session, person_id, [Draft(role_content(role))])
            after_commit(session, self._worker.wake)
