"""What every flow of doctors and experts does alike: the way out, pictures, voices and buttons of yesterday."""

from collections.abc import Iterator
from contextlib import contextmanager

from backend.errors import DomainError, InvalidInput
from bot.dialogue import Turn
from bot.flows.staff_menus import home
from bot.incoming import Kind

LEAVING = frozenset({"返回", "退出", "取消", "算了", "不填了"})
STALE_BUTTON = "这个按钮已经过期了。"


class StaffFlow:
    """A flow that sorts what arrives by its kind. Subclasses answer the kinds that mean something to them."""

    name = ""
    farewell = "好的，已退出，没有保存的内容不会提交。"

    async def begin(self, turn: Turn) -> None:
        """Say the first thing."""
        raise NotImplementedError

    async def receive(self, turn: Turn) -> None:
        """Sort a message by its kind; one that means nothing here is told so and the question is put again."""
        incoming = turn.incoming
        if incoming.kind in (Kind.TAP, Kind.CLICK):
            await self.tapped(turn, incoming.item_id)
        elif incoming.kind is Kind.IMAGE:
            await self.pictured(turn, incoming.file_id)
        elif incoming.kind in (Kind.TEXT, Kind.VOICE):
            await self._worded(turn)
        elif incoming.kind is not Kind.UNFOLLOW:
            turn.say(home(turn.actor, "这类消息暂时看不了，请发文字、语音或图片。"))

    async def _worded(self, turn: Turn) -> None:
        if not turn.text:
            turn.say("没有听清，请再说一次，或者打字。")
        elif turn.text in LEAVING:
            close(turn, self.farewell)
        else:
            await self.told(turn, turn.text)

    async def tapped(self, turn: Turn, item_id: str) -> None:
        """Answer a tap on an answer of this flow."""
        stale(turn)

    async def told(self, turn: Turn, words: str) -> None:
        """Answer typed or spoken words."""
        raise NotImplementedError

    async def pictured(self, turn: Turn, file_id: str) -> None:
        """Answer a picture."""
        turn.say("这一步不需要图片，请先完成当前内容，或回复“退出”。")


def stale(turn: Turn) -> None:
    """Answer a tap on a button whose time is over."""
    turn.say(home(turn.actor, STALE_BUTTON))


def close(turn: Turn, words: str) -> None:
    """End the running flow with `words` above the first menu: one message, because each costs a part of the quota."""
    turn.leave()
    turn.say(home(turn.actor, words))


@contextmanager
def ending_if_refused(turn: Turn) -> Iterator[None]:
    """End the running flow where the step inside is refused, unless it was the words: those can be written again.

    A case that has moved on must not swallow what is said next.
    """
    try:
        yield
    except InvalidInput:
        raise
    except DomainError:
        turn.leave()
        raise
