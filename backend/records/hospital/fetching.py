"""Finds a patient in a hospital and fetches their history; knows no database."""

import asyncio
from dataclasses import replace

from backend.people.views import IdentityView
from backend.records.hospital.client import Found, HospitalClient
from backend.records.hospital.facts import HospitalHistory
from backend.records.hospital.faults import FaultCode, HospitalFault
from backend.records.hospital.mapping import history_of, medication_reference
from backend.records.hospital.matching import Match, match
from backend.records.hospital.validation import Resource

_SECONDS = 45.0
_MOST_PATIENTS = 20
_MOST_MEDICATIONS = 30
_NEWEST_FIRST = {
    "AllergyIntolerance": "",
    "Condition": "",
    "MedicationStatement": "",
    "MedicationRequest": "-authoredon",
    "Encounter": "-date",
    "DiagnosticReport": "-date",
    "ImagingStudy": "-started",
}
_CATEGORIES = {"laboratory": 2_000, "vital-signs": 500}
_MOST = 200


async def find_patient(client: HospitalClient, identity: IdentityView, system: str) -> tuple[Match, str]:
    """Find somebody in a hospital by their identity number; give what it came to, and their identifier there.

    Raises:
        HospitalFault: the hospital does not answer.
    """
    found = await client.search("Patient", [("identifier", f"{system}|{identity.number}")], most=_MOST_PATIENTS)
    result = match(identity, system, found.resources)
    # Somebody whose resource was unsound, or who came after the bound, may be a second one.
    if result[0] is Match.ONE and (found.left_out or not found.complete):
        return Match.SEVERAL, ""
    return result


async def fetch_history(client: HospitalClient, patient_id: str) -> HospitalHistory:
    """Fetch the history of a patient, by the hospital's own identifier.

    What the hospital does not have at all (a type that it refuses) is named in `missing`.

    Raises:
        HospitalFault: the hospital does not answer, or not in 45 s.
    """
    try:
        async with asyncio.timeout(_SECONDS), asyncio.TaskGroup() as group:
            asked = {
                type_: group.create_task(_search(client, type_, patient_id, sort, "", _MOST))
                for type_, sort in _NEWEST_FIRST.items()
            }
            for category, most in _CATEGORIES.items():
                task = group.create_task(_search(client, "Observation", patient_id, "-date", category, most))
                asked[f"Observation {category}"] = task
    except* HospitalFault as faults:
        raise faults.exceptions[0] from None
    except* TimeoutError:
        raise HospitalFault(FaultCode.SLOW, "history not in time") from None
    answers = {name: task.result() for name, task in asked.items()}
    return await _put_together(client, patient_id, answers)


async def _search(
    client: HospitalClient, type_: str, patient_id: str, sort: str, category: str, most: int
) -> Found | None:
    """Search; None where the hospital refuses this very search."""
    parameters = [("patient", patient_id)]
    if category:
        parameters.append(("category", category))
    if sort:
        parameters.append(("_sort", sort))
    try:
        return await client.search(type_, parameters, most=most)
    except HospitalFault as fault:
        if fault.fault in (FaultCode.REFUSED, FaultCode.NOT_FOUND):
            return None
        raise


async def _put_together(client: HospitalClient, patient_id: str, answers: dict[str, Found | None]) -> HospitalHistory:
    by_type: dict[str, dict[str, Resource]] = {}
    for name, found in answers.items():
        held = by_type.setdefault(name.partition(" ")[0], {})
        held.update((one["id"], one) for one in (found.resources if found else ()))  # of both categories: once
    resources = {type_: tuple(held.values()) for type_, held in by_type.items()}
    for type_ in ("MedicationStatement", "MedicationRequest"):
        resources[type_] = await _with_names(client, resources[type_])
    # Two thousand of them take long enough for others to notice.
    history = await asyncio.to_thread(history_of, patient_id, resources)
    given = [found for found in answers.values() if found is not None]
    return replace(
        history,
        missing=tuple(name for name, found in answers.items() if found is None),
        left_out=history.left_out + sum(found.left_out for found in given),
        complete=all(found.complete for found in given),
    )


async def _with_names(client: HospitalClient, resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
    """Give medicines with their names where they only point to a Medication; what cannot be read stays as it is."""
    wanted = sorted({reference for one in resources if (reference := medication_reference(one))})[:_MOST_MEDICATIONS]
    known: dict[str, Resource] = {}
    for id_ in wanted:
        try:
            known[id_] = (await client.read("Medication", id_)).resource.get("code", {})
        except HospitalFault as fault:
            if fault.of_the_server:
                raise
    return tuple(
        one | {"medicationCodeableConcept": known[reference]}
        if (reference := medication_reference(one)) in known
        else one
        for one in resources
    )
