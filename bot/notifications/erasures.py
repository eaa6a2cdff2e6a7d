"""A relative's data are destroyed: who asked for it hears that it is done, unless they are gone themselves."""

from bot.cards.notices import notice
from bot.messages import Text
from bot.notifications.notifier import Notifier

_DONE = (
    "您要求删除的那位家人的资料，已经删掉了，找不回来，以前的备份里也打不开了。\n"
    "按规定要留的病历和账目留到期满，到那天自动删掉。您自己的资料没有动。"
)


async def finished(notifier: Notifier) -> None:
    """Say it without a name: that is gone too."""
    asked_by = notifier.payload["asked_by"]
    if await notifier.services.erasures.is_reachable(asked_by):
        note = notice("task", "家人的资料已经删掉了", None, notifier.now, status="已删掉", button="隐私与同意")
        await notifier.tell(asked_by, Text(_DONE, notice=note))


HANDLERS = {"erasure.finished": finished}
