"""People and institutions as resources of FHIR R4: `Patient`, `Practitioner`, `PractitionerRole`, `Organization` and
`Consent`. Pure functions.

What they are made of, in which codes: docs/fhir.md.
"""

from backend.fhir.elements import (
    Resource,
    coding,
    concept,
    hl7,
    instant,
    number_identifier,
    reference,
    uuid_identifier,
    without_empty,
)
from backend.fhir.systems import CONSENT_DOCUMENT, DEPARTMENT, IDENTITY_NUMBER, INSTITUTION_CODE, LOINC
from backend.people.views import ConsentView, InstitutionView, PersonView, PractitionerView
from data.consent import ConsentKind, consent_document
from data.departments import departments

_CONSENT_STATUS = {"given": "active", "refused": "rejected", "withdrawn": "inactive"}


def patient(person: PersonView, identity_number: str | None) -> Resource:
    """Give a person as a patient.

    Args:
        identity_number: of the citizen, where it is known and the reader may know it.
    """
    identifiers = [uuid_identifier(person.id)]
    if identity_number:
        kind = concept(hl7("v2-0203", "NNCHN", "National Person Identifier (China)"), text="居民身份证号码")
        identifiers.append({"use": "official", "type": kind, "system": IDENTITY_NUMBER, "value": identity_number})
    return without_empty(
        {
            "resourceType": "Patient",
            "id": person.id,
            "identifier": identifiers,
            "active": True,
            "name": [{"use": "official", "text": person.name}] if person.name else [],
            "telecom": [{"system": "phone", "use": "mobile", "value": person.phone}] if person.phone else [],
            "gender": person.sex,
            "birthDate": person.birth_date.isoformat() if person.birth_date else None,
            "address": [{"text": person.region, "country": "CN"}] if person.region else [],
        }
    )


def practitioner(view: PractitionerView) -> Resource:
    """Give a doctor or expert."""
    return {
        "resourceType": "Practitioner",
        "id": view.id,
        "identifier": [uuid_identifier(view.id)],
        "active": view.active,
        "name": [{"use": "official", "text": view.name}],
        "qualification": [{"code": concept(text=view.title)}],
    }


def practitioner_role(view: PractitionerView) -> Resource:
    """Give where a doctor or expert practises, in which department; its identifier is that of the practitioner."""
    department = departments()[view.department_code]
    return {
        "resourceType": "PractitionerRole",
        "id": view.id,
        "identifier": [uuid_identifier(view.id)],
        "active": view.active,
        "practitioner": reference("Practitioner", view.id, view.name),
        "organization": reference("Organization", view.institution_id, view.institution_name),
        "code": [concept(hl7("practitioner-role", "doctor", "Doctor"), text=view.title)],
        "specialty": [concept(coding(DEPARTMENT, department.catalogue, department.name), text=department.name)],
    }


def organization(view: InstitutionView) -> Resource:
    """Give an institution."""
    return {
        "resourceType": "Organization",
        "id": view.id,
        "identifier": [uuid_identifier(view.id), number_identifier(INSTITUTION_CODE, view.code)],
        "active": True,
        "type": [concept(hl7("organization-type", "prov", "Healthcare Provider"))],
        "name": view.name,
        "address": [without_empty({"text": view.address, "district": view.region, "country": "CN"})],
    }


def consent(consent_id: int, person_id: str, view: ConsentView, *, latest: bool) -> Resource:
    """Give a decision about one version of a consent document; one that a later one replaced is inactive.

    Args:
        latest: it is the person's last word on this kind of consent.
    """
    document = consent_document(view.kind)
    purpose = "TREAT" if view.kind is ConsentKind.CARE else "HRESCH"
    status = _CONSENT_STATUS[view.decision] if latest else "inactive"
    return {
        "resourceType": "Consent",
        "id": str(consent_id),
        "meta": {"lastUpdated": instant(view.decided_at)},
        "status": status,
        "scope": concept(hl7("consentscope", "patient-privacy", "Privacy Consent")),
        "category": [concept(coding(LOINC, "59284-0", "Consent Document"))],
        "patient": reference("Patient", person_id),
        "dateTime": instant(view.decided_at),
        "policy": [{"uri": f"{CONSENT_DOCUMENT}.{_NUMBERS[view.kind]}.{view.version}"}],
        "provision": {
            "type": "permit" if view.decision == "given" else "deny",
            "purpose": [hl7("v3-ActReason", purpose)],
            "code": [concept(text=document.title)],
        },
    }


_NUMBERS = {ConsentKind.CARE: 1, ConsentKind.TEACHING: 2, ConsentKind.RESEARCH: 3}
