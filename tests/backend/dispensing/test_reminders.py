"""Reminders to take medicines: when, how often, in whose night, and what the answers do."""

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LOCAL_ZONE, Clock, local
from backend.db import Database
from backend.dispensing.reminders import Adherence, ReminderService
from backend.dispensing.reminders_rules import (
    AT_NIGHT,
    LATER,
    TIMES,
    Course,
    DoseState,
    PlanLine,
    checked,
    due_between,
    is_night,
    later,
    line_for,
    next_due,
)
from backend.errors import Forbidden, InvalidInput
from backend.security.policy import SYSTEM, Actor
from tests.support.clinic import Clinic, build_clinic

MONDAY = date(2026, 11, 23)
AMLODIPINE = PlanLine("氨氯地平片", (time(8),), 3, "饭后吃1片")
METFORMIN = PlanLine("二甲双胍片", (time(8), time(18)), 2, "饭后吃1片")


class Ward:
    """A patient, their doctor, and the reminders."""

    def __init__(self, clinic: Clinic, reminders: ReminderService, patient: Actor, doctor: Actor) -> None:
        self.clinic, self.reminders, self.patient, self.doctor = clinic, reminders, patient, doctor

    async def plan(self, *lines: PlanLine, start: date = MONDAY, **more: str) -> str:
        return await self.reminders.plan(self.doctor, self.patient.person_id, lines, start, **more)

    async def doses(self) -> list[str]:
        """The reminders so far, each as its moment and its medicines."""
        told = []
        for payload in await self.clinic.published("medicine.due"):
            dose = await self.reminders.dose(SYSTEM, payload["dose_id"])
            names = "+".join(line.name[:2] for line in dose.lines)
            told.append(f"{local(dose.due_at):%d %H:%M} {names}")
        return told

    async def newest(self) -> str:
        return str((await self.clinic.published("medicine.due"))[-1]["dose_id"])

    async def until(self, day: int, hour: int, minute: int = 0) -> None:
        wanted = datetime(2026, 11, day, hour, minute, tzinfo=LOCAL_ZONE)
        await self.clinic.pass_time(wanted - self.clinic.clock.now())


@pytest_asyncio.fixture
async def ward(database: Database, clock: Clock, tmp_path: Path) -> Ward:
    """Monday, a quarter to eight."""
    clinic = build_clinic(database, clock, tmp_path / "files")
    clinic.clock.advance(timedelta(minutes=-15))
    await clinic.furnish()
    reminders = ReminderService(database, clock, clinic.events, clinic.timers, clinic.audit, clinic.care)
    doctor, patient = await clinic.doctor(), await clinic.patient()
    await clinic.draft(patient)
    return Ward(clinic, reminders, patient, doctor)


async def test_everything_of_a_moment_is_one_reminder_and_the_last_day_is_the_last(ward: Ward) -> None:
    await ward.plan(AMLODIPINE, METFORMIN)
    await ward.until(30, 12)
    assert await ward.doses() == [
        "23 08:00 氨氯+二甲", "23 18:00 二甲", "24 08:00 氨氯+二甲", "24 18:00 二甲", "25 08:00 氨氯",
    ]  # fmt: skip
    assert await ward.reminders.lines(ward.patient, ward.patient.person_id) == []


async def test_two_plans_share_their_moments_and_one_of_a_prescription_is_made_once(ward: Ward) -> None:
    first = await ward.plan(AMLODIPINE, origin="prescription:1")
    assert await ward.plan(AMLODIPINE, METFORMIN, origin="prescription:1") == first
    await ward.plan(METFORMIN)
    await ward.until(23, 12)
    assert await ward.doses() == ["23 08:00 氨氯+二甲"]


async def test_what_is_past_when_the_plan_is_made_is_not_reminded_of(ward: Ward) -> None:
    await ward.plan(PlanLine("氨氯地平片", (time(7), time(12)), 1))
    await ward.until(24, 12)
    assert await ward.doses() == ["23 12:00 氨氯"]
    await ward.until(28, 9)
    await ward.plan(METFORMIN, start=date(2026, 11, 28))
    await ward.until(28, 20)
    assert await ward.doses() == ["23 12:00 氨氯", "28 18:00 二甲"]
    assert await ward.reminders.adherence(ward.patient, ward.patient.person_id) == Adherence(2, 0)


async def test_taken_is_counted_and_put_off_is_said_again_three_times(ward: Ward) -> None:
    await ward.plan(AMLODIPINE)
    await ward.until(23, 8, 1)
    dose = await ward.newest()
    for number in range(1, 4):
        at = await ward.reminders.put_off(ward.patient, dose)
        assert at == ward.clinic.clock.now() + LATER or abs(at - ward.clinic.clock.now() - LATER) < timedelta(minutes=1)  # type: ignore[operator]
        await ward.clinic.pass_time(timedelta(minutes=31))
        assert len(await ward.doses()) == 1 + number
    assert await ward.reminders.put_off(ward.patient, dose) is None
    for _ in range(2):
        assert (await ward.reminders.taken(ward.patient, dose)).state is DoseState.TAKEN
    assert await ward.reminders.put_off(ward.patient, dose) is None
    await ward.until(24, 9)
    assert await ward.reminders.adherence(ward.doctor, ward.patient.person_id) == Adherence(2, 1)


async def test_what_was_taken_meanwhile_is_not_said_again(ward: Ward) -> None:
    await ward.plan(AMLODIPINE)
    await ward.until(23, 8, 1)
    dose = await ward.newest()
    await ward.reminders.put_off(ward.patient, dose)
    await ward.reminders.taken(ward.patient, dose)
    await ward.until(23, 12)
    assert len(await ward.doses()) == 1


async def test_stopping_ends_the_medicines_of_that_moment_alone(ward: Ward) -> None:
    await ward.plan(AMLODIPINE, PlanLine("阿托伐他汀片", (time(21),), 3))
    await ward.until(23, 8, 1)
    await ward.reminders.stop(ward.patient, await ward.newest())
    await ward.until(24, 12)
    assert await ward.doses() == ["23 08:00 氨氯", "23 21:00 阿托"]


async def test_a_reminder_that_would_come_hours_late_is_let_go(ward: Ward) -> None:
    await ward.plan(METFORMIN)
    ward.clinic.clock.advance(timedelta(hours=7))
    while await ward.clinic.timers.fire():
        pass
    assert await ward.doses() == []
    await ward.until(23, 18, 1)
    assert await ward.doses() == ["23 18:00 二甲"]
    assert await ward.reminders.adherence(ward.patient, ward.patient.person_id) == Adherence(1, 0)


async def test_nobody_else_plans_reads_or_answers(ward: Ward) -> None:
    stranger, expert = await ward.clinic.patient("路人"), await ward.clinic.expert()
    for actor in (stranger, expert):
        with pytest.raises(Forbidden):
            await ward.reminders.plan(actor, ward.patient.person_id, [AMLODIPINE], MONDAY)
        with pytest.raises(Forbidden):
            await ward.reminders.lines(actor, ward.patient.person_id)
    await ward.plan(AMLODIPINE)
    await ward.until(23, 8, 1)
    for actor in (stranger, expert, ward.doctor):
        with pytest.raises(Forbidden):
            await ward.reminders.taken(actor, await ward.newest())


@pytest.mark.parametrize(
    "line",
    [
        PlanLine("", (time(8),), 3),
        PlanLine("药" * 41, (time(8),), 3),
        PlanLine("药", (), 3),
        PlanLine("药", (time(8),), 0),
        PlanLine("药", (time(8),), 400),
        PlanLine("药", (time(23),), 3),
        PlanLine("药", (time(5, 59),), 3),
    ],
)
def test_what_cannot_be_is_refused(line: PlanLine) -> None:
    with pytest.raises(InvalidInput):
        checked(line)


def test_only_what_is_prescribed_for_the_night_may_wake_somebody() -> None:
    assert checked(PlanLine("药", (time(23),), 3, by_night=True)).times == (time(23),)
    for frequency, times in TIMES.items():
        assert any(map(is_night, times)) is (frequency in AT_NIGHT), frequency
        line = line_for("药", frequency, 7)
        assert line is not None
        assert checked(line).times == times
    assert line_for("药", "prn", 7) is None
    late = datetime(2026, 11, 23, 21, 45, tzinfo=LOCAL_ZONE)
    assert later(late, by_night=False, before=0) is None
    assert later(late, by_night=True, before=0) == late + LATER


LONG_AGO = datetime(2026, 1, 1, tzinfo=LOCAL_ZONE)
COURSES = st.builds(
    Course,
    line_id=st.uuids().map(str),
    since=st.datetimes(datetime(2026, 11, 20), datetime(2026, 11, 26), timezones=st.just(LOCAL_ZONE)),  # noqa: DTZ001
    times=st.sets(st.sampled_from([time(8), time(12), time(18), time(20)]), min_size=1).map(lambda s: tuple(sorted(s))),
    first=st.dates(date(2026, 11, 20), date(2026, 11, 28)),
    last=st.dates(date(2026, 11, 20), date(2026, 12, 5)),
    every=st.integers(1, 7),
)


@given(courses=st.lists(COURSES, max_size=4), cut=st.integers(0, 20 * 24))
def test_every_moment_comes_once_however_the_time_is_cut(courses: list[Course], cut: int) -> None:
    end = LONG_AGO + timedelta(days=365)
    middle = datetime(2026, 11, 19, tzinfo=LOCAL_ZONE) + timedelta(hours=cut)
    whole = due_between(courses, LONG_AGO, end)
    assert due_between(courses, LONG_AGO, middle) + due_between(courses, middle, end) == whole
    assert len({due.at for due in whole}) == len(whole)
    assert next_due(courses, LONG_AGO) == (whole[0].at if whole else None)
    expected = sum(
        1
        for course in courses
        for days in range((course.last - course.first).days + 1)
        for of_day in course.times
        if days % course.every == 0
        and datetime.combine(course.first + timedelta(days=days), of_day, LOCAL_ZONE) > course.since
    )
    assert sum(len(due.line_ids) for due in whole) == expected
