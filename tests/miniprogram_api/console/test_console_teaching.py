"""The case library in the console: an administrator reviews, publishes and takes the table of points along."""

import csv
import io
from typing import Any

import pytest

from backend.ids import new_id
from backend.security.policy import SYSTEM, Role
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.support import cases
from tests.support.teaching import Library

QUESTION = {
    "stem": "首选哪项检查？",
    "options": ["胸部CT", "=1+1"],
    "right": 0,
    "explanation": "先看肺。",
    "source": "",
}


def edit_of(case: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the page sends to keep a draft."""
    body = {name: case[name] for name in ("revision", "title", "codes", "tags", "questions")}
    return {**body, "sections": {one["key"]: one["text"] for one in case["sections"]}, **changes}


@pytest.fixture
async def clerk(console: Console) -> Clerk:
    """An administrator who is signed in."""
    return await console.as_("陈管", Role.ADMINISTRATOR)


async def test_a_case_goes_from_its_number_to_the_library_and_out_again(console: Console, clerk: Clerk) -> None:
    library, house = Library(console.house), console.house
    consultation = await library.finished(await library.patient())
    number = (await house.services.consultations.get(SYSTEM, consultation)).number
    proposed = await clerk.post("/teaching/cases", {"number": number, "reason": "典型"})
    assert (proposed.status, proposed.body) == (201, {"state": "queued", "state_name": "正在整理"})
    assert (await clerk.post("/teaching/cases", {"number": "HZ0"})).status == 404
    await house.settle()
    [item] = (await clerk.get("/teaching/cases", state="draft")).body["items"]
    assert (item["number"], item["state_name"], item["codes"]) == (number, "待审核", ["J18.9"])
    path = f"/teaching/cases/{item['id']}"
    case = (await clerk.get(path)).body
    assert "王秀英" not in str(case)
    assert {
        "section_name": "会诊目的",
        "kind": "name",
        "text": "王**",
        "replacement": "［姓名］",
        "guessed": False,
    } in case["taken"]
    refused = await clerk.send("PUT", path, json=edit_of(case, codes=["肺炎"]))
    assert (refused.status, refused.code) == (400, "invalid_input")
    assert (await clerk.send("PUT", path, json=edit_of(case, state="published"))).status == 400, "no more fields"
    wanted = edit_of(case, title="老年肺炎", tags=["typical"], questions=[QUESTION])
    case = (await clerk.send("PUT", path, json=wanted)).body
    assert (case["title"], case["questions"]) == ("老年肺炎", [QUESTION])
    assert (await clerk.send("PUT", path, json=wanted)).status == 409, "somebody else would be overwritten"
    case = (await clerk.post(f"{path}/publication", {"revision": case["revision"]})).body
    assert (case["state"], case["taken"]) == ("published", [])
    found = (await clerk.get("/teaching/search", words="肺部感染 肺炎", tag="typical", icd10="J18")).body["items"]
    assert [one["title"] for one in found] == ["老年肺炎"]
    assert (await clerk.get("/teaching/search", tag="rare")).body["items"] == []
    reason = {"revision": case["revision"], "reason": "有人认出来了"}
    case = (await clerk.post(f"{path}/withdrawal", reason)).body
    assert (case["state_name"], case["decision_reason"]) == ("已撤回", "有人认出来了")
    case = (await clerk.post(f"{path}/draft", {"revision": case["revision"]})).body
    case = (await clerk.post(f"{path}/rejection", {"revision": case["revision"], "reason": "不合适"})).body
    assert (case["state"], [one["text"] for one in case["sections"] if one["text"]]) == ("rejected", [])


async def test_points_are_a_table_in_which_nothing_runs(console: Console, clerk: Clerk) -> None:
    library, house = Library(console.house), console.house
    case_id = await library.shelved(await library.patient(), "老年肺炎", "咳嗽、发热")
    doctor = await cases.staff(house, "村医乙")
    await library.ask(case_id)
    question = await library.service.next_question(doctor, case_id)
    assert question is not None
    await library.service.answer(doctor, question, 0)
    found = (await clerk.get("/teaching/points")).body
    assert found["items"] == [
        {
            "name": "村医乙",
            "institution_name": "白水乡卫生院",
            "department_name": "全科医疗科",
            "answered": 1,
            "right": 1,
            "points": 2,
        }
    ]
    assert (await clerk.get("/teaching/points", year=found["year"] - 1)).body["items"] == []
    exported = await clerk.get("/teaching/points/export", year=found["year"])
    rows = list(csv.reader(io.StringIO(exported.body.lstrip("\ufeff"))))
    assert rows[0] == ["年份", "姓名", "机构", "科室", "答题", "答对", "学分"]
    assert rows[1][1] == "村医乙"
    assert rows[1][-3:] == ["1", "1", "2"]


async def test_nobody_else_gets_into_the_library(console: Console) -> None:
    library = Library(console.house)
    held = await library.drafted(await library.patient())
    manager = await console.as_("青山院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院")
    auditor = await console.as_("审计甲", Role.AUDITOR)
    decision = {"revision": held.revision, "reason": "试试"}
    for clerk in (manager, auditor):
        for case_id in (held.id, new_id()):
            path = f"/teaching/cases/{case_id}"
            assert (await clerk.get(path)).status == 404
            for step in ("publication", "draft"):
                assert (await clerk.post(f"{path}/{step}", {"revision": held.revision})).status == 404
            for step in ("rejection", "withdrawal"):
                assert (await clerk.post(f"{path}/{step}", decision)).status == 404
        number = {"number": held.number}
        assert (await clerk.post("/teaching/cases", number)).status == 403
    assert (await library.review_of(await _consultation(library, held.number))).state == held.state


async def _consultation(library: Library, number: str) -> str:
    reference = await library.house.services.consultations.reference_by_number(number)
    assert reference is not None
    return reference.id
