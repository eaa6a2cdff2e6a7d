"""A patient is reminded of medicines in chat and answers in two words or by a tap."""

from datetime import datetime, time, timedelta

import pytest
import pytest_asyncio

from backend.clock import LOCAL_ZONE, local
from backend.dispensing.reminders_rules import PlanLine
from backend.security.policy import SYSTEM
from bot.flows.medicine_hours import time_in
from tests.support.house import House
from tests.support.stories import Phone, Story


@pytest_asyncio.fixture
async def story(house: House) -> Story:
    """Half past seven in the morning."""
    story = await Story.begin(house)
    there = local(house.clock.now())
    await story.move_to(datetime(there.year, there.month, there.day, 7, 30, tzinfo=LOCAL_ZONE) + timedelta(days=1))
    return story


@pytest_asyncio.fixture
async def patient(story: Story) -> Phone:
    """A patient with two medicines, one of them in the evening too."""
    phone = await story.patient()
    lines = [PlanLine("氨氯地平片", (time(8),), 3, "饭后吃1片"), PlanLine("二甲双胍片", (time(8), time(18)), 3)]
    day = local(story.house.clock.now()).date()
    await story.house.services.reminders.plan(SYSTEM, phone.person_id, lines, day)
    return phone


async def at(story: Story, hour: int, minute: int = 0) -> None:
    there = local(story.house.clock.now()).replace(hour=hour, minute=minute, second=5, microsecond=0)
    await story.move_to(there)


async def test_one_message_names_everything_of_the_moment(story: Story, patient: Phone) -> None:
    await at(story, 8)
    assert await patient.hear() == "上午8:00，该吃药了：\n· 氨氯地平片，饭后吃1片\n· 二甲双胍片"
    assert "记下了" in await patient.tap("已吃")
    await at(story, 12)
    assert await patient.hear() == ""


async def test_answers_may_be_typed(story: Story, patient: Phone) -> None:
    await at(story, 8)
    await patient.hear()
    assert "8:30再提醒您" in await patient.say("晚点提醒")
    await at(story, 8, 31)
    assert "现在该吃药了" in await patient.hear()
    assert "记下了" in await patient.say("吃过了")
    assert "提醒了1次，您说吃了1次" in await patient.say("吃药提醒")


async def test_without_a_reminder_the_same_words_are_no_answer(story: Story, patient: Phone) -> None:
    assert "记下了" not in await patient.say("已吃")


async def test_stopping_asks_first_and_never_says_to_stop_the_medicine(story: Story, patient: Phone) -> None:
    await at(story, 8)
    await patient.hear()
    asked = await patient.tap("停")
    assert "药要不要停，请先问医生" in asked
    assert "氨氯地平片、二甲双胍片" in asked
    assert "不再提醒了" in await patient.tap("不再提醒")
    await at(story, 18, 5)
    assert await patient.hear() == ""
    assert "没有吃药提醒" in await patient.say("吃药提醒")


async def test_whoever_speaks_for_a_patient_is_reminded_by_name(story: Story) -> None:
    daughter = await story.patient("张小芳")
    house = story.house
    mother = await house.services.people.add_relative(
        await house.actor(daughter.person_id), relation="mother", name="王秀英"
    )
    day = local(house.clock.now()).date()
    await house.services.reminders.plan(SYSTEM, mother, [PlanLine("氨氯地平片", (time(8),), 3)], day)
    await at(story, 8)
    assert "（王秀英的事）\n上午8:00，该吃药了" in await daughter.hear()
    assert "记下了" in await daughter.say("吃了")


async def test_nobody_answers_for_somebody_else(story: Story, patient: Phone) -> None:
    await at(story, 8)
    await patient.hear()
    stranger = await story.patient("路人")
    choice = next(choice for choice in patient.menus[-1].choices if choice.text == "已吃")
    assert "记下了" not in await stranger.tap_choice(choice)


@pytest.mark.parametrize(
    ("words", "near", "meant"),
    [
        ("7点半", time(8), time(7, 30)),
        ("7点半", time(18), time(19, 30)),
        ("早上七点", time(18), time(7)),
        ("晚上6:30", time(8), time(18, 30)),
        ("12点", time(12), time(12)),
        ("十二点一刻", time(8), time(12, 15)),
        ("十一点五十分", time(12), time(11, 50)),
        ("17:05", time(18), time(17, 5)),
        ("25点", time(8), None),
        ("七点七十分", time(8), None),
        ("饭后", time(8), None),
    ],
)
def test_a_time_of_day_is_read_as_it_is_said(words: str, near: time, meant: time | None) -> None:
    assert time_in(words, near) == meant
