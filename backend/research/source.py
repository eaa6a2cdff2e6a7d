"""Which cases go into a table, and what of each: those that have ended, of patients who agreed to research."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Any

from backend.analytics.rules import same_disease
from backend.clock import LOCAL_ZONE, local
from backend.consultation import CaseFilter, ConsultationService, ConsultationView, Status
from backend.deidentification import Identifiers
from backend.people import ConsentKind, PeopleService
from backend.research.rules import SourceCase, Wish
from backend.security.policy import SYSTEM
from data.clinical_language import clinical_language

_PAGE = 100
_POSITIVE = "positive"


class CaseSource:
    """Reads cases for one export. Patients get numbers as they come, which mean nothing outside."""

    def __init__(self, consultations: ConsultationService, people: PeopleService) -> None:
        self._consultations = consultations
        self._people = people
        self._patients: dict[str, int] = {}
        self._agrees: dict[str, bool] = {}
        self._symptoms = {row.name for row in clinical_language().symptoms}

    @property
    def patients(self) -> list[str]:
        """Whose cases were read."""
        return list(self._patients)

    async def cases(self, wish: Wish) -> AsyncIterator[SourceCase]:
        """Give the cases of a wish."""
        wanted = CaseFilter(
            status=Status.COMPLETED, since=_midnight(wish.since), until=_midnight(wish.until + timedelta(days=1))
        )
        cursor = ""
        while True:
            page = await self._consultations.search(SYSTEM, wanted, limit=_PAGE, cursor=cursor)
            for one in page.items:
                case = await self._consultations.get(SYSTEM, one.id)
                if await self._may_use(case):
                    yield await self._read(case)
            cursor = page.next_cursor
            if not cursor:
                return

    async def _may_use(self, case: ConsultationView) -> bool:
        # What somebody told of another in a case of their own is not theirs to give.
        if case.speaker_id == case.patient_id and case.facts.get("relation", "本人") != "本人":
            return False
        if case.patient_id not in self._agrees:
            self._agrees[case.patient_id] = await self._people.has_consent(case.patient_id, ConsentKind.RESEARCH)
        return self._agrees[case.patient_id]

    async def _read(self, case: ConsultationView) -> SourceCase:
        person = await self._people.person(SYSTEM, case.patient_id)
        place = await self._people.institution(case.institution_id)
        opened_on = local(case.opened_at).date()
        opinion, rating = case.opinion, case.rating
        diagnosed = opinion.icd10 if opinion is not None else ""
        mentions: list[dict[str, Any]] = case.facts.get("symptoms", [])
        present = {one["name"] for one in mentions if one["status"] == _POSITIVE and not one.get("past")}
        return SourceCase(
            patient=self._patients.setdefault(case.patient_id, len(self._patients)),
            opened_on=opened_on,
            age_months=_age_months(person.birth_date, opened_on, case.facts.get("age_months")),
            sex=person.sex if person.sex != "unknown" else str(case.facts.get("sex", "")),
            region=place.region,
            icd10=diagnosed or case.icd10,
            urgency=case.urgency,
            answer_minutes=_minutes(case.submitted_at, case.assigned_at),
            consultation_minutes=_minutes(case.started_at, case.closed_at),
            agreed=same_disease(case.icd10, diagnosed),
            stars=rating.stars if rating is not None else None,
            red_flags=len(case.red_flags),
            symptoms=tuple(sorted(present & self._symptoms)),
            vitals={code: value for code, value in case.vitals.items() if isinstance(value, int | float)},
            texts={
                "chief_complaint": str(case.record.get("chief_complaint", "")),
                "present_illness": str(case.record.get("present_illness", "")),
                "findings": case.findings,
                "question": case.question,
                "opinion": opinion.diagnosis if opinion is not None else "",
                "plan": opinion.plan if opinion is not None else "",
            },
            known=await self._known(case),
        )

    async def _known(self, case: ConsultationView) -> Identifiers:
        """Give what names those of a case, as far as it is kept anywhere."""
        speaker = await self._people.person(SYSTEM, case.speaker_id)
        patient = await self._people.person(SYSTEM, case.patient_id)
        identity = await self._people.identity(SYSTEM, case.patient_id)
        staff = await self._people.practitioners_by_id([case.doctor_id, *([case.expert_id] if case.expert_id else [])])
        places = [await self._people.institution(one.institution_id) for one in staff.values()]
        numbers = (patient.phone, speaker.phone, identity.number if identity else None, case.number)
        return Identifiers(
            names=tuple(filter(None, (patient.name, speaker.name, *(one.name for one in staff.values())))),
            institutions=(case.institution_name, *(one.name for one in places)),
            places=tuple(
                filter(None, (patient.region, *(part for one in places for part in (one.region, one.address))))
            ),
            numbers=tuple(filter(None, numbers)),
        )


def _age_months(birth: date | None, day: date, told: object) -> int | None:
    if birth is None:
        return told if isinstance(told, int) else None
    return max((day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day), 0)


def _minutes(begin: datetime | None, end: datetime | None) -> int | None:
    return None if begin is None or end is None else max(round((end - begin).total_seconds() / 60), 0)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL_ZONE)
