"""Booking: one slot is sold once, moving loses nothing, and people are reminded in time."""

import asyncio
from datetime import timedelta

import pytest

from backend.consultation import ConsultationView, Status
from backend.errors import Conflict, DomainError, Forbidden, IllegalMove, NotFound
from backend.scheduling import BookingState, BookingView, SlotState
from backend.security.policy import Actor
from tests.support.clinic import Clinic, practitioner_of


async def assigned(clinic: Clinic, expert: Actor, doctor: Actor, **changes: str) -> tuple[Actor, ConsultationView]:
    """Bring a fresh patient's consultation to the expert."""
    patient = await clinic.patient()
    case = await clinic.draft(patient, **changes)
    await clinic.care.submit(doctor, case.id)
    return patient, await clinic.accept(expert, case.id)


async def test_one_slot_is_sold_once_however_many_want_it(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    wanting = [await assigned(clinic, expert, doctor) for _ in range(6)]
    [slot] = await clinic.care.bookable_slots(wanting[0][0], wanting[0][1].id, 1)
    results = await asyncio.gather(
        *(asyncio.create_task(clinic.care.book(patient, case.id, slot.id)) for patient, case in wanting),
        return_exceptions=True,
    )
    assert sum(isinstance(result, BookingView) for result in results) == 1
    refused = [result for result in results if not isinstance(result, BookingView)]
    assert all(isinstance(result, Conflict) for result in refused)
    assert (await clinic.scheduling.slot(slot.id)).state is SlotState.BOOKED


async def test_moving_frees_the_old_slot_when_the_new_one_is_had(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    first, second, *_ = await clinic.care.bookable_slots(patient, case.id)
    await clinic.care.book(patient, case.id, first.id)
    moved = await clinic.care.reschedule(patient, case.id, second.id)
    assert (moved.slot_id, moved.sequence) == (second.id, 1)
    assert (await clinic.scheduling.slot(first.id)).state is SlotState.FREE
    [changed] = await clinic.published("booking.changed")
    assert changed["before"] == first.starts_at.isoformat()


async def test_a_move_to_a_slot_that_is_taken_leaves_the_old_booking_as_it_was(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    other, others_case = await assigned(clinic, expert, doctor)
    first, second, *_ = await clinic.care.bookable_slots(patient, case.id)
    await clinic.care.book(patient, case.id, first.id)
    await clinic.care.book(other, others_case.id, second.id)
    with pytest.raises(Conflict):
        await clinic.care.reschedule(patient, case.id, second.id)
    held = await clinic.care.booking(patient, case.id)
    assert held is not None
    assert (held.slot_id, held.state, held.sequence) == (first.id, BookingState.ACTIVE, 0)
    assert (await clinic.scheduling.slot(first.id)).state is SlotState.BOOKED


async def test_two_who_swap_at_the_same_moment_lose_nothing(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    one, two = await assigned(clinic, expert, doctor), await assigned(clinic, expert, doctor)
    first, second, third, *_ = await clinic.care.bookable_slots(one[0], one[1].id)
    await clinic.care.book(one[0], one[1].id, first.id)
    await clinic.care.book(two[0], two[1].id, second.id)
    moves = [(one, second), (two, first), (one, third), (two, third)]
    results = await asyncio.gather(
        *(asyncio.create_task(clinic.care.reschedule(who, case.id, slot.id)) for (who, case), slot in moves),
        return_exceptions=True,
    )
    assert all(isinstance(result, BookingView | Conflict) for result in results)
    held = [await clinic.scheduling.booking(case.id) for _, case in (one, two)]
    assert all(booking is not None and booking.state is BookingState.ACTIVE for booking in held)
    taken = {booking.slot_id for booking in held if booking is not None}
    assert len(taken) == 2
    free = {slot.id for slot in (first, second, third)} - taken
    assert [(await clinic.scheduling.slot(slot_id)).state for slot_id in free] == [SlotState.FREE]


async def test_reminders_come_a_day_an_hour_and_ten_minutes_before_and_at_the_time(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    slots = await clinic.care.bookable_slots(patient, case.id, 50)
    slot = next(slot for slot in slots if slot.starts_at > clinic.clock.now() + timedelta(days=2))
    await clinic.care.book(patient, case.id, slot.id)
    await clinic.pass_time(slot.starts_at - clinic.clock.now())
    assert [payload["minutes"] for payload in await clinic.published("reminder.due")] == [1440, 60, 10, 0]


async def test_only_reminders_that_lie_ahead_are_set(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    clinic.clock.advance(timedelta(minutes=45))
    [slot] = await clinic.care.bookable_slots(patient, case.id, 1)
    assert slot.starts_at - clinic.clock.now() < timedelta(hours=1)
    await clinic.care.book(patient, case.id, slot.id)
    await clinic.pass_time(timedelta(hours=1))
    assert [payload["minutes"] for payload in await clinic.published("reminder.due")] == [10, 0]


async def test_after_a_standstill_only_the_nearest_reminder_comes(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    slots = await clinic.care.bookable_slots(patient, case.id, 50)
    slot = next(slot for slot in slots if slot.starts_at > clinic.clock.now() + timedelta(days=2))
    await clinic.care.book(patient, case.id, slot.id)
    clinic.clock.advance(slot.starts_at - clinic.clock.now() - timedelta(minutes=30))
    await clinic.timers.fire()
    assert [payload["minutes"] for payload in await clinic.published("reminder.due")] == [60]


async def test_reminders_move_with_the_booking_and_go_with_it(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    slots = await clinic.care.bookable_slots(patient, case.id, 50)
    early = next(slot for slot in slots if slot.starts_at > clinic.clock.now() + timedelta(days=2))
    late = next(slot for slot in slots if slot.starts_at > early.starts_at + timedelta(days=2))
    await clinic.care.book(patient, case.id, early.id)
    await clinic.care.reschedule(patient, case.id, late.id)
    await clinic.pass_time(early.starts_at - clinic.clock.now())
    assert await clinic.published("reminder.due") == []
    await clinic.care.cancel_booking(patient, case.id, "有事")
    await clinic.pass_time(timedelta(days=6))
    assert await clinic.published("reminder.due") == []
    assert await clinic.published("booking.overdue") == []


async def test_when_it_has_not_begun_half_an_hour_later_the_expert_is_asked(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    [slot] = await clinic.care.bookable_slots(patient, case.id, 1)
    await clinic.care.book(patient, case.id, slot.id)
    with pytest.raises(IllegalMove):
        await clinic.care.record_no_show(expert, case.id)
    await clinic.pass_time(slot.starts_at - clinic.clock.now() + timedelta(minutes=30))
    [asked] = await clinic.published("booking.overdue")
    assert asked["expert_id"] == practitioner_of(expert)
    await clinic.care.record_no_show(expert, case.id)
    [missed] = await clinic.published("booking.no_show")
    assert missed["slot_id"] == slot.id
    again = await clinic.care.bookable_slots(patient, case.id, 1)
    await clinic.care.book(patient, case.id, again[0].id)
    assert (await clinic.care.get(patient, case.id)).status is Status.ASSIGNED


async def test_one_that_has_begun_is_no_no_show(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    [slot] = await clinic.care.bookable_slots(patient, case.id, 1)
    await clinic.care.book(patient, case.id, slot.id)
    await clinic.care.start(expert, case.id)
    await clinic.pass_time(timedelta(days=1))
    assert await clinic.published("booking.overdue") == []
    assert await clinic.published("reminder.due") == []


async def test_urgent_consultations_skip_booking(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor, urgency="urgent")
    with pytest.raises(IllegalMove, match="illegal_move"):
        await clinic.care.bookable_slots(patient, case.id)
    assert (await clinic.published("consultation.assigned"))[0]["skips_booking"] is True
    assert (await clinic.care.start(expert, case.id)).status is Status.IN_PROGRESS


async def test_cancelling_the_consultation_gives_its_slot_back(clinic: Clinic) -> None:
    expert, doctor = await clinic.expert(), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    [slot] = await clinic.care.bookable_slots(patient, case.id, 1)
    await clinic.care.book(patient, case.id, slot.id)
    await clinic.care.cancel(patient, case.id, "好了")
    assert (await clinic.scheduling.slot(slot.id)).state is SlotState.FREE
    assert await clinic.scheduling.booking(case.id) is None


async def test_what_cannot_be_booked_is_refused_with_the_reason(clinic: Clinic) -> None:
    expert, other, doctor = await clinic.expert(), await clinic.expert("赵敏"), await clinic.doctor()
    patient, case = await assigned(clinic, expert, doctor)
    now = clinic.clock.now()
    [foreign] = await clinic.scheduling.slots(practitioner_of(other), now, now + timedelta(days=2), 1)
    first, second, *_ = await clinic.care.bookable_slots(patient, case.id)
    attempts: list[tuple[type[DomainError], Actor, str]] = [
        (NotFound, patient, foreign.id),
        (NotFound, patient, "0" * 32),
        (Forbidden, await clinic.patient("路人"), first.id),
    ]
    for error, who, slot_id in attempts:
        with pytest.raises(error):
            await clinic.care.book(who, case.id, slot_id)
    with pytest.raises(IllegalMove):
        await clinic.care.reschedule(patient, case.id, first.id)
    await clinic.care.book(patient, case.id, first.id)
    with pytest.raises(Conflict) as refused:
        await clinic.care.book(patient, case.id, second.id)
    assert "今天上午9:00" in refused.value.sentence
