"""The records service: one name for the use cases, which live in files by subject."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import Clock
from backend.consultation import ConsultationService
from backend.db import Database
from backend.events import Event, EventBus
from backend.people import PeopleService
from backend.records.background import Background, Measured, Source
from backend.records.desk import RecordDesk
from backend.records.hospital.joining import with_hospitals
from backend.records.hospital.stored import hospital_facts
from backend.records.learned import learn
from backend.records.observations import Observations, Provenance
from backend.records.rules import Question, check_observations
from backend.records.statements import Statements, allergy_of, condition_of, medicine_of, standing
from backend.records.trend import LONGEST, Subject, Trend, latest_in_words, make_trend
from backend.records.views import Assessment, ObservationView, assess
from backend.security.audit import AuditLog
from backend.security.policy import SYSTEM, Action, Actor

CONSUMER = "records"
TAKEN_OVER = ("consultation.drafted", "findings.added")
"""Events after which a consultation may know more of its patient than before."""

_MOST_OF_TREND = 200
_LONGEST_PREGNANCY = timedelta(weeks=42)
_OF_BACKGROUND = ("weight", "creatinine", "alt")


class RecordService(Observations, Statements, RecordDesk):
    """All use cases of what is known of a patient. Where each lives:

    * `observations`: record, correct, correct_together, withdraw, latest, history, batch, observation
    * `statements`: add_allergy, refute_allergy, add_medicine, end_medicine, add_condition, end_condition, answer
    * here: background, known_here, assess, trend, and what a consultation hands over

    Each is one transaction (part of the caller's where there is one) that asks the policy with the patient's id and the
    consultations that they have had, writes the audit entry, and publishes what happened.

    Raises (besides what each method names):
        Forbidden: the policy refuses. InvalidInput: a value that cannot be kept, with a sentence that says why.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventBus,
        audit: AuditLog,
        people: PeopleService,
        consultations: ConsultationService,
    ) -> None:
        super().__init__(database, clock, events, audit, people, consultations)
        events.subscribe(CONSUMER, TAKEN_OVER, self._on_learned)

    async def check_writing(self, session: AsyncSession, actor: Actor, patient_id: str, subject: str) -> None:
        """Ask the policy whether `actor` may write into a patient's record, for a part of records that begins to.

        Raises:
            Forbidden: they may not.
        """
        await self._allow(session, actor, Action.RECORDS_WRITE, patient_id, subject)

    async def background(self, actor: Actor, patient_id: str) -> Background:
        """Give all that is known of a patient for prescribing; what nobody has said or measured stays None or empty.

        Raises:
            NotFound: nobody has this id.
        """
        async with self._database.transaction() as session:
            known = await self.known_here(actor, patient_id)
            return with_hospitals(known, await hospital_facts(session, patient_id))

    async def known_here(self, actor: Actor, patient_id: str) -> Background:
        """Give the same without what hospitals tell; raises as `background`."""
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.RECORDS_READ, patient_id, "background")
            person = await self._people.person(SYSTEM, patient_id)
            newest = await self._newest(session, patient_id, _OF_BACKGROUND)
            rows = await self._statements(session, patient_id)
        return Background(
            patient_id=patient_id,
            birth_date=person.birth_date,
            sex=person.sex,
            named=bool(person.name),
            weight=_measured(newest.get("weight")),
            creatinine=_measured(newest.get("creatinine")),
            alt=_measured(newest.get("alt")),
            pregnant=rows.answers.get(Question.PREGNANT),
            lactating=rows.answers.get(Question.LACTATING),
            allergies=tuple(map(allergy_of, standing(rows.allergies))),
            allergies_asked=rows.asked(Question.ALLERGIES, rows.allergies),
            medicines=tuple(map(medicine_of, standing(rows.medicines))),
            medicines_asked=rows.asked(Question.MEDICINES, rows.medicines),
            conditions=tuple(map(condition_of, standing(rows.conditions))),
        )

    async def assess(self, actor: Actor, patient_id: str, observations: Sequence[ObservationView]) -> Assessment:
        """Tell how observations of a patient lie to the ranges of their sex and age, and which of them cannot wait."""
        async with self._database.transaction() as session:
            await self._allow(session, actor, Action.RECORDS_READ, patient_id, "observations")
            person = await self._people.person(SYSTEM, patient_id)
            asked = (await self._statements(session, patient_id)).answers.get(Question.PREGNANT)
        pregnant = asked is not None and asked.yes and self._clock.now() - asked.answered_at < _LONGEST_PREGNANCY
        return assess(observations, person.sex, person.age_months, pregnant)

    async def trend(self, actor: Actor, patient_id: str, subject: Subject) -> tuple[Trend | None, list[str]]:
        """Give how something of a patient has gone in the last 90 days, and its newest values in words."""
        since = self._clock.now() - LONGEST
        seen = await self.history(actor, patient_id, kinds=subject.kinds, since=since, limit=_MOST_OF_TREND)
        person = await self._people.person(SYSTEM, patient_id)
        return make_trend(subject, seen, person.sex, person.age_months), latest_in_words(subject, seen)

    async def _on_learned(self, event: Event) -> None:
        """Take over what a consultation knows by now and did not hand over before."""
        async with self._database.transaction() as session:
            consultation_id = event.payload["consultation_id"]
            content = await self._consultations.content(consultation_id)
            if content is None:
                return
            by_doctor = event.payload.get("by_doctor", True)  # findings are a doctor's
            where = Provenance(
                Source.DOCTOR if by_doctor else Source.PATIENT,
                event.payload["doctor_id" if by_doctor else "speaker_id"],
                consultation_id,
            )
            learned = learn(content.vitals, content.facts)
            if learned.observations:
                known = await self._of_consultation(session, content.patient_id, consultation_id)
                checked = check_observations(learned.observations, event.occurred_at)
                fresh = [one for one in checked if one.value not in known.get(one.kind.key, set())]
                if fresh:
                    await self._add(session, SYSTEM, content.patient_id, fresh, where)
            await self._take_over(session, content.patient_id, learned, where)


def _measured(view: ObservationView | None) -> Measured | None:
    return None if view is None else Measured(Decimal(view.value), view.taken_at)
