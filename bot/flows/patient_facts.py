"""A doctor puts right what a prescription needs to know of the patient: name, birth date and sex."""

from typing import Any

from backend.clock import local
from backend.people.rules import age_years
from bot.cards.prescription import FACTS, WRITE
from bot.dialogue import Dialogue, Turn
from bot.flows.profile import birth_date_in
from bot.flows.staff_flow import StaffFlow, ending_if_refused
from bot.flows.staff_menus import home
from bot.messages import Choice, Menu
from bot.wording import lines

SEXES = {"male": "男", "female": "女"}
_UNKNOWN = "还不知道"


class PatientFactsFlow(StaffFlow):
    """Data: `consultation_id`; `naming` while a name is awaited."""

    name = "patient_facts"
    farewell = "好的，没有改动。"

    async def begin(self, turn: Turn) -> None:
        await self._show(turn, "")

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, argument = item_id.partition(":")
        turn.data["naming"] = item_id == "facts.name"
        if turn.data["naming"]:
            turn.say("请发患者的姓名，要和身份证上的一样。")
        elif item_id == "facts.born":
            turn.say("请发患者的出生日期，比如 1958年3月12日。只知道年龄的话，发 67岁 也行。")
        elif item_id == "facts.sex":
            turn.say(Menu("患者的性别是？", tuple(Choice(f"sex:{key}", word) for key, word in SEXES.items())))
        elif verb == "sex" and argument in SEXES:
            await self._correct(turn, sex=argument)
        else:
            await super().tapped(turn, item_id)

    async def told(self, turn: Turn, words: str) -> None:
        if turn.data.get("naming"):
            await self._correct(turn, name=words)
        elif words in SEXES.values():
            await self._correct(turn, sex=next(key for key, word in SEXES.items() if word == words))
        else:
            await self._correct(turn, birth_date=await birth_date_in(turn, words))

    async def _correct(self, turn: Turn, **facts: Any) -> None:
        with ending_if_refused(turn):
            await correct_patient(turn, **facts)
        turn.data["naming"] = False
        await self._show(turn, "改好了，用量会照新的资料重新核对。")

    async def _show(self, turn: Turn, said: str) -> None:
        consultation_id = turn.data["consultation_id"]
        with ending_if_refused(turn):
            case = await turn.services.consultations.get(turn.actor, consultation_id)
            known = await turn.services.records.background(turn.actor, case.patient_id)
        born = known.birth_date
        age = _UNKNOWN
        if born is not None:
            today = local(turn.services.clock.now()).date()
            age = f"{born.year}年{born.month}月{born.day}日（{age_years(born, today)}岁）"
        writes = await turn.services.prescriptions.may_write(turn.actor, consultation_id)
        more = (Choice(f"{WRITE}:{consultation_id}", "去开处方"),) if writes else ()
        words = lines(
            said,
            f"患者：{case.patient_name or _UNKNOWN}",
            f"性别：{SEXES.get(known.sex, _UNKNOWN)}",
            f"出生日期：{age}",
            "请照身份证或户口本核对。",
        )
        changes = (Choice("facts.name", "改姓名"), Choice("facts.born", "改出生日期"), Choice("facts.sex", "改性别"))
        turn.say(Menu(words, (*changes, *more)))


async def correct_patient(turn: Turn, **facts: Any) -> None:
    """Put `facts` of the patient right, as who treats them in the consultation of the running flow.

    Args:
        facts: as `backend.people` takes them: `name`, `sex`, `birth_date`.
    """
    case = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
    await turn.services.people.correct_person(
        turn.actor,
        case.patient_id,
        participants=[one for one in (case.doctor_id, case.expert_id) if one],
        institution_id=case.institution_id,
        **facts,
    )


async def change(turn: Turn, consultation_id: str) -> None:
    """Show name, birth date and sex of a case's patient, to be put right."""
    await turn.enter(PatientFactsFlow.name, consultation_id=consultation_id)


async def change_in_focus(turn: Turn, _: str) -> None:
    """Do so for the case that the practitioner has before them."""
    consultation_id = await turn.services.consultations.focus(turn.actor)
    if consultation_id is None:
        turn.say(home(turn.actor, "请先点“我的会诊”，打开那例会诊，再发“患者资料”。"))
    else:
        await change(turn, consultation_id)


def register(dialogue: Dialogue) -> None:
    """Let facts of a patient be put right."""
    dialogue.add_flow(PatientFactsFlow())
    dialogue.on_action(FACTS, change)
