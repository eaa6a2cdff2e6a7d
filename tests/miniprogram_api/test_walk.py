"""Every endpoint as everybody who has nothing to do with what it is about: with ids that are there, they learn nothing,
and nothing of it changes (insecure direct object references). A new endpoint is walked without a line here."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import pytest_asyncio

from backend.security.policy import SYSTEM, Role
from miniprogram_api.application import ENDPOINTS
from miniprogram_api.endpoint import Endpoint, Nothing
from tests.miniprogram_api.conftest import Answer, Api, Patient, new_patient
from tests.support.cases import staff
from tests.support.house import House
from tests.support.imaging import as_file, ct_slice, of_patient, streamed
from tests.support.json_examples import example

UNKNOWN = "0" * 32
# An administrator steers cases without reading what is clinical in them (docs/consultation.md).
STEERED = {"getConsultation", "getTimeline", "getBooking", "listSlots", "cancelConsultation", "cancelBooking"}
# It tells of what the asker uploaded themselves, so it has nothing to say to anybody else, whatever the id.
OF_THE_ASKER = {"uploadResult"}
STAFF = {
    "a doctor of another centre": ("医生丁", Role.GRASSROOTS_DOCTOR, "红岩镇卫生院", "general_practice", "主治医师"),
    "an expert who is not asked": ("外专家", Role.EXPERT, "省人民医院", "cardiology", "主治医师"),
    "a pharmacist of another centre": ("外药师", Role.PHARMACIST, "红岩镇卫生院", "", "主管药师"),
    "an administrator": ("管理员", Role.ADMINISTRATOR, "省人民医院", "", ""),
}
WITH_ID = [one for one in ENDPOINTS if one.path_parameters]
BY_SESSION = [one for one in ENDPOINTS if not one.open]


@dataclass
class Walk:
    """A case with everything in it, and the API as whoever is named."""

    ids: dict[str, str]
    insiders: dict[str, Api]
    outsiders: dict[str, Api]
    nobody: Api
    case_id: str
    revision: int
    house: House

    async def ask(self, who: Api, endpoint: Endpoint, ids: dict[str, str]) -> Answer:
        """Send what the endpoint takes."""
        path = endpoint.path.removeprefix("/api/v1").format(**{name: ids[name] for name in endpoint.path_parameters})
        body = {} if endpoint.body is Nothing else {"json": example(endpoint.body)}
        return await who.send(endpoint.method, path, params=example(endpoint.query), **body)


@pytest_asyncio.fixture
async def walk(house: House, api: Api, patient: Patient) -> Walk:
    case_id = await patient.case()
    imaging, services = house.services.imaging, house.services
    sender = await imaging.register_stow_sender(SYSTEM, house.institutions["青山镇卫生院"], "放射科CT")
    machine = await imaging.sender_of_token(sender.token)
    assert machine is not None
    number = (await services.consultations.get(SYSTEM, case_id)).number
    image = ct_slice(StudyDescription="胸部CT", **of_patient("王^小明", accession=number))
    await imaging.receive(machine, streamed(as_file(image)))
    doctor, expert = [await staff(house, name) for name in ("村医甲", "钟专家")]
    report = await services.reports.draft(expert, case_id, image.StudyInstanceUID)
    draft = await services.prescriptions.draft(doctor, case_id)
    ids = dict.fromkeys({name for one in WITH_ID for name in one.path_parameters}, case_id)
    ids |= {"report_id": report.id, "prescription_id": draft.id}
    outsiders = {"another patient": (await new_patient(house, api, "路人甲")).api}
    for who, (name, role, place, department, title) in STAFF.items():
        outsiders[who] = api.as_((await house.hire(name, role, place, department, title)).person_id)
    insiders = {"patient": patient.api, "doctor": api.as_(doctor.person_id), "expert": api.as_(expert.person_id)}
    return Walk(ids, insiders, outsiders, api, case_id, report.revision, house)


async def test_whoever_has_nothing_to_do_with_a_case_meets_the_same_wall_at_every_endpoint(
    walk: Walk, counted: Callable[[str], None]
) -> None:
    counts: Counter[str] = Counter()
    before = await walk.house.services.consultations.get(SYSTEM, walk.case_id)
    for endpoint in WITH_ID:
        for who, api in walk.outsiders.items():
            counts["asked"] += 1
            if who == "an administrator" and endpoint.operation in STEERED:
                counts["an administrator's own work"] += 1
                continue
            answer = await walk.ask(api, endpoint, walk.ids)
            unknown = await walk.ask(api, endpoint, dict.fromkeys(walk.ids, UNKNOWN))
            wall = 200 if endpoint.operation in OF_THE_ASKER else 404
            assert answer.status == wall, f"{who}: {endpoint.operation} answers {answer.status} {answer.body}"
            assert (unknown.status, unknown.body) == (answer.status, answer.body), f"{who}: {endpoint.operation}"
            counts["refused as if it were not there"] += 1
    assert await walk.house.services.consultations.get(SYSTEM, walk.case_id) == before
    counted(f"interface: {len(WITH_ID)} endpoints x {len(walk.outsiders)} outsiders: {dict(counts)}")


async def test_the_requests_of_the_walk_reach_what_they_ask_for(walk: Walk) -> None:
    """Else the wall would be one of malformed requests: whoever takes part gets past it."""
    real = {"consultation_id", "report_id", "prescription_id"}
    expert = walk.insiders["expert"]
    written = {
        "revision": walk.revision,
        "examination": "胸部CT平扫",
        "findings": "右肺上叶结节。",
        "impression": "右肺上叶结节。",
    }
    draft = (await expert.put(f"/reports/{walk.ids['report_id']}", written)).body
    signed = await expert.post(f"/reports/{draft['id']}/signature", {"revision": draft["revision"]})
    assert signed.status == 200, signed.body
    for endpoint in WITH_ID:
        not_approved_yet = endpoint.operation == "prescriptionPdf"
        if endpoint.method != "GET" or not_approved_yet or not set(endpoint.path_parameters) <= real:
            continue
        answers = [await walk.ask(api, endpoint, walk.ids) for api in walk.insiders.values()]
        assert {answer.status for answer in answers} & {200, 400, 409}, f"{endpoint.operation}: {answers}"


async def test_nobody_gets_anything_without_a_session(walk: Walk, counted: Callable[[str], None]) -> None:
    for endpoint in BY_SESSION:
        answer = await walk.ask(walk.nobody, endpoint, walk.ids)
        assert answer.status == 401, f"{endpoint.operation} answers {answer.status}"
    counted(f"interface: {len(BY_SESSION)} endpoints refuse who has no session")


@pytest.mark.parametrize("extra", ["patient_id", "is_admin", "role", "doctor_id"])
async def test_no_endpoint_takes_a_field_that_it_does_not_know(walk: Walk, extra: str) -> None:
    """Mass assignment: what is not in the document is refused, not taken over."""
    patient = walk.insiders["patient"]
    for endpoint in BY_SESSION:
        if endpoint.body is Nothing or endpoint.device:
            continue
        path = endpoint.path.removeprefix("/api/v1").format(**walk.ids)
        answer = await patient.send(endpoint.method, path, json={**example(endpoint.body), extra: "1"})
        assert (answer.status, answer.code) == (400, "invalid_input"), endpoint.operation
