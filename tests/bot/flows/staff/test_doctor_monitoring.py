"""A grassroots doctor sets limits, pairs devices and works through alerts by typing and tapping."""

import pytest
import pytest_asyncio

from backend.records.monitoring.limits import Level, Side
from bot.messages import Link
from tests.bot.flows.staff.conftest import County
from tests.support.monitoring import paired, pressure


@pytest_asyncio.fixture
async def watched(county: County) -> County:
    """The patient has a case."""
    await county.story.open_case(county.patient)
    await county.doctor.hear()
    return county


async def own_limits(county: County) -> dict[tuple[str, Side, Level], float]:
    house = county.story.house
    doctor = await house.actor(county.doctor.person_id)
    held = await house.services.monitoring.limits(doctor, county.patient.person_id)
    return {(one.measure, one.side, one.level): one.bound for one in held.own}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "张小明 血压 150/95 提醒",
            {("systolic", Side.HIGH, Level.ALERT): 150, ("diastolic", Side.HIGH, Level.ALERT): 95},
        ),
        ("张小明，血压150／95就提醒我。", None),
        ("张小明高压高于150提醒", {("systolic", Side.HIGH, Level.ALERT): 150}),
        ("张小明 高压 低于 95 提醒", {("systolic", Side.LOW, Level.ALERT): 95}),
        ("张小明 血氧 92 提醒", {("spo2", Side.LOW, Level.ALERT): 92}),
        ("张小明 血氧 低于85 危险", {("spo2", Side.LOW, Level.DANGER): 85}),
        ("张小明血糖超过12.5提醒", {("glucose", Side.HIGH, Level.ALERT): 12.5}),
        ("张小明 心率 120 提醒", {("heart_rate", Side.HIGH, Level.ALERT): 120}),
    ],
)
async def test_limits_are_set_by_a_sentence(
    watched: County, words: str, expected: dict[tuple[str, Side, Level], float] | None
) -> None:
    answer = await watched.doctor.say(words)
    assert "设好了" in answer
    assert await own_limits(watched) == (
        expected or {("systolic", Side.HIGH, Level.ALERT): 150, ("diastolic", Side.HIGH, Level.ALERT): 95}
    )


async def test_the_answer_says_what_holds_now_and_defaults_come_back(watched: County) -> None:
    answer = await watched.doctor.say("张小明 血压 150/95 提醒")
    assert "高压150mmHg以上：提醒（您设的）" in answer
    assert "高压180mmHg以上：危险，马上通知" in answer
    assert "恢复成默认" in await watched.doctor.say("张小明 血压 恢复默认")
    assert await own_limits(watched) == {}
    assert "血氧89%以下：危险" in await watched.doctor.say("张小明的提醒线")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("张小明 血压 150 提醒", "血压要写两个数"),
        ("张小明 血压 190/120 提醒", "就是危险"),
        ("张小明 体温 低于34 危险", "没有危险线"),
        ("赵不来 血压 150/95 提醒", "没有找到叫赵不来的患者"),
    ],
)
async def test_what_cannot_be_set_is_said_and_nothing_is(watched: County, words: str, answer: str) -> None:
    assert answer in await watched.doctor.say(words)
    assert await own_limits(watched) == {}


async def test_of_two_patients_of_one_name_it_is_asked_which(watched: County) -> None:
    other = await watched.story.patient("张小明")
    await watched.story.open_case(other)
    await watched.doctor.hear()
    assert "有2位叫张小明的患者" in await watched.doctor.say("张小明 血氧 92 提醒")
    assert "设好了" in await watched.doctor.tap(watched.doctor.choices[0])


async def test_a_doctor_of_another_centre_finds_nobody_here(watched: County) -> None:
    from backend.security.policy import Role

    other = await watched.story.join("远医生", Role.GRASSROOTS_DOCTOR, "红岩镇卫生院", "general_practice")
    assert "没有找到" in await other.say("张小明 血氧 92 提醒")
    assert "没有权限" in await other.click(f"monitoring.set:{watched.patient.person_id}:血氧:low:alert:92:")
    assert "没有权限" in await watched.patient.click(f"monitoring.set:{watched.patient.person_id}:血氧:low:alert:92:")
    assert await own_limits(watched) == {}


async def test_a_doctor_pairs_for_the_patient_before_them(watched: County) -> None:
    for words in ("给张小明绑定血压计", "张小明 绑定血压计"):
        await watched.doctor.say(words)
        [card] = [reply for reply in watched.doctor.replies if isinstance(reply, Link)]
        assert card.title == "绑定张小明的血压计"
    assert "给哪位患者绑定血糖仪" in await watched.doctor.say("绑定血糖仪")
    await watched.doctor.tap("张小明")
    [card] = [reply for reply in watched.doctor.replies if isinstance(reply, Link)]
    assert card.title == "绑定张小明的血糖仪"


async def test_the_list_of_alerts_leads_through_each_to_its_end(watched: County) -> None:
    house, doctor = watched.story.house, watched.doctor
    assert "现在没有要看的监测提醒" in await doctor.say("监测提醒")
    actor = await house.actor(watched.patient.person_id)
    device = await paired(house.services.monitoring, actor, actor.person_id)
    await house.services.monitoring.take(device, [pressure(195, 115, house.clock.now())])
    assert "有1条提醒" in await doctor.say("监测提醒")
    await doctor.tap("张小明·血压危险")
    assert doctor.choices == ["收到，我来处理", "看最近读数", "结束提醒", "看提醒线"]
    assert "血压195/115mmHg" in await doctor.tap("看最近读数")
    await doctor.tap("收到，我来处理")
    await doctor.tap("以后再写")
    await doctor.click("doctor.alerts")
    await doctor.tap("✓张小明·血压危险")
    assert "李强医生在处理" in doctor.text
    await doctor.tap("写处理记录")
    await doctor.say("嘱卧床休息，半小时后复测")
    await doctor.click("doctor.alerts")
    await doctor.tap("✓张小明·血压危险")
    assert "处理记录：嘱卧床休息，半小时后复测" in doctor.text
    assert "这条提醒结束了" in await doctor.tap("结束提醒")
    assert "现在没有要看的监测提醒" in await doctor.click("doctor.alerts")


async def test_in_the_middle_of_a_consultation_a_command_is_not_relayed(watched: County) -> None:
    case = await watched.story.running(watched.patient, watched.doctor, watched.expert)
    assert "设好了" in await watched.doctor.say("张小明 血氧 92 提醒")
    assert await watched.expert.hear() == ""
    assert case.patient_id == watched.patient.person_id
