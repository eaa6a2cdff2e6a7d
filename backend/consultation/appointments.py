"""When expert and patient meet: choosing a slot, moving it, reminders, and who did not come."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import rules
from backend.consultation.ranking import describe_time
from backend.consultation.reading import Reading
from backend.consultation.rules import NO_SHOW_AFTER, REMINDER_MINUTES, START_REMINDER_VALID, Status, Step, require_text
from backend.consultation.tables import Consultation
from backend.errors import Conflict, IllegalMove, NotFound
from backend.scheduling import BookingState, BookingView, SlotView
from backend.scheduling.rules import HORIZON
from backend.security.policy import SYSTEM, Action, Actor

REMINDER_TIMER = "consultation.reminder"
NO_SHOW_TIMER = "consultation.no_show"
_NO_BOOKING_NEEDED = "紧急会诊不用预约，专家会尽快开始，请留意消息。"
_NOTHING_BOOKED = "这次会诊还没有预约时间。"


class Appointments(Reading):
    """Booking of a consultation. Critical and urgent ones skip it."""

    async def bookable_slots(self, actor: Actor, consultation_id: str, limit: int = 20) -> list[SlotView]:
        """Give the free slots of the expert in the coming 14 days, the earliest first.

        Raises:
            IllegalMove: no expert yet, already begun or closed, or too urgent to be booked.
        """
        async with self._database.reading() as session:
            case = await self._case(session, consultation_id)
            self._allow(actor, Action.CONSULTATION_RESCHEDULE, case)
            _require_bookable(case)
        now = self._clock.now()
        return await self._scheduling.slots(case.expert_id or "", now, now + HORIZON, limit)

    async def booking(self, actor: Actor, consultation_id: str) -> BookingView | None:
        """Give the booking of a consultation, if there is one: the active one, else the last kept or missed."""
        async with self._database.reading() as session:
            case = await self._case(session, consultation_id)
            self._allow(actor, Action.CONSULTATION_VIEW, case)
            return await self._scheduling.booking(case.id)

    async def book(self, actor: Actor, consultation_id: str, slot_id: str) -> BookingView:
        """Take a slot of the expert.

        Raises:
            Conflict: somebody else has it, or a time is booked already.
            NotFound: no such slot of this expert. InvalidInput: it has passed.
        """
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_BOOK, Step.BOOK)
            _require_bookable(case)
            held = await self._active_booking(case)
            if held is not None and held.slot_id != slot_id:
                raise Conflict(f"已经约好了{self._when(held)}，要换时间请选“改约”。")
            booking = await self._take(session, case, slot_id)
            if held is None:
                await self._note(session, actor, case, "booked", f"预约了{self._when(booking)}")
                await self._publish(session, case, "booking.made", actor_id=actor.person_id, **_moments(booking))
            return booking

    async def reschedule(self, actor: Actor, consultation_id: str, slot_id: str) -> BookingView:
        """Move the booking: the old slot is freed only in the moment in which the new one is had.

        Raises:
            IllegalMove: nothing is booked. Conflict: somebody else has the new slot; the old booking stands.
        """
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_RESCHEDULE, Step.BOOK)
            _require_bookable(case)
            held = await self._active_booking(case)
            if held is None:
                raise IllegalMove(_NOTHING_BOOKED)
            booking = await self._take(session, case, slot_id)
            if booking.slot_id != held.slot_id:
                text = f"把预约从{self._when(held)}改到{self._when(booking)}"
                await self._note(session, actor, case, "rescheduled", text)
                before = held.starts_at.isoformat()
                who = actor.person_id
                await self._publish(session, case, "booking.changed", actor_id=who, before=before, **_moments(booking))
            return booking

    async def cancel_booking(self, actor: Actor, consultation_id: str, reason: str = "") -> None:
        """Give the slot back; the consultation stays with its expert and can be booked again.

        Raises:
            IllegalMove: nothing is booked.
        """
        checked = require_text(reason, "取消原因", longest=200, required=False)
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_CANCEL_BOOKING, Step.BOOK)
            booking = await self._end_booking(session, case, BookingState.CANCELLED)
            if booking is None:
                raise IllegalMove(_NOTHING_BOOKED)
            why = f"，原因：{checked}" if checked else ""
            await self._note(session, actor, case, "booking_cancelled", f"取消了{self._when(booking)}的预约{why}")
            await self._publish(session, case, "booking.cancelled", actor_id=actor.person_id, **_moments(booking))

    async def record_no_show(self, actor: Actor, consultation_id: str) -> None:
        """Write down that the patient did not come; the consultation can be booked again or cancelled.

        Raises:
            IllegalMove: nothing is booked, or its time has not come yet.
        """
        async with self._database.transaction() as session:
            action = Action.CONSULTATION_RECORD_NO_SHOW
            case = await self._begin(session, actor, consultation_id, action, Step.RECORD_NO_SHOW)
            held = await self._active_booking(case)
            if held is None:
                raise IllegalMove(_NOTHING_BOOKED)
            if held.starts_at > self._clock.now():
                raise IllegalMove("还没到预约的时间，不能登记未到。")
            await self._end_booking(session, case, BookingState.NO_SHOW)
            await self._note(session, actor, case, "no_show", f"{self._when(held)}的预约，患者未到")
            await self._publish(session, case, "booking.no_show", actor_id=actor.person_id, **_moments(held))

    # inside

    async def _active_booking(self, case: Consultation) -> BookingView | None:
        booking = await self._scheduling.booking(case.id)
        return booking if booking is not None and booking.state is BookingState.ACTIVE else None

    async def _take(self, session: AsyncSession, case: Consultation, slot_id: str) -> BookingView:
        slot = await self._scheduling.slot(slot_id)
        if slot.expert_id != case.expert_id:
            raise NotFound("这个时间不是负责专家的，请重新选择。")
        booking = await self._scheduling.book(slot_id, case.id, case.patient_id)
        now = self._clock.now()
        for minutes in REMINDER_MINUTES:
            due_at = booking.starts_at - timedelta(minutes=minutes)
            key = _reminder_key(case, minutes)
            if due_at > now:
                payload = {"consultation_id": case.id, "booking_id": booking.id, "minutes": minutes}
                await self._timers.set(session, REMINDER_TIMER, key, due_at, **payload)
            else:
                await self._timers.cancel(session, REMINDER_TIMER, key)
        late = booking.starts_at + NO_SHOW_AFTER
        await self._timers.set(session, NO_SHOW_TIMER, case.id, late, consultation_id=case.id, booking_id=booking.id)
        return booking

    async def _end_booking(self, session: AsyncSession, case: Consultation, state: BookingState) -> BookingView | None:
        for minutes in REMINDER_MINUTES:
            await self._timers.cancel(session, REMINDER_TIMER, _reminder_key(case, minutes))
        await self._timers.cancel(session, NO_SHOW_TIMER, case.id)
        return await self._scheduling.release(case.id, state)

    async def _on_reminder(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            case = await self._case(session, payload["consultation_id"])
            booking = await self._active_booking(case)
            if booking is None or booking.id != payload["booking_id"]:
                return
            left = booking.starts_at - self._clock.now()
            minutes = payload["minutes"]
            # After a stop (or a moved clock) several are due at once: only the one nearest to the booking is of use.
            nearer = [timedelta(minutes=shorter) for shorter in REMINDER_MINUTES if shorter < minutes]
            if left < -START_REMINDER_VALID or any(left <= shorter for shorter in nearer):
                return
            await self._publish(session, case, "reminder.due", minutes=minutes, **_moments(booking))

    async def _on_no_show(self, payload: Mapping[str, Any]) -> None:
        async with self._database.transaction() as session:
            case = await self._case(session, payload["consultation_id"], lock=True)
            booking = await self._active_booking(case)
            if booking is None or booking.id != payload["booking_id"] or case.status is not Status.ASSIGNED:
                return
            await self._note(session, SYSTEM, case, "not_started", "到了预约时间30分钟后仍未开始，已询问专家")
            await self._publish(session, case, "booking.overdue", **_moments(booking))

    def _when(self, booking: BookingView) -> str:
        return describe_time(booking.starts_at, self._clock.now())


def _require_bookable(case: Consultation) -> None:
    rules.check(case.status, Step.BOOK)
    if case.urgency.skips_booking:
        raise IllegalMove(_NO_BOOKING_NEEDED)


def _moments(booking: BookingView) -> dict[str, str]:
    return {
        "booking_id": booking.id,
        "slot_id": booking.slot_id,
        "starts_at": booking.starts_at.isoformat(),
    }


def _reminder_key(case: Consultation, minutes: int) -> str:
    return f"{case.id}:{minutes}"
