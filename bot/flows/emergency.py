"""紧急查看: a doctor reads what is known of somebody in danger whom they do not treat yet, for a reason."""

from backend.clock import local
from backend.people.emergency import SHORTEST_REASON
from backend.records.background import Background
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu, suggestions

_REASONS = ("病人昏迷，问不到病史", "正在抢救，要知道过敏", "外伤急诊，要知道用药")


class EmergencyFlow(StaffFlow):
    """Data: `number` once it is told."""

    name = "emergency"
    farewell = "好的，没有查看。"

    async def begin(self, turn: Turn) -> None:
        turn.say(
            "紧急查看只用于抢救：能看一小时，只能看，不能改。患者本人和管理员会马上知道是谁、为什么看的。\n"
            "请发患者的身份证号；不看了，请回复“退出”。"
        )

    async def told(self, turn: Turn, words: str) -> None:
        if "number" in turn.data:
            await self._open(turn, words)
            return
        number = words.replace(" ", "").upper()
        if len(number) not in (15, 18) or not number[:-1].isdigit():
            turn.say("这不像身份证号，请核对后再发一次。")
            return
        turn.data["number"] = number
        choices = (*suggestions("reason", _REASONS), Choice("keep", "不看了"))
        turn.say(Menu("为什么要紧急查看？请点原因，也可以直接写：", choices))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id.startswith("reason:") and "number" in turn.data:
            await self._open(turn, turn.text)
        elif item_id == "keep":
            close(turn, self.farewell)
        else:
            await super().tapped(turn, item_id)

    async def _open(self, turn: Turn, reason: str) -> None:
        if len(reason.strip()) < SHORTEST_REASON:
            turn.say("请写清楚为什么要紧急查看。")
            return
        people = turn.services.people
        with ending_if_refused(turn):
            opened = await people.break_glass(turn.actor, turn.data["number"], reason)
        if opened is None:
            close(turn, "平台上没有这个身份证号的病人。这次查找已经记下。")
            return
        actor = await people.actor(turn.actor.person_id)
        known = await turn.services.records.background(actor, opened.patient_id)
        close(turn, f"{_said(known)}\n\n可以看到{local(opened.until):%H:%M}。患者本人和管理员已经收到通知。")


def _said(known: Background) -> str:
    allergies = [
        one.substance + ("（严重）" if one.severe else "") + (f"：{one.reaction}" if one.reaction else "")
        for one in known.allergies
    ]
    return "\n".join(
        (
            f"过敏：{_listed(allergies, asked=known.allergies_asked is not None)}",
            f"正在吃的药：{_listed([one.name for one in known.medicines], asked=known.medicines_asked is not None)}",
            f"以前的病：{_listed([one.name for one in known.conditions], asked=False)}",
        )
    )


def _listed(names: list[str], *, asked: bool) -> str:
    return "、".join(names) or ("说过没有" if asked else "没有记录（不等于没有）")


async def start(turn: Turn, _argument: str) -> None:
    """Begin; for doctors and experts."""
    await turn.enter(EmergencyFlow.name)


def register(dialogue: Dialogue) -> None:
    """Add the conversation; the command that begins it stands with the other commands."""
    dialogue.add_flow(EmergencyFlow())
