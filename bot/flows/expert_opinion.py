"""The expert's opinion, step by step: diagnosis with its code, plan, notes for the doctor; a preview; then the end."""

from backend.consultation.rules import Status
from bot.dialogue import Dialogue, Turn
from bot.flows.coding import disease_choices
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.flows.teaching_cases import close_with_offer
from bot.messages import Choice, Menu
from bot.wording import lines

_SKIP = Choice("opinion.skip", "没有，跳过")
_PREVIEW = (
    Choice("opinion.close", "确认并结束会诊"),
    Choice("opinion.diagnosis", "改诊断"),
    Choice("opinion.plan", "改治疗方案"),
    Choice("opinion.notes", "改医生注意事项"),
    Choice("opinion.later", "先不结束"),
)
_ASKING = {
    "diagnosis": "① 诊断：请写诊断，例如：社区获得性肺炎",
    "plan": "② 治疗方案：请写用药、检查、复查安排",
    "notes": "③ 给基层医生的注意事项（患者看不到）：",
}


class OpinionFlow(StaffFlow):
    """Every answered step is kept at once. Data: `consultation_id`, `step`, `diagnosis` while its code is chosen."""

    name = "expert_opinion"
    farewell = "好的，已填的意见都保存了。结束会诊前请从“我的会诊”回来填完。"

    async def begin(self, turn: Turn) -> None:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        opinion = view.opinion
        if view.status is not Status.IN_PROGRESS:
            close(turn, f"这例会诊现在是“{view.status.label}”，会诊进行中才能填写意见。")
        elif opinion is None or not opinion.diagnosis:
            self._ask(turn, "diagnosis")
        elif not opinion.plan:
            self._ask(turn, "plan")
        else:
            await self._preview(turn)

    async def told(self, turn: Turn, words: str) -> None:
        step = turn.data["step"]
        if step == "diagnosis":
            turn.data["diagnosis"] = words
            choices = (*disease_choices(words, "icd10"), Choice("icd10:", "不编码，用原文"))
            if len(choices) == 1:
                await self._diagnosed(turn, "")
            else:
                turn.say(Menu(f"诊断：{words}\n请选对应的ICD-10编码：", choices))
        elif step == "plan":
            await self._record(turn, plan=words)
            await self._next(turn, after="plan")
        elif step == "notes":
            await self._record(turn, notes=words)
            await self._preview(turn)
        else:
            await self._preview(turn)

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, code = item_id.partition(":")
        step = item_id.removeprefix("opinion.")
        if verb == "icd10" and "diagnosis" in turn.data:
            await self._diagnosed(turn, code)
        elif item_id == _SKIP.id:
            await self._preview(turn)
        elif item_id == "opinion.close":
            await self._close(turn)
        elif item_id == "opinion.later":
            turn.leave()
            turn.say("好的，意见已保存。您现在发的话会转到会诊里。")
        elif step != item_id and step in _ASKING:
            self._ask(turn, step)
        else:
            await super().tapped(turn, item_id)

    async def _diagnosed(self, turn: Turn, code: str) -> None:
        fields = {"diagnosis": turn.data.pop("diagnosis")} | ({"icd10": code} if code else {})
        await self._record(turn, **fields)
        await self._next(turn, after="diagnosis")

    async def _next(self, turn: Turn, after: str) -> None:
        """Ask for what is still missing behind the step `after`; a corrected step leads back to the preview."""
        opinion = (await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])).opinion
        if opinion is None or not opinion.plan:
            self._ask(turn, "plan")
        elif after == "plan" and not opinion.notes:
            self._ask(turn, "notes")
        else:
            await self._preview(turn)

    def _ask(self, turn: Turn, step: str) -> None:
        turn.data["step"] = step
        turn.say(Menu(_ASKING[step], (_SKIP,)) if step == "notes" else _ASKING[step])

    async def _record(self, turn: Turn, **fields: str) -> None:
        with ending_if_refused(turn):
            await turn.services.consultations.record_opinion(turn.actor, turn.data["consultation_id"], **fields)

    async def _preview(self, turn: Turn) -> None:
        turn.data["step"] = "preview"
        opinion = (await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])).opinion
        if opinion is None or opinion.missing:  # somebody skipped ahead with an old button
            self._ask(turn, "plan" if opinion is not None and opinion.diagnosis else "diagnosis")
            return
        code = f"（{opinion.icd10} {opinion.disease}）" if opinion.icd10 else ""
        card = lines(
            "会诊意见预览：",
            f"诊断：{opinion.diagnosis}{code}",
            f"治疗方案：{opinion.plan}",
            f"医生注意事项：{opinion.notes}" if opinion.notes else "",
        )
        turn.say(Menu(card, _PREVIEW))

    async def _close(self, turn: Turn) -> None:
        consultation_id = turn.data["consultation_id"]
        with ending_if_refused(turn):
            await turn.services.consultations.complete(turn.actor, consultation_id)
        await close_with_offer(turn, consultation_id, "会诊已结束，意见已发给患者和医生。辛苦了！")


async def give_opinion(turn: Turn, consultation_id: str) -> None:
    """Begin the opinion where it is not complete, else show its preview with the way to the end."""
    await turn.enter(OpinionFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let an expert give an opinion and close; closing begins with the preview, or with what is still missing."""
    dialogue.add_flow(OpinionFlow())
    dialogue.on_action("expert.opinion", give_opinion)
    dialogue.on_action("expert.close", give_opinion)
