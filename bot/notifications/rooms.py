"""The video room: who waits, who came, and how long it took. Whoever is inside sees for themselves."""

from collections.abc import Iterable
from datetime import timedelta

from backend.consultation.rules import Status
from backend.consultation.views import ConsultationView
from backend.security.policy import Role
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.cards.room import room_card
from bot.messages import Link, Text
from bot.notifications.notifier import Notifier

_NEWS_VALID = timedelta(minutes=30)
_WHO = {Role.PATIENT: "患者", Role.GRASSROOTS_DOCTOR: "医生", Role.EXPERT: "专家"}


async def waiting(notifier: Notifier) -> None:
    """A patient waits before the door: doctor and expert hear of it, unless they are inside and see it."""
    view = await notifier.case()
    await tell_cards(notifier, view, "患者已在等候，请进会诊室", "患者在会诊室等候", but=[view.speaker_id])


async def joined(notifier: Notifier) -> None:
    """Somebody is inside: the others hear of it, once a person and meeting."""
    view = await notifier.case()
    who = _WHO[Role(notifier.payload["role"])]
    await tell_cards(notifier, view, f"{who}已进会诊室，请您进来", f"{who}已进会诊室")


async def ended(notifier: Notifier) -> None:
    """The meeting is over: everybody hears how long it took, and where it can be seen again if it was recorded; where
    only one side came there was none to tell of."""
    if not notifier.payload["met"]:
        return
    view = await notifier.case()
    note = notice("progress", "视频会诊结束了", view, notifier.now)
    length = f"视频会诊结束了，一共{notifier.payload['minutes']}分钟。"
    after = "专家写好意见后，我马上发给您。" if view.status is Status.IN_PROGRESS else ""
    await notifier.tell_speaker(view, Text(f"{length}\n{after}".rstrip(), notice=note))
    for practitioner_id in (view.doctor_id, view.expert_id):
        await notifier.tell_practitioner(practitioner_id, Text(f"{case_line(view)}：{length}", notice=note))
    if notifier.payload["recorded"]:
        await _tell_recording(notifier, view)


async def _tell_recording(notifier: Notifier, view: ConsultationView) -> None:
    url = notifier.services.links.recordings(view.id)
    note = notice("progress", "会诊录像可以看了", view, notifier.now, opens=True)
    for person_id in await people_of(notifier, view):
        whose = f"跟{view.expert_name}医生的视频会诊" if person_id == view.speaker_id else case_line(view)
        card = Link("会诊录像可以看了", f"{whose}\n点这里回看。只有参加会诊的人能打开。", url, notice=note)
        await notifier.tell(person_id, card, once=f"recorded:{notifier.event.id}")


async def tell_cards(
    notifier: Notifier, view: ConsultationView, title: str, short: str, *, but: Iterable[str] = ()
) -> None:
    """Give the card of the room to those who take part and are not inside; of one kind, by one cause, once a meeting.

    Args:
        title: what the card says. short: the same for a closed window, at most 20 characters.
        but: persons who get none.
    """
    payload = notifier.payload
    left_out = {notifier.cause, *but, *await notifier.services.video.people_inside(view.id)}
    once = f"{notifier.event.type}:{view.id}:{notifier.cause}:{payload.get('meeting', notifier.event.id)}"
    url = notifier.services.links.room(view.id)
    note = notice("progress", short, view, notifier.now, opens=True)
    for person_id in await people_of(notifier, view):
        if person_id not in left_out:
            card = room_card(view, person_id, title, url, note)
            await notifier.tell(person_id, card, once=once, expires_at=notifier.now + _NEWS_VALID)


async def people_of(notifier: Notifier, view: ConsultationView) -> list[str]:
    """Give the persons who take part in a case: the patient, and doctor and expert where they have joined."""
    people = [view.speaker_id]
    for practitioner_id in (view.doctor_id, view.expert_id):
        person_id = (await notifier.practitioner(practitioner_id)).person_id if practitioner_id else None
        if person_id is not None:
            people.append(person_id)
    return people


HANDLERS = {"room.waiting": waiting, "room.joined": joined, "room.ended": ended}
