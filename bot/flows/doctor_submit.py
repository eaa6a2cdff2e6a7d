"""The request for a consultation as one card that a doctor completes in any order and submits."""

from backend.consultation.rules import Status, Urgency
from bot.dialogue import Dialogue, Turn
from bot.flows.coding import coded, department_name, disease_choices, find_departments
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu
from bot.wording import lines

_LONGEST_QUESTION = 500
_ASKING = {
    "department": "请写科室，例如：心内科",
    "icd10": "请写疾病名称或编码，例如：高血压",
    "question": "请写想请专家解决的问题：",
}
_FORM = (
    Choice("form.submit", "提交申请"),
    Choice("form.department", "改科室"),
    Choice("form.icd10", "填初步诊断"),
    Choice("form.question", "写会诊目的"),
    Choice("form.urgency", "改紧急程度"),
)


class SubmitFlow(StaffFlow):
    """Data: `consultation_id`, `line`, the fields of the form, and `asking`: the field that is typed next."""

    name = "doctor_submit"
    farewell = "好的，还没有提交，资料都在，随时可以从“我的任务”继续。"

    async def begin(self, turn: Turn) -> None:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        if view.status is not Status.DRAFT:
            close(turn, f"这例会诊现在是“{view.status.label}”，不用再提交。")
            return
        turn.data.update(
            line=view.patient_name or "患者",
            department=view.department_code,
            icd10=view.icd10 or "",
            question=view.question or "",
            urgency=view.urgency.value,
            asking="",
        )
        _say_form(turn)

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, value = item_id.partition(":")
        if item_id == "form.submit":
            await self._submit(turn)
        elif item_id == "form.urgency":
            turn.say(Menu("请选紧急程度：", tuple(Choice(f"urgency:{one.value}", one.label) for one in Urgency)))
        elif item_id.removeprefix("form.") in _ASKING:
            turn.data["asking"] = item_id.removeprefix("form.")
            turn.say(_ASKING[turn.data["asking"]])
        elif verb in ("department", "icd10", "urgency"):
            turn.data.update({verb: value, "asking": ""})
            _say_form(turn)
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        asking = turn.data["asking"]
        if asking == "department":
            choices = tuple(Choice(f"department:{row.code}", row.name) for row in find_departments(words))
            _offer(turn, choices, "没有找到这个科室，请换个写法，例如：呼吸内科")
        elif asking == "icd10":
            _offer(turn, disease_choices(words, "icd10"), "没有找到这个病，请换个写法，或者点“提交申请”先不填。")
        else:
            # Whatever a doctor writes on this card without choosing a field first is what they want to ask.
            turn.data.update(question=words[:_LONGEST_QUESTION], asking="")
            _say_form(turn)

    async def _submit(self, turn: Turn) -> None:
        data = dict(turn.data)
        with ending_if_refused(turn):
            await turn.services.consultations.submit(
                turn.actor,
                data["consultation_id"],
                department_code=data["department"],
                icd10=data["icd10"] or None,
                question=data["question"],
                urgency=Urgency(data["urgency"]),
            )
        close(turn, "会诊申请已提交，正在为您找专家。有专家接受会马上告诉您。")


def _offer(turn: Turn, choices: tuple[Choice, ...], nothing: str) -> None:
    turn.say(Menu("请选一个，或者重新写：", choices) if choices else Menu(nothing, _FORM))


def _say_form(turn: Turn) -> None:
    data = turn.data
    card = lines(
        f"会诊申请：{data['line']}",
        f"科室：{department_name(data['department'])}",
        f"初步诊断：{coded(data['icd10']) or '（可不填）'}",
        f"会诊目的：{data['question'] or '（可不填）'}",
        f"紧急程度：{Urgency(data['urgency']).label}",
    )
    turn.say(Menu(card, _FORM))


async def _begin(turn: Turn, consultation_id: str) -> None:
    await turn.enter(SubmitFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let a doctor request a consultation."""
    dialogue.add_flow(SubmitFlow())
    dialogue.on_action("doctor.submit", _begin)
