"""紧急查看: an hour of reading for a reason, which the patient and the administrators hear at once."""

from datetime import date, timedelta

import pytest
import pytest_asyncio

from backend.errors import Forbidden
from backend.people.emergency import LASTS
from backend.security.policy import SYSTEM
from tests.bot.flows.staff.conftest import County
from tests.support.stories import Phone

NUMBER = "999901195903120026"


@pytest_asyncio.fixture
async def known(county: County) -> County:
    """The patient's identity number is known, and that they are allergic."""
    services = county.story.house.services
    patient_id, born = county.patient.person_id, date(1959, 3, 12)
    await services.people.update_person(SYSTEM, patient_id, name="王秀英", sex="female", birth_date=born)
    await services.people.update_person(SYSTEM, patient_id, id_number=NUMBER)
    await services.records.add_allergy(SYSTEM, patient_id, "青霉素", reaction="休克")
    return county


async def look(phone: Phone, number: str = NUMBER) -> str:
    await phone.say("紧急查看")
    await phone.say(number)
    return await phone.tap("正在抢救，要知道过敏")


async def background(county: County, phone: Phone) -> object:
    house = county.story.house
    return await house.services.records.background(await house.actor(phone.person_id), county.patient.person_id)


async def test_a_doctor_who_has_nothing_to_do_with_the_patient_reads_what_saves_them(known: County) -> None:
    with pytest.raises(Forbidden):
        await background(known, known.rival)
    told = await look(known.rival)
    assert "青霉素" in told
    assert "正在吃的药：没有记录（不等于没有）" in told
    await background(known, known.rival)
    with pytest.raises(Forbidden):
        await background(known, known.doctor)


async def test_it_ends_by_itself(known: County) -> None:
    await look(known.rival)
    known.story.house.clock.advance(LASTS + timedelta(seconds=1))
    with pytest.raises(Forbidden):
        await background(known, known.rival)


async def test_it_lets_nothing_be_changed(known: County) -> None:
    await look(known.rival)
    house = known.story.house
    rival = await house.actor(known.rival.person_id)
    with pytest.raises(Forbidden):
        await house.services.records.add_allergy(rival, known.patient.person_id, "头孢")


async def test_patient_and_administrators_hear_who_it_was(known: County) -> None:
    await look(known.rival)
    house = known.story.house
    await house.settle()
    for phone in (known.patient, known.administrator):
        told = str(house.outbox.by_person[phone.person_id])
        assert "省人民医院的赵敏医生" in told
        assert "青霉素" not in told
    looked = await known.patient.say("谁看过我的病历")
    assert "赵敏，会诊专家（省人民医院）" in looked
    assert "因为抢救，紧急查看了您的资料" in looked


async def test_the_reason_is_in_the_log_and_so_is_a_search_for_nobody(known: County) -> None:
    await look(known.rival)
    told = await look(known.rival, "11010519491231002X")
    assert "没有这个身份证号" in told
    entries = await known.story.house.audit.entries(SYSTEM, limit=200)
    broken = [one for one in entries if one.action == "people.break_glass"]
    assert [(one.patient_id, one.reason) for one in broken] == [
        (None, "正在抢救，要知道过敏"),
        (known.patient.person_id, "正在抢救，要知道过敏"),
    ]


async def test_without_a_reason_or_a_number_nothing_opens(known: County) -> None:
    await known.rival.say("紧急查看")
    assert "不像身份证号" in await known.rival.say("王秀英")
    await known.rival.say(NUMBER)
    assert "写清楚" in await known.rival.say("急")
    assert "没有查看" in await known.rival.tap("不看了")
    with pytest.raises(Forbidden):
        await background(known, known.rival)


async def test_neither_patients_nor_administrators_can(known: County) -> None:
    people = known.story.house.services.people
    for phone in (known.patient, known.administrator):
        assert "身份证号" not in await phone.say("紧急查看")
        with pytest.raises(Forbidden):
            await people.break_glass(await people.actor(phone.person_id), NUMBER, "正在抢救病人")
