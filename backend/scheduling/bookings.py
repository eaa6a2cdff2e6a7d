"""Bookings: a slot is sold once, whoever asks meanwhile, and moved without being lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict, IllegalMove, InvalidInput, NotFound
from backend.ids import new_id
from backend.scheduling import calendar
from backend.scheduling.plans import read_plan
from backend.scheduling.rules import Span
from backend.scheduling.slots import Slots
from backend.scheduling.tables import (
    Booking,
    BookingState,
    Slot,
    SlotState,
)
from backend.scheduling.views import BookingView, SlotView

HOLD_TIMER = "scheduling.hold_ends"
_TAKEN = "这个时间刚刚被别人约走了，请换一个时间。"


class Bookings(Slots):
    """The part of `SchedulingService` about bookings.

    `book`, `release`, `hold` and `let_go` are steps of the use cases of others: they join the caller's transaction, and
    the caller (`backend.consultation`, `backend.charging`) checks the policy, writes the audit entry and publishes what
    happened.
    """

    async def book(self, slot_id: str, consultation_id: str, patient_id: str) -> BookingView:
        """Take a slot for a consultation, in the caller's transaction; a slot it had or held before is freed with that.

        Raises:
            NotFound: no such slot.
            Conflict: somebody else has or holds it; a slot that the consultation had before is still its own.
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
            await self._take(session, slot_id, consultation_id)
            await self._end_hold(session, consultation_id)
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

    async def hold(self, slot_id: str, consultation_id: str, until: datetime) -> SlotView:
        """Keep a slot for a consultation until a moment, in the caller's transaction; a slot it held before is freed.

        Nobody else can have it meanwhile. The hold ends by itself, with `book`, or with `let_go`; held again it lasts
        until the new moment.

        Raises:
            NotFound: no such slot. Conflict: somebody else has or holds it; a slot held before stays held.
            InvalidInput: the slot's time has passed.
        """
        async with self._database.transaction() as session:
            slot = await session.get(Slot, slot_id)
            if slot is None:
                raise NotFound("没有找到这个时间，请重新选择。")
            if slot.starts_at <= self._clock.now():
                raise InvalidInput("这个时间已经过去了，请换一个时间。")
            await self._end_hold(session, consultation_id, but=slot_id)
            held = await session.execute(
                update(Slot)
                .where(Slot.id == slot_id, _to_be_had(consultation_id))
                .values(state=SlotState.HELD, held_for=consultation_id, held_until=until)
            )
            if held.rowcount != 1:  # type: ignore[attr-defined]  # of an UPDATE
                raise Conflict(_TAKEN, slot_id=slot_id)
            await self._timers.set(session, HOLD_TIMER, consultation_id, until, consultation_id=consultation_id)
            await session.refresh(slot)
            return SlotView.of(slot)

    async def let_go(self, consultation_id: str) -> None:
        """End the hold of a consultation, if it has one, in the caller's transaction."""
        async with self._database.transaction() as session:
            await self._end_hold(session, consultation_id)

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

    async def _take(self, session: AsyncSession, slot_id: str, consultation_id: str) -> None:
        taken = await session.execute(
            update(Slot)
            .where(Slot.id == slot_id, _to_be_had(consultation_id))
            .values(state=SlotState.BOOKED, held_for=None, held_until=None)
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
            span = Span(booking.starts_at, booking.ends_at)
            await self._free_again(session, booking.expert_id, booking.slot_id, span)
        await session.flush()

    async def _end_hold(self, session: AsyncSession, consultation_id: str, but: str = "") -> None:
        query = select(Slot).where(Slot.held_for == consultation_id, Slot.id != but)
        slot = await session.scalar(query.execution_options(populate_existing=True))
        if slot is not None:
            await self._free_again(session, slot.expert_id, slot.id, Span(slot.starts_at, slot.ends_at))
        if not but:
            await self._timers.cancel(session, HOLD_TIMER, consultation_id)

    async def _on_hold_ends(self, payload: Mapping[str, Any]) -> None:
        await self.let_go(payload["consultation_id"])

    async def _free_again(self, session: AsyncSession, expert_id: str, slot_id: str, span: Span) -> None:
        plan = await read_plan(session, expert_id, span.starts_at)
        slot = Slot.id == slot_id
        if plan.covers(span):
            await session.execute(update(Slot).where(slot).values(state=SlotState.FREE, held_for=None, held_until=None))
        else:  # the hours have changed since it was taken
            await session.execute(delete(Slot).where(slot))


def _to_be_had(consultation_id: str) -> ColumnElement[bool]:
    """A slot that is free, or held for this consultation."""
    return or_(Slot.state == SlotState.FREE, Slot.held_for == consultation_id)


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
