"""A person asks for a person: the platform tells whoever is on duty."""

from backend.db import Database
from backend.events import EventBus
from backend.security.policy import Actor


class HelpDesk:
    """Takes calls for a human being. Who hears of them, and in which words, is the notifications' business."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus

    async def call(self, actor: Actor) -> None:
        """Tell that `actor` asks for a human being: the event `help.requested` with `person_id`."""
        async with self._database.transaction() as session:
            await self._bus.publish(session, "help.requested", person_id=actor.person_id)
