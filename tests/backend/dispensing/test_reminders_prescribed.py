"""Reminders of what was prescribed: begun once for each line, moved without a second dose, ended with it."""

from datetime import datetime, time, timedelta

import pytest
import pytest_asyncio

from backend.clock import LOCAL_ZONE, local
from backend.dispensing.reminders_prescribed import PrescribedReminders
from backend.dispensing.reminders_rules import checked, first_day, line_for, moved, prescribed_line
from backend.errors import Forbidden, IllegalMove, InvalidInput
from backend.security.policy import SYSTEM
from data.drugs import ROUTES, reference
from tests.backend.dispensing.conftest import County
from tests.support.prescribing import CETIRIZINE, IBUPROFEN, amoxicillin, line


class Home:
    """A county, and the reminders of its patient; the time is seven in the morning of the day after."""

    def __init__(self, county: County) -> None:
        desk, clinic = county.desk, county.desk.clinic
        self.county, self.clinic, self.patient = county, clinic, county.patient
        self.reminders = PrescribedReminders(
            clinic.database, clinic.clock, clinic.events, clinic.timers, clinic.audit, clinic.care, desk.prescriptions
        )

    async def until(self, hour: int, minute: int = 0, days: int = 0) -> None:
        """Let the time come."""
        there = local(self.clinic.clock.now())
        wanted = datetime(there.year, there.month, there.day, hour, minute, 1, tzinfo=LOCAL_ZONE)
        await self.clinic.pass_time(wanted + timedelta(days=days) - self.clinic.clock.now())

    async def told(self) -> list[str]:
        """The reminders so far, each as its hour and its medicines."""
        said = []
        for payload in await self.clinic.published("medicine.due"):
            dose = await self.reminders.dose(SYSTEM, payload["dose_id"])
            said.append(f"{local(dose.due_at):%H:%M} {'+'.join(one.name[:2] for one in dose.lines)}")
        return said


@pytest_asyncio.fixture
async def home(county: County) -> Home:
    home = Home(county)
    await home.until(7, days=1)
    return home


async def test_each_line_begins_once_and_only_what_the_patient_has(home: Home) -> None:
    prescription = await home.county.approved()
    assert [one.name for one in await home.reminders.proposal(home.patient, prescription.id, {0})] == ["阿莫西林胶囊"]
    for _ in range(2):
        assert len(await home.reminders.begin(home.patient, prescription.id, {0})) == 1
    assert [one.name for one in await home.reminders.proposal(home.patient, prescription.id)] == ["西替利嗪片"]
    assert len(await home.reminders.begin(home.patient, prescription.id)) == 2
    assert await home.reminders.proposal(home.patient, prescription.id) == ()
    await home.until(18, 1)
    assert await home.told() == ["08:00 阿莫+西替", "12:00 阿莫", "18:00 阿莫"]


async def test_what_is_taken_when_needed_or_injected_by_others_is_no_reminder(home: Home) -> None:
    prescription = await home.county.approved(line(IBUPROFEN, 200, 3, "prn"))
    assert await home.reminders.proposal(home.patient, prescription.id) == ()
    assert await home.reminders.begin(home.patient, prescription.id) == []
    injected = {"name": "药", "frequency": "bid", "days": 3, "dose": "1g", "pieces": "", "note": ""}
    assert prescribed_line(injected | {"route": ROUTES["im"]}) is None
    assert prescribed_line(injected | {"route": ROUTES["sc"]}) is not None


async def test_nobody_begins_the_reminders_of_a_stranger(home: Home) -> None:
    prescription = await home.county.approved()
    stranger = await home.clinic.patient("路人")
    with pytest.raises(Forbidden):
        await home.reminders.begin(stranger, prescription.id)


async def test_of_a_revoked_prescription_nothing_is_reminded_of_any_more(home: Home) -> None:
    prescription = await home.county.approved()
    await home.reminders.begin(home.patient, prescription.id)
    await home.county.desk.prescriptions.revoke(home.county.desk.doctor, prescription.id, "开错了药")
    while await home.clinic.events.dispatch():
        pass
    await home.until(18, 1)
    assert await home.told() == []
    with pytest.raises(IllegalMove):
        await home.reminders.begin(home.patient, prescription.id)


async def test_the_same_medicine_goes_on_after_the_first_at_the_hours_that_were_chosen(home: Home) -> None:
    first = await home.county.approved(line(CETIRIZINE, 10, 2, "qd"))
    await home.reminders.begin(home.patient, first.id)
    await home.reminders.move(home.patient, home.patient.person_id, time(8), time(9))
    second = await home.county.approved(line(CETIRIZINE, 10, 2, "qd"))
    await home.reminders.begin(home.patient, second.id)
    await home.until(12, days=5)
    assert await home.told() == ["09:00 西替"] * 4


async def test_the_same_medicine_taken_otherwise_takes_the_place_of_the_first(home: Home) -> None:
    first = await home.county.approved(line(CETIRIZINE, 10, 5, "qd"))
    await home.reminders.begin(home.patient, first.id)
    second = await home.county.approved(line(CETIRIZINE, 5, 2, "bid"))
    await home.reminders.begin(home.patient, second.id)
    await home.until(22, days=4)
    assert await home.told() == ["08:00 西替", "20:00 西替"] * 2


@pytest.mark.parametrize(
    ("now", "old", "new", "today"),
    [
        ((7, 30), time(12), time(11, 30), ["08:00 阿莫", "11:30 阿莫", "18:00 阿莫"]),
        ((12, 10), time(12), time(12, 30), ["08:00 阿莫", "12:00 阿莫", "18:00 阿莫"]),
        ((12, 40), time(12), time(12, 30), ["08:00 阿莫", "12:00 阿莫", "18:00 阿莫"]),
        ((17, 30), time(18), time(17), ["08:00 阿莫", "12:00 阿莫", "17:00 阿莫"]),
    ],
)
async def test_a_time_that_is_moved_is_never_reminded_of_twice_on_a_day(
    home: Home, now: tuple[int, int], old: time, new: time, today: list[str]
) -> None:
    prescription = await home.county.approved(amoxicillin(days=2))
    await home.reminders.begin(home.patient, prescription.id)
    await home.until(*now)
    await home.reminders.move(home.patient, home.patient.person_id, old, new)
    await home.until(21)
    assert await home.told() == today
    await home.until(21, days=1)
    assert [one[:5] for one in (await home.told())[3:]] == sorted(
        {"08:00", "12:00", "18:00"} - {f"{old:%H:%M}"} | {f"{new:%H:%M}"}
    )


async def test_a_time_at_which_nothing_is_taken_cannot_be_moved(home: Home) -> None:
    with pytest.raises(InvalidInput):
        await home.reminders.move(home.patient, home.patient.person_id, time(8), time(9))


@pytest.mark.parametrize("new", [time(9, 30), time(20), time(23), time(5)])
def test_a_time_too_near_to_another_or_in_the_night_is_refused(new: time) -> None:
    with pytest.raises(InvalidInput):
        moved((time(8), time(12), time(18)), time(12), new, by_night=False)


def test_a_course_begins_on_the_day_of_its_first_time_that_is_to_come() -> None:
    evening = datetime(2026, 11, 23, 19, tzinfo=LOCAL_ZONE)
    for frequency, day in (("qd", 24), ("bid", 23), ("tid", 24)):
        course = line_for("药", frequency, 3)
        assert course is not None
        assert first_day(course, evening).day == day


def test_every_preparation_can_be_reminded_of() -> None:
    for one in reference().preparations.values():
        written = {"name": one.name, "frequency": "tid", "days": 7, "dose": "1片", "pieces": "", "note": "嘱" * 100}
        for route in one.routes:
            found = prescribed_line(written | {"route": ROUTES[route]})
            assert found is None or checked(found).name == one.name
