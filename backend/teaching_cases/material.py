"""What is taken from a consultation, and what is known to name those of it."""

import asyncio
from collections.abc import Mapping
from datetime import date

from backend.clock import local
from backend.consultation import ConsultationService, ConsultationView, Urgency
from backend.deidentification import Identifiers, Kind, Removal, Scrubbed, age_band, scrub
from backend.people import InstitutionView, PeopleService, PersonView, masked_name
from backend.reporting import ReportService, ReportState, ReportView
from backend.security.policy import SYSTEM
from backend.teaching_cases.rules import LONGEST_TITLE, SECTIONS, suggested_tags
from backend.teaching_cases.views import Content, Taken

_SEXES = {"male": "男", "female": "女"}
_PAGE = 100
_HIDDEN = "***"
_RECORD = ("chief_complaint", "present_illness", "past_history", "allergy_history", "medication")


class Material:
    """Reads a consultation as the platform itself and makes its text anonymous."""

    def __init__(self, people: PeopleService, consultations: ConsultationService, reports: ReportService) -> None:
        self._people = people
        self._consultations = consultations
        self._reports = reports

    async def draft(self, consultation_id: str) -> tuple[Content, tuple[Taken, ...]]:
        """Give the anonymous text of a consultation, and what was taken out of it."""
        view = await self._consultations.get(SYSTEM, consultation_id)
        reports = [
            one for one in await self._reports.reports_of(SYSTEM, consultation_id) if one.state is ReportState.SIGNED
        ]
        supplements = await self._consultations.supplements(SYSTEM, consultation_id)
        told = [f"{one.text}\n{one.answer}" for one in supplements if one.answered_at is not None]
        texts = _texts(view, reports, told)
        patient = await self._people.person(SYSTEM, view.patient_id)
        known = await self._known(view, patient, reports)
        visit = local(view.opened_at).date()
        # The recogniser works for some milliseconds a sentence, and for a second when it is first asked.
        scrubbed = await asyncio.to_thread(_scrubbed, texts, known, visit)
        sections = {"personal": _personal(patient, view, visit)} | {key: one.text for key, one in scrubbed.items()}
        return _content(view, sections, patient, visit), _taken(scrubbed)

    async def _known(self, view: ConsultationView, patient: PersonView, reports: list[ReportView]) -> Identifiers:
        everywhere = await self._institutions()
        practitioners = {view.doctor_id, view.expert_id or "", *(one.author_id for one in reports)} - {""}
        persons = {view.speaker_id, *await self._people.speakers(view.patient_id)}
        relatives = [one.name for one in await self._relatives(view.speaker_id)]
        names = await self._people.names({*practitioners, *persons})
        hired = await self._people.practitioners_by_id(practitioners)
        places = {view.institution_id, *(one.institution_id for one in hired.values())}
        institutions = [one for one in everywhere if one.id in places]
        people = [await self._people.person(SYSTEM, one) for one in persons]
        return Identifiers(
            names=_told(patient.name, *names.values(), *relatives),
            institutions=tuple([one.name for one in everywhere]),
            places=_told(
                patient.region,
                *(one.region for one in people),
                *(one.region for one in institutions),
                *(one.address for one in institutions),
            ),
            numbers=_told(
                view.number,
                view.id,
                patient.phone or "",
                *(one.phone or "" for one in people),
                *(one.number for one in reports),
                *(one.study_uid for one in reports),
                *(one.code for one in institutions),
                await self._identity_number(patient.id),
            ),
        )

    async def _relatives(self, speaker_id: str) -> list[PersonView]:
        return [await self._people.person(SYSTEM, one) for one in await self._people.spoken_for(speaker_id)]

    async def _identity_number(self, patient_id: str) -> str:
        found = await self._people.identity(SYSTEM, patient_id)
        return "" if found is None else found.number

    async def _institutions(self) -> list[InstitutionView]:
        """Give every institution: any may be named in a text."""
        found: list[InstitutionView] = []
        while page := await self._people.institutions(limit=_PAGE, offset=len(found)):
            found += page
        return found


def _texts(view: ConsultationView, reports: list[ReportView], supplements: list[str]) -> dict[str, str]:
    """Give what a case says, part by part, as it was written."""
    record = {key: str(value) for key, value in view.record.items() if isinstance(value, str)}
    others = "\n".join(value for key, value in record.items() if key not in (*_RECORD, "personal"))
    opinion = view.opinion
    diagnosed = (opinion.diagnosis, opinion.plan, opinion.notes) if opinion is not None else ("", "", "")
    return {
        **{key: record.get(key, "") for key in _RECORD},
        "history": others,
        "findings": "\n".join(filter(None, (view.vitals_text, view.findings))),
        "suspected": " ".join(filter(None, (view.icd10, view.disease))),
        "question": view.question,
        "supplements": "\n".join(supplements),
        "reports": "\n".join(f"{one.examination}\n所见：{one.findings}\n印象：{one.impression}" for one in reports),
        **dict(zip(("diagnosis", "plan", "notes"), diagnosed, strict=True)),
    }


def _scrubbed(texts: Mapping[str, str], known: Identifiers, visit: date) -> dict[str, Scrubbed]:
    return {key: scrub(text, known, visit) for key, text in texts.items() if text}


def _personal(patient: PersonView, view: ConsultationView, visit: date) -> str:
    return "，".join(filter(None, (_SEXES.get(patient.sex, ""), _band(patient, visit), view.department_name)))


def _band(patient: PersonView, visit: date) -> str:
    born = patient.birth_date
    if born is None or born > visit:
        return ""
    months = (visit.year - born.year) * 12 + visit.month - born.month - (visit.day < born.day)
    return age_band(months // 12, months=months, days=(visit - born).days)


def _content(view: ConsultationView, sections: Mapping[str, str], patient: PersonView, visit: date) -> Content:
    who = f"{_band(patient, visit)}{_SEXES.get(patient.sex, '')}"
    title = "，".join(filter(None, (who, sections.get("chief_complaint", ""))))[:LONGEST_TITLE]
    diagnosed = view.opinion.icd10 if view.opinion is not None else ""
    tags = suggested_tags(view.icd10, diagnosed, is_emergency=view.urgency in (Urgency.CRITICAL, Urgency.URGENT))
    codes = tuple(dict.fromkeys(code for code in (diagnosed, view.icd10 if not diagnosed else "") if code))
    kept = {key: sections[key] for key in SECTIONS if sections.get(key)}
    return Content(title or view.department_name, kept, codes, tags, signs_of(view.facts))


def signs_of(facts: Mapping[str, object]) -> tuple[str, ...]:
    """Give the coded findings that a patient has, by the names of our reference data."""
    symptoms = facts.get("symptoms")
    found = (one for one in symptoms if isinstance(one, dict)) if isinstance(symptoms, list) else ()
    return tuple(dict.fromkeys(str(one["name"]) for one in found if one.get("status") == "positive" and "name" in one))


def _taken(scrubbed: Mapping[str, Scrubbed]) -> tuple[Taken, ...]:
    return tuple(
        Taken(key, one.kind, one.text if one.guessed else _masked(one), one.replacement, one.guessed)
        for key, text in scrubbed.items()
        for one in text.removals
    )


def _masked(one: Removal) -> str:
    return masked_name(one.text) if one.kind is Kind.NAME else f"{one.text[:1]}{_HIDDEN}"


def _told(*values: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if len(value.strip()) > 1))
