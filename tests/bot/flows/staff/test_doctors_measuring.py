"""Values that a doctor sends: of the patient whose case is in focus, or of the one whom they name."""

from bot.messages import Picture
from tests.bot.flows.staff.conftest import County


async def _kept(county: County) -> list[str]:
    records = county.story.house.services.records
    actor = await county.story.house.actor(county.patient.person_id)
    return [f"{one.source} {one.kind_key} {one.shown}" for one in await records.history(actor, actor.person_id)]


async def test_a_value_said_in_the_talk_is_kept_and_still_heard_by_the_others(county: County) -> None:
    case = await county.story.running(county.patient, county.doctor, county.expert)
    before = len(await _kept(county))
    said = await county.doctor.say("血压150/95")
    assert "张小明" in said
    assert "血压150/95mmHg（偏高）" in said
    assert "【李强医生】血压150/95" in await county.patient.hear()
    kept = await _kept(county)
    assert len(kept) == before + 2
    assert "doctor systolic 150mmHg" in kept
    actor = await county.story.house.actor(county.doctor.person_id)
    view = await county.story.house.services.consultations.get(actor, case.id)
    assert view.vitals["systolic"] == 150


async def test_the_patients_value_in_the_talk_is_kept_too(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    assert "记下了" in await county.patient.say("血氧97")
    assert "血氧97" in await county.doctor.hear()
    assert "patient spo2 97%" in await _kept(county)


async def test_a_doctor_is_asked_whose_value_it_is(county: County) -> None:
    await county.story.open_case(county.patient)
    before = await _kept(county)
    asked = await county.doctor.say("空腹血糖17.2")
    assert asked.index("注意：血糖很高") < asked.index("哪位患者")
    assert await _kept(county) == before
    said = await county.doctor.tap("张小明")
    assert "注意：血糖很高" in said
    assert "doctor glucose_fasting 17.2mmol/L" in await _kept(county)
    assert "改过来了" in await county.doctor.say("不对，空腹血糖7.2")
    assert [one for one in await _kept(county) if "glucose" in one] == ["doctor glucose_fasting 7.2mmol/L"]


async def test_a_doctor_without_a_patient_is_told_so(county: County) -> None:
    assert "没有在看的患者" in await county.doctor.say("血压150/95")
    assert "没有在看的患者" in await county.doctor.say("他的血压")


async def test_a_doctor_sees_the_trend_of_the_patient_in_focus(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    for value in ("血压150/95", "血压140/90"):
        await county.patient.say(value)
    said = await county.expert.say("他的血压")
    assert "张小明的血压" in said
    assert "140/90mmHg" in said
    assert any(isinstance(reply, Picture) for reply in county.expert.replies)


async def test_another_doctor_sees_nothing_of_it(county: County) -> None:
    await county.story.running(county.patient, county.doctor, county.expert)
    await county.patient.say("血压150/95")
    trend = next(choice for choice in county.patient.menus[-1].choices if choice.text == "看变化")
    assert "没有找到" in await county.rival.tap_choice(trend)
