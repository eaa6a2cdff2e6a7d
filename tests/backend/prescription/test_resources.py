"""An approved prescription over FHIR: a MedicationRequest for each medicine, for those who may read it."""

from typing import Any

import pytest

from backend.errors import InvalidInput, NotFound
from backend.fhir.systems import ATC, PRESCRIPTION_NUMBER
from backend.prescription.resources import MedicationRequestSource
from backend.records.facade import Facade, SearchRequest
from backend.security.policy import SYSTEM, Actor
from tests.backend.prescription.conftest import Desk
from tests.support.fhir_models import read_resource
from tests.support.prescribing import amoxicillin


@pytest.fixture
def facade(desk: Desk) -> Facade:
    """The façade over prescriptions."""
    clinic = desk.clinic
    source = MedicationRequestSource(clinic.database, desk.prescriptions.formulary)
    return Facade(clinic.database, clinic.clock, clinic.audit, [source], "https://q.example/fhir/R4", "1")


async def found(facade: Facade, actor: Actor, **query: str) -> list[Any]:
    """Search, and read what comes back by another library's models."""
    bundle = await facade.search(actor, SearchRequest("MedicationRequest", tuple(query.items()), strict=True))
    read_resource(bundle)
    return [one["resource"] for one in bundle.get("entry", [])]


async def test_a_prescription_appears_when_it_is_approved_and_ends_when_it_is_revoked(
    desk: Desk, facade: Facade
) -> None:
    patient = desk.patient.person_id
    signed = await desk.signed(amoxicillin())
    assert await found(facade, desk.patient, patient=patient) == []
    await desk.prescriptions.approve(desk.pharmacist, signed.id)
    [shown] = await found(facade, desk.patient, patient=patient)
    assert shown["groupIdentifier"] == {"use": "usual", "system": PRESCRIPTION_NUMBER, "value": signed.number}
    assert (shown["status"], shown["intent"]) == ("active", "order")
    known = desk.prescriptions.formulary.preparation(amoxicillin().preparation).medicine.atc
    assert shown["medicationCodeableConcept"]["coding"] == [{"system": ATC, "code": known}]
    assert shown["dispenseRequest"]["expectedSupplyDuration"]["value"] == 5
    assert await found(facade, desk.doctor, encounter=desk.case_id, status="active") == [shown]
    assert await facade.read(desk.doctor, "MedicationRequest", shown["id"]) == shown
    await desk.prescriptions.revoke(desk.doctor, signed.id, "开错了")
    assert await found(facade, desk.patient, patient=patient, status="active") == []
    [ended] = await found(facade, SYSTEM, patient=patient)
    assert (ended["id"], ended["status"]) == (shown["id"], "cancelled")


async def test_a_prescription_is_nobody_elses(desk: Desk, facade: Facade) -> None:
    approved = await desk.approved(amoxicillin())
    stranger = await desk.clinic.patient("赵六")
    for outsider in (stranger, desk.pharmacist):
        assert await found(facade, outsider, patient=desk.patient.person_id) == []
        with pytest.raises(NotFound):
            await facade.read(outsider, "MedicationRequest", f"{approved.id}-1")
    with pytest.raises(InvalidInput, match="invalid_input"):
        await found(facade, desk.doctor)
