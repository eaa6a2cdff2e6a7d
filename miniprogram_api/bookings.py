"""Slots and bookings: what is free, booking, moving, giving back, and the calendar file.

Where consultations are charged, a time that is not booked yet is held, and booked once it is paid (docs/money.md).
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web
from pydantic import Field

from backend.charging import CANCELLABLE, ChargeView
from backend.errors import Forbidden, NotFound
from backend.scheduling import BookingState, BookingView
from miniprogram_api.context import Context
from miniprogram_api.endpoint import Call, Endpoint, Model, Reason
from miniprogram_api.pay import PayItem, pay_item

_PATH = {"consultation_id": "The consultation."}


class SlotsQuery(Model):
    """How many slots."""

    limit: int = Field(20, ge=1, le=50)


class SlotItem(Model):
    """A free time of the expert."""

    id: str
    starts_at: datetime
    ends_at: datetime


class SlotList(Model):
    """The next free times, the earliest first."""

    items: list[SlotItem]


class BookRequest(Model):
    """The slot that is wanted; a booking that is there already, or what is held until it is paid, moves to it.

    Attributes:
        without_insurance: the patient pays the whole; also for a time that is held already, while the insurer is asked.
            Of no meaning where nothing is charged, and for a booking that moves.
    """

    slot_id: str = Field(pattern="^[0-9a-f]{32}$")
    without_insurance: bool = False


class BookingItem(Model):
    """When the consultation will be."""

    starts_at: datetime
    ends_at: datetime
    state: BookingState


class CancelBookingRequest(Model):
    """Why the time is given back."""

    reason: Reason


class BookingAnswer(Model):
    """The booking as it is now; none when it was given back, or is not paid yet.

    Attributes:
        payment: what the booking costs and where that stands; none where nothing is charged, and for those whom it
            does not concern.
    """

    booking: BookingItem | None
    payment: PayItem | None


def booking_item(view: BookingView) -> BookingItem:
    """Show a booking."""
    return BookingItem(starts_at=view.starts_at, ends_at=view.ends_at, state=view.state)


async def _slots(call: Call) -> SlotList:
    slots = await call.context.consultations.bookable_slots(
        call.actor, call.path["consultation_id"], limit=call.query.limit
    )
    return SlotList(items=[SlotItem(id=slot.id, starts_at=slot.starts_at, ends_at=slot.ends_at) for slot in slots])


async def _book(call: Call) -> BookingAnswer:
    consultations, consultation_id = call.context.consultations, call.path["consultation_id"]
    charging, slot_id = call.context.charging, call.body.slot_id
    if await _active(call) is not None:
        await consultations.reschedule(call.actor, consultation_id, slot_id)
    elif charging is None:
        await consultations.book(call.actor, consultation_id, slot_id)
    else:
        begin = charging.begin_without_insurance if call.body.without_insurance else charging.begin
        await begin(call.actor, consultation_id, slot_id)
    return await _answer(call)


async def _cancel(call: Call) -> BookingAnswer:
    if not await _taken_back(call):
        await call.context.consultations.cancel_booking(call.actor, call.path["consultation_id"], call.body.reason)
    return await _answer(call)


async def _taken_back(call: Call) -> bool:
    """Take back a charge with the booking that it is for; tell whether there was one that the actor may take back."""
    charging, charge = call.context.charging, await _charge(call)
    if charging is None or charge is None or charge.state not in CANCELLABLE:
        return False
    try:
        await charging.cancel(call.actor, charge.id, call.body.reason)
    except Forbidden:  # whoever may cancel the booking alone: the charge follows it
        return False
    return True


async def _answer(call: Call) -> BookingAnswer:
    booking, charge = await _active(call), await _charge(call)
    return BookingAnswer(
        booking=None if booking is None else booking_item(booking),
        payment=None if charge is None else pay_item(charge, call.context.clock.now()),
    )


async def _active(call: Call) -> BookingView | None:
    booking = await call.context.consultations.booking(call.actor, call.path["consultation_id"])
    return booking if booking is not None and booking.state is BookingState.ACTIVE else None


async def _charge(call: Call) -> ChargeView | None:
    """Give the charge that the actor may see."""
    charging = call.context.charging
    if charging is None:
        return None
    try:
        return await charging.of_consultation(call.actor, call.path["consultation_id"])
    except Forbidden:
        return None


def calendar_file(context: Context) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Give the handler of `/h5/bookings/{token}.ics`: whoever holds the token may read when and where, nothing more."""

    async def serve(request: web.Request) -> web.Response:
        consultation_id = context.calendar_links.read(request.match_info["token"])
        if consultation_id is None:
            raise NotFound("这个链接已失效，请回到公众号里重新打开。")
        booking = await context.scheduling.booking(consultation_id)
        if booking is None:
            raise NotFound("这次预约已经取消了。")
        text = context.scheduling.calendar(booking, "专家会诊", "桥医远程会诊，请提前十分钟打开微信。")
        headers = {"Content-Disposition": 'attachment; filename="huizhen.ics"', "Cache-Control": "no-store"}
        return web.Response(text=text, content_type="text/calendar", charset="utf-8", headers=headers)

    return serve


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/consultations/{consultation_id}/slots",
        "listSlots",
        "Free times of its expert",
        _slots,
        SlotList,
        query=SlotsQuery,
        path_parameters=_PATH,
    ),
    Endpoint(
        "PUT",
        "/api/v1/consultations/{consultation_id}/booking",
        "book",
        "Book a time, or move the booking; where it costs something, hold it until it is paid",
        _book,
        BookingAnswer,
        body=BookRequest,
        path_parameters=_PATH,
    ),
    Endpoint(
        "POST",
        "/api/v1/consultations/{consultation_id}/booking/cancellation",
        "cancelBooking",
        "Give the time back, and what was paid for it",
        _cancel,
        BookingAnswer,
        body=CancelBookingRequest,
        path_parameters=_PATH,
    ),
    Endpoint(
        "GET",
        "/api/v1/consultations/{consultation_id}/booking",
        "getBooking",
        "The booking, what it costs and where that stands: the newest one, where there was more than one",
        _answer,
        BookingAnswer,
        path_parameters=_PATH,
    ),
)
