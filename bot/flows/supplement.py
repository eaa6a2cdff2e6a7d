"""More material for an expert: asked for by the expert, given by the doctor, back to the expert."""

from bot.cards.case import case_line
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu, suggestions
from bot.wording import lines

_WISHES = ("近期化验单", "影像片子", "心电图", "目前用药清单")
_MOST_PICTURES = 9


class AskFlow(StaffFlow):
    """An expert says what is missing. Data: `consultation_id`."""

    name = "supplement_ask"
    farewell = "好的，没有发出补充要求。"

    async def begin(self, turn: Turn) -> None:
        turn.say(Menu("请问需要补充什么？（也可以直接写）", suggestions("wish", _WISHES)))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id.startswith("wish:"):
            await self.told(turn, turn.text)
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        consultation_id = turn.data["consultation_id"]
        turn.leave()
        await turn.services.consultations.request_supplement(turn.actor, consultation_id, words)
        close(turn, "已请医生补充，补好了会马上通知您。")


class AnswerFlow(StaffFlow):
    """A doctor gathers pictures and words, then sends them together. Data: `consultation_id`, `texts`, `file_ids`."""

    name = "supplement_answer"
    farewell = "好的，还没有发给专家。要补充时，请从“我的会诊”进来。"

    async def begin(self, turn: Turn) -> None:
        turn.data.update(texts=[], file_ids=[])
        consultation_id = turn.data["consultation_id"]
        view = await turn.services.consultations.get(turn.actor, consultation_id)
        asked = await turn.services.consultations.supplements(turn.actor, consultation_id)
        wanted = next((one.text for one in asked if one.answered_at is None), "")
        turn.say(
            lines(
                case_line(view),
                f"专家要：{wanted}" if wanted else "",
                "请发图片或写说明，可以发多条，发完点“发给专家”。",
            )
        )

    async def pictured(self, turn: Turn, file_id: str) -> None:
        if len(turn.data["file_ids"]) >= _MOST_PICTURES:
            turn.say(Menu(f"一次最多{_MOST_PICTURES}张图片，请先发给专家。", _sending()))
            return
        turn.data["file_ids"] = [*turn.data["file_ids"], file_id]
        self._say_gathered(turn)

    async def told(self, turn: Turn, words: str) -> None:
        turn.data["texts"] = [*turn.data["texts"], words]
        self._say_gathered(turn)

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id != "supplement.send":
            await super().tapped(turn, item_id)
            return
        data = dict(turn.data)
        if not data["texts"] and not data["file_ids"]:
            turn.say("还没有收到图片或说明，请先发。")
            return
        with ending_if_refused(turn):
            await turn.services.consultations.answer_supplement(
                turn.actor, data["consultation_id"], text="\n".join(data["texts"]), file_ids=tuple(data["file_ids"])
            )
        close(turn, "补充资料已发给专家，谢谢您。")

    def _say_gathered(self, turn: Turn) -> None:
        pictures, notes = len(turn.data["file_ids"]), len(turn.data["texts"])
        parts = (f"图片{pictures}张" if pictures else "", f"说明{notes}条" if notes else "")
        turn.say(Menu(f"收到：{'，'.join(part for part in parts if part)}。", _sending()))


def _sending() -> tuple[Choice, ...]:
    return (Choice("supplement.send", "发给专家"),)


async def _ask(turn: Turn, consultation_id: str) -> None:
    await turn.services.consultations.get(turn.actor, consultation_id)
    await turn.enter(AskFlow.name, consultation_id=consultation_id)


async def _answer(turn: Turn, consultation_id: str) -> None:
    await turn.enter(AnswerFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let experts ask for more and doctors answer."""
    dialogue.add_flow(AskFlow())
    dialogue.add_flow(AnswerFlow())
    dialogue.on_action("expert.supplement", _ask)
    dialogue.on_action("doctor.supplement", _answer)
