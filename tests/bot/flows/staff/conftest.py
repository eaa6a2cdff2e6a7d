"""A county with a doctor, two experts, an administrator and a patient, all on their phones."""

from dataclasses import dataclass

import pytest_asyncio

from backend.scheduling.rules import WeeklyHours
from backend.security.policy import Role
from tests.support.house import House
from tests.support.stories import Phone, Story


@dataclass
class County:
    """The people of the stories."""

    story: Story
    patient: Phone
    doctor: Phone
    expert: Phone
    rival: Phone
    administrator: Phone


@pytest_asyncio.fixture
async def county(house: House) -> County:
    """Everybody has joined; the patient has consented."""
    return await settle_in(house)


async def settle_in(house: House) -> County:
    """Let everybody join."""
    story = await Story.begin(house)
    doctor = await story.join("李强", Role.GRASSROOTS_DOCTOR, "黄坡镇卫生院", "general_practice", title="主治医师")
    expert = await story.join("王建国", Role.EXPERT, "省人民医院", "respiratory", icd10=["J00-J99"])
    rival = await story.join("赵敏", Role.EXPERT, "省人民医院", "respiratory", icd10=["J18"])
    week = [WeeklyHours(weekday, "08:00", "20:00", 30, on_holidays=True) for weekday in range(7)]
    for phone, name in ((expert, "王建国"), (rival, "赵敏")):
        actor = await house.actor(phone.person_id)
        await house.services.scheduling.set_week(actor, house.practitioners[name], week)
    administrator = await story.join("陈管", Role.ADMINISTRATOR, "省人民医院", "general_practice", title="")
    return County(story, await story.patient(), doctor, expert, rival, administrator)
