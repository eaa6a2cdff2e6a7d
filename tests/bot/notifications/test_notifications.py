"""Who hears of what, in which words, and what may stand on a locked screen."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backend.consultation.rules import TASK_LIMITS, Urgency
from backend.events import Event
from backend.security.policy import Role
from bot.menus import BY_ROLE, PATIENT
from bot.messages import Message, Notice
from bot.notifications.consumer import UNHEARD, handlers
from bot.notifications.notifier import Notifier
from bot.templates import fill
from bot.wording import moment
from tests.bot.flows.staff.conftest import County

BACKEND = Path(__file__).parents[3] / "backend"


def test_every_event_that_is_published_is_heard_or_is_unheard_for_a_reason() -> None:
    published: set[str] = set()
    for path in BACKEND.rglob("*.py"):
        published |= set(
            re.findall(r'publish\(\s*session,(?: case,)?\s*"([a-z_.]+)"', path.read_text(encoding="utf-8"))
        )
        published |= set(re.findall(r'"(room\.[a-z]+)"', path.read_text(encoding="utf-8")))
    assert {"room.joined", "consultation.drafted", "booking.changed", "help.requested"} <= published
    assert published - set(handlers()) - UNHEARD == set()
    assert not UNHEARD & set(handlers())


async def test_an_event_that_comes_twice_is_told_once(county: County) -> None:
    case = await county.story.open_case(county.patient)
    assert "新的问诊任务" in await county.doctor.hear()
    [payload] = county.story.house.heard("consultation.drafted")
    event = Event(1, "consultation.drafted", payload, county.story.house.clock.now())
    for _ in range(2):
        await handlers()[event.type](Notifier(county.story.house.services, event))
    assert (await county.doctor.hear()).count("新的问诊任务") <= 1
    assert case.id == payload["consultation_id"]


async def test_a_booking_is_told_to_doctor_and_expert_but_not_to_the_patient_who_made_it(county: County) -> None:
    case, starts_at = await _booked(county)
    when = moment(starts_at, county.story.house.clock.now())
    assert f"会诊约好了，{when}" in await county.doctor.hear()
    assert f"会诊约好了，{when}" in await county.expert.hear()
    assert await county.patient.hear() == ""
    consultations = county.story.house.services.consultations
    doctor = await county.story.house.actor(county.doctor.person_id)
    slots = await consultations.bookable_slots(doctor, case, 100)
    await consultations.reschedule(doctor, case, slots[-1].id)
    assert "会诊改了时间" in await county.patient.hear()
    assert await county.doctor.hear() == ""
    await consultations.cancel_booking(doctor, case, "专家有事")
    assert "再选一个方便的时间" in await county.patient.hear()
    assert "预约已取消" in await county.expert.hear()


async def test_what_there_is_to_tell_of_a_child_the_mother_hears_with_the_childs_name(county: County) -> None:
    people = county.story.house.services.people
    mother = await county.story.house.actor(county.patient.person_id)
    child_id = await people.add_relative(mother, relation="child", name="王小明", sex="male")
    case = await county.story.open_case(county.patient, patient_id=child_id)
    assert "王小明" in await county.doctor.hear()
    await county.patient.hear()
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    assert "（王小明的事）" in await county.patient.hear()
    county.story.house.outbox.by_person.clear()
    await county.story.start(case, county.expert)
    assert child_id not in county.story.house.outbox.by_person


@pytest.mark.parametrize(("minutes", "left"), [(1440, "1天"), (60, "1小时")])
async def test_reminders_say_the_time_as_people_do_and_bring_the_expert_the_digest(
    county: County, minutes: int, left: str
) -> None:
    _, starts_at = await _booked(county)
    for phone in (county.patient, county.doctor, county.expert):
        await phone.hear()
    await county.story.move_to(starts_at - timedelta(minutes=minutes))
    when = moment(starts_at, county.story.house.clock.now())
    reminded = await county.patient.hear()
    assert f"{when}和王建国医生会诊，还有{left}" in reminded
    assert f"还有{left}" in await county.doctor.hear()
    digest = await county.expert.hear()
    assert f"还有{left}" in digest
    assert "主诉" in digest
    assert "主诉" not in reminded


async def test_a_missed_appointment_asks_the_expert_and_then_offers_a_new_time_without_reproach(county: County) -> None:
    _, starts_at = await _booked(county)
    await county.story.move_to(starts_at + timedelta(minutes=31))
    assert "约定的时间已过" in await county.expert.hear()
    assert "确定登记" in await county.expert.tap("患者未到")
    await county.patient.hear()
    assert "已登记" in await county.expert.tap("确定未到")
    assert "没关系" in await county.patient.hear()
    assert "患者未按时到" in await county.doctor.hear()


async def test_a_task_that_nobody_opens_comes_again_and_reaches_the_administrator(county: County) -> None:
    await county.story.open_case(county.patient, urgency=Urgency.URGENT)
    await county.doctor.hear()
    await county.story.move_to(county.story.house.clock.now() + TASK_LIMITS[Urgency.URGENT] + timedelta(seconds=1))
    assert "任务超时" in await county.doctor.hear()
    assert "没有别的医生可转" in await county.administrator.hear()


async def test_an_unopened_task_goes_to_a_colleague(county: County) -> None:
    await county.story.open_case(county.patient)
    colleague = await county.story.join("周同事", Role.GRASSROOTS_DOCTOR, "黄坡镇卫生院", "general_practice")
    await county.doctor.hear()
    await county.story.move_to(county.story.house.clock.now() + TASK_LIMITS[Urgency.ROUTINE] + timedelta(seconds=1))
    assert "转来的问诊任务" in await colleague.hear()
    assert "已转给同事" in await county.doctor.hear()


async def test_a_critical_case_alarms_its_doctor(county: County) -> None:
    await county.story.open_case(county.patient, complaint="胸口剧痛，出冷汗", urgency=Urgency.CRITICAL)
    heard = await county.doctor.hear()
    assert "⚠ 危急病例" in heard
    assert "危险信号" in heard


async def test_who_is_in_danger_is_never_told_to_wait_for_an_expert(county: County) -> None:
    case = await county.story.open_case(county.patient, complaint="胸口剧痛，出冷汗", urgency=Urgency.CRITICAL)
    await county.patient.hear()
    await county.story.submit(case, county.doctor)
    assert "还没打120的，请现在就打" in await county.patient.hear()
    await county.story.accept(case, county.expert)
    heard = await county.patient.hear()
    assert "请到专家了" in heard
    assert "还没打120的，请现在就打" in heard


async def test_a_call_for_a_person_reaches_the_administrator_who_can_answer(county: County) -> None:
    await county.patient.click("help.human")
    assert "张小明请求人工帮助" in await county.administrator.hear()
    await county.administrator.tap("回复")
    assert "已发送" in await county.administrator.say("您好，请问怎么帮您？")
    assert "【人工客服】您好，请问怎么帮您？" in await county.patient.hear()


async def test_what_stands_on_a_locked_screen_is_never_clinical_and_names_nobody(county: County) -> None:
    case = await county.story.running(county.patient, county.doctor, county.expert, complaint="咳嗽三天")
    await county.patient.say("我还咳嗽")
    actor = await county.story.house.actor(county.expert.person_id)
    consultations = county.story.house.services.consultations
    await consultations.record_opinion(actor, case.id, diagnosis="肺炎", plan="休息")
    await consultations.complete(actor, case.id)
    await county.story.house.settle()
    notices = list(_notices(message for inbox in county.story.house.outbox.by_person.values() for message in inbox))
    assert len(notices) > 8
    for notice in notices:
        assert len(notice.fields["title"]) <= 20
        assert len(notice.fields["status"]) <= 5
        shown = " ".join(field["value"] for field in fill(notice, county.story.house.clock.now()).values())
        for secret in ("张小明", "小明", "咳嗽", "肺炎"):
            assert secret not in shown
    for notice in _notices(county.story.house.outbox.by_person[county.patient.person_id]):
        shown = " ".join(field["value"] for field in fill(notice, county.story.house.clock.now()).values())
        assert "呼吸" not in shown, "the department tells what a patient suffers from"


async def test_a_locked_screen_tells_how_urgent_it_is_where_from_and_where_to_tap(
    county: County,
) -> None:
    case = await county.story.open_case(county.patient, urgency=Urgency.URGENT)
    await county.story.submit(case, county.doctor)
    house = county.story.house
    [notice] = [one for one in _notices(house.outbox.by_person[county.expert.person_id]) if one.kind == "offer"]
    shown = [field["value"] for field in fill(notice, house.clock.now()).values()]
    assert shown[:4] == ["打开后点“会诊邀请”", "紧急", "呼吸内科", "黄坡镇卫生院"]
    [task] = [one for one in _notices(house.outbox.by_person[county.doctor.person_id]) if one.kind == "task"]
    told = [field["value"] for field in fill(task, house.clock.now()).values()]
    assert told[:3] == ["新的问诊任务", "打开后点“我的任务”", "紧急"]


def test_every_button_that_a_notice_names_stands_in_a_menu() -> None:
    buttons = [button for menu in (PATIENT, *BY_ROLE.values()) for button in menu]
    names = {leaf.name for button in buttons for leaf in (button.below or (button,))}
    sources = [path.read_text(encoding="utf-8") for path in (BACKEND.parent / "bot").rglob("*.py")]
    named = {name for source in sources for name in re.findall(r'button="([^"]+)"', source)}
    assert named | {"会诊邀请", "我的任务", "我的会诊"} <= names


def _notices(messages: Iterable[Message]) -> Iterable[Notice]:
    return (message.notice for message in messages if message.notice is not None)


async def _booked(county: County) -> tuple[str, datetime]:
    case = await county.story.open_case(county.patient)
    await county.story.submit(case, county.doctor)
    await county.story.accept(case, county.expert)
    for phone in (county.patient, county.doctor, county.expert):
        await phone.hear()
    return case.id, await county.story.book(case, county.patient)


async def test_a_person_who_calls_again_and_again_is_announced_once_in_ten_minutes(county: County) -> None:
    clock = county.story.house.clock
    clock.advance(timedelta(seconds=600 - clock.now().timestamp() % 600))
    for _ in range(3):
        assert "已经告诉值班的人" in await county.patient.say("转人工")
    assert (await county.administrator.hear()).count("请求人工帮助") == 1
    clock.advance(timedelta(minutes=10))
    await county.patient.say("转人工")
    assert (await county.administrator.hear()).count("请求人工帮助") == 1


async def test_what_the_patient_adds_reaches_the_doctor_with_its_words(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.doctor.hear()
    await county.patient.say("今天又吐了两次")
    await county.patient.tap("这次的情况有变化")
    assert "今天又吐了两次" in await county.doctor.hear()
    assert "今天又吐了两次" in await county.doctor.tap("打开")
    assert case.id


async def test_a_cry_for_help_in_a_thread_is_answered_and_reaches_doctor_and_expert(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    await county.doctor.hear()
    await county.expert.hear()
    assert "120" in await county.patient.say("救命啊")
    assert "救命啊" in await county.doctor.hear()
    assert "救命啊" in await county.expert.hear()
