"""Slots and bookings: what is free, booking, moving, giving back, and the calendar file."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web
from pydantic import Field

from backend.errors import NotFound
from backend.scheduling import BookingState, BookingView
from miniprogram_api.context import Context
from miniprogram_api.endpoint import Call, Endpoint, Model, Reason

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
    """The slot that is wanted; a booking that is there already moves to it."""

    slot_id: str = Field(pattern="^[0-9a-f]{32}$")


class BookingItem(Model):
    """When the consultation will be."""

    starts_at: datetime
    ends_at: datetime
    state: BookingState


class CancelBookingRequest(Model):
    """Why the time is given back."""

    reason: Reason


class BookingAnswer(Model):
    """The booking as it is now; none when it was given back."""

    booking: BookingItem | None


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
    held = await consultations.booking(call.actor, consultation_id)
    moves = held is not None and held.state is BookingState.ACTIVE
    act = consultations.reschedule if moves else consultations.book
    return BookingAnswer(booking=booking_item(await act(call.actor, consultation_id, call.body.slot_id)))


async def _cancel(call: Call) -> BookingAnswer:
    await call.context.consultations.cancel_booking(call.actor, call.path["consultation_id"], call.body.reason)
    return BookingAnswer(booking=None)


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
        "Book a time, or move the booking",
        _book,
        BookingAnswer,
        body=BookRequest,
        path_parameters=_PATH,
    ),
    Endpoint(
        "POST",
        "/api/v1/consultations/{consultation_id}/booking/cancellation",
        "cancelBooking",
        "Give the time back",
        _cancel,
        BookingAnswer,
        body=CancelBookingRequest,
        path_parameters=_PATH,
    ),
)
