"""Bookings: a slot is sold once, whoever asks meanwhile, and moved without being lost."""

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict, IllegalMove, InvalidInput, NotFound
from backend.ids import new_id
from backend.scheduling import calendar
from backend.scheduling.rules import Span, in_hours
from backend.scheduling.slots import Slots, read_absences, read_weeks
from backend.scheduling.tables import (
    Booking,
    BookingState,
    Slot,
    SlotState,
)
from backend.scheduling.views import BookingView

_TAKEN = "这个时间刚刚被别人约走了，请换一个时间。"


class Bookings(Slots):
    """The part of `SchedulingService` about bookings.

    `book` and `release` are steps of a consultation's use cases: they join the caller's transaction, and the caller
    (`backend.consultation`) checks the policy, writes the audit entry and publishes what happened.
    """

    async def book(self, slot_id: str, consultation_id: str, patient_id: str) -> BookingView:
        """Take a slot for a consultation, in the caller's transaction; a slot it had before is freed with that.

        Raises:
            NotFound: no such slot.
            Conflict: somebody else has it; a slot that the consultation had before is still its own.
            InvalidInput: the slot's time has passed.
        """
        async with self._database.transaction() as session:
            slot = await session.get(Slot, slot_id)
            if slot is None:
                raise NotFound("没有找到这个时间，请重新选择。")
            now = self._clock.now()
            if slot.starts_at <= now:
                raise InvalidInput("这个时间已经过去了，请换一个时间。")
            before = await _active(session, consultation_id)
            if before is not None and before.slot_id == slot_id:
                return BookingView.of(before)
            await self._take(session, slot_id)
            sequence = 0
            if before is not None:
                sequence = before.sequence + 1
                await self._close(session, before, BookingState.MOVED)
            booking = Booking(
                id=new_id(),
                slot_id=slot_id,
                expert_id=slot.expert_id,
                consultation_id=consultation_id,
                patient_id=patient_id,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                state=BookingState.ACTIVE,
                sequence=sequence,
                made_at=now,
                active_slot_id=slot_id,
                active_consultation_id=consultation_id,
            )
            session.add(booking)
            await _flush_or_conflict(session)
            return BookingView.of(booking)

    async def release(self, consultation_id: str, state: BookingState = BookingState.CANCELLED) -> BookingView | None:
        """End the active booking of a consultation, in the caller's transaction; give it, if there was one.

        The slot becomes free again where the booking is cancelled and its time has not begun.
        """
        async with self._database.transaction() as session:
            booking = await _active(session, consultation_id)
            if booking is None:
                return None
            await self._close(session, booking, state)
            await session.flush()
            return BookingView.of(booking)

    async def booking(self, consultation_id: str) -> BookingView | None:
        """Give the active booking of a consultation, else the last one that was kept or missed."""
        async with self._database.reading() as session:
            row = await _active(session, consultation_id)
            if row is None:
                row = await session.scalar(
                    select(Booking)
                    .where(
                        Booking.consultation_id == consultation_id,
                        Booking.state.in_([BookingState.KEPT, BookingState.NO_SHOW]),
                    )
                    .order_by(Booking.made_at.desc())
                    .limit(1)
                )
            return None if row is None else BookingView.of(row)

    def calendar(self, booking: BookingView, title: str, description: str = "") -> str:
        """Give the booking as an iCalendar file (RFC 5545); see `calendar.write`."""
        return calendar.write(booking, title, description, stamp=self._clock.now())

    # inside

    async def _take(self, session: AsyncSession, slot_id: str) -> None:
        taken = await session.execute(
            update(Slot).where(Slot.id == slot_id, Slot.state == SlotState.FREE).values(state=SlotState.BOOKED)
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]  # of an UPDATE
            raise Conflict(_TAKEN, slot_id=slot_id)

    async def _close(self, session: AsyncSession, booking: Booking, state: BookingState) -> None:
        if state is BookingState.ACTIVE:
            raise IllegalMove("预约不能这样结束。")
        now = self._clock.now()
        booking.state, booking.closed_at = state, now
        booking.active_slot_id = booking.active_consultation_id = None
        if state in (BookingState.MOVED, BookingState.CANCELLED) and booking.starts_at > now:
            await self._free_again(session, booking)
        await session.flush()

    async def _free_again(self, session: AsyncSession, booking: Booking) -> None:
        week = (await read_weeks(session, [booking.expert_id])).get(booking.expert_id, [])
        absences = await read_absences(session, booking.expert_id, booking.starts_at)
        span = Span(booking.starts_at, booking.ends_at)
        slot = Slot.id == booking.slot_id
        if in_hours(week, span.starts_at) and not any(span.overlaps(absence) for absence in absences):
            await session.execute(update(Slot).where(slot).values(state=SlotState.FREE))
        else:  # the hours have changed since it was booked
            await session.execute(delete(Slot).where(slot))


async def _active(session: AsyncSession, consultation_id: str) -> Booking | None:
    booking: Booking | None = await session.scalar(
        select(Booking).where(Booking.active_consultation_id == consultation_id)
    )
    return booking


async def _flush_or_conflict(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(_TAKEN) from error
