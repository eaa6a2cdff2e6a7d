"""An entry of the audit log as an `AuditEvent` of FHIR R4. Pure."""

from datetime import datetime

from backend.fhir.elements import Resource, coding, concept, instant, number_identifier, reference
from backend.fhir.systems import AUDITED_ACTION, DICOM, PERSON, ROLE

_READS = ("read", "view", "list", "verify")


def audit_event(
    entry_id: int, at: datetime, actor_id: str, roles: str, action: str, patient_id: str | None, subject: str
) -> Resource:
    """Give an entry; the reason that a person gave stays in the log.

    Args:
        actor_id: the person who did it, "" for the platform. roles: separated by commas.
        subject: what it was done to, such as "consultation:0190…".
    """
    kind = coding(DICOM, "110110", "Patient Record") if patient_id else coding(DICOM, "110100", "Application Activity")
    who = {"identifier": number_identifier(PERSON, actor_id)} if actor_id else {"display": "桥医"}
    entities: list[Resource] = [{"what": reference("Patient", patient_id)}] if patient_id else []
    if subject:
        entities.append({"name": subject})
    resource: Resource = {
        "resourceType": "AuditEvent",
        "id": str(entry_id),
        "type": kind,
        "subtype": [coding(AUDITED_ACTION, action)],
        "action": "R" if action.partition(".")[2].startswith(_READS) else "E",
        "recorded": instant(at),
        "outcome": "0",
        "agent": [
            {
                "who": who,
                "requestor": bool(actor_id),
                "role": [concept(coding(ROLE, role)) for role in roles.split(",") if role],
            }
        ],
        "source": {"observer": {"display": "桥医"}},
    }
    return resource | ({"entity": entities} if entities else {})
