"""The case of the week, questions, and what they bring in a year."""

from datetime import datetime, timedelta

import pytest

from backend.clock import LOCAL_ZONE, local
from backend.errors import Forbidden, InvalidInput, NotFound
from backend.security.policy import Role
from backend.teaching_cases import QuestionText
from backend.teaching_cases.rules import next_monday_noon, week_of
from tests.support import cases
from tests.support.teaching import QUESTION, REVIEWER, Library

SECOND = QuestionText("几天复查？", ("3天", "30天"), 0, "见报告。")


async def _move(library: Library, moment: datetime) -> None:
    library.house.clock.advance(moment - library.house.clock.now())
    await library.house.settle()


async def test_the_first_answer_counts_and_a_second_says_so(library: Library) -> None:
    held = await library.published(await library.patient(), QUESTION, SECOND)
    doctor, service = await cases.staff(library.house, "村医乙"), library.service
    first, second = [one.id for one in held.questions]
    assert await service.next_question(doctor, held.id) == first
    wrong = await service.answer(doctor, first, 2)
    assert (wrong.is_right, wrong.is_first, wrong.points, wrong.next_id) == (False, True, 1, second)
    again = await service.answer(doctor, first, 0)
    assert (again.is_right, again.is_first, again.points) == (True, False, 1)
    last = await service.answer(doctor, second, 0)
    assert (last.is_right, last.points, last.next_id) == (True, 2, None)
    own = await service.own_points(doctor)
    assert (own.answered, own.right, own.points) == (2, 1, 3)
    for chosen in (-1, 3):
        with pytest.raises(InvalidInput):
            await service.answer(doctor, first, chosen)
    other = await cases.staff(library.house, "村医丙")
    await service.answer(other, second, 0)
    table = await service.points(REVIEWER, own.year)
    assert [(one.practitioner_id, one.points) for one in table] == [
        (doctor.practitioner_id, 3),
        (other.practitioner_id, 2),
    ]
    with pytest.raises(Forbidden):
        await service.points(doctor, own.year)
    # In the next year one begins anew.
    await _move(library, library.house.clock.now() + timedelta(days=366))
    assert (await service.own_points(doctor)).points == 0
    # A question that is changed is another; what was answered stays, and the old one is asked no more.
    gone = await service.withdraw(REVIEWER, held.id, revision=held.revision, reason="题目要改")
    with pytest.raises(NotFound):
        await service.answer(other, first, 0)
    draft = await service.reopen(REVIEWER, held.id, revision=gone.revision)
    edited = await library.edited(draft, questions=[SECOND])
    assert [one.id for one in edited.questions] == [second]
    assert len(await service.points(REVIEWER, own.year)) == 2


async def test_each_monday_noon_a_case_is_picked_for_a_department_once(library: Library) -> None:
    house = library.house
    patient = await library.patient()
    await house.hire("儿科村医", Role.GRASSROOTS_DOCTOR, "青山镇卫生院", "pediatrics")
    child = await library.shelved(patient, "小儿腹泻", "腹泻3天", department="pediatrics")
    picked: list[dict[str, str]] = []

    async def remember(event: object) -> None:
        picked.append(dict(event.payload))  # type: ignore[attr-defined]

    house.events.subscribe("picks", ["teaching_case.picked"], remember)
    monday = next_monday_noon(house.clock.now())
    adult = (await library.published(patient)).id
    assert picked == []
    await _move(library, monday)
    by_department = {one["department_code"]: one["case_id"] for one in picked}
    assert by_department == {"general_practice": child, "pediatrics": child}
    assert {one["week"] for one in picked} == {week_of(monday)}
    await _move(library, monday + timedelta(days=7))
    assert [(one["department_code"], one["case_id"]) for one in picked[2:]] == [("general_practice", adult)]
    await _move(library, monday + timedelta(days=14))
    assert len(picked) == 3, "everything was shown"


async def test_who_switched_it_off_is_no_reader(library: Library) -> None:
    doctor, service = await cases.staff(library.house, "村医乙"), library.service
    everybody = await service.readers("general_practice")
    assert doctor.person_id in everybody
    assert await service.wants_weekly(doctor)
    await service.set_weekly(doctor, False)
    assert not await service.wants_weekly(doctor)
    assert set(await service.readers("general_practice")) == set(everybody) - {doctor.person_id}
    await service.set_weekly(doctor, True)
    assert await service.readers("general_practice") == everybody


def test_the_week_begins_on_monday_noon_in_china() -> None:
    sunday = datetime(2026, 11, 22, 23, 0, tzinfo=LOCAL_ZONE)
    assert local(next_monday_noon(sunday)).isoformat() == "2026-11-23T12:30:00+08:00"
    exactly = next_monday_noon(sunday)
    assert local(next_monday_noon(exactly)).isoformat() == "2026-11-30T12:30:00+08:00"
    assert week_of(datetime(2027, 1, 1, tzinfo=LOCAL_ZONE)) == "2026-W53"
