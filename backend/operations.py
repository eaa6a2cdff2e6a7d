"""What waits in the database, for who looks whether everything works: events, timers, audit entries."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from backend.clock import Clock
from backend.db import Database
from backend.events import PendingDelivery
from backend.security.policy import Action, Actor, require
from backend.timers import Timer


@dataclass(frozen=True)
class Backlog:
    """One kind of work.

    Attributes:
        name: its code. due: how much should have been done by now. oldest_due_at: of that.
        failing: how much of all that waits has failed at least once.
    """

    name: str
    due: int
    failing: int
    oldest_due_at: datetime | None


class Operations:
    """Reads the backlogs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def backlogs(self, actor: Actor) -> list[Backlog]:
        """Give what waits. Raises Forbidden where the actor may not look."""
        require(actor, Action.OPERATIONS_READ)
        now = self._clock.now()
        found = []
        async with self._database.reading() as session:
            for name, table in (("events", PendingDelivery), ("timers", Timer)):
                due = select(func.count(), func.min(table.due_at)).select_from(table).where(table.due_at <= now)
                number, oldest = (await session.execute(due)).one()
                failed = select(func.count()).select_from(table).where(table.attempts > 0)
                found.append(Backlog(name, number, await session.scalar(failed) or 0, oldest))
        return found
