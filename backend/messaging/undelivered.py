"""What has not arrived: how much waits, what was given up and why, and once more. Never what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import case, func, select

from backend.clock import Clock
from backend.db import Database
from backend.errors import NotFound
from backend.messaging.outbox import OutboxService
from backend.messaging.rules import Draft
from backend.messaging.tables import DeadLetter, OutboxMessage
from backend.people import PeopleService, masked_name
from backend.security.audit import AuditLog
from backend.security.policy import Action, Actor, require

_LONGEST_PAGE = 100


@dataclass(frozen=True)
class DeliveryOverview:
    """What is on its way now.

    Attributes:
        waiting: messages that are due, or being sent. held: those that wait until their person writes again.
        oldest_due_at: of those that are due. failures: how many were given up, by the code of the reason.
    """

    waiting: int
    held: int
    oldest_due_at: datetime | None
    failures: dict[str, int]


@dataclass(frozen=True)
class Failure:
    """A message that was given up; the name of whom it was for is masked."""

    id: str
    person_name: str = field(repr=False)
    reason: str
    at: datetime


class UndeliveredService:
    """The use cases of what was not delivered, for platform administrators."""

    def __init__(
        self, database: Database, clock: Clock, audit: AuditLog, people: PeopleService, outbox: OutboxService
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._people = people
        self._outbox = outbox

    async def overview(self, actor: Actor) -> DeliveryOverview:
        """Give what is on its way, and how much was given up."""
        require(actor, Action.MESSAGING_READ_UNDELIVERED)
        is_held = OutboxMessage.due_at.is_(None)
        counted = select(
            func.count(), func.coalesce(func.sum(case((is_held, 1), else_=0)), 0), func.min(OutboxMessage.due_at)
        )
        by_reason = select(DeadLetter.reason, func.count()).group_by(DeadLetter.reason).order_by(DeadLetter.reason)
        async with self._database.reading() as session:
            number, held, oldest = (await session.execute(counted)).one()
            failures = {row[0]: row[1] for row in await session.execute(by_reason)}
        return DeliveryOverview(number - int(held), int(held), oldest, failures)

    async def failures(self, actor: Actor, *, reason: str = "", limit: int = 20, before: str = "") -> Sequence[Failure]:
        """List what was given up, the latest put first.

        Args:
            reason: only of this code. before: only those before the one of this identifier.
        """
        require(actor, Action.MESSAGING_READ_UNDELIVERED)
        query = select(DeadLetter.id, DeadLetter.person_id, DeadLetter.reason, DeadLetter.buried_at)
        if reason:
            query = query.where(DeadLetter.reason == reason)
        if before:
            query = query.where(DeadLetter.id < before)
        async with self._database.transaction() as session:
            found = await session.execute(query.order_by(DeadLetter.id.desc()).limit(min(limit, _LONGEST_PAGE)))
            rows = found.all()
            await self._audit.record(session, actor, Action.MESSAGING_READ_UNDELIVERED, subject=f"messages:{len(rows)}")
        names = await self._people.names({row.person_id for row in rows})
        return [Failure(row.id, masked_name(names.get(row.person_id, "")), row.reason, row.buried_at) for row in rows]

    async def resend(self, actor: Actor, message_id: str) -> None:
        """Put a message that was given up back among those that are due.

        Raises:
            Forbidden: the actor may not. NotFound: none of this identifier was given up, or it was put back already.
        """
        require(actor, Action.MESSAGING_RESEND)
        async with self._database.transaction() as session:
            row = await session.get(DeadLetter, message_id, with_for_update=True)
            if row is None:
                raise NotFound("这条消息已经重新发送，或者不在了。")
            await self._outbox.put(session, row.person_id, [Draft(row.content)])
            await session.delete(row)
            await self._audit.record(
                session, actor, Action.MESSAGING_RESEND, patient_id=row.person_id, subject=f"message:{message_id}"
            )
