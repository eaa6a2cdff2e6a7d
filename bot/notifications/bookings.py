"""Appointments: made, moved, given up, missed, and reminded of."""

from dataclasses import replace
from datetime import datetime

from backend.consultation.rules import START_REMINDER_VALID
from backend.consultation.views import ConsultationView
from backend.security.policy import SYSTEM
from bot.cards.case import appointment, case_line
from bot.cards.digest import digest_card
from bot.cards.material import gather
from bot.cards.notices import notice
from bot.cards.room import room_card
from bot.messages import Choice, Menu, Notice, Text
from bot.notifications.notifier import Notifier
from bot.notifications.rooms import people_of
from bot.wording import moment, waiting

_AT_HAND_MINUTES = 60
_ROOM_MINUTES = 10


async def made(notifier: Notifier) -> None:
    """Everybody who did not choose the time themselves hears of it; who has paid hears it with the receipt."""
    await _tell_time(notifier, "约好了", "会诊时间已约好", patient=not await _is_paid_for(notifier))


async def _is_paid_for(notifier: Notifier) -> bool:
    """Tell whether the booking was made by paying for it."""
    if notifier.services.charging is None:
        return False
    view = await notifier.case()
    charge = await notifier.services.charging.of_consultation(SYSTEM, view.id)
    return charge is not None and view.booking is not None and charge.slot_id == view.booking.slot_id


async def changed(notifier: Notifier) -> None:
    """Everybody who did not move the appointment themselves hears of it."""
    await _tell_time(notifier, "改了时间", "会诊时间已更改")


async def _tell_time(notifier: Notifier, what: str, title: str, *, patient: bool = True) -> None:
    view = await notifier.case()
    booking = appointment(view)
    if booking is None:  # given up since: that is told by its own event
        return
    when = moment(booking.starts_at, notifier.now)
    note = notice("progress", title, view, booking.starts_at)
    change = (Choice(f"patient.book:{view.id}", "改时间"),)
    if patient:
        words = f"会诊{what}：{when}。\n到时候打开微信就行，我会提前提醒您。"
        await notifier.tell_patient(view, Menu(words, change, notice=note))
    for practitioner_id, verb in _practitioners(view):
        card = Menu(f"{case_line(view)}：会诊{what}，{when}。", (Choice(f"{verb}:{view.id}", "查看资料"),), notice=note)
        await notifier.tell_practitioner(practitioner_id, card)


async def cancelled(notifier: Notifier) -> None:
    """An appointment was given up; the consultation itself goes on and wants a new time."""
    view = await notifier.case()
    await _ask_for_time(notifier, view, "这次会诊的预约取消了。您可以再选一个方便的时间。", "会诊预约已取消")
    words = f"{case_line(view)}：预约已取消，等患者重新选时间。"
    for practitioner_id, _ in _practitioners(view):
        await notifier.tell_practitioner(
            practitioner_id, Text(words, notice=notice("progress", "会诊预约已取消", view, notifier.now))
        )


async def no_show(notifier: Notifier) -> None:
    """The patient did not come: no reproach, a new time."""
    view = await notifier.case()
    await _ask_for_time(notifier, view, "约好的会诊没等到您，没关系。您再选一个方便的时间吧。", "会诊需要重新约时间")
    words = f"{case_line(view)}：患者未按时到，已请其重新约时间，请协助联系。"
    note = notice("progress", "患者未按时到", view, notifier.now)
    await notifier.tell_practitioner(view.doctor_id, Text(words, notice=note))


async def overdue(notifier: Notifier) -> None:
    """The time has passed and nothing began: the expert is asked what happened."""
    view = await notifier.case()
    choices = (Choice(f"expert.start:{view.id}", "开始会诊"), Choice(f"expert.no_show:{view.id}", "患者未到"))
    words = f"{case_line(view)}：约定的时间已过，会诊还没有开始。请问是什么情况？"
    note = notice("task", "会诊过时未开始", view, notifier.now, button="我的会诊")
    await notifier.tell_practitioner(view.expert_id, Menu(words, choices, notice=note))


async def _ask_for_time(notifier: Notifier, view: ConsultationView, words: str, title: str) -> None:
    choices = (Choice(f"patient.book:{view.id}", "重新选时间"),)
    note = notice("progress", title, view, notifier.now)
    await notifier.tell_patient(view, Menu(words, choices, notice=note))


async def reminder(notifier: Notifier) -> None:
    """A day, an hour and ten minutes before, and at the time: what is next, and from ten minutes on the way in."""
    view = await notifier.case()
    booking = appointment(view)
    if booking is None:
        return
    minutes = int(notifier.payload["minutes"])
    if minutes <= _ROOM_MINUTES:
        await _bring_in(notifier, view, booking.starts_at, minutes)
    else:
        await _remind(notifier, view, booking.starts_at, minutes)
    if minutes > 0:
        await _bring_digest(notifier, view, booking.starts_at, minutes)


async def _remind(notifier: Notifier, view: ConsultationView, starts_at: datetime, minutes: int) -> None:
    """Patient and doctor hear the time."""
    when, left = moment(starts_at, notifier.now), waiting(minutes)
    note = _reminder_notice(notifier, view, starts_at, minutes)
    at_hand = minutes <= _AT_HAND_MINUTES
    advice = "请把手机放在身边，到时候我会叫您。" if at_hand else "有新的检查单可以先交给医生。"
    change = (Choice(f"patient.book:{view.id}", "改时间"),)
    patient = Menu(f"提醒您：{when}和{view.expert_name}医生会诊，还有{left}。\n{advice}", change, notice=note)
    await notifier.tell_speaker(view, patient, expires_at=starts_at)
    choices = (Choice(f"doctor.attach:{view.id}", "添加资料"),)
    doctor = Menu(f"提醒：{case_line(view)} {when}会诊，还有{left}。", choices, notice=note)
    await notifier.tell_practitioner(view.doctor_id, doctor, expires_at=starts_at)


async def _bring_in(notifier: Notifier, view: ConsultationView, starts_at: datetime, minutes: int) -> None:
    """Everybody gets the card that opens the video room."""
    title = (
        f"{moment(starts_at, notifier.now)}视频会诊，还有{waiting(minutes)}" if minutes else "会诊时间到了，请点这里"
    )
    url = notifier.services.links.room(view.id)
    note = _reminder_notice(notifier, view, starts_at, minutes, opens=True)
    expires_at = starts_at if minutes else starts_at + START_REMINDER_VALID
    for person_id in await people_of(notifier, view):
        await notifier.tell(person_id, room_card(view, person_id, title, url, note), expires_at=expires_at)


async def _bring_digest(notifier: Notifier, view: ConsultationView, starts_at: datetime, minutes: int) -> None:
    """The expert gets what was gathered."""
    when, left = moment(starts_at, notifier.now), waiting(minutes)
    material = await gather(notifier.services.consultations, SYSTEM, view.id)
    note = _reminder_notice(notifier, view, starts_at, minutes)
    digest = digest_card(view, material, notifier.now, note)
    expert = replace(digest, head=f"提醒：{when}会诊，还有{left}。\n{digest.head}")
    key = f"digest:{notifier.event.id}"
    await notifier.tell_practitioner(view.expert_id, expert, expires_at=starts_at, once=key)


def _reminder_notice(
    notifier: Notifier, view: ConsultationView, starts_at: datetime, minutes: int, *, opens: bool = False
) -> Notice:
    title = "会诊快开始了" if minutes else "会诊时间到了"
    return notice("reminder", title if minutes <= _AT_HAND_MINUTES else "会诊时间提醒", view, starts_at, opens=opens)


def _practitioners(view: ConsultationView) -> tuple[tuple[str | None, str], ...]:
    """Give doctor and expert, each with the action that opens the case for them."""
    return ((view.doctor_id, "doctor.case"), (view.expert_id, "expert.case"))


HANDLERS = {
    "booking.made": made,
    "booking.changed": changed,
    "booking.cancelled": cancelled,
    "booking.no_show": no_show,
    "booking.overdue": overdue,
    "reminder.due": reminder,
}
