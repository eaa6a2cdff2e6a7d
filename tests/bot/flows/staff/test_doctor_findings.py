"""Vital signs and findings in free words."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.consultation.rules import Status
from backend.errors import InvalidInput
from bot.flows.findings_reading import read_findings
from nlu.types import Context
from tests.bot.flows.staff.conftest import County
from tests.support.provider import PROVIDER

READ: tuple[tuple[str, dict[str, float], str], ...] = (
    ("血压150/95 血糖6.5", {"systolic": 150, "diastolic": 95, "glucose": 6.5}, ""),
    ("血压150/95 血糖6.5，右下肺湿啰音", {"systolic": 150, "diastolic": 95, "glucose": 6.5}, "右下肺湿啰音"),
    ("体温38.5度，心率96次/分，血氧97%", {"temperature": 38.5, "heart_rate": 96, "spo2": 97}, ""),
    ("右下肺湿啰音，呼吸音粗", {}, "右下肺湿啰音，呼吸音粗"),
)
REFUSED = ("血压950/150", "血压95/150", "体温83.5度", "血糖65", "血氧970%", "心率5")


@pytest.mark.parametrize(("words", "vitals", "findings"), READ)
async def test_measured_values_are_told_from_findings(words: str, vitals: dict[str, float], findings: str) -> None:
    reading = read_findings(await PROVIDER.parse(words, Context()))
    assert reading.vitals == vitals
    assert reading.findings == findings


@pytest.mark.parametrize("words", REFUSED)
async def test_a_value_that_cannot_be_is_refused_instead_of_dropped(words: str) -> None:
    with pytest.raises(InvalidInput):
        read_findings(await PROVIDER.parse(words, Context()))


async def test_nothing_is_kept_before_the_doctor_confirms(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.doctor.hear()
    await county.doctor.tap("打开任务")
    await county.doctor.say("血压150/95")
    assert "请直接写体征" in await county.doctor.tap("重写")
    await county.doctor.say("血压130/85")
    assert "已记入病历" in await county.doctor.say("对")
    actor = await county.story.house.actor(county.doctor.person_id)
    view = await county.story.house.services.consultations.get(actor, case.id)
    assert view.vitals == {"systolic": 130, "diastolic": 85}


async def test_an_impossible_value_is_refused_in_the_chat_and_can_be_sent_again(county: County) -> None:
    await county.story.open_case(county.patient)
    await county.doctor.hear()
    await county.doctor.tap("打开任务")
    assert "血压" in await county.doctor.say("血压950/150")
    assert "对吗" in await county.doctor.say("血压150/95")


async def test_a_tap_on_confirm_of_yesterday_keeps_nothing(county: County) -> None:
    await county.story.open_case(county.patient)
    await county.doctor.hear()
    await county.doctor.tap("打开任务")
    await county.doctor.say("血压150/95")
    await county.doctor.tap("确认")
    assert "过期" in await county.doctor.tap("确认")


async def test_a_doctor_may_leave_at_any_step(county: County) -> None:
    case = await county.story.open_case(county.patient)
    await county.doctor.hear()
    await county.doctor.tap("打开任务")
    assert "已退出" in await county.doctor.say("退出")
    assert county.doctor.state.flow == ""
    await county.doctor.tap("申请会诊")
    assert "还没有提交" in await county.doctor.say("返回")
    actor = await county.story.house.actor(county.doctor.person_id)
    view = await county.story.house.services.consultations.get(actor, case.id)
    assert view.status is Status.DRAFT


@given(systolic=st.integers(0, 999), diastolic=st.integers(0, 999), gap=st.sampled_from(["", " ", "：", "是"]))
def test_a_blood_pressure_is_kept_as_written_or_refused_but_never_lost(systolic: int, diastolic: int, gap: str) -> None:
    words = f"血压{gap}{systolic}/{diastolic}，双肺清"
    said = asyncio.run(PROVIDER.parse(words, Context()))
    try:
        reading = read_findings(said)
    except InvalidInput:
        return
    assert reading.vitals == {"systolic": systolic, "diastolic": diastolic}
    assert reading.findings == "双肺清"


@given(tenths=st.integers(0, 999), unit=st.sampled_from(["", "度", "℃"]))
def test_a_temperature_is_kept_as_written_or_refused_but_never_lost(tenths: int, unit: str) -> None:
    said = asyncio.run(PROVIDER.parse(f"体温{tenths / 10:g}{unit}", Context()))
    try:
        reading = read_findings(said)
    except InvalidInput:
        return
    assert reading.vitals == {"temperature": tenths / 10}
    assert reading.findings == ""
