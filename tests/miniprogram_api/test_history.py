"""The history of a patient over the API."""

from tests.miniprogram_api.conftest import Patient


async def test_whoever_takes_part_reads_what_is_known(patient: Patient) -> None:
    case_id = await patient.case()
    answer = await patient.api.get(f"/consultations/{case_id}/history")
    page = answer.body
    assert answer.status == 200
    assert page["identified"] is False
    assert page["may_identify"] is True
    assert page["hospitals"] == []


async def test_a_number_that_is_none_is_refused(patient: Patient) -> None:
    case_id = await patient.case()
    answer = await patient.api.post(f"/consultations/{case_id}/history/identity", {"number": "1" * 18})
    assert (answer.status, answer.body["code"]) == (409, "identity_refused")
    assert "身份证号" in answer.body["message"]


async def test_nobody_learns_of_somebody_elses_case(patient: Patient) -> None:
    path = f"/consultations/{'0' * 32}/history"
    assert (await patient.api.get(path)).status == 404
    assert (await patient.api.send("POST", f"{path}/refresh")).status == 404
