"""People and places at the console: the roster page by page, departments of institutions, a hospital's own cases."""

import io
import random
from dataclasses import dataclass
from typing import Any

import pytest

from backend.consultation.rules import Urgency
from backend.ids import new_id
from backend.security.policy import SYSTEM, Role
from data.departments import departments as catalogue
from tests.miniprogram_api.console.conftest import Clerk, Console
from tests.support import cases
from tests.support.house import House

TOWNSHIP, OTHER, HOSPITAL = "青山镇卫生院", "白水乡卫生院", "省人民医院"


@dataclass
class Offices:
    """A console with the offices of a township centre, of another one, and of the hospital."""

    house: House
    administrator: Clerk
    township: Clerk
    other: Clerk
    hospital: Clerk


@pytest.fixture
async def offices(console: Console) -> Offices:
    """Everybody at work."""
    administrator = await console.as_("陈管", Role.ADMINISTRATOR)
    found = [
        await console.as_(f"{name}院办", Role.INSTITUTION_ADMINISTRATOR, name) for name in (TOWNSHIP, OTHER, HOSPITAL)
    ]
    return Offices(console.house, administrator, *found)


async def hire(house: House, name: str, place: str, department: str = "general_practice") -> None:
    await house.services.people.put_practitioner(
        SYSTEM,
        new_id(),
        role=Role.GRASSROOTS_DOCTOR,
        name=name,
        licence_number=f"1{random.Random(name).randrange(10**14):014}",
        institution_id=house.institutions[place],
        department_code=department,
        title="主治医师",
        practising_since=2010,
    )


async def roster(clerk: Clerk, **query: Any) -> list[str]:
    """Read the roster to its end; give the names."""
    names, cursor = [], ""
    while True:
        answer = (await clerk.get("/practitioners", cursor=cursor, **query)).body
        names += [one["name"] for one in answer["items"]]
        cursor = answer["next_cursor"]
        if not cursor:
            return names


async def test_the_roster_is_in_the_order_of_institutions_and_names_and_moves_nobody_while_it_is_read(
    offices: Offices,
) -> None:
    house = offices.house
    for name in ("周一", "安二", "马三", "李四", "白五"):
        await hire(house, name, OTHER)
    everybody = ["村医甲", "安二", "白五", "村医乙", "李四", "马三", "周一", "村医丙", "钟专家"]
    for limit in (1, 2, 4, 100):
        assert await roster(offices.administrator, limit=limit) == everybody, limit
    assert await roster(offices.other, limit=2) == everybody[1:7]
    assert await roster(offices.administrator, limit=3, name="医") == ["村医甲", "村医乙", "村医丙"]
    assert await roster(offices.administrator, role="expert") == ["钟专家"]
    assert await roster(offices.administrator, joined="false", limit=2) == ["安二", "白五", "李四", "马三", "周一"]
    first = (await offices.administrator.get("/practitioners", limit=3)).body
    assert [one["name"] for one in first["items"]] == everybody[:3]
    await hire(house, "阿零", OTHER)  # before those who were shown
    await hire(house, "曹六", OTHER)
    rest = (await offices.administrator.get("/practitioners", limit=3, cursor=first["next_cursor"])).body
    assert [one["name"] for one in rest["items"]] == ["曹六", "村医乙", "李四"]
    for cursor in ("1' OR 1=1", new_id()):
        assert (await offices.administrator.get("/practitioners", cursor=cursor)).code == "invalid_input"
    assert (await offices.hospital.get("/practitioners", cursor=first["next_cursor"])).code == "invalid_input"


async def departments(clerk: Clerk, name: str) -> list[str]:
    found = (await clerk.get("/reference")).body["institutions"]
    held: list[str] = next(one["departments"] for one in found if one["name"] == name)
    return held


async def handed(clerk: Clerk, what: str, rows: list[list[str]], *, write: bool = False) -> Any:
    """Hand a table in."""
    content = "\r\n".join(",".join(row) for row in rows).encode()
    headers = {"Content-Type": "application/octet-stream"}
    path = f"/{what}/import?write={str(write).lower()}"
    return (await clerk.send("POST", path, data=io.BytesIO(content), headers=headers)).body


def faults(answer: Any) -> list[list[str]]:
    return [[fault["column"] for fault in row["faults"]] for row in answer["rows"]]


async def test_departments_are_looked_at_first_and_added_whole_or_not_at_all(offices: Offices) -> None:
    head = ["机构编码", "科室"]
    good = [["T0", "全科医疗科"], ["T0", "中医科"], ["T1", "儿科"]]
    wrong = [["T9", "全科医疗科"], ["T0", "炼丹科"], ["T0", "中医科"]]
    looked = await handed(offices.administrator, "departments", [head, *good, *wrong], write=True)
    assert (looked["faulty"], looked["written"]) == (3, False)
    assert faults(looked) == [[], [], [], ["机构编码"], ["科室"], ["科室"]]
    assert await departments(offices.administrator, TOWNSHIP) == []
    assert faults(await handed(offices.township, "departments", [head, *good])) == [[], [], ["机构编码"]]
    assert (await handed(offices.administrator, "departments", [head, *good], write=True))["written"] is True
    assert await departments(offices.administrator, TOWNSHIP) == ["traditional_chinese_medicine", "general_practice"]
    again = await handed(offices.administrator, "departments", [head, *good[:1]], write=True)
    assert again["rows"][0]["is_new"] is False
    assert len(await departments(offices.township, TOWNSHIP)) == 2  # what is not in a table stays
    assert (await handed(offices.administrator, "departments", [["机构"], ["T0"]]))["code"] == "invalid_input"


async def test_who_is_imported_into_a_department_that_the_institution_lacks_is_refused_with_a_clear_sentence(
    offices: Offices,
) -> None:
    head = ["姓名", "角色", "机构编码", "科室", "职称", "执业证书编号", "开始执业年份"]
    place = offices.house.institutions[HOSPITAL]
    row = [
        "李新",
        "专家",
        (await offices.house.services.people.institution(place)).code,
        "心血管内科",
        "主任医师",
        "110360100000077",
        "2001",
    ]
    code = next(one.code for one in catalogue().values() if one.name == "心血管内科")
    assert faults(await handed(offices.hospital, "practitioners", [head, row])) == [[]]  # nobody has told of any yet
    path = f"/institutions/{place}/departments"
    refused = await offices.hospital.send("PUT", path, json={"departments": [code]})
    assert (refused.code, "呼吸内科（1人）" in refused.body["message"]) == ("invalid_input", True)
    assert (await offices.hospital.send("PUT", path, json={"departments": ["alchemy"]})).code == "invalid_input"
    assert (await offices.hospital.send("PUT", path, json={"departments": ["respiratory"]})).status == 200
    seen = await handed(offices.hospital, "practitioners", [head, row], write=True)
    assert seen["written"] is False
    assert seen["rows"][0]["faults"] == [
        {"column": "科室", "sentence": "这家机构的科室表里没有心血管内科，请先在“人员机构”里给它加上这个科室"}
    ]
    assert (await offices.hospital.send("PUT", path, json={"departments": ["respiratory", code]})).status == 200
    assert (await handed(offices.hospital, "practitioners", [head, row], write=True))["written"] is True
    assert "李新" in await roster(offices.hospital)
    for clerk in (offices.township, offices.other):
        assert (await clerk.send("PUT", path, json={"departments": []})).code == "not_found"
    assert (await offices.hospital.send("PUT", path, json={"departments": []})).status == 200
    changed = [
        one for one in await offices.house.audit.entries(SYSTEM, limit=50) if one.subject == f"institution:{place}"
    ]
    assert sum(one.action == "people.manage_directory" for one in changed) >= 3


async def test_a_hospital_sees_the_cases_that_its_experts_answer_and_changes_none(offices: Offices) -> None:
    house = offices.house
    people = house.services.people
    patient_id = await people.register()
    patient = await house.actor(patient_id)
    await people.update_person(patient, patient_id, name="王小明")
    await people.give_consent(patient, people.consent_document().version)
    case_id = await cases.open_case(house, patient_id, Urgency.ROUTINE)
    await house.services.consultations.submit(await cases.staff(house, "村医甲"), case_id)
    await house.settle()
    path = f"/consultations/{case_id}"
    assert (await offices.hospital.get("/consultations")).body["items"] == []  # its expert is only asked
    assert (await offices.hospital.get(path)).code == "not_found"
    expert = await cases.staff(house, "钟专家")
    [offer] = await house.services.consultations.offers_for(expert)
    await house.services.consultations.accept_offer(expert, offer.id)
    await house.settle()
    [listed] = (await offices.hospital.get("/consultations")).body["items"]
    assert (listed["id"], listed["patient_name"], listed["institution_name"]) == (case_id, "王**", TOWNSHIP)
    opened = (await offices.hospital.get(path)).body
    assert (opened["expert_name"], opened["may_assign"], opened["may_cancel"]) == ("钟专家", False, False)
    assert "record" not in opened
    assert "咳嗽" not in str(opened)
    read = await house.audit.entries(SYSTEM, patient_id=patient_id, limit=1)
    assert [(one.action, one.actor_roles) for one in read] == [("consultation.view", "institution_admin")]
    body = {"expert_id": house.practitioners["钟专家"], "reason": "试试"}
    for method, below, sent in (
        ("POST", "/expert", body),
        ("POST", "/cancellation", {"reason": "试试"}),
        ("GET", "/experts", None),
        ("GET", "/times", None),
    ):
        assert (await offices.hospital.send(method, path + below, json=sent)).code == "not_found", below
    assert (await offices.other.get(path)).code == "not_found"
    mine = (await offices.township.get(path)).body
    assert (mine["may_assign"], mine["may_cancel"]) == (True, True)
    await house.services.consultations.give_back(expert, case_id, "要做手术")
    await house.settle()
    assert (await offices.hospital.get("/consultations")).body["items"] == []
    assert (await offices.hospital.get(path)).code == "not_found"
