"""Vital signs and findings of a case, written or spoken freely, read back, and kept once the doctor has confirmed."""

from backend.consultation.vitals import describe_vitals
from bot.dialogue import Dialogue, Turn
from bot.flows.findings_reading import Reading, read_findings
from bot.flows.staff_flow import StaffFlow, ending_if_refused
from bot.flows.thread import taken_over
from bot.messages import Choice, Menu
from bot.wording import lines
from nlu.types import YesNo

_ASK = "请直接写体征和检查所见，例如：\n血压150/95 血糖6.5，右下肺湿啰音\n也可以直接发图片。写完会请您核对。"
_CONFIRMING = (Choice("findings.keep", "确认"), Choice("findings.again", "重写"))


class FindingsFlow(StaffFlow):
    """Data: `consultation_id`; `before`: what to say first; `vitals` and `findings` while they wait to be confirmed."""

    name = "doctor_findings"

    async def begin(self, turn: Turn) -> None:
        head = lines(turn.data.pop("before", ""), _ASK)
        turn.say(Menu(head, next_steps(turn.data["consultation_id"])))

    async def told(self, turn: Turn, words: str) -> None:
        if await taken_over(turn, turn.data["consultation_id"]):
            return
        said = await turn.understand()
        if "findings" in turn.data and said.yes_no is not None and len(words) <= 4:
            await self.tapped(turn, "findings.keep" if said.yes_no is YesNo.YES else "findings.again")
            return
        reading = read_findings(said)
        turn.data.update(vitals=reading.vitals, findings=reading.findings)
        turn.say(Menu(_read_back(reading), _CONFIRMING))

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id not in ("findings.keep", "findings.again") or "findings" not in turn.data:
            await super().tapped(turn, item_id)
            return
        vitals, findings = turn.data.pop("vitals"), turn.data.pop("findings")
        if item_id == "findings.again":
            turn.say(_ASK)
            return
        consultation_id = turn.data["consultation_id"]
        with ending_if_refused(turn):
            await turn.services.consultations.add_findings(turn.actor, consultation_id, vitals=vitals, text=findings)
        turn.say(Menu("已记入病历。还有就接着写，没有就进行下一步：", next_steps(consultation_id)))

    async def pictured(self, turn: Turn, file_id: str) -> None:
        consultation_id = turn.data["consultation_id"]
        if await taken_over(turn, consultation_id):
            return
        with ending_if_refused(turn):
            await turn.services.consultations.attach(turn.actor, consultation_id, file_id)
        turn.say(Menu("图片已放进病历。", next_steps(consultation_id)))


def next_steps(consultation_id: str) -> tuple[Choice, ...]:
    """Give what a doctor does with a case that is not submitted yet."""
    return (
        Choice(f"doctor.submit:{consultation_id}", "申请会诊"),
        Choice(f"doctor.cancel:{consultation_id}", "取消这例"),
        Choice("doctor.tasks", "我的任务"),
    )


def _read_back(reading: Reading) -> str:
    findings = f"检查：{reading.findings}" if reading.findings else ""
    return lines("我记下的是：", describe_vitals(reading.vitals), findings, "对吗？")


async def _findings(turn: Turn, consultation_id: str) -> None:
    await turn.services.consultations.get(turn.actor, consultation_id)  # refuses whoever may not see the case
    await turn.enter(FindingsFlow.name, consultation_id=consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let findings be added to a case."""
    dialogue.add_flow(FindingsFlow())
    dialogue.on_action("doctor.findings", _findings)
