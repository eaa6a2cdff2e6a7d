"""Photographs of laboratory slips: “这是化验单”, a look over, “第3项是5.2”, and a yes before anything is kept."""

import re

from backend.records.slips.rules import SlipState, SlipView
from bot.cards.observations import advice, alarm_flags, warning
from bot.cards.slips import slip_card
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows import my
from bot.flows.intake_state import Intake
from bot.flows.relatives import person_choices, whose
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import lines

_PICTURE = "picture"
_IS_SLIP = re.compile(
    r"(?:这|那|刚才|刚发的?|上面|这张|那张|这个|照片|图片|我的)*(?:是|就是)?(?:一张|个|张)?(?:抽血|血|尿|检查)?"
    r"(?:化验单|检验单|检验报告单?|化验报告单?|化验结果|检查单|验血单|血常规单?|尿常规单?)(?:来的|啊|呀|哦|了)?[。.！!]?"
)
_CORRECTED = re.compile(r"第?\s*(?P<number>\d{1,2}|[一二三四五六七八九十]{1,3})\s*(?:项|个|条|行)[\s，,]*(?P<rest>.+)")
_LEFT_OUT = re.compile(r"(?:不要|不记|不用|去掉|删掉|删除|不是我的)了?[。.]?")
_VALUE = re.compile(r"(?:应该|其实)?(?:是|为|改成|改为|等于|=|：|:)\s*(?P<value>[^，。,；;！!？?]{1,24})[。.]?")
_FIGURES = "零一二三四五六七八九"


async def remember_picture(turn: Turn) -> bool:
    """Remember the last picture, so that “这是化验单” knows which; nothing is answered by this."""
    if turn.incoming.kind is Kind.IMAGE and turn.incoming.file_id:
        turn.state.data = {**turn.state.data, _PICTURE: turn.incoming.file_id}
    return False


async def hear(turn: Turn) -> bool:
    """Take “这是化验单” and corrections of a slip that waits for a yes; tell whether it was one."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
        return False
    is_slip = _IS_SLIP.fullmatch(turn.text.replace(" ", ""))
    found = _CORRECTED.fullmatch(turn.text)
    if not is_slip and found is None:
        return False
    if not (is_practitioner(turn.actor) or await turn.services.people.has_consent(turn.actor.person_id)):
        return False
    if is_slip or found is None:
        return await _said_slip(turn)
    slip = await turn.services.slips.open_slip(turn.actor)
    if slip is None:
        return False
    return await _correct(turn, slip, _number(found["number"]), found["rest"].strip())


async def _said_slip(turn: Turn) -> bool:
    intake = Intake.of(turn)
    file_id = intake.pictures[-1] if intake is not None and intake.pictures else turn.state.data.get(_PICTURE)
    if file_id is None:
        turn.say("好的，请把化验单拍成照片发给我。拍平、拍清楚，一张一张来。")
    else:
        await _take(turn, file_id)
    return True


async def _take(turn: Turn, file_id: str) -> None:
    """Let a picture be read as a slip: of the patient in focus, or of the writer or one of their relatives."""
    patient_id, case_id = turn.actor.person_id, None
    focus = await turn.services.consultations.focus(turn.actor)
    if focus is not None:
        case = await turn.services.consultations.get(turn.actor, focus)
        patient_id, case_id = case.patient_id, case.id
    elif is_practitioner(turn.actor):
        turn.say("请先打开那位患者的会诊，把化验单发到会诊里。")
        return
    slip = await turn.services.slips.take(turn.actor, file_id, patient_id=patient_id, consultation_id=case_id)
    if slip.state is SlipState.READ:
        await show(turn, slip)
    elif slip.state in (SlipState.KEPT, SlipState.DROPPED):
        turn.say("这张化验单已经处理过了。")
    else:
        turn.say("好的，我正在看这张化验单，大约要一两分钟。看好了我告诉您，您先核对再记。")


async def show(turn: Turn, slip: SlipView) -> None:
    """Show a slip as it stands."""
    turn.say(slip_card(slip, await whose(turn, slip.patient_id)))


async def _correct(turn: Turn, slip: SlipView, number: int, rest: str) -> bool:
    if _LEFT_OUT.fullmatch(rest):
        await show(turn, await turn.services.slips.leave_out(turn.actor, slip.id, number))
        return True
    found = _VALUE.fullmatch(rest)
    if found is None:
        return False
    await show(turn, await turn.services.slips.correct(turn.actor, slip.id, number, found["value"].strip()))
    return True


async def _keep(turn: Turn, argument: str) -> None:
    slip_id, _, patient_id = argument.partition(":")
    slip = await turn.services.slips.slip(turn.actor, slip_id)
    relatives = [] if is_practitioner(turn.actor) else await turn.services.people.relatives(turn.actor)
    if relatives and not patient_id:
        turn.say(Menu("这张化验单是谁的？", person_choices(turn, f"slip.keep:{slip_id}", relatives)))
        return
    noted = await turn.services.slips.keep(turn.actor, slip.id, patient_id or None)
    whom = noted[0].patient_id
    assessment = await turn.services.records.assess(turn.actor, whom, noted)
    skipped = len(slip.rows) - len(noted)
    name = await whose(turn, whom)
    words = lines(
        f"好的，记下了{len(noted)}项{f'（{name}）' if name else ''}。",
        f"有{skipped}项没有记。" if skipped else "",
    )
    if is_practitioner(turn.actor):
        turn.say(lines(warning(assessment), words))
        return
    case = next((one for one in await my.running(turn) if one.patient_id == whom), None)
    if assessment.dangers and case is not None:
        await turn.services.consultations.raise_alarm(turn.actor, case.id, alarm_flags(assessment))
        words = lines("我已经告诉您的医生了。", words)
    choices = (Choice("patient.start", "我不舒服"), Choice("patient.mine", "我的会诊"))
    turn.say(Menu(lines(advice(assessment), words), choices))


async def _drop(turn: Turn, slip_id: str) -> None:
    await turn.services.slips.drop(turn.actor, slip_id)
    turn.say("好的，这张化验单没有记。")


async def _show(turn: Turn, slip_id: str) -> None:
    await show(turn, await turn.services.slips.slip(turn.actor, slip_id))


def _number(written: str) -> int:
    if written.isdigit():
        return int(written)
    tens, ten, ones = written.partition("十")
    if not ten:
        return _FIGURES.find(written)
    return (_FIGURES.find(tens) if tens else 1) * 10 + (_FIGURES.find(ones) if ones else 0)


def register(dialogue: Dialogue) -> None:
    """Hear of slips, and do what is tapped below them; before the words are taken for a complaint or a message."""
    dialogue.intercept([remember_picture, hear])
    dialogue.on_action("slip.take", _take)
    dialogue.on_action("slip.show", _show)
    dialogue.on_action("slip.keep", _keep)
    dialogue.on_action("slip.drop", _drop)
