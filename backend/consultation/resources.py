"""What consultations hand out over FHIR: sources of `Encounter`, `ServiceRequest` and `Condition`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from backend.consultation.desk import role_in
from backend.consultation.fhir import ENCOUNTER_STATUS, REQUEST_STATUS, Case, condition, encounter, service_request
from backend.consultation.reading import opinion_view
from backend.consultation.rules import Status
from backend.consultation.tables import ClinicalRecord, Consultation, Opinion
from backend.consultation.visibility import case_ways
from backend.db import Database, UTCDateTime
from backend.errors import Forbidden
from backend.fhir.elements import Resource
from backend.fhir.rows import (
    Column,
    Filter,
    Made,
    RowSource,
    by_code,
    by_content,
    by_id,
    by_identifier,
    by_moment,
    by_period,
    by_reference,
    has_code,
    of_patient,
)
from backend.fhir.searching import ParameterType, Search, SearchParameter
from backend.fhir.systems import CONSULTATION_NUMBER
from backend.people import PeopleService
from backend.security.policy import Action, Actor, Role

_CHANGED: ColumnElement[Any] = func.coalesce(
    Consultation.closed_at,
    Consultation.started_at,
    Consultation.assigned_at,
    Consultation.submitted_at,
    Consultation.acknowledged_at,
    Consultation.opened_at,
    type_=UTCDateTime(),
)
_TAKES_PART = "Who takes part as doctor or expert"


def _inverted(statuses: Mapping[Status, str]) -> dict[str, list[Status]]:
    codes: dict[str, list[Status]] = {}
    for status, code in statuses.items():
        codes.setdefault(code, []).append(status)
    return codes


def _by_practitioner(name: str, *columns: Column, documentation: str) -> Filter:
    parameter = SearchParameter(name, ParameterType.REFERENCE, documentation, target="Practitioner")
    return Filter(parameter, lambda identifier: or_(*(column == identifier for column in columns)))


_COMMON = {
    "_id": by_id(Consultation.id),
    "_lastUpdated": by_moment("_lastUpdated", _CHANGED, "When it last changed", needs_patient=True),
    **of_patient(Consultation.patient_id),
}
_OF_ENCOUNTER = by_reference("encounter", "Encounter", Consultation.id, "In which consultation")
_NUMBERED = {"identifier": by_identifier(Consultation.id, {CONSULTATION_NUMBER: Consultation.number})}


class _CaseSource(RowSource):
    """A source over consultations; `make` turns one into its resource."""

    make: Callable[[Case], Resource]
    action = Action.CONSULTATION_READ_RECORD
    order_columns = {"date": Consultation.opened_at, "_lastUpdated": _CHANGED, "_id": Consultation.id}

    def __init__(self, database: Database, people: PeopleService) -> None:
        super().__init__(database)
        self._people = people

    def query(self) -> Any:
        query: Any = select(Consultation, ClinicalRecord, Opinion, _CHANGED.label("changed"))
        query = query.join(ClinicalRecord, ClinicalRecord.consultation_id == Consultation.id)
        return query.outerjoin(Opinion, Opinion.consultation_id == Consultation.id)

    def ways(self, actor: Actor, search: Search) -> Sequence[ColumnElement[bool]]:
        return case_ways(actor, self.action)

    async def resources(self, actor: Actor, rows: Sequence[Any], *, whole: bool) -> list[Made]:
        people = {one for case, *_ in rows for one in (case.patient_id, case.doctor_id, case.expert_id) if one}
        names = await self._people.names(people)
        readable = await self._readable(actor, [case.id for case, *_ in rows])
        items: list[Made] = []
        for row, clinical, opinion, changed in rows:
            case = _case(actor, row, clinical if row.id in readable else None, opinion, changed, names)
            items.append((type(self).make(case), row.patient_id))
        return items

    async def _readable(self, actor: Actor, ids: list[str]) -> set[str]:
        """Give of which of these consultations the actor may read what is clinical."""
        if self.action is Action.CONSULTATION_READ_RECORD:
            return set(ids)
        try:
            ways = case_ways(actor, Action.CONSULTATION_READ_RECORD)
        except Forbidden:
            return set()
        async with self._database.reading() as session:
            return set(await session.scalars(select(Consultation.id).where(Consultation.id.in_(ids), or_(*ways))))


class EncounterSource(_CaseSource):
    """Consultations; whoever steers them without taking part sees nothing clinical in them."""

    type = "Encounter"
    action = Action.CONSULTATION_VIEW
    make = staticmethod(encounter)
    filters = {
        **_COMMON,
        **_NUMBERED,
        "date": by_period(
            "date",
            func.coalesce(Consultation.started_at, Consultation.opened_at, type_=UTCDateTime()),
            Consultation.closed_at,
            "When it took place",
        ),
        "status": by_code("status", Consultation.status, _inverted(ENCOUNTER_STATUS), "Where it stands"),
        "practitioner": _by_practitioner(
            "practitioner", Consultation.doctor_id, Consultation.expert_id, documentation=_TAKES_PART
        ),
    }


class ServiceRequestSource(_CaseSource):
    """Requests for consultations."""

    type = "ServiceRequest"
    make = staticmethod(service_request)
    filters = {
        **_COMMON,
        **_NUMBERED,
        "encounter": _OF_ENCOUNTER,
        "authored": by_moment(
            "authored",
            func.coalesce(Consultation.submitted_at, Consultation.opened_at, type_=UTCDateTime()),
            "When it was made",
        ),
        "status": by_code("status", Consultation.status, _inverted(REQUEST_STATUS), "Where it stands"),
        "requester": _by_practitioner("requester", Consultation.doctor_id, documentation="The doctor who asks"),
        "performer": _by_practitioner("performer", Consultation.expert_id, documentation="The expert who is asked"),
    }


class DiagnosisSource(_CaseSource):
    """Diagnoses of consultations that have ended."""

    type = "Condition"
    make = staticmethod(condition)
    filters = {
        **_COMMON,
        "identifier": by_identifier(Consultation.id, {}),
        "encounter": _OF_ENCOUNTER,
        "recorded-date": by_moment("recorded-date", Opinion.updated_at, "When it was written down"),
        "code": by_content("code", lambda resource, token: has_code(resource["code"], token), "ICD-10"),
    }

    def query(self) -> Any:
        return super().query().where(Consultation.status == Status.COMPLETED, Opinion.consultation_id.is_not(None))


def _case(
    actor: Actor, row: Consultation, clinical: ClinicalRecord | None, opinion: Opinion | None, changed: Any, names: Any
) -> Case:
    is_patient = role_in(actor, row) is Role.PATIENT
    ended = clinical is not None and opinion is not None and row.status is Status.COMPLETED
    return Case(
        id=row.id,
        number=row.number,
        status=row.status,
        urgency=row.urgency,
        department_code=row.department_code,
        patient_id=row.patient_id,
        institution_id=row.institution_id,
        doctor_id=row.doctor_id,
        expert_id=row.expert_id,
        names=names,
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
        started_at=row.started_at,
        closed_at=row.closed_at,
        changed_at=changed,
        complaint=str(clinical.record.get("chief_complaint", "")) if clinical else "",
        # A patient hears a diagnosis from the expert once the consultation has ended: no suspicion before it.
        suspected=clinical.icd10 if clinical and not is_patient else "",
        question=clinical.question if clinical and not is_patient else "",
        opinion=opinion_view(opinion) if ended and opinion else None,
    )


def consultation_sources(database: Database, people: PeopleService) -> list[RowSource]:
    """Give the sources of this subject."""
    return [kind(database, people) for kind in (EncounterSource, ServiceRequestSource, DiagnosisSource)]
