"""A consultation as resources of FHIR R4: `Encounter`, `ServiceRequest` and `Condition`. Pure functions.

What they are made of, in which codes: docs/fhir.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from backend.consultation.icd10 import disease_name
from backend.consultation.rules import Status, Urgency
from backend.consultation.views import OpinionView
from backend.fhir.elements import (
    Resource,
    coding,
    concept,
    hl7,
    instant,
    number_identifier,
    period,
    reference,
    uuid_identifier,
    without_empty,
)
from backend.fhir.systems import CONSULTATION_NUMBER, DEPARTMENT, ICD10
from data.departments import departments

ENCOUNTER_STATUS: Mapping[Status, str] = MappingProxyType(
    {
        Status.DRAFT: "planned",
        Status.PENDING: "planned",
        Status.ASSIGNED: "planned",
        Status.IN_PROGRESS: "in-progress",
        Status.COMPLETED: "finished",
        Status.CANCELLED: "cancelled",
    }
)
REQUEST_STATUS: Mapping[Status, str] = MappingProxyType(
    {
        Status.DRAFT: "draft",
        Status.PENDING: "active",
        Status.ASSIGNED: "active",
        Status.IN_PROGRESS: "active",
        Status.COMPLETED: "completed",
        Status.CANCELLED: "revoked",
    }
)
# HL7's v3-ActPriority, and the request priorities of FHIR.
_PRIORITY = {
    Urgency.CRITICAL: ("EM", "emergency", "stat"),
    Urgency.URGENT: ("UR", "urgent", "urgent"),
    Urgency.SEMI_URGENT: ("A", "ASAP", "asap"),
    Urgency.ROUTINE: ("R", "routine", "routine"),
}


@dataclass(frozen=True)
class Case:
    """A consultation as far as whoever reads it may see it; what is clinical is empty where they may not.

    Args:
        names: of its people, by their identifiers.
        changed_at: when it last changed.
        complaint: in the patient's words. suspected: the ICD-10 code that the doctor suspects.
        opinion: the expert's, once the consultation has ended.
    """

    id: str
    number: str
    status: Status
    urgency: Urgency
    department_code: str
    patient_id: str
    institution_id: str
    doctor_id: str
    expert_id: str | None
    names: Mapping[str, str] = field(repr=False)
    opened_at: datetime
    submitted_at: datetime | None
    started_at: datetime | None
    closed_at: datetime | None
    changed_at: datetime
    complaint: str = field(default="", repr=False)
    suspected: str = field(default="", repr=False)
    question: str = field(default="", repr=False)
    opinion: OpinionView | None = field(default=None, repr=False)


def encounter(case: Case) -> Resource:
    """Give the consultation as an encounter at a distance (class VR)."""
    code, display, _ = _PRIORITY[case.urgency]
    participants = [_participant("REF", "referrer", case, case.doctor_id)]
    if case.expert_id:
        participants.append(_participant("CON", "consultant", case, case.expert_id))
    return without_empty(
        {
            "resourceType": "Encounter",
            "id": case.id,
            "meta": {"lastUpdated": instant(case.changed_at)},
            "identifier": _identifiers(case),
            "status": ENCOUNTER_STATUS[case.status],
            "class": hl7("v3-ActCode", "VR", "virtual"),
            "serviceType": _department(case),
            "priority": concept(hl7("v3-ActPriority", code, display), text=case.urgency.label),
            "subject": _subject(case),
            "basedOn": [reference("ServiceRequest", case.id)],
            "participant": participants,
            "period": period(case.started_at or case.opened_at, case.closed_at),
            "reasonCode": [concept(text=case.complaint)] if case.complaint else [],
            "diagnosis": [{"condition": reference("Condition", case.id)}] if case.opinion else [],
            "serviceProvider": reference("Organization", case.institution_id),
        }
    )


def service_request(case: Case) -> Resource:
    """Give the request for the consultation, as the grassroots doctor makes it."""
    reasons = [_disease(case.suspected, "")] if case.suspected else []
    if case.complaint:
        reasons.append(concept(text=case.complaint))
    return without_empty(
        {
            "resourceType": "ServiceRequest",
            "id": case.id,
            "meta": {"lastUpdated": instant(case.changed_at)},
            "identifier": _identifiers(case),
            "status": REQUEST_STATUS[case.status],
            "intent": "order",
            "priority": _PRIORITY[case.urgency][2],
            "code": concept(text="远程会诊"),
            "subject": _subject(case),
            "encounter": reference("Encounter", case.id),
            "authoredOn": instant(case.submitted_at or case.opened_at),
            "requester": _practitioner(case, case.doctor_id),
            "performerType": _department(case),
            "performer": [_practitioner(case, case.expert_id)] if case.expert_id else [],
            "reasonCode": reasons,
            "note": [{"text": case.question}] if case.question else [],
        }
    )


def condition(case: Case) -> Resource:
    """Give the expert's diagnosis.

    Raises:
        ValueError: there is none yet.
    """
    if case.opinion is None or case.expert_id is None:
        raise ValueError("a consultation without an opinion has no diagnosis")
    opinion = case.opinion
    plan = [f"治疗方案：{opinion.plan}", opinion.notes and f"给医生的话：{opinion.notes}"]
    return without_empty(
        {
            "resourceType": "Condition",
            "id": case.id,
            "meta": {"lastUpdated": instant(case.changed_at)},
            "identifier": [uuid_identifier(case.id)],
            "clinicalStatus": concept(hl7("condition-clinical", "active", "Active")),
            "verificationStatus": concept(hl7("condition-ver-status", "confirmed", "Confirmed")),
            "category": [concept(hl7("condition-category", "encounter-diagnosis", "Encounter Diagnosis"))],
            "code": _disease(opinion.icd10, opinion.diagnosis),
            "subject": _subject(case),
            "encounter": reference("Encounter", case.id),
            "recordedDate": instant(opinion.updated_at),
            "asserter": _practitioner(case, case.expert_id),
            "note": [{"text": text} for text in plan if text],
        }
    )


def _disease(icd10: str, words: str) -> Resource:
    codings = [coding(ICD10, icd10, disease_name(icd10))] if icd10 else []
    return concept(*codings, text=words or disease_name(icd10))


def _identifiers(case: Case) -> list[Resource]:
    return [uuid_identifier(case.id), number_identifier(CONSULTATION_NUMBER, case.number)]


def _department(case: Case) -> Resource:
    department = departments()[case.department_code]
    return concept(coding(DEPARTMENT, department.catalogue, department.name), text=department.name)


def _subject(case: Case) -> Resource:
    return reference("Patient", case.patient_id, case.names.get(case.patient_id, ""))


def _practitioner(case: Case, practitioner_id: str) -> Resource:
    return reference("Practitioner", practitioner_id, case.names.get(practitioner_id, ""))


def _participant(code: str, display: str, case: Case, practitioner_id: str) -> Resource:
    kind = concept(hl7("v3-ParticipationType", code, display))
    return {"type": [kind], "individual": _practitioner(case, practitioner_id)}
