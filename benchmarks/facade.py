"""The FHIR façade: milliseconds of a search for 50 resources, and how long the event loop does nothing else.

    nice python -m benchmarks.facade [--consultations 20000] [--rounds 40] [--json]

A database with many finished consultations, most of them of one doctor, and one patient of theirs with 2 000
measurements, 60 CT studies of 100 images each and their reports. The façade serves over loopback as the product wires
it; another process asks, one search after the other, for 50 resources a page. A callback of the event loop is what runs
without letting anything else run.
"""

import argparse
import asyncio
import gc
import http.client
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import insert, select

from backend import migrations
from backend.consultation.tables import Consultation, Opinion
from backend.db import Owned
from backend.ids import new_id
from backend.imaging.tables import ImagingInstance, ImagingSeries, ImagingStudy
from backend.people.tables import PersonRole, Practitioner
from backend.records.tables import Observation
from backend.reporting.tables import Report
from backend.security.policy import Actor
from backend.seed import demo_id, seed
from benchmarks.fill import fill
from miniprogram_api.fhir import BASE, fhir_routes
from qiaoyi.house import House, open_house
from qiaoyi.settings import load

_OBSERVATIONS, _STUDIES, _IMAGES = 2000, 60, 100
_PATIENT = f"{0:032x}"
_SEARCHES = {
    "Observation of a patient": f"/Observation?patient={_PATIENT}&_count=50",
    "Observation of a patient, one code": f"/Observation?patient={_PATIENT}&code=http://loinc.org|8480-6&_count=50",
    "Encounter of a doctor": "/Encounter?_count=50",
    "ServiceRequest of a doctor": "/ServiceRequest?_count=50",
    "Condition of a patient": f"/Condition?patient={_PATIENT}&_count=50",
    "DiagnosticReport of a patient": f"/DiagnosticReport?patient={_PATIENT}&_count=50",
    "ImagingStudy of a patient": f"/ImagingStudy?patient={_PATIENT}&_count=50",
    "Patient of a doctor": "/Patient?_count=50",
    "PractitionerRole": "/PractitionerRole?_count=50",
}
_TARGETS = {"p95_ms": 100.0, "longest_callback_ms": 50.0}


@dataclass(frozen=True)
class Figure:
    """What a search took.

    Attributes:
        resources: in the answer. core_ms: processor time of the façade's process for one search.
        longest_callback_ms: the longest time for which the event loop ran one callback, while the machine may have done
            something else. longest_callback_core_ms: of processor time alone.
    """

    search: str
    resources: int
    p50_ms: float
    p95_ms: float
    core_ms: float
    longest_callback_ms: float
    longest_callback_core_ms: float


class LoopWatch:
    """Measures each callback of the event loop from now on."""

    def __init__(self) -> None:
        self.longest, self.longest_core = 0.0, 0.0
        run = asyncio.Handle._run

        def measured(handle: asyncio.Handle) -> Any:
            began, core = time.perf_counter(), time.thread_time()
            try:
                return run(handle)
            finally:
                self.longest = max(self.longest, time.perf_counter() - began)
                self.longest_core = max(self.longest_core, time.thread_time() - core)

        asyncio.Handle._run = measured  # type: ignore[assignment,method-assign]

    def reset(self) -> None:
        """Forget what was."""
        self.longest, self.longest_core = 0.0, 0.0


async def measure(consultations: int, rounds: int) -> list[Figure]:
    """Fill a database, serve, and ask."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(data=Path(folder))
        async with open_house(settings) as house:
            await migrations.upgrade(settings.database)
            await seed(house.database, house.people, house.scheduling)
            await fill(house.database, consultations)
            await _fill_patient(house)
            gc.collect()
            gc.freeze()  # what filling has left is not looked through again
            return await _served(house, rounds)


async def _served(house: House, rounds: int) -> list[Figure]:
    doctor = await _doctor(house)

    async def authorise(_request: web.Request) -> Actor:
        return doctor

    application = web.Application()
    application.add_routes(fhir_routes(house.facade, authorise, lambda handler: handler))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port, loop, watch = runner.addresses[0][1], asyncio.get_running_loop(), LoopWatch()
    figures = []
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as client:
            for name, path in _SEARCHES.items():
                await loop.run_in_executor(client, ask, port, path, 3)
                watch.reset()
                core = time.process_time()
                times, resources = await loop.run_in_executor(client, ask, port, path, rounds)
                core = (time.process_time() - core) * 1000 / rounds
                p95 = statistics.quantiles(times, n=20)[18]
                longest = (watch.longest * 1000, watch.longest_core * 1000)
                figures.append(Figure(name, resources, statistics.median(times), p95, core, *longest))
    finally:
        await runner.cleanup()
    return figures


def ask(port: int, path: str, rounds: int) -> tuple[list[float], int]:
    """Ask so often, in another process; give the milliseconds of each and the resources of the last."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times, body = [], b""
    for _ in range(rounds):
        began = time.perf_counter()
        connection.request("GET", BASE + path)
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    return times, len(json.loads(body).get("entry", ()))


async def _doctor(house: House) -> Actor:
    """Give the doctor of the filled consultations as somebody who acts."""
    person_id = await house.people.register("李梅")
    async with house.database.transaction() as session:
        row = await session.get_one(Practitioner, demo_id("DOC-01"))
        row.person_id = person_id
        await session.execute(insert(PersonRole), [{"person_id": person_id, "role": row.role}])
    return await house.people.actor(person_id)


async def _fill_patient(house: House) -> None:
    async with house.database.transaction() as session:
        cases = (await session.scalars(select(Consultation.id).where(Consultation.patient_id == _PATIENT))).all()
        await session.execute(insert(Observation), list(_observations(house)))
        for kind, rows in _studies(house, cases[0]).items():
            await session.execute(insert(kind), rows)
        opinion = {"icd10": "J18.9", "diagnosis": "肺炎", "plan": "休息", "notes": "", "updated_at": house.clock.now()}
        await session.execute(insert(Opinion), [{"consultation_id": one, **opinion} for one in cases])


def _observations(house: House) -> Iterator[dict[str, Any]]:
    now = house.clock.now()
    for number in range(_OBSERVATIONS):
        at = now - timedelta(hours=number)
        yield {
            "id": new_id(),
            "patient_id": _PATIENT,
            "kind": ("systolic", "diastolic", "heart_rate", "glucose_fasting")[number % 4],
            "value": Owned(_PATIENT, str(60 + number % 40)),
            "reference": Owned(_PATIENT, ""),
            "taken_at": at,
            "source": "device",
            "recorded_by": _PATIENT,
            "recorded_at": at,
            "batch_id": new_id(),
        }


def _studies(house: House, case_id: str) -> dict[Any, list[dict[str, Any]]]:
    now = house.clock.now()
    rows: dict[Any, list[dict[str, Any]]] = {ImagingStudy: [], ImagingSeries: [], ImagingInstance: [], Report: []}
    for number in range(_STUDIES):
        study, series, uid = new_id(), new_id(), f"1.2.826.0.1.3680043.8.498.{number}"
        whose = {"dicom_patient_id": "1", "patient_name": "王秀英", "patient_sex": "F", "patient_birth_date": ""}
        rows[ImagingStudy].append(
            {
                "id": study,
                "study_uid": uid,
                "variant": 0,
                "institution_id": demo_id("QL-T01"),
                "state": "linked",
                "consultation_id": case_id,
                "patient_id": _PATIENT,
                **whose,
                "accession_number": "",
                "description": "胸部CT平扫",
                "study_date": "20261120",
                "study_time": "101530",
                "created_at": now,
                "announced": _IMAGES,
            }
        )
        rows[ImagingSeries].append(
            {
                "id": series,
                "study_id": study,
                "series_uid": f"{uid}.1",
                "modality": "CT",
                "number": 1,
                "description": "肺窗",
                "body_part": "CHEST",
            }
        )
        rows[ImagingInstance] += [_instance(study, series, f"{uid}.1.{one}", one, now) for one in range(_IMAGES)]
        rows[Report].append(_report(study, uid, case_id, number, now))
    return rows


def _instance(study: str, series: str, uid: str, number: int, now: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "sop_instance_uid": uid,
        "study_id": study,
        "series_id": series,
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2",
        "transfer_syntax": "1.2.840.10008.1.2.1",
        "number": number,
        "rows": 512,
        "columns": 512,
        "frames": 1,
        "header_digest": "",
        "pixel_form": "",
        "pixel_digest": "",
        "object_id": new_id(),
        "object_key": "",
        "size": 1,
        "received_size": 1,
        "sender_id": "",
        "received_at": now,
    }


def _report(study: str, uid: str, case_id: str, number: int, now: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "number": f"HZ20261120-0001-{number:02}",
        "version": 1,
        "study_id": study,
        "study_uid": uid,
        "consultation_id": case_id,
        "patient_id": _PATIENT,
        "author_id": demo_id("EXP-01"),
        "state": "signed",
        "revision": 1,
        "examination": "胸部CT平扫",
        "findings": "右肺上叶见结节，直径约8mm。余肺野清晰，纵隔居中，未见肿大淋巴结。" * 4,
        "impression": "右肺上叶结节，建议3个月复查。",
        "amendment_reason": "",
        "created_at": now,
        "updated_at": now,
        "signed_at": now,
        "seal": "",
        "code": new_id(),
        "code_index": new_id(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--consultations", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.consultations, options.rounds))
    if options.json:
        print(json.dumps({"targets": _TARGETS, "searches": [asdict(one) for one in figures]}, ensure_ascii=False))
        return
    for one in figures:
        print(
            f"{one.search:38} {one.resources:3} resources  p50 {one.p50_ms:6.1f} ms  p95 {one.p95_ms:6.1f} ms  "
            f"core {one.core_ms:5.1f} ms  "
            f"longest callback {one.longest_callback_ms:5.1f} ms ({one.longest_callback_core_ms:4.1f} ms of a core)"
        )


if __name__ == "__main__":
    main()
