"""What is known of a patient as resources of FHIR R4: `Observation`, `AllergyIntolerance`, `MedicationStatement` and
`Condition`. Pure functions.

What they are made of, in which codes: docs/fhir.md.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from backend.fhir.elements import (
    Resource,
    coding,
    concept,
    hl7,
    instant,
    reference,
    uuid_identifier,
    without_empty,
)
from backend.fhir.systems import ATC, ICD10, LOINC, UCUM
from backend.records.background import Source
from backend.records.views import ObservationView
from data.observations import Group

_ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
NO_ALLERGIES = coding(_ABSENT, "no-known-allergies", "No known allergies")
NO_MEDICINES = coding(_ABSENT, "no-known-medications", "No known medications")
VITAL_SIGNS = hl7("observation-category", "vital-signs", "Vital Signs")
LABORATORY = hl7("observation-category", "laboratory", "Laboratory")

_ACTIVE_ALLERGY = concept(hl7("allergyintolerance-clinical", "active", "Active"))


def observation(view: ObservationView) -> Resource:
    """Give a measurement, in the unit of its kind."""
    kind = view.kind
    return without_empty(
        {
            "resourceType": "Observation",
            "id": view.id,
            "meta": {"lastUpdated": instant(view.recorded_at)},
            "identifier": [uuid_identifier(view.id)],
            "status": "corrected" if view.replaces_id else "final",
            "category": [concept(VITAL_SIGNS if kind.group is Group.VITAL else LABORATORY)],
            "code": concept(coding(LOINC, kind.loinc), text=kind.name),
            "subject": reference("Patient", view.patient_id),
            "encounter": reference("Encounter", view.consultation_id) if view.consultation_id else None,
            "effectiveDateTime": instant(view.taken_at),
            "issued": instant(view.recorded_at),
            "performer": _said_by(view.source, view.recorded_by, view.patient_id),
            "valueQuantity": _quantity(view),
            "valueString": view.value if kind.answers else None,
            "method": concept(text=view.source.label),
            "referenceRange": [{"text": view.reference}] if view.reference else [],
        }
    )


def allergy(row: Any, atc: str | None) -> Resource:
    """Give what a patient reacts to.

    Args:
        row: of `allergies`. atc: of the medicine that it is, where it is one.
    """
    codings = [coding(ATC, atc)] if atc else []
    return _statement(
        row,
        "AllergyIntolerance",
        {
            "clinicalStatus": _ACTIVE_ALLERGY,
            "verificationStatus": _verified("allergyintolerance-verification", row.source),
            "criticality": "high" if row.severe else "unable-to-assess",
            "code": concept(*codings, text=row.substance),
            "patient": reference("Patient", row.patient_id),
            "recordedDate": instant(row.recorded_at),
            "reaction": [{"manifestation": [concept(text=row.reaction)]}] if row.reaction else [],
        },
    )


def medication(row: Any, atc: str | None) -> Resource:
    """Give what a patient takes; arguments as in `allergy`, of a row of `current_medicines`."""
    codings = [coding(ATC, atc)] if atc else []
    since: date | None = row.since
    return _statement(
        row,
        "MedicationStatement",
        {
            "status": "active",
            "medicationCodeableConcept": concept(*codings, text=row.name),
            "subject": reference("Patient", row.patient_id),
            "effectivePeriod": {"start": since.isoformat()} if since else None,
            "dateAsserted": instant(row.recorded_at),
            "dosage": [{"text": row.dose}] if row.dose else [],
        },
    )


def known_condition(row: Any) -> Resource:
    """Give a disease that a patient has, of a row of `conditions`."""
    codings = [coding(ICD10, row.icd10)] if row.icd10 else []
    return _statement(
        row,
        "Condition",
        {
            "clinicalStatus": concept(hl7("condition-clinical", "active", "Active")),
            "verificationStatus": _verified("condition-ver-status", row.source),
            "category": [concept(hl7("condition-category", "problem-list-item", "Problem List Item"))],
            "code": concept(*codings, text=row.name),
            "subject": reference("Patient", row.patient_id),
            "recordedDate": instant(row.recorded_at),
        },
    )


def no_allergies(row: Any) -> Resource:
    """Give that somebody was asked and reacts to nothing, of a row of `record_answers`."""
    return _answer(
        row,
        "AllergyIntolerance",
        {
            "clinicalStatus": _ACTIVE_ALLERGY,
            "verificationStatus": _verified("allergyintolerance-verification", row.source),
            "code": concept(NO_ALLERGIES, text="没有过敏"),
            "patient": reference("Patient", row.patient_id),
            "recordedDate": instant(row.answered_at),
        },
    )


def no_medicines(row: Any) -> Resource:
    """Give that somebody was asked and takes nothing, of a row of `record_answers`."""
    return _answer(
        row,
        "MedicationStatement",
        {
            "status": "active",
            "medicationCodeableConcept": concept(NO_MEDICINES, text="没有在用药"),
            "subject": reference("Patient", row.patient_id),
            "dateAsserted": instant(row.answered_at),
        },
    )


def _statement(row: Any, type_: str, content: Resource) -> Resource:
    return _made(row, type_, row.recorded_at, content)


def _answer(row: Any, type_: str, content: Resource) -> Resource:
    return _made(row, type_, row.answered_at, content)


def _made(row: Any, type_: str, at: datetime, content: Resource) -> Resource:
    context = "context" if type_ == "MedicationStatement" else "encounter"
    said = {"resourceType": type_, "id": row.id, "meta": {"lastUpdated": instant(at)}}
    said |= {"identifier": [uuid_identifier(row.id)]}
    where = {context: reference("Encounter", row.consultation_id)} if row.consultation_id else {}
    return without_empty(said | content | where | {"note": [{"text": f"来源：{row.source.label}"}]})


def _quantity(view: ObservationView) -> Resource | None:
    quantity: Decimal | None = view.quantity
    if quantity is None:
        return None
    return {"value": float(quantity), "unit": view.kind.shown_unit, "system": UCUM, "code": view.kind.unit}


def _said_by(source: Source, recorded_by: str, patient_id: str) -> list[Resource]:
    if source is Source.DOCTOR:
        return [reference("Practitioner", recorded_by)]
    return [reference("Patient", patient_id)] if recorded_by == patient_id else []


def _verified(system: str, source: Source) -> Resource:
    if source in (Source.DOCTOR, Source.HOSPITAL):
        return concept(hl7(system, "confirmed", "Confirmed"))
    return concept(hl7(system, "unconfirmed", "Unconfirmed"))
