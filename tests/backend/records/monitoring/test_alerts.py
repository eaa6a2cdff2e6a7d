"""Readings become one alert, which is told, handed on, answered, and closed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from backend.clock import LOCAL_ZONE
from backend.errors import Conflict, Forbidden
from backend.records.monitoring.limits import Level
from backend.records.monitoring.readings import Kind, Refusal
from backend.records.monitoring.views import AlertView, Taken
from backend.records.monitoring_tables import Alert, DeviceReading, Telling
from backend.security.tables import AuditEntry
from backend.timers import Timer
from tests.support.clinic import practitioner_of
from tests.support.monitoring import Home, paired, pressure, single

TOLD, UNANSWERED = "monitoring.alert_told", "monitoring.alert_unanswered"


async def told(home: Home) -> int:
    return len(await home.clinic.published(TOLD))


async def steps(home: Home) -> list[int]:
    return [payload["step"] for payload in await home.clinic.published(UNANSWERED)]


async def only_alert(home: Home) -> AlertView:
    [alert] = await home.monitoring.alerts_of(home.doctor, home.patient.person_id)
    return alert


async def at(home: Home, hour: int, minute: int = 0) -> None:
    """Let the time come to the next `hour`:`minute` in China."""
    clock = home.clinic.clock
    now = clock.now().astimezone(LOCAL_ZONE)
    wanted = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    await home.clinic.pass_time(wanted + timedelta(days=wanted <= now) - now)


async def test_a_reading_is_kept_once_however_often_and_in_whatever_order_it_comes(home: Home) -> None:
    now = home.clinic.clock.now()
    batch = [pressure(150, 95, now - timedelta(minutes=number), f"r{number}") for number in range(3)]
    assert await home.send(*batch) == [Taken("r0"), Taken("r1"), Taken("r2")]
    assert await home.send(*reversed(batch)) == [Taken(f"r{number}", known=True) for number in (2, 1, 0)]
    doubled = pressure(150, 95, batch[0].taken_at, "another name")
    assert await home.send(doubled, doubled) == [Taken("another name", known=True)] * 2
    assert len(await home.kept()) == 6


async def test_what_is_not_believable_keeps_nothing_else_out(home: Home) -> None:
    now = home.clinic.clock.now()
    taken = await home.send(
        pressure(15, 95, now, "a"), pressure(120, 80, now, "b"), pressure(120, 80, now + timedelta(hours=8), "c")
    )
    assert taken == [Taken("a", refusal=Refusal.IMPLAUSIBLE), Taken("b"), Taken("c", refusal=Refusal.FUTURE)]
    assert sorted(await home.kept()) == [("diastolic", "80"), ("systolic", "120")]


async def test_a_reading_of_last_year_is_kept_and_raises_no_alarm(home: Home) -> None:
    await home.send(pressure(230, 130, home.clinic.clock.now() - timedelta(days=365)))
    assert len(await home.kept()) == 2
    assert await told(home) == 0
    assert await home.monitoring.alerts_of(home.doctor, home.patient.person_id) == []


async def test_old_readings_do_not_count_towards_two_of_three(home: Home) -> None:
    now = home.clinic.clock.now()
    await home.send(pressure(165, 95, now - timedelta(hours=20)))
    await home.measure(165, 95)
    assert await told(home) == 0


async def test_two_high_readings_are_one_alert_and_more_are_added_to_it(home: Home) -> None:
    await home.measure(165, 95)
    assert await told(home) == 0
    for upper in (166, 170, 168):
        await home.clinic.pass_time(timedelta(minutes=5))
        await home.measure(upper, 95)
    assert await told(home) == 1
    alert = await only_alert(home)
    assert (alert.level, alert.readings, alert.reading, alert.latest) == (
        Level.ALERT, 3, "血压166/95mmHg", "血压168/95mmHg"
    )  # fmt: skip


async def test_danger_late_at_night_is_told_at_once_and_goes_on_until_somebody_answers(home: Home) -> None:
    await at(home, 23, 30)
    await home.measure(190, 115)
    assert await told(home) == 1
    await home.clinic.pass_time(timedelta(minutes=15))
    assert await steps(home) == [1]
    await home.monitoring.acknowledge(home.doctor, (await only_alert(home)).id, "已电话联系")
    await home.clinic.pass_time(timedelta(days=2))
    assert await steps(home) == [1]
    assert (await only_alert(home)).note == "已电话联系"


async def test_danger_that_nobody_answers_goes_on_three_times_and_no_more(home: Home) -> None:
    await home.measure(190, 115)
    await home.clinic.pass_time(timedelta(days=3))
    assert await steps(home) == [1, 2, 3]


async def test_high_values_of_the_night_are_told_in_the_morning_unless_they_are_back_by_then(home: Home) -> None:
    await at(home, 22, 30)
    await home.measure(165, 95)
    await home.clinic.pass_time(timedelta(minutes=10))
    await home.measure(165, 95)
    assert (await only_alert(home)).told_at is None
    await at(home, 6, 59)
    assert await told(home) == 0
    await at(home, 7, 1)
    assert await told(home) == 1


async def test_what_is_back_before_the_morning_wakes_nobody(home: Home) -> None:
    await at(home, 22, 30)
    for upper in (165, 165, 120, 120):
        await home.clinic.pass_time(timedelta(minutes=10))
        await home.measure(upper, 75)
    assert (await only_alert(home)).closed_at is not None
    await home.clinic.pass_time(timedelta(days=1))
    assert await told(home) == 0


async def test_an_alert_of_the_day_goes_on_the_next_morning_and_the_one_after(home: Home) -> None:
    await home.measure(165, 95)
    await home.measure_later(165, 95)
    await at(home, 7, 30)
    assert await steps(home) == []
    await at(home, 8, 30)
    assert await steps(home) == [1]
    await home.clinic.pass_time(timedelta(days=5))
    assert await steps(home) == [1, 2]


async def test_a_graver_value_undoes_the_answer_to_a_milder_one(home: Home) -> None:
    await home.measure(165, 95)
    await home.measure_later(165, 95)
    await home.monitoring.acknowledge(home.doctor, (await only_alert(home)).id)
    await home.measure_later(195, 115)
    alert = await only_alert(home)
    assert (alert.level, alert.acknowledged_by, await told(home)) == (Level.DANGER, None, 2)
    await home.clinic.pass_time(timedelta(minutes=20))
    assert await steps(home) == [1]


async def test_danger_that_goes_on_after_an_answer_is_told_again_after_an_hour(home: Home) -> None:
    await home.measure(195, 115)
    await home.monitoring.acknowledge(home.doctor, (await only_alert(home)).id)
    await home.measure_later(195, 115, timedelta(minutes=30))
    assert await told(home) == 1
    await home.measure_later(195, 115, timedelta(minutes=31))
    assert await told(home) == 2
    assert (await only_alert(home)).acknowledged_by is None


async def test_two_calm_readings_close_it_and_stop_the_escalation(home: Home) -> None:
    await home.measure(190, 115)
    await home.measure_later(125, 75)
    assert (await only_alert(home)).closed_at is None
    await home.measure_later(125, 75)
    alert = await only_alert(home)
    assert alert.closed_at is not None
    await home.clinic.pass_time(timedelta(days=2))
    assert await steps(home) == []
    assert "已电话" in (await home.monitoring.acknowledge(home.doctor, alert.id, "已电话")).note  # type: ignore[operator]


async def test_a_late_danger_reading_is_told_though_a_newer_one_was_normal(home: Home) -> None:
    now = home.clinic.clock.now()
    await home.measure(125, 75)
    await home.send(pressure(195, 115, now - timedelta(minutes=10)))
    assert await told(home) == 1


async def test_of_two_doctors_the_second_hears_who_was_first(home: Home) -> None:
    await home.measure(195, 115)
    alert = await only_alert(home)
    colleague = await home.clinic.doctor("周同事")
    await home.monitoring.acknowledge(colleague, alert.id)
    with pytest.raises(Conflict) as refused:
        await home.monitoring.acknowledge(home.doctor, alert.id)
    assert "周同事医生已经在处理" in refused.value.sentence
    assert len(await home.clinic.published("monitoring.alert_acknowledged")) == 1


async def test_nobody_but_a_doctor_there_answers_or_sees_the_list(home: Home) -> None:
    await home.measure(195, 115)
    alert = await only_alert(home)
    for actor in (home.patient, await home.clinic.expert(), await home.clinic.administrator()):
        for use in (home.monitoring.acknowledge, home.monitoring.end):
            with pytest.raises(Forbidden):
                await use(actor, alert.id)
        with pytest.raises(Forbidden):
            await home.monitoring.open_alerts(actor)


async def test_the_list_has_the_gravest_first_and_what_a_doctor_ended_is_gone(home: Home) -> None:
    meter = await paired(home.monitoring, home.patient, home.patient.person_id, Kind.GLUCOSE)
    await home.measure(165, 95)
    await home.measure_later(165, 95)
    await home.clinic.pass_time(timedelta(minutes=40))
    await home.monitoring.take(meter, [single(Kind.GLUCOSE, 2.5, home.clinic.clock.now())])
    listed = await home.monitoring.open_alerts(home.doctor)
    assert [one.level for one in listed] == [Level.DANGER, Level.ALERT]
    ended = await home.monitoring.end(home.doctor, listed[0].id)
    assert ended.closed_at is not None
    assert [one.kind for one in await home.monitoring.open_alerts(home.doctor)] == [Kind.BLOOD_PRESSURE]


async def test_one_patient_is_told_of_two_kinds_some_time_apart(home: Home) -> None:
    meter = await paired(home.monitoring, home.patient, home.patient.person_id, Kind.GLUCOSE)
    now = home.clinic.clock.now()
    await home.send(pressure(165, 95, now - timedelta(minutes=1)), pressure(165, 95, now))
    high = [single(Kind.GLUCOSE, 14.5, now - timedelta(minutes=minutes)) for minutes in (1, 0)]
    await home.monitoring.take(meter, high)
    assert await told(home) == 1
    await home.clinic.pass_time(timedelta(minutes=31))
    assert await told(home) == 2


async def test_what_an_alert_quotes_is_encrypted_and_every_read_is_audited(home: Home) -> None:
    await home.measure(195, 115)
    alert = await only_alert(home)
    async with home.clinic.database.reading() as session:
        read = await session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "monitoring.read"))
        assert "monitoring_alerts" in set(read)
    assert "195" in alert.reading
    async with home.clinic.database.engine.connect() as connection:
        stored = (await connection.exec_driver_sql("SELECT reading FROM monitoring_alerts")).scalar_one()
    assert b"195" not in bytes(stored)


async def test_replaying_everything_changes_nothing(home: Home) -> None:
    now = home.clinic.clock.now()
    batch = [
        pressure(150 + number * 9, 95, now - timedelta(minutes=50 - number * 10), f"r{number}") for number in range(5)
    ]
    await home.send(*batch)
    before = await _everything(home)
    await home.clinic.pass_time(timedelta(minutes=5))
    before["monitoring.timers"] = (await _everything(home))["monitoring.timers"]
    await home.send(*batch)
    await home.send(*reversed(batch))
    after = await _everything(home)
    assert after == before


async def _everything(home: Home) -> dict[str, object]:
    async with home.clinic.database.reading() as session:
        found: dict[str, object] = {
            table.__tablename__: await session.scalar(select(func.count()).select_from(table))
            for table in (DeviceReading, Alert, Telling)
        }
        timers = await session.execute(
            select(Timer.kind, Timer.key, Timer.due_at).where(Timer.kind != "monitoring.device_silent")
        )
        found["monitoring.timers"] = sorted(tuple(row) for row in timers)
    found["alert"] = await only_alert(home)
    found["told"] = await told(home)
    return found


async def test_the_case_says_that_somebody_looked_and_nothing_of_what_was_measured(home: Home) -> None:
    await home.measure(195, 115)
    await home.monitoring.acknowledge(home.doctor, (await only_alert(home)).id, "让患者马上来")
    [case] = await home.clinic.care.running_references(home.patient.person_id, home.clinic.township)
    timeline = "\n".join(await home.clinic.told(case.id))
    assert "看过家里血压的提醒" in timeline
    assert "195" not in timeline
    assert practitioner_of(home.doctor) == case.doctor_id


async def test_a_batch_is_read_by_the_clock_that_the_device_shows(home: Home) -> None:
    now = home.clinic.clock.now()
    its_now = datetime(1970, 1, 1, 0, 10, tzinfo=LOCAL_ZONE)
    [taken] = await home.send(pressure(195, 115, its_now - timedelta(minutes=2)), sent_at=its_now)
    assert taken.refusal is None
    assert abs((await only_alert(home)).measured_at - (now - timedelta(minutes=2))) < timedelta(seconds=30)
