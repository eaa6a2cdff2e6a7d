"""What a person may ask about their own data: who saw it, and a copy to take away. It needs no consent: who took theirs
back may ask all the same."""

import re

from backend.rights import Access
from bot.dialogue import Dialogue, Turn
from bot.incoming import Kind
from bot.messages import Choice, Link, Menu, Text

CHOICES = (Choice("patient.accesses", "谁看过我的病历"), Choice("patient.copy", "要一份我的资料"))
"""The ways here, for the page about privacy."""

_SHOWN = 6
_HISTORY = re.compile(
    r"(我想知道|我要看|看看|查一下)?(是)?(都有)?(谁|哪些人|什么人)(都)?(看|查|翻)(过|了)我的(病历|资料|病情|档案)(了)?[吗呢啊？?。！!]*"
)
_COPY = re.compile(
    r"(我)?(想)?(要|导出|下载|复制|拿)(一份)?(我(自己)?的)(全部)?(资料|病历|数据|档案)(的)?(复印件|副本)?[。！!]?"
)


def register(dialogue: Dialogue) -> None:
    """Add both, by tap and by word."""
    dialogue.on_action("patient.accesses", _accesses)
    dialogue.on_action("patient.copy", _copy)
    dialogue.intercept([_hear])


async def _hear(turn: Turn) -> bool:
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE):
        return False
    for pattern, answer in ((_HISTORY, _accesses), (_COPY, _copy)):
        if pattern.fullmatch(turn.text):
            await answer(turn, "")
            return True
    return False


async def _accesses(turn: Turn, argument: str) -> None:
    """Show who did something with the data of the person, or of a relative for whom they speak.

    Args:
        argument: whose (nothing for one's own), the number of the entry before which to go on (0 for the latest), and
            how many of that page were shown: `ID`, `ID:17:6`.
    """
    patient_id, _, rest = argument.partition(":")
    before, skip = ((*map(_whole, rest.split(":")), 0, 0))[:2]
    whose = patient_id or turn.actor.person_id
    told, further = await turn.services.rights.of(turn.actor, whose, before or None)
    shown, left = told[skip : skip + _SHOWN], told[skip + _SHOWN :]
    onward = f"{before}:{skip + _SHOWN}" if left else f"{further}:0" if further else ""
    more = [Choice(f"patient.accesses:{whose}:{onward}", "更早的")] if onward else []
    relatives = [] if patient_id else await turn.services.people.relatives(turn.actor)
    others = [Choice(f"patient.accesses:{one.person.id}", f"{one.person.name}的") for one in relatives[:3]]
    if not shown:
        turn.say(_menu(_nobody(first=not rest, more=bool(more)), [*more, *others]))
        return
    turn.say(Text("\n\n".join(["看过病历的人，最近的在最前面：", *map(_line, shown)])))
    turn.say(_menu("要是有您不认识的人，请告诉我们，我们去查。", [*more, *others, Choice("help.human", "转人工")]))


def _whole(written: str) -> int:
    return int(written) if written.isdecimal() else 0


def _nobody(*, first: bool, more: bool) -> str:
    if more:
        return "这段时间没有别人看过。要看再早的，请点“更早的”。"
    return "除了您自己，还没有别人看过您的病历。" if first else "再早就没有了。"


def _menu(words: str, choices: list[Choice]) -> Menu | Text:
    return Menu(words, tuple(choices)) if choices else Text(words)


def _line(access: Access) -> str:
    place = f"（{access.place}）" if access.place else ""
    who = f"{access.name}，{access.kind}{place}" if access.name else f"{access.kind}{place}"
    return f"{access.day.month}月{access.day.day}日　{who}\n{'；'.join(access.deeds)}\n为了：{access.why}"


async def _copy(turn: Turn, _argument: str) -> None:
    url = turn.services.links.data_copy(turn.actor.person_id)
    turn.say(
        Link(
            "您的资料",
            "点开就能保存。里面有您的病情，请自己收好，不要转发给别人。半小时内有效，过时再要一次就行。",
            url,
        )
    )
