"""A text that is longer than one message: in pages that a person turns, with the answers where they can be tapped.

After a tap WeChat takes three messages (facts: customer-service messages); what comes beyond is kept back, and with it
the buttons that stand below a long text. So a page is at most two texts and a menu.
"""

from collections.abc import Iterable, Sequence

from bot.messages import Choice, Menu, Message, Text
from bot.wording import lines

_TEXT_BYTES = 1900
_MENU_BYTES = 1500
_TEXTS = 2


def paged(blocks: Sequence[str], head: str, choices: tuple[Choice, ...], page: int, onward: Choice) -> list[Message]:
    """Give one page: what is said, with `head` and the answers below it.

    Args:
        blocks: what belongs together and is cut nowhere else.
        choices: on every page.
        onward: the answer that turns to the next page; only where there is one.
    """
    whole = lines(*blocks, head)
    if len(whole.encode()) <= _MENU_BYTES:
        return [Menu(whole, choices)]
    texts = packed(blocks)
    page = min(max(page, 0), (len(texts) - 1) // _TEXTS)
    shown = texts[page * _TEXTS : (page + 1) * _TEXTS]
    left = texts[(page + 1) * _TEXTS :]
    more = (onward,) if left else ()
    hint = f"没有显示完，请点“{onward.text}”。" if left else ""
    return [*map(Text, shown), Menu(lines(head, hint), (*more, *choices))]


def last_page(blocks: Sequence[str], head: str) -> int:
    """Give the number of the last page, counted from 0."""
    if len(lines(*blocks, head).encode()) <= _MENU_BYTES:
        return 0
    return (len(packed(blocks)) - 1) // _TEXTS


def packed(blocks: Iterable[str], limit: int = _TEXT_BYTES) -> list[str]:
    """Put blocks into as few texts of at most `limit` bytes as their order allows; a longer block stands alone."""
    texts: list[str] = []
    for block in filter(None, blocks):
        joined = lines(texts[-1], block) if texts else block
        if texts and len(joined.encode()) <= limit:
            texts[-1] = joined
        else:
            texts.append(block)
    return texts
