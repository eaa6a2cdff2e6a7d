"""Break-glass: a doctor who treats somebody in danger reads what they otherwise may not.

They say why, and everybody whom it concerns hears of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.errors import InvalidInput
from backend.ids import new_id
from backend.people.emergency_tables import EmergencyAccess
from backend.people.persons import Persons
from backend.security.policy import Action, Actor, require

LASTS = timedelta(hours=1)
SHORTEST_REASON = 4


@dataclass(frozen=True)
class OpenedAccess:
    """Whose data may be read, and until when."""

    patient_id: str
    until: datetime


class Emergencies(Persons):
    """The part of `PeopleService` about emergencies."""

    async def break_glass(self, actor: Actor, identity_number: str, reason: str) -> OpenedAccess | None:
        """Let the actor read what is the patient's with this citizen identity number, for an hour; None where nobody,
        or more than one, has it. Either is audited with the reason: nobody learns who is known here without a trace.

        Raises:
            Forbidden: the actor is neither doctor nor expert. InvalidInput: the reason says nothing.
        """
        require(actor, Action.PEOPLE_BREAK_GLASS)
        if len(reason.strip()) < SHORTEST_REASON:
            raise InvalidInput("请写清楚为什么要紧急查看。", field="reason")
        patient_id = await self.by_identity_number(identity_number)
        now = self._clock.now()
        until = now + LASTS
        async with self._database.transaction() as session:
            await self._audit.record(session, actor, Action.PEOPLE_BREAK_GLASS, patient_id=patient_id, reason=reason)
            if patient_id is None:
                return None
            access = EmergencyAccess(
                id=new_id(),
                actor_id=actor.person_id,
                patient_id=patient_id,
                reason=reason,
                opened_at=now,
                ends_at=until,
            )
            session.add(access)
            await self._events.publish(
                session, "people.glass_broken", patient_id=patient_id, actor_id=actor.person_id, access_id=access.id
            )
        return OpenedAccess(patient_id, until)
