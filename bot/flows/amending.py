"""病历写错了: which finished consultation, which part, what is wrong; two looks, then it goes to who wrote it.

It needs no consent: who took theirs back may ask all the same (《个人信息保护法》 article 46).
"""

import re
from typing import Any

from backend.consultation.rules import Status, require_text
from backend.consultation.views import ConsultationSummary
from backend.rights import Part, PartView
from backend.rights.amendment_rules import LONGEST
from backend.security.policy import Role
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import clip, lines, short_day

CHOICE = Choice("patient.amend", "病历写错了")
"""The way here, for the page about privacy."""

_NAME = "amending"
_PAGE = 6
_LONGEST_SHOWN = 400
_LEAVING = frozenset({"返回", "退出", "取消", "算了", "不改了", "不用改了"})
_YES = frozenset({"对", "对的", "是", "是的", "没错", "嗯", "好", "好的", "确认"})
_NO = frozenset({"不对", "不是", "错了", "不", "重写"})
_MARKS = " 。.，,！!"
_STOP = Choice("patient.amend_stop", "不改了")
_WISH = r"(我|们|想|要|请|麻烦|能不能|可以|帮我|给我|你|您|医生|把)*"
_RECORD = (
    r"(我?的?|上次的?|这次的?|会诊的?|医生的?|专家的?|医生写的?|专家写的?)"
    r"(病历|病例|病案|检查报告|影像报告|报告|诊断|会诊结果|会诊意见|看病记录)(单|本)?(上面|里面|上|里)?的?"
)
_WRONG = r"(有|是|都|好像|可能)*(点|些|地方|一处)?(写|记|填|弄|搞)?(得|的)?(错误|错|不对|有误)(了|的地方|的)?"
_CHANGE = r"(更正|改正|修正|修改|纠正|订正|改)(一下|改)?"
_ASKS = re.compile(
    rf"{_WISH}({_RECORD}{_WRONG}|{_CHANGE}{_RECORD}(错误|错)?|{_RECORD}(要|想|需要|能不能|可以)*{_CHANGE})[吗吧了呢啊。！!？?]*"
)


def register(dialogue: Dialogue) -> None:
    """Add it, by tap and by word."""
    dialogue.add_flow(AmendingFlow())
    dialogue.on_action(CHOICE.id, _choose_case)
    dialogue.on_action("patient.amend_case", _choose_part)
    dialogue.on_action("patient.amend_part", _choose)
    dialogue.on_action("patient.amend_said", _said)
    dialogue.on_action("patient.amend_send", _send)
    dialogue.on_action("patient.amend_stop", _stop)
    dialogue.on_action("patient.amend_back", _take_back)
    dialogue.intercept([_hear])


async def _hear(turn: Turn) -> bool:
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or is_practitioner(turn.actor):
        return False
    if turn.state.flow == _NAME:  # it is what is wrong
        return False
    if _ASKS.fullmatch(turn.text.replace(" ", "")) is None:
        return False
    await _choose_case(turn, "")
    return True


class AmendingFlow:
    """Waits for what is wrong, keeping what it has interrupted.

    Data: `amending`: the `case`, its `patient` (erasure looks for that), the `part`, the `report` where it is one, the
    `text` that was read back, and the flow to go `back_to`; beside it what that flow remembers.
    """

    name = _NAME

    async def begin(self, turn: Turn) -> None:
        """Show what is written and ask what is wrong with it."""
        held = turn.data["amending"]
        part = await _part(turn, held["case"], held["part"], held["report"])
        standing = f"现在写的是：\n{_shown(part.standing)}\n\n" if part.standing else ""
        turn.say(Menu(f"{standing}哪里写错了，应该是什么样的？打字、说话都行。", (_STOP,)))

    async def receive(self, turn: Turn) -> None:
        """Read the words back; after that, take a typed yes or no for a tap."""
        words = turn.text.rstrip(_MARKS)
        if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or not words:
            turn.say(Menu("请用文字或者语音告诉我，哪里写错了，应该是什么样的？", (_STOP,)))
        elif words in _LEAVING:
            await _stop(turn, "")
        elif "text" in turn.data["amending"] and words in _YES | _NO:
            await _said(turn, "yes" if words in _YES else "no")
        else:
            _read_back(turn, require_text(turn.text, "您说的", longest=LONGEST))


async def _choose_case(turn: Turn, argument: str) -> None:
    _put_back(turn)
    if is_practitioner(turn.actor):
        turn.say("这是给患者用的。要更正您自己写的病历，请等患者的请求，或者联系管理员。")
        return
    offset = int(argument) if argument.isdecimal() and len(argument) < 6 else 0
    found = await turn.services.consultations.list_for(
        turn.actor, status=Status.COMPLETED, role=Role.PATIENT, limit=_PAGE + 1, offset=offset
    )
    if not found:
        words = "再早就没有了。" if offset else "您还没有看完的会诊。正在看的，哪里不对，直接跟医生说就行。"
        turn.say(Menu(words, (Choice("patient.mine", "我的会诊"), Choice("patient.profile", "我的资料"))))
    elif len(found) == 1 and not offset:
        await _choose_part(turn, found[0].id)
    else:
        further = [Choice(f"{CHOICE.id}:{offset + _PAGE}", "更早的")] if len(found) > _PAGE else []
        choices = [Choice(f"patient.amend_case:{one.id}", _title(one)) for one in found[:_PAGE]]
        turn.say(Menu("哪一次的病历写错了？", (*choices, *further)))


def _title(case: ConsultationSummary) -> str:
    return f"{short_day(case.opened_at)} {clip(case.relative_name or case.department_name, 6)}"


async def _choose_part(turn: Turn, consultation_id: str) -> None:
    _put_back(turn)
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    parts = await turn.services.amendments.parts(turn.actor, consultation_id)
    choices = [Choice(f"patient.amend_part:{case.id}:{one.part}:{one.report_id}", _label(one)) for one in parts]
    words = (
        f"{_title(case)}的这次会诊，哪一处写错了？\n"
        "姓名、年龄、电话写错了，不用找医生，点“我的资料”自己就能改。药方有错，先别吃，马上问开药的医生。"
    )
    turn.say(Menu(words, (*choices, Choice("patient.profile", "我的资料"), _STOP)))


def _label(part: PartView) -> str:
    return f"报告：{clip(part.standing, 10)}" if part.part is Part.REPORT else part.part.label


async def _choose(turn: Turn, argument: str) -> None:
    """Go on with a part, which `CASE:PART:REPORT` names: one that waits already is not asked for again."""
    _put_back(turn)
    consultation_id, _, rest = argument.partition(":")
    part, _, report_id = rest.partition(":")
    chosen = await _part(turn, consultation_id, part, report_id)
    if chosen.waiting:
        back = Choice(f"patient.amend_back:{chosen.waiting}", "不用改了")
        turn.say(
            Menu(f"这一处您已经提过了，正在等{chosen.answers}医生答复。", (back, Choice("patient.mine", "我的会诊")))
        )
        return
    kept = dict(turn.state.data)
    held = {"case": consultation_id, "part": part, "report": report_id, "patient": chosen.patient_id}
    held["back_to"] = turn.state.flow
    await turn.enter(_NAME, **kept, amending=held)


async def _part(turn: Turn, consultation_id: str, part: str, report_id: str) -> PartView:
    parts = await turn.services.amendments.parts(turn.actor, consultation_id)
    other = next(one for one in parts if one.part is Part.OTHER)
    return next((one for one in parts if one.part == part and one.report_id == report_id), other)


def _read_back(turn: Turn, said: str) -> None:
    _hold(turn, text=said)
    choices = (Choice("patient.amend_said:yes", "对"), Choice("patient.amend_said:no", "不对，重说"), _STOP)
    turn.say(Menu(f"您说的是：\n“{said}”\n对吗？", choices))


async def _said(turn: Turn, answer: str) -> None:
    """After the first look: ask once more before it goes, or for other words."""
    held = _held(turn)
    if held is None or "text" not in held:
        await _choose_case(turn, "")
    elif answer != "yes":
        _hold(turn, text=None)
        await AmendingFlow().begin(turn)
    else:
        part = await _part(turn, held["case"], held["part"], held["report"])
        words = lines(
            f"要发给{part.answers}医生，请{part.answers}医生看看要不要改。",
            "原来写的不会擦掉；改了，会写在旁边，以后看病的医生都看得到。",
            "现在发吗？",
        )
        turn.say(Menu(words, (Choice("patient.amend_send", "发给医生"), Choice("patient.amend_stop", "先不发"))))


async def _send(turn: Turn, _argument: str) -> None:
    held = _held(turn)
    if held is None or "text" not in held:
        turn.say("没有要发的了。还有写错的，请说“病历写错了”。")
        return
    part = await _part(turn, held["case"], held["part"], held["report"])
    asked = await turn.services.amendments.ask(turn.actor, held["case"], part.part, held["text"], part.report_id)
    _put_back(turn)
    words = lines(
        f"已经发给{asked.answers}医生了。医生看过会在这里回您。",
        "三天没有回，我会催；一个星期还没有回，管理员会去问。",
        "要是身体不舒服，不要等这个，直接告诉我。",
    )
    turn.say(Menu(words, (Choice(f"patient.amend_back:{asked.id}", "不用改了"), Choice("patient.mine", "我的会诊"))))


async def _stop(turn: Turn, _argument: str) -> None:
    waited = _held(turn) is not None
    _put_back(turn)
    turn.say("好的，没有发，病历还是原来的。" if waited else "好的。")


async def _take_back(turn: Turn, amendment_id: str) -> None:
    await turn.services.amendments.take_back(turn.actor, amendment_id)
    turn.say("好的，不用改了，我告诉医生。")


def _held(turn: Turn) -> dict[str, Any] | None:
    held: dict[str, Any] | None = turn.data.get("amending") if turn.state.flow == _NAME else None
    return held


def _hold(turn: Turn, text: str | None) -> None:
    held = {key: value for key, value in turn.data["amending"].items() if key != "text"}
    turn.state.data = {**turn.data, "amending": held if text is None else {**held, "text": text}}


def _put_back(turn: Turn) -> None:
    """Put back what was interrupted, if anything was."""
    held = _held(turn)
    if held is None:
        return
    turn.state.flow = held["back_to"]
    turn.state.data = {key: value for key, value in turn.state.data.items() if key != "amending"}
    turn.state.offered = []


def _shown(standing: str) -> str:
    return standing if len(standing) <= _LONGEST_SHOWN else standing[: _LONGEST_SHOWN - 1] + "…"
