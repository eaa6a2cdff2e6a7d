"""Reports over the API: written by the expert, read by those who take part, and by nobody else."""

from dataclasses import dataclass

import pytest

from backend.security.policy import SYSTEM
from tests.miniprogram_api.conftest import Api, Patient
from tests.support.cases import begin, complete, staff
from tests.support.house import House
from tests.support.imaging import as_file, ct_slice, of_patient, streamed


@dataclass
class ReportApi:
    """The API as each of a case's people."""

    case: str
    study: str
    patient: Api
    doctor: Api
    expert: Api
    house: House

    async def draft(self) -> dict[str, object]:
        """Begin a report."""
        answer = await self.expert.post(f"/consultations/{self.case}/reports", {"study_uid": self.study})
        assert answer.status == 201
        body: dict[str, object] = answer.body
        return body

    async def written(self, **changes: str) -> dict[str, object]:
        """Write a whole report."""
        draft = await self.draft()
        body = {"examination": "胸部CT平扫", "findings": "右肺上叶结节。", "impression": "右肺上叶结节。"} | changes
        answer = await self.expert.put(f"/reports/{draft['id']}", {"revision": draft["revision"], **body})
        assert answer.status == 200
        found: dict[str, object] = answer.body
        return found

    async def signed(self) -> dict[str, object]:
        """Sign it too."""
        draft = await self.written()
        answer = await self.expert.post(f"/reports/{draft['id']}/signature", {"revision": draft["revision"]})
        assert answer.status == 200
        found: dict[str, object] = answer.body
        return found


@pytest.fixture
async def desk(patient: Patient, api: Api, house: House) -> ReportApi:
    """A case with a CT study."""
    case_id = await patient.case()
    imaging = house.services.imaging
    new = await imaging.register_stow_sender(SYSTEM, house.institutions["青山镇卫生院"], "放射科CT")
    machine = await imaging.sender_of_token(new.token)
    assert machine is not None
    number = (await house.services.consultations.get(SYSTEM, case_id)).number
    one = ct_slice(StudyDescription="胸部CT", **of_patient("王^小明", accession=number))
    await imaging.receive(machine, streamed(as_file(one)))
    doctor, expert = [api.as_((await staff(house, name)).person_id) for name in ("村医甲", "钟专家")]
    return ReportApi(case_id, one.StudyInstanceUID, patient.api, doctor, expert, house)


async def test_the_expert_gets_what_writing_needs_and_the_others_what_reading_needs(desk: ReportApi) -> None:
    body = (await desk.expert.get(f"/consultations/{desk.case}/reports")).body
    assert (body["may_write"], body["may_confirm"], body["is_patient"]) == (True, False, False)
    [study] = body["studies"]
    assert study["templates"][0]["name"] == "胸部CT平扫"
    assert "张力性气胸" in study["critical_findings"]
    doctor = (await desk.doctor.get(f"/consultations/{desk.case}/reports")).body
    assert (doctor["may_write"], doctor["may_confirm"]) == (False, True)
    mine = (await desk.patient.get(f"/consultations/{desk.case}/reports")).body
    assert (mine["is_patient"], mine["studies"], mine["critical_values"]) == (True, [], [])


async def test_a_draft_is_written_and_signed_and_then_read(desk: ReportApi) -> None:
    draft = await desk.written()
    for reader in (desk.patient, desk.doctor):
        assert (await reader.get(f"/consultations/{desk.case}/reports")).body["reports"] == []
    assert (await desk.patient.get(f"/consultations/{desk.case}/reports/standing")).body == {
        "may_write": False,
        "signed": 0,
    }
    answer = await desk.expert.post(f"/reports/{draft['id']}/signature", {"revision": draft["revision"]})
    assert answer.body["state"] == "signed"
    for reader in (desk.patient, desk.doctor):
        [report] = (await reader.get(f"/consultations/{desk.case}/reports")).body["reports"]
        assert (report["impression"], report["author_name"]) == ("右肺上叶结节。", "钟专家")
    assert (await desk.doctor.get(f"/consultations/{desk.case}/reports/standing")).body["signed"] == 1


async def test_who_writes_over_what_they_have_not_seen_is_told_so(desk: ReportApi) -> None:
    draft = await desk.written()
    for path, method, body in (
        (f"/reports/{draft['id']}", desk.expert.put, {"revision": 0, "findings": "别的"}),
        (f"/reports/{draft['id']}/signature", desk.expert.post, {"revision": 0}),
    ):
        answer = await method(path, body)
        assert (answer.status, answer.code) == (409, "conflict")


async def test_slips_and_open_places_stop_signing_with_a_sentence(desk: ReportApi) -> None:
    draft = await desk.written(impression="左肺结节。")
    slips = (await desk.expert.get(f"/reports/{draft['id']}/slips")).body["items"]
    assert [slip["code"] for slip in slips] == ["other_side"]
    path = f"/reports/{draft['id']}/signature"
    assert (await desk.expert.post(path, {"revision": draft["revision"]})).code == "report_slips"
    edit = {"revision": draft["revision"], "impression": "左肺____。"}
    open_one = (await desk.expert.put(f"/reports/{draft['id']}", edit)).body
    answer = await desk.expert.post(path, {"revision": open_one["revision"], "confirmed": ["other_side"]})
    assert (answer.status, answer.body["field"]) == (400, "impression")
    assert "左肺____" in answer.body["message"]


async def test_a_signed_report_is_amended_with_a_reason_and_a_draft_thrown_away(desk: ReportApi) -> None:
    signed = await desk.signed()
    assert (await desk.expert.post(f"/reports/{signed['id']}/amendment", {"reason": " "})).status == 400
    fresh = await desk.expert.post(f"/reports/{signed['id']}/amendment", {"reason": "漏写一处"})
    assert (fresh.status, fresh.body["version"], fresh.body["amendment_reason"]) == (201, 2, "漏写一处")
    assert (await desk.expert.send("DELETE", f"/reports/{fresh.body['id']}")).status == 200
    [left] = (await desk.expert.get(f"/consultations/{desk.case}/reports")).body["reports"]
    assert left["version"] == 1
    assert (await desk.expert.send("DELETE", f"/reports/{signed['id']}")).status == 409


async def test_a_critical_value_is_marked_and_taken_in_hand(desk: ReportApi) -> None:
    body = {"study_uid": desk.study, "text": "张力性气胸"}
    marked = (await desk.expert.post(f"/consultations/{desk.case}/critical-values", body)).body
    assert (marked["confirmed_by"], marked["confirmed_at"]) == ("", None)
    path = f"/critical-values/{marked['id']}/confirmation"
    assert (await desk.expert.post(path, {})).status == 404
    assert (await desk.doctor.post(path, {})).body["confirmed_by"] == "村医甲"
    [told] = (await desk.expert.get(f"/consultations/{desk.case}/reports")).body["critical_values"]
    assert (told["text"], told["confirmed_by"], told["study_uid"]) == ("张力性气胸", "村医甲", desk.study)


async def test_nobody_else_writes_or_reads(desk: ReportApi, api: Api, house: House) -> None:
    draft, signed_body = await desk.written(), {"study_uid": desk.study}
    stranger = api.as_((await staff(house, "村医乙")).person_id)
    for path in ("reports", "reports/standing"):
        assert (await stranger.get(f"/consultations/{desk.case}/{path}")).status == 404
    for person in (desk.patient, desk.doctor, stranger):
        assert (await person.post(f"/consultations/{desk.case}/reports", signed_body)).status == 404
        edit = {"revision": draft["revision"], "findings": "别的"}
        assert (await person.put(f"/reports/{draft['id']}", edit)).status == 404
        assert (await person.send("DELETE", f"/reports/{draft['id']}")).status == 404
        marked = await person.post(f"/consultations/{desk.case}/critical-values", {**signed_body, "text": "气胸"})
        assert marked.status == 404


async def test_an_ended_case_is_recommended_for_teaching_by_those_who_treated(desk: ReportApi, house: House) -> None:
    path = f"/consultations/{desk.case}/teaching-case"
    await desk.signed()
    running = {"may_propose": False, "state": None, "sentence": ""}
    assert (await desk.expert.get(path)).body == running
    refused = await desk.expert.post(path, {})
    assert (refused.status, refused.body["message"]) == (409, "会诊结束以后才能推荐为教学病例。")
    await begin(house, desk.case)
    await complete(house, desk.case)
    assert (await desk.doctor.get(path)).body["may_propose"] is True
    assert (await desk.patient.get(path)).body == running
    assert (await desk.patient.post(path, {})).status == 404
    told = (await desk.doctor.post(path, {})).body
    assert (told["may_propose"], told["state"]) == (False, "asked")
    assert "先问患者同不同意" in told["sentence"]
    assert (await desk.expert.get(path)).body == {
        "may_propose": False,
        "state": "asked",
        "sentence": "教学病例：等患者同意。",
    }
    entries = await house.audit.entries(SYSTEM, limit=20)
    assert "teaching.propose" in {one.action for one in entries}
