"""Copies for teaching in chat: the patient is asked in plain words, and who asked hears the answer."""

from typing import Any

import pytest
import pytest_asyncio

from backend.imaging import Purpose, StowAddress
from backend.people import ConsentKind
from backend.security.policy import SYSTEM
from bot.messages import Link, Menu
from bot.templates import fill
from tests.bot.notifications.test_imaging import Township, case_of, township
from tests.support.stories import Phone

__all__ = ["township"]

WHY = "典型的肺结节，下周教学讨论用"


@pytest_asyncio.fixture
async def case(township: Township) -> Any:
    made = await case_of(township.county)
    await township.sends(1, 2, name="张^小明", accession=made.number)
    for phone in township.people:
        await phone.hear()
    return made


async def ask(township: Township, case: Any, phone: Phone) -> None:
    """Let somebody ask for copies on the page."""
    house = township.county.story.house
    imaging, actor = house.services.imaging, await house.actor(phone.person_id)
    hospital = (await house.services.people.practitioner(case.expert_id or "")).institution_id
    place = await imaging.register_destination(
        SYSTEM, hospital, "医学院教学库", StowAddress("http://127.0.0.1:1/dicom-web"), purpose=Purpose.TEACHING
    )
    [study] = await imaging.studies_of(actor, case.id)
    await imaging.send_for_teaching(actor, study.id, place.id, WHY)


@pytest.mark.parametrize(("answer", "title"), [("可以", "患者同意图像用于教学"), ("不可以", "患者不同意图像用于教学")])
async def test_the_patient_is_asked_and_who_asked_hears_the_answer(
    township: Township, case: Any, answer: str, title: str
) -> None:
    county = township.county
    case = await county.story.house.services.consultations.get(SYSTEM, case.id)
    await ask(township, case, county.expert)
    [question] = await county.patient.heard()
    assert isinstance(question, Menu)
    assert f"{case.expert_name}专家想把您的检查图像" in question.head
    assert "医学院教学库" in question.head
    assert "姓名、电话、日期都会先去掉" in question.head
    assert WHY not in question.head
    assert [choice.text for choice in question.choices] == ["可以", "不可以", "看说明"]
    assert question.notice is not None
    fill(question.notice, county.story.house.clock.now())
    assert await county.expert.heard() == []
    await county.patient.tap(answer)
    agrees = await county.story.house.services.people.has_consent(county.patient.person_id, ConsentKind.TEACHING)
    assert agrees is (answer == "可以")
    [card] = await county.expert.heard()
    assert isinstance(card, Link)
    assert card.title == title
    assert card.url == f"http://house.test/h5/viewer/{case.id}"
    assert await county.doctor.heard() == []
