"""Somebody who writes for a child or a parent: the case is the relative's, and the talk is the writer's."""

from dataclasses import replace

from backend.consultation.views import ConsultationView
from backend.security.policy import Action
from bot.cards.room import room_card
from bot.messages import Link, Menu, Text, about
from tests.bot.flows.test_intake import intake_of, waiting
from tests.support.conversation import Conversation


async def _told_of(chat: Conversation, words: str, name: str, age: str = "") -> None:
    """Tell of an illness of a child until the case is with the doctor."""
    await chat.click("patient.start")
    await chat.say(words)
    for _ in range(20):
        if chat.state.flow != "intake":
            break
        if waiting(chat) == "patient.who":
            await chat.tap("我的孩子")
        elif waiting(chat) == "patient.name":
            await chat.say(name)
        elif waiting(chat) == "age_sex" and age:
            await chat.say(age)
        else:
            await chat.say("不知道")
    assert chat.state.flow == "review", chat.text
    await chat.tap("对，没问题")
    await chat.tap("青山镇卫生院")


async def _cases(chat: Conversation) -> list[ConsultationView]:
    consultations, actor = chat.house.services.consultations, await chat.house.actor(chat.person_id)
    return [await consultations.get(actor, one.id) for one in await consultations.list_for(actor)]


async def test_a_childs_case_is_the_childs_and_its_mother_follows_it(consenting: Conversation) -> None:
    await _told_of(consenting, "孩子咳嗽三天了，有点流鼻涕", "王小明", "6岁男孩")
    [case] = await _cases(consenting)
    assert case.patient_id != consenting.person_id
    assert (case.speaker_id, case.patient_name) == (consenting.person_id, "王小明")
    child = await consenting.house.services.people.person(
        await consenting.house.actor(consenting.person_id), case.patient_id
    )
    assert (child.name, child.sex, child.age_years) == ("王小明", "male", 6)
    await consenting.click("patient.mine")
    assert consenting.choices[0].startswith("王小明")


async def test_the_next_time_the_child_is_known(consenting: Conversation) -> None:
    await _told_of(consenting, "孩子咳嗽三天了", "王小明", "6岁男孩")
    await consenting.click("patient.start")
    await consenting.say("孩子拉肚子两天了")
    assert waiting(consenting) == "patient.name"
    assert consenting.choices == ["王小明", "先不说"]
    await consenting.tap("王小明")
    facts = intake_of(consenting).facts
    assert (facts.age_months, facts.sex) == (72, "male")
    assert waiting(consenting) != "age_sex"


async def test_two_cases_of_one_child_are_one_patients_and_those_of_two_are_not(consenting: Conversation) -> None:
    await _told_of(consenting, "孩子咳嗽三天了", "王小明", "6岁男孩")
    await _told_of(consenting, "孩子拉肚子两天了", "王小明")
    await _told_of(consenting, "孩子发烧38度", "王小红", "2岁女孩")
    patients = {case.patient_name: case.patient_id for case in await _cases(consenting)}
    assert len(await _cases(consenting)) == 3
    assert len(patients) == 2


async def test_the_mother_comes_to_the_childs_meeting(consenting: Conversation) -> None:
    await _told_of(consenting, "孩子咳嗽三天了", "王小明", "6岁男孩")
    [case] = await _cases(consenting)
    house = consenting.house
    meeting = await house.services.consultations.meeting(
        await house.actor(consenting.person_id), case.id, Action.VIDEO_ENTER
    )
    assert meeting.people[0].person_id == consenting.person_id
    assert meeting.people[0].name == "王小明（家属）"
    card = room_card(case, consenting.person_id, "会诊开始了", "https://example.invalid/")
    assert card.description.startswith("王小明跟")


def test_words_about_a_relative_say_whom_they_are_about() -> None:
    link = Link("报告", "点这里看。", "https://example.invalid/")
    assert about("王小明", Text("图像到了。")) == Text("（王小明的事）\n图像到了。")
    assert about("王小明", Menu("约好了。", ())) == Menu("（王小明的事）\n约好了。", ())
    assert about("王小明", link) == replace(link, description="（王小明的事）\n点这里看。")
    assert about("", link) == link
