"""The three-way thread: what one says reaches the two others, with who said it and in which case."""

from backend.consultation.views import ConsultationView, MessageView
from backend.people import masked_name
from backend.security.policy import SYSTEM
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.messages import Choice, Menu, Message, Picture, Text
from bot.notifications.notifier import Notifier
from bot.notifications.rooms import tell_cards


async def started(notifier: Notifier) -> None:
    """The expert is there: patient and doctor hear that they can simply talk."""
    view = await notifier.case()
    note = notice("progress", "会诊开始了", view, notifier.now, "进行中")
    enter = Choice(f"thread.focus:{view.id}", "进入会诊")
    words = f"专家{view.expert_name}来了，会诊开始。\n请点“进入会诊”，然后您说的话、发的照片，专家和医生都能看到。"
    await notifier.tell_patient(view, Menu(words, (enter,), notice=note))
    doctor = Menu(f"{case_line(view)}：专家{view.expert_name}已开始会诊。", (enter,), notice=note)
    await notifier.tell_practitioner(view.doctor_id, doctor)
    if view.booking is None or notifier.now < view.booking.starts_at:  # else the card came at the booked time
        title = "会诊开始了，请点这里视频见面"
        await tell_cards(notifier, view, title, "请进视频会诊室")


async def posted(notifier: Notifier) -> None:
    """A message goes to everybody of the case but its sender."""
    view = await notifier.case()
    message = await notifier.services.consultations.message(SYSTEM, view.id, notifier.payload["message_id"])
    people = await _people(notifier, view)
    words = f"【{people.get(message.sender_id, message.sender_name)}】{_said(message)}"
    for person_id in people:
        if person_id != message.sender_id:
            await notifier.tell(person_id, *await _relayed(notifier, view, message, words, person_id))


async def _people(notifier: Notifier, view: ConsultationView) -> dict[str, str]:
    """Give those who talk in a case by their person ids, as the others know them; the patient by the family name."""
    people = {view.speaker_id: f"患者{masked_name(view.patient_name)}"}
    for practitioner_id, role in ((view.doctor_id, "医生"), (view.expert_id, "专家")):
        practitioner = await notifier.practitioner(practitioner_id) if practitioner_id else None
        if practitioner is not None and practitioner.person_id is not None:
            people[practitioner.person_id] = f"{practitioner.name}{role}"
    return people


async def _relayed(
    notifier: Notifier, view: ConsultationView, message: MessageView, words: str, person_id: str
) -> list[Message]:
    """Give a message as one person gets it: in another case than the one in focus it says which."""
    note = notice("progress", "会诊里有新消息", view, notifier.now)
    actor = await notifier.services.people.actor(person_id)
    picture = [Picture(message.file_id)] if message.kind == "image" else []
    if await notifier.services.consultations.focus(actor) == view.id:
        return [Text(words, notice=note), *picture]
    head = f"（另一个会诊：{_named(view, person_id)}）\n{words}"
    return [Menu(head, (Choice(f"thread.focus:{view.id}", "切换到这个会诊"),), notice=note), *picture]


def _said(message: MessageView) -> str:
    if message.kind == "image":
        return "发来一张图片："
    return f"（语音）{message.text}" if message.kind == "voice" else message.text


def _named(view: ConsultationView, person_id: str) -> str:
    """Name a case to one of its people: to patients by the expert, to the others by the patient."""
    return f"{view.expert_name}医生" if person_id == view.speaker_id else case_line(view)


HANDLERS = {"consultation.started": started, "message.posted": posted}
