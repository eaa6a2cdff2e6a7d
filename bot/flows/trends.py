"""“我的血压”: how it has gone, as a picture and in words; for a doctor of the patient whose case is in focus."""

import asyncio
import re

from backend.consultation.rules import RUNNING
from backend.records import Subject, subject_of
from backend.records.chart import draw
from bot.cards.case import case_choice
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows.intake_questions import RELATION_CODES
from bot.flows.relatives import person_choices, whose
from bot.incoming import Kind
from bot.messages import Choice, Menu, Picture
from bot.wording import lines
from nlu.types import Relation

_SUBJECTS = {
    "血压": Subject.PRESSURE,
    "血糖": Subject.GLUCOSE,
    "体温": Subject.TEMPERATURE,
    "体重": Subject.WEIGHT,
    "脉搏": Subject.HEART_RATE,
    "心率": Subject.HEART_RATE,
    "心跳": Subject.HEART_RATE,
    "血氧": Subject.SPO2,
}
_WHO = (
    "我们?家?|俺|咱|他|她|患者|病人|这位患者|孩子|宝宝|儿子|女儿|娃|妈妈?|母亲|爸爸?|父亲|老伴|爱人|老公|老婆|爷爷|奶奶"
)
_ASKED = re.compile(
    rf"(?:请|帮我|给我|我?想|我?要)?(?:查看|看看|看一下|看|查一下|查)?(?P<who>(?:{_WHO}){{0,2}}的?)(?:最近)?"
    rf"(?P<what>{'|'.join(_SUBJECTS)})(?:的)?(?:记录|变化|趋势|曲线|情况|走势)?(?:怎么样|如何|怎样)?(?:了|呢)?[。？?！!]?"
)
_MOST_CASES = 9
_EXAMPLES = {
    Subject.PRESSURE: "血压150/95",
    Subject.GLUCOSE: "空腹血糖6.5",
    Subject.TEMPERATURE: "体温36.8",
    Subject.WEIGHT: "体重62公斤",
    Subject.HEART_RATE: "脉搏76",
    Subject.SPO2: "血氧97",
}


async def asked(turn: Turn) -> bool:
    """Show how a value has gone where somebody asks for it; tell whether they did."""
    if turn.state.flow not in ("", "intake") or turn.incoming.kind not in (Kind.TEXT, Kind.VOICE):
        return False
    found = _ASKED.fullmatch(turn.text.replace(" ", ""))
    if found is None or (turn.state.flow and not found["who"]):
        return False
    subject = _SUBJECTS[found["what"]]
    if is_practitioner(turn.actor):
        await _for_doctor(turn, subject)
        return True
    if not await turn.services.people.has_consent(turn.actor.person_id):
        return False
    await _for_patient(turn, subject)
    return True


async def _for_patient(turn: Turn, subject: Subject) -> None:
    relation = (await turn.understand()).relation
    relatives = await turn.services.people.relatives(turn.actor)
    code = RELATION_CODES[relation] if relation not in (None, Relation.SELF) else ""
    fitting = [one for one in relatives if one.relation == code] if code else []
    if len(fitting) == 1:
        await _show(turn, fitting[0].person.id, subject)
    elif fitting or (relation is None and relatives):
        choices = person_choices(turn, f"trend.show:{subject}", fitting or relatives, own=not fitting)
        turn.say(Menu("看谁的？", choices))
    elif code:
        turn.say(f"还没有记过家人的{subject.label}。量了以后这样发给我：“我妈{_EXAMPLES[subject]}”。")
    else:
        await _show(turn, turn.actor.person_id, subject)


async def _for_doctor(turn: Turn, subject: Subject) -> None:
    focus = await turn.services.consultations.focus(turn.actor)
    if focus is not None:
        await _of_case(turn, f"{subject}:{focus}")
        return
    cases = [case for case in await turn.services.consultations.list_for(turn.actor) if case.status in RUNNING]
    if not cases:
        turn.say("您现在没有在看的患者。")
        return
    choices = tuple(case_choice(case, f"trend.case:{subject}") for case in cases[:_MOST_CASES])
    turn.say(Menu(f"看哪位患者的{subject.label}？", choices))


async def _of_case(turn: Turn, argument: str) -> None:
    subject, _, consultation_id = argument.partition(":")
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    await _show(turn, case.patient_id, Subject(subject), case.patient_name or "患者")


async def _of_person(turn: Turn, argument: str) -> None:
    subject, _, patient_id = argument.partition(":")
    await _show(turn, patient_id, Subject(subject))


async def _of_batch(turn: Turn, batch_id: str) -> None:
    """Show the trends of what was noted together: of the first that has one."""
    noted = await turn.services.records.batch(turn.actor, batch_id)
    subject = next((found for one in noted if (found := subject_of(one.kind_key))), None)
    if subject is None:
        turn.say("这一项还画不了变化图。")
        return
    patient_id = noted[0].patient_id
    if is_practitioner(turn.actor) and noted[0].consultation_id is not None:
        await _of_case(turn, f"{subject}:{noted[0].consultation_id}")
    else:
        await _show(turn, patient_id, subject)


async def _show(turn: Turn, patient_id: str, subject: Subject, name: str = "") -> None:
    trend, latest = await turn.services.records.trend(turn.actor, patient_id, subject)
    name = name or await whose(turn, patient_id)
    possessive = f"{name}的" if name else ""
    if trend is None:
        turn.say(f"最近三个月还没有记过{possessive}{subject.label}。量了以后直接发给我，比如“{_EXAMPLES[subject]}”。")
        return
    if len(latest) > 1:
        picture = await asyncio.to_thread(draw, trend, name)
        turn.say(Picture(await turn.services.files.put_picture(picture, turn.actor.person_id, own_of=patient_id)))
    few = "" if len(latest) > 1 else "再多记几次，就能画出变化图。"
    words = lines(f"{possessive}{subject.label}，最近的几次（新的在上面）：", *latest, few)
    others = [one for one in (Subject.PRESSURE, Subject.GLUCOSE, Subject.TEMPERATURE) if one is not subject]
    more = tuple(Choice(f"trend.show:{one}:{patient_id}", f"看{one.label}") for one in others)
    turn.say(Menu(words, more))


def register(dialogue: Dialogue) -> None:
    """Show trends; after the watch over danger signs, before the words are taken for a complaint or a message."""
    dialogue.intercept([asked])
    dialogue.on_action("trend.show", _of_person)
    dialogue.on_action("trend.case", _of_case)
    dialogue.on_action("trend.of", _of_batch)
