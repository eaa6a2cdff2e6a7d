"""Images that a doctor brings, over the API: what became of them, and whose the studies are that wait."""

from dataclasses import dataclass
from typing import Any

import pytest

from backend.imaging import ImagingService, StudyState
from backend.security.policy import SYSTEM, Actor
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support import cases
from tests.support.house import House
from tests.support.imaging import as_file, ct_slice, of_patient
from tests.support.uploads import BATCH, brought, zipped

QUARANTINE = "/imaging/quarantine"
WHY = "患者说这是他的片子，改过名字"


@dataclass
class Disc:
    """A case, its people logged in, and a disc that its doctor brings."""

    house: House
    case: str
    patient: Api
    doctor: Api
    expert: Api
    actor: Actor

    @property
    def imaging(self) -> ImagingService:
        return self.house.services.imaging

    async def bring(self, **files: bytes) -> None:
        """Let the doctor send an archive, and let it be read."""
        await brought(self.imaging, self.actor, self.case, zipped(files))

    async def result(self, batch: str = "") -> Any:
        asked = f"/consultations/{self.case}/uploads" + (f"?batch={batch}" if batch else "")
        return (await self.doctor.get(asked)).body

    async def waiting(self) -> Any:
        """The one study that waits."""
        [one] = (await self.doctor.get(QUARANTINE)).body["items"]
        return one


@pytest.fixture
async def disc(house: House, api: Api, patient: Patient) -> Disc:
    case = await patient.case()
    doctor, expert = [await cases.staff(house, name) for name in ("村医甲", "钟专家")]
    return Disc(house, case, patient.api, api.as_(doctor.person_id), api.as_(expert.person_id), doctor)


def slices(*numbers: int, study: int = 1, **said: str) -> dict[str, bytes]:
    told = of_patient(said.pop("name", "Wang^Xiaoming=王^小明"), **said)
    return {f"IM{study}{number}": as_file(ct_slice(number, study=study, **told)) for number in numbers}


async def test_what_became_of_a_disc_is_told_by_study_and_by_file(disc: Disc) -> None:
    nothing = await disc.result()
    assert (nothing["batch"], nothing["stored"], nothing["studies"]) == ("", 0, [])
    broken = slices(9)["IM19"][:700]
    await disc.bring(**slices(1, 2), **slices(1, study=2, name="张^三"), readme=b"hello", broken=broken)
    told = await disc.result(BATCH)
    assert told == await disc.result(), "the last choice where none is named"
    assert (told["stored"], told["skipped"], told["refused"], told["waiting"], told["held_up"]) == (3, 1, 1, 0, "")
    [refused] = told["files"]
    assert refused["name"].endswith("broken")
    assert refused["words"]
    mine, other = sorted(told["studies"], key=lambda study: study["here"], reverse=True)
    assert (mine["state"], mine["here"], mine["instances"], mine["modalities"]) == ("linked", True, 2, ["CT"])
    assert (other["state"], other["here"], other["instances"]) == ("quarantined", False, 1)
    assert "姓名" in other["words"]


async def test_a_study_that_waits_is_compared_and_assigned(disc: Disc) -> None:
    await disc.bring(**slices(1, 2, name="张^三", sex="M"))
    study = await disc.waiting()
    assert (study["patient"], study["sex"], study["instances"], study["modalities"]) == ("张三", "M", 2, ["CT"])
    [case] = (await disc.doctor.get("/imaging/cases")).body["items"]
    assert (case["id"], case["patient"]) == (disc.case, "王小明")
    place = f"{QUARANTINE}/{study['id']}"
    traits = (await disc.doctor.get(f"{place}/differences/{disc.case}")).body["items"]
    name = next(one for one in traits if one["trait"] == "name")
    assert (name["sent"], name["known"], name["result"]) == ("张三", "王小明", "different")
    decided = await disc.doctor.post(f"{place}/assignment", {"consultation_id": disc.case, "reason": WHY})
    assert (decided.status, decided.body) == (200, {"id": study["id"], "state": "linked"})
    [linked] = await disc.imaging.studies_of(SYSTEM, disc.case)
    assert (linked.id, linked.state) == (study["id"], StudyState.LINKED)
    again = await disc.doctor.post(f"{place}/rejection", {"reason": WHY})
    assert again.status == 409
    assert "已经有人处理了" in again.body["message"]


async def test_a_study_is_rejected_and_waits_no_more(disc: Disc) -> None:
    await disc.bring(**slices(1, name="张^三"))
    study = await disc.waiting()
    decided = await disc.doctor.post(f"{QUARANTINE}/{study['id']}/rejection", {"reason": "别人的光盘"})
    assert (decided.status, decided.body["state"]) == (200, "rejected")
    assert (await disc.doctor.get(QUARANTINE)).body == {"items": []}
    assert await disc.imaging.studies_of(SYSTEM, disc.case) == []


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \n"}, {"reason": "x" * 201}, {"reason": 7}])
async def test_a_decision_needs_a_reason(disc: Disc, body: dict[str, Any]) -> None:
    await disc.bring(**slices(1, name="张^三"))
    place = f"{QUARANTINE}/{(await disc.waiting())['id']}"
    assert (await disc.doctor.post(f"{place}/rejection", body)).status == 400
    assert (await disc.doctor.post(f"{place}/assignment", {"consultation_id": disc.case, **body})).status == 400
    assert (await disc.waiting())["id"]


async def test_a_decision_needs_a_case_of_the_same_place(disc: Disc) -> None:
    await disc.bring(**slices(1, name="张^三"))
    place = f"{QUARANTINE}/{(await disc.waiting())['id']}"
    for unknown in ("../1", "0" * 31):
        refused = await disc.doctor.post(f"{place}/assignment", {"consultation_id": unknown, "reason": WHY})
        assert refused.status == 400
    refused = await disc.doctor.post(f"{place}/assignment", {"consultation_id": "0" * 32, "reason": WHY})
    assert refused.status == 404
    assert (await disc.doctor.get(f"{QUARANTINE}/{'0' * 32}/differences/{disc.case}")).status == 404


async def test_nobody_but_the_doctors_of_the_place_sees_or_decides(disc: Disc, api: Api) -> None:
    await disc.bring(**slices(1, name="张^三"))
    study = (await disc.waiting())["id"]
    stranger = (await new_patient(disc.house, api, "邻居")).api
    for who in (disc.patient, disc.expert, stranger):
        own = (await who.get(f"/consultations/{disc.case}/uploads")).body
        assert (own["batch"], own["studies"]) == ("", []), "everybody hears of their own files alone"
        assert (await who.get(QUARANTINE)).status in (403, 404)
        assert (await who.get(f"{QUARANTINE}/{study}/differences/{disc.case}")).status in (403, 404)
        for path, body in (("assignment", {"consultation_id": disc.case}), ("rejection", {})):
            assert (await who.post(f"{QUARANTINE}/{study}/{path}", {"reason": WHY, **body})).status in (403, 404)
    assert (await api.get(QUARANTINE)).status == 401
    assert (await disc.waiting())["id"] == study
