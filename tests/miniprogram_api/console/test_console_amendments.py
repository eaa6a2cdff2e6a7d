"""What waits to be put right: administrators see who has to answer and since when, and not what is written."""

from datetime import timedelta

from backend.rights import Part
from backend.security.policy import Role
from tests.miniprogram_api.console.conftest import Console
from tests.support import cases


async def test_administrators_see_who_owes_an_answer_each_at_their_own_place(console: Console) -> None:
    house, clerks = console.house, {}
    for name, role, place in (
        ("陈管", Role.ADMINISTRATOR, None),
        ("镇院管", Role.INSTITUTION_ADMINISTRATOR, "青山镇卫生院"),
        ("省院管", Role.INSTITUTION_ADMINISTRATOR, "省人民医院"),
        ("审计甲", Role.AUDITOR, None),
    ):
        clerks[name] = await (console.as_(name, role, place) if place else console.as_(name, role))
    people, person_id = house.services.people, await house.services.people.register()
    await people.update_person(await house.actor(person_id), person_id, name="王小明")
    await people.give_consent(await house.actor(person_id), people.consent_document().version)
    case_id = await cases.open_case(house, person_id)
    await cases.assign(house, case_id)
    await cases.begin(house, case_id)
    await cases.complete(house, case_id)
    patient = await house.actor(person_id)
    await house.services.amendments.ask(patient, case_id, Part.HISTORY, "我没有抽过烟")
    await house.services.amendments.ask(patient, case_id, Part.OPINION, "诊断不对")
    house.clock.advance(timedelta(days=3, hours=1))
    await house.settle()
    house.clock.advance(timedelta(days=4, hours=1))
    await house.settle()
    console.forget_limits()
    for name, clerk in clerks.items():
        assert (await clerk.sign_in(name)).status == 201

    listed = (await clerks["陈管"].get("/amendments")).body
    assert [(one["part_name"], one["answers"], one["institution_name"]) for one in listed["items"]] == [
        ("病情经过", "村医甲", "青山镇卫生院"),
        ("专家的诊断和治法", "钟专家", "省人民医院"),
    ]
    assert all(one["overdue"] and one["consultation_id"] == case_id for one in listed["items"])
    assert not any(word in str(listed) for word in ("王小明", "抽过烟", "诊断不对"))
    [own] = (await clerks["镇院管"].get("/amendments")).body["items"]
    assert (own["answers"], own["patient_name"], own["consultation_id"]) == ("村医甲", "王**", case_id)
    [own] = (await clerks["省院管"].get("/amendments")).body["items"]
    assert (own["answers"], own["consultation_id"]) == ("钟专家", case_id), "their expert has it"
    assert (await clerks["审计甲"].get("/amendments")).status == 403
