"""The history of a patient in chat: a button on the case, a few lines, and the card of the page."""

from collections.abc import AsyncIterator
from datetime import date

import pytest_asyncio

from backend.consultation.views import ConsultationView
from backend.records.hospital.registry import HospitalSettings
from backend.security.policy import SYSTEM
from bot.messages import Link, Menu
from sandbox.hospital.access import LOCAL_TOKEN
from tests.bot.flows.staff.conftest import County
from tests.support.hospital import RunningHospital, running_hospital

NUMBER = "999901195903120026"


@pytest_asyncio.fixture
async def hospital(county: County) -> AsyncIterator[RunningHospital]:
    """A hospital that is asked."""
    house = county.story.house
    async with running_hospital(house.clock) as running:
        place = house.institutions["省人民医院"]
        await house.hospitals.register(SYSTEM, place, "省人民医院", HospitalSettings(running.url, LOCAL_TOKEN))
        yield running
        await house.hospitals.close()


async def case_of_wang(county: County) -> ConsultationView:
    """A case of somebody whom the hospital knows, once the doctor has written down who she is."""
    house, case = county.story.house, await county.story.open_case(county.patient)
    people, patient_id = house.services.people, case.patient_id
    born = date(1959, 3, 12)
    await people.update_person(SYSTEM, patient_id, name="王秀英", sex="female", birth_date=born)
    await people.update_person(SYSTEM, patient_id, id_number=NUMBER)
    return case


async def test_the_doctor_taps_the_task_and_reads_what_matters(county: County, hospital: RunningHospital) -> None:
    case = await case_of_wang(county)
    house = county.story.house
    doctor = county.doctor
    await doctor.click(f"doctor.case:{case.id}")
    first = await doctor.tap("病历摘要")
    assert "过敏：" in first
    assert "⚠ 省人民医院：正在查。" in first
    await house.services.history.fetch_due()
    await doctor.click(f"doctor.case:{case.id}")
    told = await doctor.tap("病历摘要")
    assert "过敏：⚠青霉素（过敏性休克）" in told
    assert "现在的病：2型糖尿病；原发性高血压" in told
    assert "盐酸二甲双胍片（0.5克，每天2次，饭后吃）" in told
    assert "血压 156/94mmHg 偏高↗" in told
    assert "3.4mmol/L 偏低↘" in told
    assert "体温 38.5℃ 偏高" in told, "what was said in chat stands beside what the hospital told"
    assert "省人民医院：" not in told
    [card] = [reply for reply in doctor.replies if isinstance(reply, Link)]
    assert card.url == f"http://house.test/h5/history/{case.id}"


async def test_a_task_card_has_the_button(county: County) -> None:
    house, case = county.story.house, await county.story.open_case(county.patient)
    await house.settle()
    cards = [one for sent in house.outbox.by_person.values() for one in sent if isinstance(one, Menu)]
    assert f"history.open:{case.id}" in {choice.id for card in cards for choice in card.choices}


async def test_an_expert_who_does_not_take_part_hears_that_it_is_not_theirs(county: County) -> None:
    case = await county.story.open_case(county.patient)
    assert "过敏" not in await county.rival.click(f"history.open:{case.id}")
