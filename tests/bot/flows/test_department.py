"""Which of two departments: the patient is asked where it is open, and only then."""

import pytest

from tests.bot.flows.test_intake import EXAMPLE, to_the_review
from tests.support.conversation import Conversation

OPEN = "我40岁，手麻三天了"
URGENT = "我40岁，手麻三天，血压190/125"


async def _department_of_the_case(chat: Conversation) -> str | None:
    services = chat.house.services
    actor = await chat.house.actor(chat.person_id)
    [summary] = await services.consultations.list_for(actor)
    case = await services.consultations.get(actor, summary.id)
    return case.department_code


async def _to_the_choice(chat: Conversation, complaint: str) -> str:
    await chat.say(complaint)
    await to_the_review(chat)
    await chat.tap("对，没问题")
    return await chat.tap("白水乡卫生院")


async def test_two_departments_are_offered_in_plain_words_where_it_is_open(consenting: Conversation) -> None:
    said = await _to_the_choice(consenting, OPEN)
    assert "更像下面哪一种" in said
    assert consenting.choices == ["骨科", "神经内科", "说不准"]
    assert "手脚麻木" in said


async def test_the_department_that_was_tapped_gets_the_case(consenting: Conversation) -> None:
    await _to_the_choice(consenting, OPEN)
    assert "已经交给白水乡卫生院" in await consenting.tap("神经内科")
    assert await _department_of_the_case(consenting) == "neurology"
    assert consenting.state.data == {}


@pytest.mark.parametrize(("answer", "code"), [("看神经科吧", "neurology"), ("不知道", "orthopedics")])
async def test_the_answer_may_be_typed(consenting: Conversation, answer: str, code: str) -> None:
    await _to_the_choice(consenting, OPEN)
    assert "已经交给白水乡卫生院" in await consenting.say(answer)
    assert await _department_of_the_case(consenting) == code


async def test_who_cannot_say_goes_to_the_likeliest(consenting: Conversation) -> None:
    await _to_the_choice(consenting, OPEN)
    await consenting.tap("说不准")
    assert await _department_of_the_case(consenting) == "orthopedics"


async def test_another_institution_can_still_be_named(consenting: Conversation) -> None:
    await _to_the_choice(consenting, OPEN)
    assert "更像下面哪一种" in await consenting.say("青山镇卫生院")
    assert "已经交给青山镇卫生院" in await consenting.tap("骨科")


async def test_going_back_from_the_choice_shows_the_record(consenting: Conversation) -> None:
    await _to_the_choice(consenting, OPEN)
    assert "我记得对不对" in await consenting.say("返回")


@pytest.mark.parametrize("complaint", [URGENT, EXAMPLE])
async def test_nobody_is_asked_who_is_urgent_or_whose_department_is_plain(
    consenting: Conversation, complaint: str
) -> None:
    assert "已经交给白水乡卫生院" in await _to_the_choice(consenting, complaint)
