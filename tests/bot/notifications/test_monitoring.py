"""Who hears of values measured at home, in which words, by day and by night, and until when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest_asyncio

from backend.clock import LOCAL_ZONE
from backend.records.monitoring.limits import Level, Side, lines_for
from backend.records.monitoring.readings import Kind, Said
from backend.records.monitoring.views import AlertView
from backend.security.policy import SYSTEM, Actor, Role
from bot.cards.monitoring import patient_alert
from bot.messages import Menu
from bot.templates import fill
from tests.bot.flows.diagnosis import diseases_in
from tests.bot.flows.staff.conftest import County
from tests.support.house import House
from tests.support.monitoring import paired, pressure, single

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=LOCAL_ZONE)


@dataclass
class HomeCare:
    """A county in which the patient has a cuff."""

    county: County
    house: House
    device: Actor

    async def measure(self, *said: Said) -> None:
        """Let the device send."""
        await self.house.services.monitoring.take(self.device, said)

    async def pressure(self, upper: float, lower: float) -> None:
        """Measure the blood pressure now."""
        await self.measure(pressure(upper, lower, self.house.clock.now()))

    async def wait(self, minutes: int) -> None:
        """Let time pass."""
        await self.county.story.move_to(self.house.clock.now() + timedelta(minutes=minutes))


@pytest_asyncio.fixture
async def care(county: County) -> HomeCare:
    """Noon; the patient's case is over, and everybody has heard of that and of the pairing."""
    house = county.story.house
    await county.story.move_to(_next_noon(house))
    case = await county.story.open_case(county.patient)
    actor = await house.actor(county.patient.person_id)
    await house.services.consultations.cancel(actor, case.id, "好多了")
    device = await paired(house.services.monitoring, actor, actor.person_id)
    for phone in county.story.phones.values():
        await phone.hear()
    return HomeCare(county, house, device)


def facts_of(patient_id: str) -> dict[str, Any]:
    """Give what a case of theirs needs."""
    return {
        "patient_id": patient_id,
        "record": {"chief_complaint": "头晕3天"},
        "facts": {},
        "department_code": "general_practice",
        "urgency": "routine",
    }


def _next_noon(house: House) -> datetime:
    now = house.clock.now().astimezone(LOCAL_ZONE)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    return noon if noon > now else noon + timedelta(days=1)


async def test_danger_reaches_patient_and_doctor_at_once_each_in_their_words(care: HomeCare) -> None:
    await care.pressure(195, 115)
    patient = await care.county.patient.hear()
    assert "今天中午12:00量的是：血压195/115mmHg，太高了，不能等" in patient
    assert "先坐下歇5分钟，再量一次" in patient
    assert "马上打120" in patient
    assert "已经告诉李强医生" in patient
    doctor = await care.county.doctor.hear()
    assert "⚠ 患者家里量的血压很危险" in doctor
    assert "患者：张小明" in doctor
    assert "血压195/115mmHg" in doctor
    for phone in (care.county.expert, care.county.administrator):
        assert await phone.hear() == ""


async def test_taking_it_in_hand_stops_the_alarm_and_tells_the_patient(care: HomeCare) -> None:
    await care.pressure(195, 115)
    await care.county.patient.hear()
    await care.county.doctor.hear()
    assert "怎么处理的" in await care.county.doctor.tap("收到，我来处理")
    assert "李强医生已经看到您家里量的血压了" in await care.county.patient.hear()
    assert "处理记录写好了" in await care.county.doctor.tap("请患者来院")
    await care.wait(120)
    for phone in (care.county.doctor, care.county.administrator):
        assert await phone.hear() == ""
    assert "处理记录：请患者来院" in await care.county.doctor.say("监测提醒") + await care.county.doctor.tap("✓张小明")


async def test_while_nobody_answers_more_and_more_people_hear_of_danger(care: HomeCare) -> None:
    county = care.county
    colleague = await county.story.join("周同事", Role.GRASSROOTS_DOCTOR, "黄坡镇卫生院", "general_practice")
    await care.pressure(195, 115)
    await county.doctor.hear()
    await county.patient.hear()
    assert await colleague.hear() == ""
    await care.wait(16)
    assert "16分钟了还没有人处理" in await county.doctor.hear()
    assert "李强医生没有回应，请您接手" in await colleague.hear()
    assert await county.administrator.hear() == ""
    await care.wait(16)
    called = await county.administrator.hear()
    assert "请马上打电话给黄坡镇卫生院" in called
    for secret in ("小明", "195", "血压"):
        assert secret not in called
    for phone in (colleague, county.doctor):
        assert "32分钟了" in await phone.hear()
    assert "怎么处理的" in await colleague.tap("收到，我来处理")
    await county.doctor.hear()
    late = await county.doctor.tap("收到，我来处理")
    assert "周同事医生已经在处理了" in late
    assert "周同事医生已经看到" in await county.patient.hear()
    await care.wait(600)
    for phone in (county.doctor, colleague, county.administrator):
        assert await phone.hear() == ""


async def test_a_doctor_who_is_not_reachable_here_is_not_waited_for(care: HomeCare) -> None:
    people = care.house.services.people
    doctor = await people.practitioner(care.house.practitioners["李强"])
    await people.put_practitioner(
        SYSTEM,
        doctor.id,
        role=doctor.role,
        name=doctor.name,
        licence_number="x",
        institution_id=doctor.institution_id,
        department_code=doctor.department_code,
        title=doctor.title,
        practising_since=2005,
        active=False,
    )
    await care.pressure(195, 115)
    assert "那里没有医生在用公众号" in await care.county.administrator.hear()
    heard = await care.county.patient.hear()
    assert "已经告诉值班的人" in heard
    assert "李强" not in heard


async def test_high_values_are_told_by_day_and_the_next_morning_go_on(care: HomeCare) -> None:
    for upper in (165, 166):
        await care.pressure(upper, 95)
        await care.wait(10)
    patient = await care.county.patient.hear()
    assert "血压166/95mmHg，最近几次都偏高。先别着急" in patient
    assert "不要自己加减" in patient
    assert "患者家里量的血压偏高，请看一下" in await care.county.doctor.hear()
    await care.wait(19 * 60)
    assert await care.county.doctor.hear() == ""
    await care.wait(2 * 60)
    assert "到今天还没有人处理" in await care.county.doctor.hear()


async def test_a_value_to_watch_is_for_the_patient_and_the_list_alone(care: HomeCare) -> None:
    for _ in range(2):
        await care.pressure(140, 80)
        await care.wait(10)
    assert "比平常偏高一点" in await care.county.patient.hear()
    assert await care.county.doctor.hear() == ""
    assert "有1条提醒" in await care.county.doctor.click("doctor.alerts")


async def test_a_silent_device_is_asked_after_gently(care: HomeCare) -> None:
    await care.wait(8 * 24 * 60)
    heard = await care.county.patient.hear()
    assert "血压计有一个星期没有传来数据了" in heard
    assert "解绑" in heard
    assert "没有绑定设备" not in await care.county.patient.tap("我的设备")


async def test_of_a_relative_whoever_speaks_for_them_hears_by_name(care: HomeCare) -> None:
    house, patient = care.house, care.county.patient
    actor = await house.actor(patient.person_id)
    mother = await house.services.people.add_relative(actor, relation="mother", name="王秀英")
    doctor = await house.actor(care.county.doctor.person_id)
    await house.services.consultations.open_by_doctor(doctor, **facts_of(mother))
    meter = await paired(house.services.monitoring, doctor, mother, Kind.GLUCOSE)
    assert "王秀英的事）\n血糖仪绑定好了" in await patient.hear()
    assert "王秀英的血糖仪绑定好了" in await care.county.doctor.hear()
    await house.services.monitoring.take(meter, [single(Kind.GLUCOSE, 2.5, house.clock.now())])
    heard = await patient.hear()
    assert "（王秀英的事）" in heard
    assert "血糖2.5mmol/L，太低了" in heard


async def test_a_locked_screen_shows_nothing_of_it(care: HomeCare) -> None:
    await care.pressure(195, 115)
    await care.wait(40)
    await care.wait(8 * 24 * 60)
    shown = [
        str(fill(message.notice, care.house.clock.now()))
        for inbox in care.house.outbox.by_person.values()
        for message in inbox
        if message.notice is not None
    ]
    assert any("家里的设备报警" in one for one in shown)
    for secret in ("小明", "195", "血压"):
        assert not [one for one in shown if secret in one]


async def test_the_doctors_card_holds_everything_to_act_upon(care: HomeCare) -> None:
    await care.pressure(195, 115)
    [card] = [message for message in await care.county.doctor.heard() if isinstance(message, Menu)]
    assert [choice.text for choice in card.choices] == ["收到，我来处理", "看最近读数"]


def _alert(kind: Kind, side: Side, level: Level) -> AlertView:
    return AlertView(
        id="a",
        patient_id="p",
        patient_name="张三",
        doctor_id="d",
        institution_id="i",
        kind=kind,
        level=level,
        side=side,
        opened_at=NOON,
        closed_at=None,
        readings=1,
        reading="血压195/115mmHg",
        measured_at=NOON,
        latest="血压195/115mmHg",
        latest_at=NOON,
        told_at=NOON,
        step=0,
        acknowledged_by=None,
        acknowledged_at=None,
        note=None,
    )


def every_alert() -> set[tuple[Kind, Side, Level]]:
    """Everything that somebody may be told of, at any age."""
    lines = [line for age in (None, *range(0, 18 * 12, 2)) for line in lines_for(age)]
    kinds = {measure: kind for kind in Kind for measure in kind.measures}
    return {(kinds[line.measure], line.side, line.level) for line in lines}


def test_there_are_words_for_every_limit_and_they_always_name_120() -> None:
    for place in every_alert():
        text = patient_alert(_alert(*place), "李强医生", NOON).text
        assert "打120" in text
        assert len(text.encode()) < 600, text


def test_the_patients_words_name_no_illness() -> None:
    for place in every_alert():
        text = patient_alert(_alert(*place), "李强医生", NOON).text
        assert diseases_in(text) == set()
