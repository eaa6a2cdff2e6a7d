"""The models by which the tests read what the façade gives out read the official examples of the standard."""

import pytest

from tests.support.fhir_models import read_resource
from tests.support.medplum import examples

GIVEN = (
    "AllergyIntolerance",
    "Appointment",
    "AuditEvent",
    "Bundle",
    "CapabilityStatement",
    "Condition",
    "Consent",
    "DiagnosticReport",
    "Encounter",
    "ImagingStudy",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "OperationOutcome",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "ServiceRequest",
)


@pytest.mark.parametrize("type_", GIVEN)
def test_the_official_examples_are_read(type_: str) -> None:
    given = [one for one in examples(type_) if one["resourceType"] == type_]
    if type_ == "Bundle":  # others are whole editions of the standard
        given = [one for one in given if one["type"] == "searchset"]
    assert given
    for one in given:
        assert read_resource(one).id == one["id"]
