"""What every notification needs: the case as it stands, and the way to those who take part in it."""

from datetime import datetime
from typing import Any

from backend.consultation.views import ConsultationView
from backend.events import Event
from backend.people.views import PractitionerView
from backend.security.policy import SYSTEM, Role
from bot.messages import Message, about
from bot.services import Services

_MOST_ADMINISTRATORS = 20


class Notifier:
    """Tells people of one event; what is told lies in the outbox before the event counts as handled.

    Args:
        services: the use cases of the house.
        event: what happened.
    """

    def __init__(self, services: Services, event: Event) -> None:
        self.services = services
        self.event = event
        self.payload: dict[str, Any] = dict(event.payload)

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.services.clock.now()

    async def case(self) -> ConsultationView:
        """Give the consultation that the event is about, as it stands now."""
        return await self.services.consultations.get(SYSTEM, self.payload["consultation_id"])

    async def practitioner(self, practitioner_id: str) -> PractitionerView:
        """Give a doctor or an expert."""
        return await self.services.people.practitioner(practitioner_id)

    async def tell(
        self, person_id: str, *messages: Message, expires_at: datetime | None = None, once: str | None = None
    ) -> None:
        """Say `messages` to a person, once for this event.

        Args:
            expires_at: from then on they are not worth sending.
            once: said once for all events with the same value instead.
        """
        key = f"{once or self.event.id}:{person_id}"
        await self.services.outbox.send(None, person_id, *messages, key=key, expires_at=expires_at)

    async def tell_practitioner(
        self,
        practitioner_id: str | None,
        *messages: Message,
        expires_at: datetime | None = None,
        once: str | None = None,
    ) -> None:
        """Say `messages` to a doctor or an expert; whoever has not joined, or caused the event, hears nothing."""
        if practitioner_id is None:
            return
        person_id = (await self.practitioner(practitioner_id)).person_id
        if person_id is not None and person_id != self.cause:
            await self.tell(person_id, *messages, expires_at=expires_at, once=once)

    async def tell_patient(self, view: ConsultationView, *messages: Message) -> None:
        """Say `messages` to the patient, unless they caused the event: their own turn has answered them."""
        if view.speaker_id != self.cause:
            await self.tell_speaker(view, *messages)

    async def tell_speaker(
        self, view: ConsultationView, *messages: Message, expires_at: datetime | None = None, once: str | None = None
    ) -> None:
        """Say `messages` to whoever speaks for the patient, naming the patient where that is somebody else."""
        told = [about(view.relative_name, message) for message in messages]
        await self.tell(view.speaker_id, *told, expires_at=expires_at, once=once)

    async def tell_administrators(self, *messages: Message, once: str | None = None) -> None:
        """Say `messages` to everybody who keeps the platform running; `once` as in `tell`."""
        found = await self.services.people.practitioners(
            role=Role.ADMINISTRATOR, joined_only=True, limit=_MOST_ADMINISTRATORS, offset=0
        )
        for administrator in found:
            if administrator.person_id is not None:
                await self.tell(administrator.person_id, *messages, once=once)

    @property
    def cause(self) -> str:
        """The person who caused the event; empty where the platform did."""
        return str(self.payload.get("actor_id") or "")
