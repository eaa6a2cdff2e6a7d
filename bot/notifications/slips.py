"""A photographed laboratory slip has been read, or could not be: whoever sent it hears of it."""

from backend.clock import local
from bot.cards.slips import slip_card
from bot.flows.relatives import called
from bot.messages import Choice, Menu, Notice
from bot.notifications.notifier import Notifier


async def read(notifier: Notifier) -> None:
    """Show what was read, to be looked over before it is kept."""
    services, sender_id = notifier.services, notifier.payload["sender_id"]
    actor = await services.people.actor(sender_id)
    slip = await services.slips.slip(actor, notifier.payload["slip_id"])
    relatives = await services.people.relatives(actor)
    name = next((called(one) for one in relatives if one.person.id == slip.patient_id), "")
    card = slip_card(slip, name)
    await notifier.tell(
        sender_id, Menu(card.head, card.choices, notice=_notice(notifier, "请核对化验单上的数", "待核对"))
    )


async def unreadable(notifier: Notifier) -> None:
    """Say that nothing could be read, and how a photograph turns out better."""
    words = (
        "这张照片里没有读到化验单上的数。请把单子放平，光线亮一点，拍满整张，再发一次；"
        "也可以直接打字告诉我，比如“空腹血糖6.5”。"
    )
    again = Choice("patient.start", "我不舒服")
    notice = _notice(notifier, "化验单没有看清，请重新拍", "没看清")
    await notifier.tell(notifier.payload["sender_id"], Menu(words, (again,), notice=notice))


def _notice(notifier: Notifier, guidance: str, status: str) -> Notice:
    at = local(notifier.now)
    told = {"title": "化验单", "guidance": guidance, "status": status}
    fields = {**told, "number": f"{at:%Y%m%d}", "time": f"{at:%Y-%m-%d %H:%M}"}
    return Notice("progress", fields)


HANDLERS = {"slip.read": read, "slip.unreadable": unreadable}
