"""Slots and bookings on a real database."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from backend.clock import LOCAL_ZONE, local
from backend.errors import Conflict, Forbidden, InvalidInput, NotFound
from backend.ids import new_id
from backend.scheduling import (
    Away,
    BookedTimes,
    BookingState,
    BookingView,
    CalendarDay,
    Change,
    Knowing,
    SlotState,
    SlotView,
    Span,
    WeeklyHours,
    rules,
)
from backend.security.policy import SYSTEM
from tests.support.clinic import Clinic, practitioner_of


async def free(clinic: Clinic, expert_id: str, limit: int = 100) -> list[SlotView]:
    """Give the free slots of the next four weeks."""
    now = clinic.clock.now()
    return await clinic.scheduling.slots(expert_id, now, now + timedelta(days=28), limit)


async def test_slots_are_made_for_a_fortnight_and_again_each_day(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert(week=[WeeklyHours(day, "09:00", "10:00", 60) for day in range(7)]))
    first = await free(clinic, expert)
    assert len(first) == 14
    await clinic.pass_time(timedelta(days=7))
    later = await free(clinic, expert)
    assert len(later) == 14
    assert later[-1].starts_at - first[-1].starts_at == timedelta(days=7)


async def test_slots_are_made_on_demand_when_no_timer_ran(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    clinic.clock.advance(timedelta(days=60))
    assert (await clinic.scheduling.next_free(expert, clinic.clock.now())) is not None


async def test_slots_made_by_many_at_once_are_there_once(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    clinic.clock.advance(timedelta(days=60))
    results = await asyncio.gather(*(asyncio.create_task(free(clinic, expert)) for _ in range(5)))
    assert len({len(slots) for slots in results}) == 1
    starts = [slot.starts_at for slot in results[0]]
    assert len(set(starts)) == len(starts) > 0


async def test_a_slot_is_booked_once_and_free_again_when_released(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    slot = (await free(clinic, expert))[0]
    cases = [new_id() for _ in range(5)]
    results = await asyncio.gather(
        *(asyncio.create_task(clinic.scheduling.book(slot.id, case, new_id())) for case in cases),
        return_exceptions=True,
    )
    [booking] = [result for result in results if isinstance(result, BookingView)]
    assert sum(isinstance(result, Conflict) for result in results) == 4
    assert slot.id not in {one.id for one in await free(clinic, expert)}
    await clinic.scheduling.release(booking.consultation_id)
    assert (await free(clinic, expert))[0].id == slot.id
    assert await clinic.scheduling.booking(booking.consultation_id) is None


async def test_a_missed_slot_is_not_sold_again(clinic: Clinic) -> None:
    expert, case = practitioner_of(await clinic.expert()), new_id()
    slot = (await free(clinic, expert))[0]
    await clinic.scheduling.book(slot.id, case, new_id())
    await clinic.pass_time(slot.starts_at - clinic.clock.now())
    await clinic.scheduling.release(case, BookingState.NO_SHOW)
    assert (await clinic.scheduling.slot(slot.id)).state is SlotState.BOOKED
    last = await clinic.scheduling.booking(case)
    assert last is not None
    assert last.state is BookingState.NO_SHOW


async def test_a_time_that_has_passed_cannot_be_booked(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    slot = (await free(clinic, expert))[0]
    clinic.clock.advance(timedelta(hours=2))
    with pytest.raises(InvalidInput):
        await clinic.scheduling.book(slot.id, new_id(), new_id())
    with pytest.raises(NotFound):
        await clinic.scheduling.book(new_id(), new_id(), new_id())


async def booked_slot(clinic: Clinic, expert_id: str) -> tuple[str, SlotView, BookingView]:
    """Book the first free slot for a new case."""
    case, slot = new_id(), (await free(clinic, expert_id))[0]
    return case, slot, await clinic.scheduling.book(slot.id, case, new_id())


async def test_new_hours_replace_free_slots_and_leave_booked_ones_to_whoever_knows_of_them(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    case, slot, booking = await booked_slot(clinic, expert)
    afternoon = [WeeklyHours(0, "14:00", "16:00", 60)]
    with pytest.raises(BookedTimes) as refused:
        await clinic.scheduling.set_week(SYSTEM, expert, afternoon)
    assert [one.id for one in refused.value.bookings] == [booking.id]
    assert len(await clinic.scheduling.week(expert)) == 7
    assert {local(one.starts_at).hour for one in await free(clinic, expert)} == {9, 10, 11}
    await clinic.scheduling.set_week(SYSTEM, expert, afternoon, Knowing(bookings={booking.id}))
    assert {local(one.starts_at).hour for one in await free(clinic, expert)} == {14, 15}
    assert (await clinic.scheduling.slot(slot.id)).state is SlotState.BOOKED
    # It stands outside the hours by now: the next change does not ask about it again.
    await clinic.scheduling.set_week(SYSTEM, expert, [*afternoon, WeeklyHours(1, "14:00", "16:00", 60)])
    await clinic.scheduling.release(case)
    assert {local(one.starts_at).hour for one in await free(clinic, expert)} == {14, 15}


async def test_a_booking_made_while_hours_are_changed_is_told_or_not_made(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    slots = (await free(clinic, expert))[:4]
    moved, *booked = await asyncio.gather(
        asyncio.create_task(clinic.scheduling.set_week(SYSTEM, expert, [])),
        *(asyncio.create_task(clinic.scheduling.book(slot.id, new_id(), new_id())) for slot in slots),
        return_exceptions=True,
    )
    made = [one for one in booked if isinstance(one, BookingView)]
    refused = [one for one in booked if isinstance(one, NotFound | Conflict)]
    assert len(made) + len(refused) == len(slots)
    assert isinstance(moved, BookedTimes) if made else moved is None


async def test_a_single_day_has_its_own_hours_and_then_the_weeks_again(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    today = clinic.clock.today().date()
    one, other = today + timedelta(days=1), today + timedelta(days=2)
    evening = [WeeklyHours(0, "18:00", "19:00", 60)]
    await clinic.scheduling.set_days(SYSTEM, expert, {one: evening, other: []})
    hours = {day: [local(s.starts_at).hour for s in await free(clinic, expert) if local(s.starts_at).date() == day]
             for day in (one, other)}  # fmt: skip
    assert hours == {one: [18], other: []}
    seen = await clinic.scheduling.schedule(await clinic.administrator(), expert, today, today + timedelta(days=7))
    assert [hours.start for hours in seen.days[one]] == ["18:00"]
    assert seen.days[other] == ()
    await clinic.scheduling.set_days(SYSTEM, expert, {one: None, other: None})
    again = {local(s.starts_at).date() for s in await free(clinic, expert) if local(s.starts_at).hour == 9}
    assert {one, other} <= again
    for day in (today - timedelta(days=1), today + timedelta(days=400)):
        with pytest.raises(InvalidInput):
            await clinic.scheduling.set_days(SYSTEM, expert, {day: evening})


async def test_a_holiday_is_offered_only_by_who_said_so(clinic: Clinic) -> None:
    clinic.clock.advance(datetime(2026, 9, 28, 8, tzinfo=LOCAL_ZONE) - clinic.clock.now())
    thursday = [WeeklyHours(3, "09:00", "10:00", 60)]
    resting = practitioner_of(await clinic.expert(week=thursday))
    working = practitioner_of(await clinic.expert(week=[replace(thursday[0], on_holidays=True)]))
    own = practitioner_of(await clinic.expert(week=thursday))
    await clinic.scheduling.set_days(SYSTEM, own, {date(2026, 10, 1): thursday})
    days = {
        expert: [local(one.starts_at).date().isoformat() for one in await free(clinic, expert)]
        for expert in (resting, working, own)
    }
    assert days == {
        resting: ["2026-10-08"],
        working: ["2026-10-01", "2026-10-08"],
        own: ["2026-10-01", "2026-10-08"],
    }
    assert [one.on_holidays for one in await clinic.scheduling.week(working)] == [True]
    clinic.clock.advance(timedelta(days=3, hours=1, minutes=5))
    on_duty = await clinic.scheduling.availability([resting, working, own], clinic.clock.now())
    assert {expert: one.on_duty for expert, one in on_duty.items()} == {resting: False, working: True, own: True}


async def test_slots_that_were_made_before_a_holiday_was_known_go_and_booked_ones_stay(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic.clock.advance(datetime(2026, 9, 28, 8, tzinfo=LOCAL_ZONE) - clinic.clock.now())
    with monkeypatch.context() as unknown:
        unknown.setattr(rules, "calendar_day", lambda day: CalendarDay(day, True, "", announced=False))
        expert = practitioner_of(await clinic.expert(week=[WeeklyHours(3, "09:00", "11:00", 60)]))
        slot = (await free(clinic, expert))[0]
        case = new_id()
        await clinic.scheduling.book(slot.id, case, new_id())
        assert [local(one.starts_at).day for one in await free(clinic, expert)] == [1, 8, 8]
    await clinic.pass_time(timedelta(days=1))
    assert [local(one.starts_at).day for one in await free(clinic, expert)] == [8, 8]
    assert (await clinic.scheduling.slot(slot.id)).state is SlotState.BOOKED


async def test_a_change_of_several_things_is_made_whole_or_not_at_all(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    today = clinic.clock.today()
    away = Away(Span(today + timedelta(days=2), today + timedelta(days=3)), "开会")
    week = [WeeklyHours(0, "14:00", "16:00", 60)]
    with pytest.raises(NotFound):
        await clinic.scheduling.change(SYSTEM, expert, Change(week=week, away=[away], back={new_id()}))
    administrator = await clinic.administrator()
    seen = await clinic.scheduling.schedule(administrator, expert, today.date(), today.date() + timedelta(days=7))
    assert (len(seen.week), seen.absences) == (7, ())
    await clinic.scheduling.change(SYSTEM, expert, Change(week=week, away=[away]))
    seen = await clinic.scheduling.schedule(administrator, expert, today.date(), today.date() + timedelta(days=7))
    assert (len(seen.week), [one.reason for one in seen.absences]) == (1, ["开会"])
    actions = [entry.action for entry in await clinic.audit.entries(SYSTEM, limit=4)]
    assert {"scheduling.set_week", "scheduling.add_absence"} <= set(actions)


async def test_of_two_who_change_what_they_have_seen_one_is_told(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    administrator = await clinic.administrator()
    today = clinic.clock.today().date()
    seen = await clinic.scheduling.schedule(administrator, expert, today, today + timedelta(days=7))
    weeks = [[WeeklyHours(day, "09:00", "12:00"), WeeklyHours(day, "13:00", "15:00")] for day in (1, 2)]
    results = await asyncio.gather(
        *(
            asyncio.create_task(clinic.scheduling.set_week(administrator, expert, week, Knowing(version=seen.version)))
            for week in weeks
        ),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in results) == ["NoneType", "ScheduleChanged"]
    after = await clinic.scheduling.schedule(administrator, expert, today, today + timedelta(days=7))
    assert after.version == seen.version + 1
    assert list(after.week) == weeks[results.index(None)]


async def test_an_absence_that_is_taken_back_gives_the_times_back(clinic: Clinic) -> None:
    actor = await clinic.expert()
    expert, today = practitioner_of(actor), clinic.clock.today().date()
    _, slot, booking = await booked_slot(clinic, expert)
    with pytest.raises(BookedTimes):
        await clinic.scheduling.add_absence(actor, expert, slot.starts_at, slot.starts_at + timedelta(days=2), "进修")
    known = Knowing(bookings={booking.id})
    await clinic.scheduling.add_absence(
        actor, expert, slot.starts_at, slot.starts_at + timedelta(days=2), "进修", known
    )
    before = len(await free(clinic, expert))
    [away] = (await clinic.scheduling.schedule(actor, expert, today, today + timedelta(days=3))).absences
    assert away.reason == "进修"
    await clinic.scheduling.remove_absence(actor, expert, away.id)
    assert len(await free(clinic, expert)) > before
    with pytest.raises(NotFound):
        await clinic.scheduling.remove_absence(actor, expert, away.id)


async def test_an_absence_takes_free_slots_away_for_good(clinic: Clinic) -> None:
    actor = await clinic.expert()
    expert = practitioner_of(actor)
    first = (await free(clinic, expert))[0]
    until = first.starts_at + timedelta(days=3)
    await clinic.scheduling.add_absence(actor, expert, first.starts_at, until, "开会")
    await clinic.pass_time(timedelta(days=1))
    assert (await free(clinic, expert))[0].starts_at >= until
    assert not await clinic.scheduling.is_available(expert, first.starts_at + timedelta(minutes=1))


async def test_an_expert_is_available_in_hours_and_not_in_a_booked_slot(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    first, second, *_ = await free(clinic, expert)
    at = first.starts_at + timedelta(minutes=5)
    assert not await clinic.scheduling.is_available(expert, clinic.clock.now())
    assert await clinic.scheduling.is_available(expert, at)
    await clinic.scheduling.book(first.id, new_id(), new_id())
    assert not await clinic.scheduling.is_available(expert, at)
    assert await clinic.scheduling.next_free(expert, clinic.clock.now()) == second.starts_at


async def test_only_the_expert_and_the_administrator_set_the_hours(clinic: Clinic) -> None:
    expert, other = await clinic.expert(), await clinic.expert("赵敏")
    week = [WeeklyHours(0, "09:00", "10:00")]
    with pytest.raises(Forbidden):
        await clinic.scheduling.set_week(other, practitioner_of(expert), week)
    for nothing in (Change(), Change(back={new_id()})):
        with pytest.raises(Forbidden):
            await clinic.scheduling.change(other, practitioner_of(expert), nothing)
    await clinic.scheduling.set_week(expert, practitioner_of(expert), week)
    assert await clinic.scheduling.week(practitioner_of(expert)) == week
    now = clinic.clock.now()
    with pytest.raises(InvalidInput):
        await clinic.scheduling.add_absence(expert, practitioner_of(expert), now, now)


async def test_a_held_slot_is_kept_for_its_consultation_alone(clinic: Clinic) -> None:
    expert = practitioner_of(await clinic.expert())
    slot = (await free(clinic, expert))[0]
    until = clinic.clock.now() + timedelta(minutes=15)
    cases = [new_id() for _ in range(3)]
    results = await asyncio.gather(
        *(asyncio.create_task(clinic.scheduling.hold(slot.id, one, until)) for one in cases), return_exceptions=True
    )
    [holder] = [one for one, result in zip(cases, results, strict=True) if isinstance(result, SlotView)]
    assert sum(isinstance(result, Conflict) for result in results) == 2
    assert slot.id not in {one.id for one in await free(clinic, expert)}
    with pytest.raises(Conflict):
        await clinic.scheduling.book(slot.id, new_id(), new_id())
    booking = await clinic.scheduling.book(slot.id, holder, new_id())
    await clinic.pass_time(timedelta(minutes=20))
    assert booking.slot_id == slot.id
    assert (await clinic.scheduling.slot(slot.id)).state is SlotState.BOOKED


async def test_a_hold_ends_by_itself_and_lasts_longer_when_it_is_asked_for_again(clinic: Clinic) -> None:
    expert, case = practitioner_of(await clinic.expert()), new_id()
    slot = (await free(clinic, expert))[0]
    now = clinic.clock.now()
    await clinic.scheduling.hold(slot.id, case, now + timedelta(minutes=5))
    await clinic.scheduling.hold(slot.id, case, now + timedelta(minutes=15))
    await clinic.pass_time(timedelta(minutes=10))
    assert slot.id not in {one.id for one in await free(clinic, expert)}
    await clinic.pass_time(timedelta(minutes=6))
    assert slot.id in {one.id for one in await free(clinic, expert)}
    await clinic.scheduling.let_go(case)


async def test_a_consultation_holds_one_slot_and_keeps_it_when_another_is_not_to_be_had(clinic: Clinic) -> None:
    expert, case, other = practitioner_of(await clinic.expert()), new_id(), new_id()
    first, second, third, *_ = await free(clinic, expert)
    until = clinic.clock.now() + timedelta(minutes=15)
    await clinic.scheduling.hold(first.id, case, until)
    await clinic.scheduling.hold(second.id, case, until)
    assert (await free(clinic, expert))[0].id == first.id
    await clinic.scheduling.hold(third.id, other, until)
    with pytest.raises(Conflict):
        await clinic.scheduling.hold(third.id, case, until)
    assert second.id not in {one.id for one in await free(clinic, expert)}
    await clinic.scheduling.book(first.id, case, new_id())
    assert (await free(clinic, expert))[0].id == second.id


async def test_a_held_slot_outlives_new_hours_and_goes_when_the_hold_ends(clinic: Clinic) -> None:
    expert, case = practitioner_of(await clinic.expert()), new_id()
    slot = (await free(clinic, expert))[0]
    await clinic.scheduling.hold(slot.id, case, clinic.clock.now() + timedelta(minutes=15))
    await clinic.scheduling.set_week(SYSTEM, expert, [WeeklyHours(0, "14:00", "16:00", 60)])
    assert (await clinic.scheduling.slot(slot.id)).state is SlotState.HELD
    await clinic.pass_time(timedelta(minutes=16))
    assert {local(one.starts_at).hour for one in await free(clinic, expert)} == {14, 15}
