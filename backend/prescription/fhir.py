"""An approved prescription as `MedicationRequest`s of FHIR R4, one for each medicine. Pure functions.

What they are made of, in which codes: docs/fhir.md.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

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
from backend.fhir.systems import ATC, ICD10, PRESCRIPTION_NUMBER, UCUM
from backend.prescription.document import line_text
from backend.prescription.rules import State

STATUS: Mapping[State, str] = MappingProxyType(
    {
        State.VALID: "active",
        State.PARTLY_DISPENSED: "active",
        State.DISPENSED: "completed",
        State.REVOKED: "cancelled",
        State.EXPIRED: "stopped",
    }
)


@dataclass(frozen=True)
class Approved:
    """A prescription that was approved.

    Args:
        document: what was signed (`backend.prescription.document`). atc: of each of its lines, "" where it has none.
    """

    id: str
    state: State
    consultation_id: str
    patient_id: str
    approved_at: datetime
    valid_until: datetime | None
    updated_at: datetime
    document: Mapping[str, Any] = field(repr=False)
    atc: Sequence[str] = field(repr=False)


def medication_requests(approved: Approved) -> list[Resource]:
    """Give the medicines of a prescription, in their order."""
    return [_request(approved, place, line) for place, line in enumerate(approved.document["lines"])]


def line_id(prescription_id: str, place: int) -> str:
    """Give the identifier of a line, counted from 0."""
    return f"{prescription_id}-{place + 1}"


def _request(approved: Approved, place: int, line: dict[str, Any]) -> Resource:
    document, atc = approved.document, approved.atc[place]
    unique = uuid.uuid5(uuid.UUID(approved.id), str(place)).hex
    prescriber = document["prescriber"]
    course = ("continuous", "Continuous long term therapy") if document["chronic"] else ("acute", "Short course")
    return without_empty(
        {
            "resourceType": "MedicationRequest",
            "id": line_id(approved.id, place),
            "meta": {"lastUpdated": instant(approved.updated_at)},
            "identifier": [uuid_identifier(unique)],
            "groupIdentifier": number_identifier(PRESCRIPTION_NUMBER, document["number"]),
            "status": STATUS[approved.state],
            "intent": "order",
            "medicationCodeableConcept": concept(
                *([coding(ATC, atc)] if atc else []), text=f"{line['name']} {line['spec']}"
            ),
            "subject": reference("Patient", approved.patient_id, document["patient"]["name"]),
            "encounter": reference("Encounter", approved.consultation_id),
            "authoredOn": document["issued_at"],
            "requester": reference("Practitioner", prescriber["id"], prescriber["name"]),
            "reasonCode": [
                concept(coding(ICD10, one["icd10"], one["name"]), text=one["name"]) for one in document["diagnoses"]
            ],
            "courseOfTherapyType": concept(hl7("medicationrequest-course-of-therapy", *course)),
            "dosageInstruction": [
                without_empty(
                    {
                        "text": line_text(line),
                        "patientInstruction": line["note"],
                        "timing": {"code": concept(text=line["frequency_name"])},
                        "route": concept(text=line["route"]),
                    }
                )
            ],
            "dispenseRequest": {
                "validityPeriod": period(approved.approved_at, approved.valid_until),
                "quantity": {"value": line["packs"], "unit": line["pack_unit"]},
                "expectedSupplyDuration": {"value": line["days"], "unit": "天", "system": UCUM, "code": "d"},
            },
        }
    )
