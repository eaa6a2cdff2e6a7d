"""How long the summary of a patient's history takes: `python -m benchmarks.history --json`.

A patient with 2 000 observations of 40 kinds in two hospitals, opened as a doctor does: read from the database,
decrypted, put together. Beside it what validating a hospital's page costs in the process that does it.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from backend.migrations import upgrade
from backend.records.hospital.facts import AllergyFact, ConditionFact, HospitalHistory, Measurement
from backend.records.hospital.registry import HospitalSettings
from backend.records.hospital.validation import read_page
from backend.records.hospital.views import Outcome
from backend.records.hospital_tables import HospitalHistoryRow
from backend.security.policy import SYSTEM, Actor, Role
from qiaoyi.house import House, open_house
from qiaoyi.settings import load

OBSERVATIONS = 2_000
TARGET_MS = 300.0
_KINDS = 40
_ROUNDS = 15
_PAGE = 200
_CODES = ("2823-3", "14682-9", "1742-6", "4548-4", "8867-4", "8310-5")


def history(observations: int) -> HospitalHistory:
    """Give a history with so many observations of forty kinds, over ten years."""
    now, dice = datetime.now(UTC), random.Random(7)
    measured = tuple(
        Measurement(
            _CODES[place % _KINDS] if place % _KINDS < len(_CODES) else f"{place % _KINDS}000-0",
            f"项目{place % _KINDS}", f"{dice.uniform(3, 9):.2f}", "mmol/L", "3.5", "5.3", "",
            (now - timedelta(days=place * 3650 / observations)).isoformat(), place % 4 == 0, "",
        )
        for place in range(observations)
    )  # fmt: skip
    return HospitalHistory(
        allergies=(AllergyFact("青霉素", "J01C", "皮疹", True, "2020-01-01"),),
        conditions=tuple(ConditionFact(f"I{code}", f"疾病{code}", True, "2020-01-01") for code in range(10, 30)),
        measurements=measured,
    )


async def _fill(house: House) -> tuple[Actor, str]:
    """Make a patient with a case and two histories; give the patient as an actor, and the case."""
    people = house.people
    for code, kind in (("T", "township"), ("H", "tertiary")):
        await people.put_institution(
            SYSTEM, code * 32, code=code, name=code, kind=kind, region="-", address="-", latitude=30, longitude=114
        )
    person_id = await people.register("王秀英")
    patient = await people.actor(person_id)
    await people.give_consent(patient, people.consent_document().version)
    await people.update_person(patient, person_id, sex="female", birth_date=date(1959, 3, 12))
    await people.update_person(patient, person_id, id_number="999901195903120026")
    doctor = await people.register("李梅")
    await people.put_practitioner(
        SYSTEM, "D" * 32, role=Role.GRASSROOTS_DOCTOR, name="李梅", licence_number="D", institution_id="T" * 32,
        department_code="general_practice", title="主治医师", practising_since=2005,
    )  # fmt: skip
    await people.accept_invitation(doctor, (await people.create_invitation(SYSTEM, "D" * 32)).scene)
    case = await house.consultations.open(
        patient, patient_id=person_id, institution_id="T" * 32, record={"chief_complaint": "咳嗽"}, facts={},
        department_code="respiratory", urgency="routine",
    )  # fmt: skip
    now = house.clock.now()
    for place in ("H", "T"):
        settings = HospitalSettings("http://127.0.0.1:9/fhir")
        hospital = await house.hospitals.register(SYSTEM, place * 32, place, settings)
        async with house.database.transaction() as session:
            session.add(
                HospitalHistoryRow(
                    hospital_id=hospital.id, patient_id=person_id, outcome=Outcome.FETCHED, fault="",
                    content=history(OBSERVATIONS // 2).to_json(), fetched_at=now, asked_at=now,
                )
            )  # fmt: skip
    return await people.actor(doctor), case.id


async def summaries() -> list[tuple[float, float]]:
    """Give how many milliseconds each opening of the summary took, by the clock and of this process's time."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(data=Path(folder))
        await upgrade(settings.database)
        async with open_house(settings) as house:
            doctor, case_id = await _fill(house)
            taken = []
            for _ in range(_ROUNDS):
                began, worked = time.perf_counter(), time.process_time()
                await house.history.summary(doctor, case_id)
                elapsed = time.perf_counter() - began
                taken.append((elapsed * 1000, (time.process_time() - worked) * 1000))
    return taken


def validation() -> float:
    """Give how many observations a second one process validates."""
    observation = {
        "resourceType": "Observation", "id": "o", "status": "final", "subject": {"reference": "Patient/p"},
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "血钾"},
        "effectiveDateTime": "2026-11-01T08:00:00+08:00",
        "valueQuantity": {"value": 3.4, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        "referenceRange": [{"low": {"value": 3.5}, "high": {"value": 5.3}}],
    }  # fmt: skip
    page = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": observation}] * _PAGE}
    body = json.dumps(page).encode()
    read_page(body, "Observation")  # loads the models
    began = time.perf_counter()
    assert len(read_page(body, "Observation").resources) == _PAGE  # noqa: S101  # a figure of nothing is none
    return _PAGE / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    taken = asyncio.run(summaries())
    figures = {
        "observations": OBSERVATIONS,
        "summary_ms_median": round(statistics.median(elapsed for elapsed, _ in taken), 1),
        "summary_ms_slowest": round(max(elapsed for elapsed, _ in taken), 1),
        "summary_cpu_ms_median": round(statistics.median(worked for _, worked in taken), 1),
        "target_ms": TARGET_MS,
        "validated_observations_per_second": round(validation()),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{name:36} {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
