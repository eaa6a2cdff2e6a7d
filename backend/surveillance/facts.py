"""Facts kept up by the events of consultations: what each case counts for, with nothing that tells whose it is."""

from sqlalchemy import delete, insert

from backend.clock import local
from backend.consultation import ConsultationService
from backend.db import Database, key_ring
from backend.events import Event, EventBus
from backend.people import PeopleService
from backend.surveillance.rules import UNKNOWN_AREA
from backend.surveillance.tables import SyndromeFact
from data.surveillance import syndromes_of

CONSUMER = "surveillance"
EVERY_CASE = ""
"""The syndrome that every case has."""

_TYPES = ("consultation.drafted", "consultation.submitted", "consultation.completed")


class Facts:
    """The consumer. A case is counted when it is opened, and anew when a code comes to its symptoms; one that is
    cancelled stays, for the patient was ill."""

    def __init__(
        self, database: Database, events: EventBus, people: PeopleService, consultations: ConsultationService
    ) -> None:
        self._database = database
        self._people = people
        self._consultations = consultations
        events.subscribe(CONSUMER, _TYPES, self._on_event)

    async def _on_event(self, event: Event) -> None:
        consultation_id = event.payload["consultation_id"]
        signs = await self._consultations.signs(consultation_id)
        if signs is None:
            return
        found = syndromes_of(signs.symptoms, signs.codes, signs.age_months)
        known = {
            "case_key": key_ring().blind_index(consultation_id, "syndrome_facts.case_key"),
            "day": local(signs.opened_at).date(),
            "area": await self._people.area_of(signs.patient_id, signs.institution_id) or UNKNOWN_AREA,
        }
        async with self._database.transaction() as session:
            await session.execute(delete(SyndromeFact).where(SyndromeFact.case_key == known["case_key"]))
            await session.execute(
                insert(SyndromeFact), [{**known, "syndrome": syndrome} for syndrome in (EVERY_CASE, *found)]
            )
