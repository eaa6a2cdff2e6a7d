"""Who hears of a report and of a critical value, in which words, and for how long."""

from datetime import timedelta

import pytest_asyncio

from backend.reporting.rules import REMIND_AFTER
from backend.security.policy import Role
from bot.messages import Link, Menu, Message
from bot.templates import fill
from tests.bot.flows.staff.conftest import County
from tests.support.reports import FINDINGS, Reading, reading
from tests.support.stories import Phone

CLINICAL = "张力性气胸"


@pytest_asyncio.fixture
async def read(county: County) -> Reading:
    return await reading(county)


def card_in(messages: list[Message]) -> Link:
    [card] = [message for message in messages if isinstance(message, Link)]
    return card


async def wait(read: Reading) -> None:
    """Let the time pass after which a critical value is told again."""
    await read.county.story.move_to(read.county.story.house.clock.now() + REMIND_AFTER + timedelta(seconds=1))


async def test_everybody_gets_a_card_and_the_patients_holds_nothing_of_the_report(read: Reading) -> None:
    await read.signed()
    url = f"http://house.test/h5/reports/{read.case.id}"
    patient = card_in(await read.county.patient.heard())
    assert (patient.title, patient.url) == ("您的检查报告出来了", url)
    assert "可以问李强医生" in patient.description
    assert "结节" not in patient.description
    doctor = card_in(await read.county.doctor.heard())
    assert "印象：右肺上叶结节" in doctor.description
    expert = card_in(await read.county.expert.heard())
    assert "已经发给李强医生和患者" in expert.description
    assert {doctor.url, expert.url} == {url}


async def test_a_changed_report_says_that_it_was_changed_and_why(read: Reading) -> None:
    first = await read.signed()
    await read.quiet()
    house = read.county.story.house
    expert = await house.actor(read.county.expert.person_id)
    draft = await house.services.reports.amend(expert, first.id, "漏写了左肺的结节")
    await house.services.reports.sign(expert, draft.id, revision=draft.revision)
    patient = card_in(await read.county.patient.heard())
    assert patient.title == "您的检查报告改过了"
    assert "结节" not in patient.description
    doctor = card_in(await read.county.doctor.heard())
    assert (doctor.title, "修改原因：漏写了左肺的结节" in doctor.description) == ("影像报告改过了", True)


async def test_the_doctor_hears_a_critical_value_at_once_and_the_expert_who_took_it_in_hand(read: Reading) -> None:
    await read.mark_critical()
    county = read.county
    alarm = await county.doctor.hear()
    assert "⚠ 危急值，不能等" in alarm
    assert CLINICAL in alarm
    told = await county.patient.hear()
    assert "李强医生要尽快联系您" in told
    assert "120" in told
    assert CLINICAL not in told
    assert "危急" not in told
    assert "马上联系患者" in await county.doctor.tap("收到，马上处理")
    confirmed = await county.expert.hear()
    assert "李强医生" in confirmed
    assert "确认收到危急值，正在处理" in confirmed
    await wait(read)
    assert await county.doctor.hear() == ""


async def test_while_nobody_answers_more_and_more_people_hear_of_it(read: Reading) -> None:
    county = read.county
    colleague = await county.story.join("周同事", Role.GRASSROOTS_DOCTOR, "黄坡镇卫生院", "general_practice")
    elsewhere = county.story.phones["赵敏"]
    await read.mark_critical()
    await county.doctor.hear()
    await county.patient.hear()
    await wait(read)
    assert "5分钟了还没有人确认" in await county.doctor.hear()
    assert await colleague.hear() == ""
    await wait(read)
    assert "10分钟了" in await county.doctor.hear()
    assert "李强医生没有回应，请您接手" in await colleague.hear()
    assert await county.administrator.hear() == ""
    await wait(read)
    called = await county.administrator.hear()
    assert "请马上打电话给黄坡镇卫生院" in called
    assert CLINICAL not in called
    assert "小明" not in called
    assert "已请管理员打电话" in await county.expert.hear()
    assert await county.patient.hear() == "", "the patient is told once"
    assert await elsewhere.hear() == ""
    assert "15分钟了" in await colleague.hear()
    assert "马上联系患者" in await colleague.tap("收到，马上处理")
    assert "周同事医生" in await county.expert.hear()
    assert "周同事医生" in await county.doctor.hear()
    late = await county.doctor.tap("收到，马上处理")
    assert "周同事医生" in late
    assert "已经接手了" in late
    await wait(read)
    for phone in (county.doctor, colleague, county.administrator):
        assert await phone.hear() == ""


async def test_nobody_but_a_doctor_there_takes_it_in_hand(read: Reading) -> None:
    await read.mark_critical()
    [alarm] = [message for message in await read.county.doctor.heard() if isinstance(message, Menu)]
    others: list[Phone] = [read.county.patient, read.county.rival, read.county.administrator, read.county.expert]
    for phone in others:
        assert "马上联系患者" not in await phone.tap_choice(alarm.choices[0])
    assert await read.county.expert.hear() == ""


async def test_a_locked_screen_shows_nothing_of_it(read: Reading) -> None:
    await read.mark_critical()
    await read.signed()
    await wait(read)
    house = read.county.story.house
    for inbox in house.outbox.by_person.values():
        for message in inbox:
            if message.notice is not None:
                shown = str(fill(message.notice, house.clock.now()))
                for secret in ("小明", CLINICAL, "结节", FINDINGS):
                    assert secret not in shown


async def test_a_locked_screen_says_that_it_is_critical_whatever_the_case_was(read: Reading) -> None:
    await read.mark_critical()
    [alarm] = [message for message in await read.county.doctor.heard() if isinstance(message, Menu)]
    assert alarm.notice is not None
    shown = [held["value"] for held in fill(alarm.notice, read.county.story.house.clock.now()).values()]
    assert "危急值，请马上处理" in shown
    assert "危急" in shown
    assert "普通" not in shown


async def test_the_timeline_tells_what_came_of_it_and_nothing_clinical(read: Reading) -> None:
    await read.mark_critical()
    await read.county.doctor.hear()
    await read.county.doctor.tap("收到，马上处理")
    await read.signed()
    timeline = await read.county.doctor.click(f"doctor.timeline:{read.case.id}")
    for words in ("已通知医生马上处理", "收到专家的紧急通知", "签发了影像检查报告"):
        assert words in timeline
    assert CLINICAL not in timeline
    shown = await read.county.patient.click(f"patient.timeline:{read.case.id}")
    assert "签发了影像检查报告" in shown
    assert "紧急" not in shown


async def test_a_signed_report_is_found_again_in_the_case(read: Reading) -> None:
    county = read.county
    assert "还没有出来" in await county.patient.click(f"report.open:{read.case.id}")
    assert "看检查报告" not in str(await county.patient.click(f"patient.case:{read.case.id}"))
    await read.signed()
    await read.quiet()
    for phone, verb in ((county.patient, "patient.case"), (county.doctor, "doctor.case")):
        await phone.click(f"{verb}:{read.case.id}")
        await phone.tap("看检查报告")
        assert card_in(phone.replies).url.endswith(read.case.id)
