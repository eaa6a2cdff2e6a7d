"""Key images in chat: what one side has marked in the images, the other side sees as pictures."""

from backend.consultation.views import ConsultationView
from backend.imaging import KeyImageView
from backend.security.policy import SYSTEM, Role
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.messages import Link, Message, Picture, Text
from bot.notifications.notifier import Notifier

_MOST_PICTURES = 3  # with the sentence before them and the card behind, all that one window lets be said


async def key_images_marked(notifier: Notifier) -> None:
    """The expert gets what the doctor has marked, the doctor what the expert has: a sentence, a few pictures, and the
    card where there is more to see. What was taken back meanwhile is not told."""
    view, payload = await notifier.case(), notifier.payload
    wanted = set(payload["key_image_ids"])
    marked = [one for one in await notifier.services.imaging.key_images(SYSTEM, view.id) if one.id in wanted]
    if not marked:
        return
    to = view.doctor_id if Role(payload["side"]) is Role.EXPERT else view.expert_id
    await notifier.tell_practitioner(to, *_told(notifier, view, marked))


def _told(notifier: Notifier, view: ConsultationView, marked: list[KeyImageView]) -> list[Message]:
    who = "、".join(dict.fromkeys(one.marker for one in marked))
    note = notice("progress", "图像里标了关键图", view, notifier.now)
    pictures = [Picture(one.file_id) for one in marked if one.file_id is not None][:_MOST_PICTURES]
    words = f"{who}在图像里标了{len(marked)}张关键图，请您看一看。\n{case_line(view)}"
    messages: list[Message] = [Text(words, notice=note), *pictures]
    if len(pictures) < len(marked):
        described = f"一共{len(marked)}张，点这里打开图像，每一张都能放大看。"
        messages.append(Link("看全部关键图", described, notifier.services.links.viewer(view.id)))
    return messages


HANDLERS = {"imaging.key_images_marked": key_images_marked}
