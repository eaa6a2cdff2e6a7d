"""What a patient sees and does with their consultations."""

from datetime import timedelta

import pytest

from backend.clock import Clock
from tests.miniprogram_api.conftest import Api, Patient, new_patient
from tests.support import cases
from tests.support.house import House

NOBODYS = "0" * 32


async def test_a_patient_finds_their_consultation_with_its_timeline(patient: Patient) -> None:
    assert (await patient.api.get("/consultations")).body == {"items": []}
    case_id = await patient.case()
    [item] = (await patient.api.get("/consultations")).body["items"]
    assert (item["id"], item["status"], item["expert"]) == (case_id, "assigned", "钟专家")
    detail = (await patient.api.get(f"/consultations/{case_id}")).body
    assert detail["record"]["chief_complaint"] == "咳嗽3天"
    assert (detail["opinion"], detail["booking"], detail["stars"]) == (None, None, None)
    told = (await patient.api.get(f"/consultations/{case_id}/timeline")).body["items"]
    assert len(told) >= 3


async def test_lists_come_in_pages_and_by_status(patient: Patient, house: House) -> None:
    made = [await cases.open_case(house, patient.id) for _ in range(3)]
    await patient.api.post(f"/consultations/{made[0]}/cancellation", {"reason": "好了"})
    pages = [await patient.api.get("/consultations", limit=2, offset=offset) for offset in (0, 2)]
    assert [len(page.body["items"]) for page in pages] == [2, 1]
    [cancelled] = (await patient.api.get("/consultations", status="cancelled")).body["items"]
    assert cancelled["id"] == made[0]


async def test_the_opinion_is_told_when_the_consultation_is_over_and_can_be_rated_once(
    patient: Patient, house: House
) -> None:
    case_id = await patient.case()
    early = await patient.api.post(f"/consultations/{case_id}/rating", {"stars": 5})
    assert (early.status, early.code) == (409, "illegal_move")
    await cases.begin(house, case_id)
    await cases.complete(house, case_id)
    detail = (await patient.api.get(f"/consultations/{case_id}")).body
    assert detail["opinion"]["icd10"] == "J20.9"
    rated = await patient.api.post(f"/consultations/{case_id}/rating", {"stars": 4, "comment": "谢谢\u0007医生👍"})
    assert (rated.status, rated.body["stars"]) == (200, 4)
    again = await patient.api.post(f"/consultations/{case_id}/rating", {"stars": 1})
    assert (again.status, again.code) == (409, "conflict")


async def test_cancelling_keeps_what_was_written_without_control_characters(patient: Patient, house: House) -> None:
    case_id = await cases.open_case(house, patient.id)
    reason = "不去了\u0000\u0008]]><script>alert(1)</script>😷"
    answer = await patient.api.post(f"/consultations/{case_id}/cancellation", {"reason": reason})
    assert answer.body["status"] == "cancelled"
    told = (await patient.api.get(f"/consultations/{case_id}/timeline")).body["items"]
    assert any("不去了]]><script>alert(1)</script>😷" in line["text"] for line in told)
    twice = await patient.api.post(f"/consultations/{case_id}/cancellation", {"reason": reason})
    assert (twice.status, twice.code) == (409, "illegal_move")


async def test_somebody_elses_consultation_answers_as_one_that_is_not_there(
    patient: Patient, house: House, api: Api
) -> None:
    case_id = await patient.case()
    [slot] = (await patient.api.get(f"/consultations/{case_id}/slots", limit=1)).body["items"]
    stranger = (await new_patient(house, api, "赵生人")).api
    foreign = api.as_((await cases.staff(house, "村医乙")).person_id)
    walk = [
        ("GET", "", None),
        ("GET", "/timeline", None),
        ("GET", "/slots", None),
        ("POST", "/cancellation", {"reason": "我来取消"}),
        ("POST", "/rating", {"stars": 1}),
        ("PUT", "/booking", {"slot_id": slot["id"]}),
        ("POST", "/booking/cancellation", {"reason": "我来取消"}),
    ]
    for reader in (stranger, foreign):
        for method, rest, body in walk:
            more = {} if body is None else {"json": body}
            refused = await reader.send(method, f"/consultations/{case_id}{rest}", **more)
            unknown = await reader.send(method, f"/consultations/{NOBODYS}{rest}", **more)
            assert (refused.status, refused.body) == (404, unknown.body), (method, rest)
    assert (await stranger.get("/consultations")).body == {"items": []}
    assert (await patient.api.get(f"/consultations/{case_id}")).body["status"] == "assigned"


async def test_nothing_is_told_without_a_session(patient: Patient, api: Api) -> None:
    case_id = await patient.case()
    for path in ("/me", "/consultations", f"/consultations/{case_id}", "/institutions"):
        assert (await api.get(path)).status == 401
    assert (await api.post(f"/consultations/{case_id}/cancellation", {"reason": "x"})).status == 401


async def test_roles_are_read_at_every_call(patient: Patient, house: House, api: Api) -> None:
    doctor = await cases.staff(house, "村医甲")
    case_id = await patient.case()
    assert (await api.as_(doctor.person_id).get(f"/consultations/{case_id}")).status == 200
    assert "grassroots_doctor" in (await api.as_(doctor.person_id).get("/me")).body["roles"]


async def test_institutions_are_listed_the_nearest_first(patient: Patient) -> None:
    near = (await patient.api.get("/institutions", near="30.29,114.31", limit=2)).body["items"]
    assert [one["name"] for one in near] == ["红岩镇卫生院", "白水乡卫生院"]
    assert near[0]["distance_km"] < 3
    anywhere = (await patient.api.get("/institutions")).body["items"]
    assert len(anywhere) == 4
    assert anywhere[0]["distance_km"] is None


@pytest.mark.parametrize("near", ["91,0", "0,181", "nan,0", "1", "1,2,3", "", "１,２", "1,2\n"])
async def test_a_place_that_is_none_is_refused(patient: Patient, near: str) -> None:
    answer = await patient.api.get("/institutions", near=near)
    assert (answer.status, answer.body["field"]) == (400, "near")


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 51}, {"offset": -1}, {"limit": "x"}, {"status": "x"}])
async def test_a_query_outside_its_bounds_names_the_parameter(patient: Patient, query: dict[str, object]) -> None:
    answer = await patient.api.get("/consultations", **query)
    assert (answer.status, answer.code, answer.body["field"]) == (400, "invalid_input", next(iter(query)))


async def test_unknown_and_repeated_parameters_are_refused(patient: Patient) -> None:
    assert (await patient.api.get("/consultations", page=2)).body["field"] == "page"
    assert (await patient.api.send("GET", "/consultations?limit=1&limit=2")).body["field"] == "query"


async def test_a_session_outlives_no_night(patient: Patient, clock: Clock) -> None:
    clock.advance(timedelta(hours=12))
    assert (await patient.api.get("/consultations")).status == 401
