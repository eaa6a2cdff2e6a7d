"""Choosing a time with the expert: first the day, then the hour; changed or given up in the same way."""

from backend.clock import local
from backend.consultation.views import ConsultationView
from backend.scheduling import BookingState, BookingView, SlotView
from bot.cards.booking import booked
from bot.dialogue import Dialogue, Turn
from bot.flows import booking_words, identity, paying
from bot.flows.words import REASONS, ask_reason, on_words
from bot.messages import Choice, Menu
from bot.wording import day, moment, time_of_day

MOST_SLOTS = 100
"""What scheduling gives at most: with an expert's full days, the coming six or so."""

_DAYS_SHOWN = 6
_TIMES_SHOWN = 8
_TAKEN = "这个时间刚刚没有了，请再选一个。"


def active_booking(case: ConsultationView) -> BookingView | None:
    """Give the booking that still stands; a kept, missed or cancelled one is past."""
    booking = case.booking
    return booking if booking is not None and booking.state is BookingState.ACTIVE else None


async def _days(turn: Turn, consultation_id: str) -> None:
    """Offer the days on which the expert has free times."""
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    days = await _free_by_day(turn, consultation_id)
    if not days:
        again = Choice(f"patient.book:{consultation_id}", "再看看")
        turn.say(
            Menu(
                "专家最近几天都约满了。请过一天再看，或者让值班的人帮您安排。", (again, Choice("help.human", "找人工"))
            )
        )
        return
    held = active_booking(case)
    if held is None:
        head = f"{case.expert_name}医生有空的日子在下面，您哪天方便？"
    else:
        head = f"您现在约的是{moment(held.starts_at)}。\n想改到哪一天？"
    shown = list(days.items())[:_DAYS_SHOWN]
    choices = [Choice(f"patient.bookday:{consultation_id}:{key}:0", day(slots[0].starts_at)) for key, slots in shown]
    turn.say(Menu(head, tuple(choices)))


async def _times(turn: Turn, argument: str) -> None:
    """Offer the free times of one day, `argument` being the case, the day and how many times to pass over."""
    consultation_id, key, passed = (*argument.split(":"), "", "")[:3]
    days = await _free_by_day(turn, consultation_id)
    slots = days.get(key, [])
    if not slots:
        turn.say("这一天已经约满了，请换一天。")
        await _days(turn, consultation_id)
        return
    offset = int(passed) if passed.isdecimal() and int(passed) < len(slots) else 0
    shown = slots[offset : offset + _TIMES_SHOWN]
    choices = [Choice(f"patient.bookslot:{consultation_id}:{slot.id}", time_of_day(slot.starts_at)) for slot in shown]
    if offset + _TIMES_SHOWN < len(slots):
        choices.append(Choice(f"patient.bookday:{consultation_id}:{key}:{offset + _TIMES_SHOWN}", "晚一点的"))
    choices.append(Choice(f"patient.book:{consultation_id}", "换一天"))
    turn.say(Menu(f"{day(slots[0].starts_at)}有这些时间，您选哪个？", tuple(choices)))


async def _slot(turn: Turn, argument: str) -> None:
    """Ask whether the chosen time is meant."""
    consultation_id, _, slot_id = argument.partition(":")
    slot = await _free_slot(turn, consultation_id, slot_id)
    if slot is None:
        turn.say(_TAKEN)
        await _days(turn, consultation_id)
        return
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    sure = Choice(f"patient.booksure:{consultation_id}:{slot_id}", "确定")
    other = Choice(f"patient.book:{consultation_id}", "换个时间")
    turn.say(Menu(f"{moment(slot.starts_at)}，跟{case.expert_name}医生会诊。就定这个时间吗？", (sure, other)))


async def _sure(turn: Turn, argument: str) -> None:
    """Book the chosen time, or move the booking to it."""
    consultation_id, _, slot_id = argument.partition(":")
    consultations = turn.services.consultations
    case = await consultations.get(turn.actor, consultation_id)
    held = active_booking(case)
    if held is not None and held.slot_id == slot_id:
        await _confirm(turn, held, "您已经约好了")  # the same tap twice
        return
    if held is None and await paying.shown_if_held(turn, consultation_id, slot_id):
        return
    if await _free_slot(turn, consultation_id, slot_id) is None:
        turn.say(_TAKEN)
        await _days(turn, consultation_id)
        return
    if held is None and turn.services.charging is not None:
        if not await identity.is_asked_for(turn, consultation_id, slot_id):
            await paying.hold(turn, consultation_id, slot_id)
        return
    step = consultations.book if held is None else consultations.reschedule
    booking = await step(turn.actor, consultation_id, slot_id)
    await _confirm(turn, booking, "约好了" if held is None else "改好了")


async def _confirm(turn: Turn, booking: BookingView, opening: str) -> None:
    turn.say(*booked(booking, opening, turn.services.links.calendar(booking)))


async def _give_up(turn: Turn, argument: str) -> None:
    """Ask for the reason of giving up the booking, then do it; the case itself stays."""
    consultation_id, _, code = argument.partition(":")
    if code in REASONS:
        await _give_up_because(turn, consultation_id, REASONS[code])
    elif await paying.dropped_if_unpaid(turn, consultation_id):
        return
    elif active_booking(await turn.services.consultations.get(turn.actor, consultation_id)) is None:
        turn.say("现在没有约时间，不用取消。")
    else:
        ask_reason(turn, "patient.unbook", consultation_id, "好的，取消这次预约。是因为什么？")


async def _give_up_because(turn: Turn, consultation_id: str, reason: str) -> None:
    if await paying.give_up(turn, consultation_id, reason):
        return
    await turn.services.consultations.cancel_booking(turn.actor, consultation_id, reason)
    again = Choice(f"patient.book:{consultation_id}", "重新选时间")
    turn.say(Menu("预约取消了，医生也会知道。想再约，随时可以选时间。", (again,)))


async def _free_by_day(turn: Turn, consultation_id: str) -> dict[str, list[SlotView]]:
    """Give the free slots by day (`YYYYMMDD` in China), in order."""
    days: dict[str, list[SlotView]] = {}
    for slot in await turn.services.consultations.bookable_slots(turn.actor, consultation_id, MOST_SLOTS):
        days.setdefault(f"{local(slot.starts_at):%Y%m%d}", []).append(slot)
    return days


async def _free_slot(turn: Turn, consultation_id: str, slot_id: str) -> SlotView | None:
    free = await turn.services.consultations.bookable_slots(turn.actor, consultation_id, MOST_SLOTS)
    return next((slot for slot in free if slot.id == slot_id), None)


def register(dialogue: Dialogue) -> None:
    """Add booking; each step is an action, so that an old message's answers still do what they say."""
    dialogue.on_action("patient.book", _days)
    dialogue.on_action("patient.bookday", _times)
    dialogue.on_action("patient.bookslot", _slot)
    dialogue.on_action("patient.booksure", _sure)
    dialogue.on_action("patient.unbook", _give_up)
    on_words(dialogue, "patient.unbook", _give_up_because)
    dialogue.intercept([booking_words.hear])
