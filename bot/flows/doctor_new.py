"""A case for the patient in front of the doctor, step by step; vital signs and findings follow once it stands."""

from backend.clock import local
from backend.consultation.rules import Urgency
from backend.people.rules import birth_date_of_age
from bot.dialogue import Dialogue, Turn
from bot.flows.coding import department_name
from bot.flows.doctor_findings import FindingsFlow
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.messages import Choice, Menu
from bot.wording import lines
from nlu.facts import CaseFacts
from nlu.red_flags import assess_red_flags
from nlu.summary import summarise
from nlu.triage import assess_urgency, suggest_department
from nlu.types import Asked, Context, Expects, Sex, Slot

_LONGEST_NAME = 20
_OLDEST_MONTHS = 120 * 12
_LONGEST_REASON = 200
_URGENCIES = tuple(Urgency)
_CHOICES = {
    "consent": (Choice("consent:yes", "已当面同意"), Choice("consent:no", "没有同意")),
    "sex": (Choice("sex:male", "男"), Choice("sex:female", "女")),
    "confirm": (Choice("confirm:yes", "建立病例"), Choice("confirm:again", "重写病情"), Choice("confirm:no", "不建了")),
}
_ASKING = {
    "consent": "给面前的患者发起会诊。\n患者是否已当面同意《隐私与知情同意书》？",
    "name": "患者姓名？",
    "sex": "性别？",
    "age": "年龄？例如：45岁、8个月",
    "complaint": "请写病情：哪里不舒服、多久了、既往病史、过敏、在用的药。",
}


class NewCaseFlow(StaffFlow):
    """Data: `step`; `name`, `sex`, `age_months` and `facts` as they become known."""

    name = "doctor_new"
    farewell = "好的，没有建立病例。"

    async def begin(self, turn: Turn) -> None:
        _ask(turn, "consent")

    async def told(self, turn: Turn, words: str) -> None:
        step = turn.data["step"]
        if step == "name":
            _take_name(turn, words)
        elif step == "sex":
            sex = (await turn.understand()).sex or {"男": Sex.MALE, "女": Sex.FEMALE}.get(words)
            self._take_sex(turn, sex.value if sex else "")
        elif step == "age":
            await _take_age(turn)
        elif step == "complaint":
            await _take_complaint(turn)
        else:
            _repeat(turn)

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, value = item_id.partition(":")
        if verb != turn.data["step"]:
            await super().tapped(turn, item_id)
        elif verb == "sex":
            self._take_sex(turn, value)
        elif value == "no":
            reason = "没有患者的同意不能发起会诊。" if verb == "consent" else self.farewell
            close(turn, reason)
        elif value == "again":
            _ask(turn, "complaint")
        elif verb == "consent":
            _ask(turn, "name")
        else:
            await _create(turn)

    def _take_sex(self, turn: Turn, value: str) -> None:
        if value not in ("male", "female"):
            _repeat(turn)
            return
        turn.data["sex"] = value
        _ask(turn, "age")


def _ask(turn: Turn, step: str, before: str = "") -> None:
    turn.data["step"] = step
    head = lines(before, _ASKING[step])
    choices = _CHOICES.get(step)
    turn.say(Menu(head, choices) if choices else head)


def _repeat(turn: Turn) -> None:
    step = turn.data["step"]
    if step == "confirm":
        _say_summary(turn)
    else:
        _ask(turn, step, "没有看明白。")


def _take_name(turn: Turn, words: str) -> None:
    name = "".join(character for character in words if character.isprintable() and not character.isspace())
    if not name or len(name) > _LONGEST_NAME:
        _ask(turn, "name", f"姓名请写1到{_LONGEST_NAME}个字。")
        return
    turn.data["name"] = name
    _ask(turn, "sex")


async def _take_age(turn: Turn) -> None:
    said = await turn.understand(Context(asked=Asked(slot=Slot.AGE), expects=Expects.NUMBER))
    months = said.age_months
    if months is None or not 0 <= months <= _OLDEST_MONTHS:
        _repeat(turn)
        return
    turn.data["age_months"] = months
    _ask(turn, "complaint")


async def _take_complaint(turn: Turn) -> None:
    context = Context(patient_age_months=turn.data["age_months"], patient_sex=Sex(turn.data["sex"]))
    said = await turn.understand(context)
    facts = CaseFacts().merge(said, context)
    # Whom the sentence speaks of as "he" or "my mother" is known already: the patient who sits there.
    facts = facts.model_copy(
        update={"age_months": turn.data["age_months"], "sex": Sex(turn.data["sex"]), "relation": None}
    )
    turn.data.update(facts=facts.to_json(), words=turn.text, step="confirm")
    _say_summary(turn)


def _say_summary(turn: Turn) -> None:
    facts = CaseFacts.from_json(turn.data["facts"])
    flags = assess_red_flags(facts)
    urgency = assess_urgency(facts, flags)
    suggested = suggest_department(facts)[0]
    head = lines(
        f"{turn.data['name']}　{_record(turn)['personal']}",
        f"主诉：{_record(turn)['chief_complaint']}",
        f"现病史：{_record(turn)['present_illness']}",
        f"⚠ 危险信号：{'、'.join(flag.title for flag in flags)}" if flags else "",
        f"建议科室：{department_name(suggested.code)}",
        f"紧急程度：{_URGENCIES[urgency.level - 1].label}（{'；'.join(urgency.reasons)}）",
    )
    turn.say(Menu(head, _CHOICES["confirm"]))


def _record(turn: Turn) -> dict[str, str]:
    """Give the record; the doctor's own words stand in it, for they are a record already."""
    facts = CaseFacts.from_json(turn.data["facts"])
    record: dict[str, str] = summarise(facts).to_json()
    if not facts.present and not facts.diseases:
        record["chief_complaint"] = turn.data["words"]
    else:
        record["present_illness"] += f"（医生记录：{turn.data['words']}）"
    return record


async def _create(turn: Turn) -> None:
    data = dict(turn.data)
    facts = CaseFacts.from_json(data["facts"])
    flags = assess_red_flags(facts)
    urgency = assess_urgency(facts, flags)
    people = turn.services.people
    with ending_if_refused(turn):
        patient_id = await people.register(data["name"])
        birth_date = birth_date_of_age(data["age_months"], local(turn.services.clock.now()).date())
        await people.update_person(
            turn.actor,
            patient_id,
            name=data["name"],
            sex=data["sex"],
            birth_date=birth_date,
            participants=[turn.actor.practitioner_id or ""],  # who examines somebody takes part in their care
        )
        view = await turn.services.consultations.open_by_doctor(
            turn.actor,
            patient_id=patient_id,
            record=_record(turn),
            facts=data["facts"],
            department_code=suggest_department(facts)[0].code,
            urgency=_URGENCIES[urgency.level - 1],
            urgency_reason="；".join(urgency.reasons)[:_LONGEST_REASON],
            red_flags=[flag.to_json() for flag in flags],
        )
    made = f"病例已建立：{data['name']}（{view.number}）。"
    await turn.enter(FindingsFlow.name, consultation_id=view.id, before=made)


async def start(turn: Turn, _: str = "") -> None:
    """Begin a case for the patient in front of the doctor."""
    await turn.enter(NewCaseFlow.name)


def register(dialogue: Dialogue) -> None:
    """Let a doctor begin a case."""
    dialogue.add_flow(NewCaseFlow())
    dialogue.on_action("doctor.new", start)
