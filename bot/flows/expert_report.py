"""The report of a study without a page: a template's places filled in one by one, or own words; read back; signed.

Every answer is kept in the draft at once, the same that the page shows: one can go on there and come back here.
"""

import re
from typing import Any

from backend.errors import Conflict, Forbidden, IllegalMove
from backend.imaging import StudyView
from backend.reporting import (
    SLIP_SENTENCES,
    ReportState,
    ReportView,
    Slip,
    SlipsFound,
    blank_in,
    blanks_in,
    fill_blank,
    templates_for,
)
from backend.security.policy import SYSTEM
from bot.cards.report import report_card, report_text
from bot.dialogue import Dialogue, Turn
from bot.flows.reason_flow import ReasonFlow
from bot.flows.staff_flow import StaffFlow, close, ending_if_refused
from bot.flows.teaching_cases import close_with_offer
from bot.messages import Choice, Menu, Text, suggestions
from bot.wording import clip, lines

_FIELDS = {"examination": "检查名称", "findings": "检查所见", "impression": "印象"}
_ASKING = {
    "examination": "① 检查名称：例如 胸部CT平扫",
    "findings": "② 检查所见：可以分几条发，也可以说话。都发完了，请点“写好了”。",
    "impression": "③ 印象：可以分几条发。都发完了，请点“写好了”。",
}
_DONE_WORDS = frozenset({"写好了", "好了", "完了"})
_BACK_WORDS = frozenset({"上一步", "返回上一步"})
_BACK = Choice("report.back", "上一步")
_FIRST_TEMPLATES = 6
_QUICK = ("未见异常", "无")
_QUESTION_BLANK = re.compile(r"[：:][_＿]{2,}$")
_UNITS = re.compile(r"\s*(mm|cm|%|×|型|类|位|诸骨|关节|正侧位)")
LONGEST_IN_CHAT = 1200
"""A report of more characters is not read whole in a chat before it is signed: it is signed on the page."""


class ReportFlow(StaffFlow):
    """Data: `consultation_id`, `study_id`, `study_uid`, `report_id`, `step`; `all` templates are shown; `fresh` while
    the next words replace what is there; `revision` and `slips` of what was read back; `before`: texts as they were
    before each place was filled in.
    """

    name = "expert_report"
    farewell = "好的，已写的都保存在草稿里。再点“写影像报告”或打开页面，就能接着写。"

    async def begin(self, turn: Turn) -> None:
        draft = await turn.services.reports.draft(turn.actor, turn.data["consultation_id"], turn.data["study_uid"])
        turn.data["report_id"] = draft.id
        if draft.findings or draft.impression:
            await self._next_blank(turn, draft)
        else:
            await self._offer_templates(turn)

    async def told(self, turn: Turn, words: str) -> None:
        step = turn.data["step"]
        if words in _BACK_WORDS:
            await self._back(turn)
        elif step == "blank":
            await self._fill(turn, words)
        elif step in _FIELDS:
            await self._add(turn, step, words)
        elif step == "template":
            turn.data.update(step="findings", fresh=True)
            await self._add(turn, "findings", words)
        else:
            await self._read_back(turn, "要改的话，请点下面的按钮。")

    async def tapped(self, turn: Turn, item_id: str) -> None:
        verb, _, code = item_id.partition(":")
        step = item_id.removeprefix("report.edit.")
        if verb == "template":
            await self._take_template(turn, code)
        elif verb == "blank":
            await self._fill(turn, turn.text)
        elif step in _FIELDS:
            await self._ask(turn, step)
        elif item_id in _TAPS:
            await _TAPS[item_id](self, turn)
        else:
            await super().tapped(turn, item_id)

    async def _offer_templates(self, turn: Turn) -> None:
        turn.data["step"] = "template"
        study = await _study(turn)
        fitting = templates_for(study.modalities, study.description, await _sex(turn))
        shown = fitting if turn.data.get("all") else fitting[:_FIRST_TEMPLATES]
        choices = [Choice(f"template:{one.code}", one.name) for one in shown]
        if len(shown) < len(fitting):
            choices.append(Choice("report.more", "更多模板"))
        choices += [Choice("report.own", "自己写"), _critical(turn), Choice("report.leave", "先不写")]
        turn.say(Menu(f"{_named(study)}：请选一个模板，或者自己写。", tuple(choices)))

    async def _more(self, turn: Turn) -> None:
        turn.data["all"] = True
        await self._offer_templates(turn)

    async def _own(self, turn: Turn) -> None:
        await self._ask(turn, "findings" if (await self._draft(turn)).examination else "examination")

    async def _take_template(self, turn: Turn, code: str) -> None:
        study = await _study(turn)
        fitting = templates_for(study.modalities, study.description, await _sex(turn))
        template = next((one for one in fitting if one.code == code), None)
        if template is None:
            await super().tapped(turn, "")
            return
        draft = await self._write(
            turn,
            examination=template.examination,
            findings=template.findings,
            impression=template.impression,
        )
        turn.data["before"] = []
        await self._next_blank(turn, draft)

    async def _next_blank(self, turn: Turn, draft: ReportView, said: str = "") -> None:
        """Ask for the first place that is not filled in; where none is left, read the report back."""
        left = sum(blanks_in(getattr(draft, field)) for field in _FIELDS)
        field = next((field for field in _FIELDS if blank_in(getattr(draft, field))), None)
        if field is None:
            missing = next((field for field in _FIELDS if not getattr(draft, field)), None)
            await (self._ask(turn, missing) if missing else self._read_back(turn, said))
            return
        turn.data["step"] = "blank"
        text = getattr(draft, field)
        question = f"【{_FIELDS[field]}】{blank_in(text)}"
        quick = suggestions("blank", _QUICK if _can_be_quick(text) else ())
        back = (_BACK,) if turn.data.get("before") else ()
        ways = (*back, Choice(f"report.edit.{field}", "这段自己写"), Choice("report.leave", "先到这里"))
        turn.say(Menu(lines(said, f"{question}\n请填这一处（还有{left}处）："), (*quick, *ways)))

    async def _fill(self, turn: Turn, words: str) -> None:
        draft = await self._draft(turn)
        field = next((field for field in _FIELDS if blank_in(getattr(draft, field))), None)
        if field is None:
            await self._read_back(turn)
            return
        text = getattr(draft, field)
        filled = await self._write(turn, **{field: fill_blank(text, words.rstrip("。"))})
        turn.data["before"] = [*turn.data.get("before", []), [field, text]]
        await self._next_blank(turn, filled)

    async def _back(self, turn: Turn) -> None:
        """Undo the place that was filled last; before the first, choose a template again."""
        before = turn.data.get("before") or []
        if turn.data["step"] == "blank" and before:
            field, text = before.pop()
            await self._next_blank(turn, await self._write(turn, **{field: text}), "好的，退回一处。")
        elif turn.data["step"] in _FIELDS:
            steps = list(_FIELDS)
            at = steps.index(turn.data["step"])
            await (self._ask(turn, steps[at - 1]) if at else self._offer_templates(turn))
        else:
            await self._offer_templates(turn)

    async def _ask(self, turn: Turn, step: str) -> None:
        turn.data.update(step=step, fresh=True)
        said = getattr(await self._draft(turn), step)
        if said:
            keep = Choice("report.keep", "不改，用原来的")
            turn.say(Text(said), Menu(f"{_ASKING[step]}\n上面是现在写的；您发的新内容会替换它。", (keep, _BACK)))
        else:
            turn.say(Menu(_ASKING[step], (_BACK, Choice("report.leave", "先到这里"))))

    async def _add(self, turn: Turn, step: str, words: str) -> None:
        if words.rstrip("。.！!") in _DONE_WORDS:
            await self._keep(turn)
            return
        draft = await self._draft(turn)
        before = "" if turn.data.pop("fresh", False) else getattr(draft, step)
        draft = await self._write(turn, **{step: lines(before, words)})
        if step == "examination":
            await self._next_blank(turn, draft)
            return
        done = (Choice("report.keep", "写好了"), Choice(f"report.edit.{step}", "重写这段"), _BACK)
        turn.say(Menu(f"记下了，{_FIELDS[step]}现在{len(getattr(draft, step))}个字。还有就接着发。", done))

    async def _keep(self, turn: Turn) -> None:
        turn.data.pop("fresh", None)
        await self._next_blank(turn, await self._draft(turn))

    async def _read_back(self, turn: Turn, said: str = "") -> None:
        turn.data["step"] = "preview"
        draft = await self._draft(turn)
        slips = await turn.services.reports.slips(turn.actor, draft.id)
        turn.data.update(revision=draft.revision, slips=[str(slip) for slip in slips])
        text = report_text(draft)
        if len(text) > LONGEST_IN_CHAT:
            await self._too_long(turn, len(text))
            return
        warnings = [f"⚠ 请再看一眼：{SLIP_SENTENCES[slip]}" for slip in slips]
        choices = (
            Choice("report.sign", "没有写错，签发" if slips else "签发"),
            *(Choice(f"report.edit.{field}", f"改{name}") for field, name in _FIELDS.items()),
            _critical(turn),
            Choice("report.throw", "丢掉这份草稿"),
            Choice("report.leave", "先不签"),
        )
        turn.say(Menu(lines(said, "请读一遍，签发后医生和患者马上能看到：", text, *warnings), choices))

    async def _too_long(self, turn: Turn, length: int) -> None:
        view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
        url = turn.services.links.reports(view.id)
        words = f"报告有{length}个字，聊天里看不全。请点这里，在页面上读一遍再签发。"
        turn.leave()
        turn.say(report_card(view, "请在页面上签发", words, url))

    async def _sign(self, turn: Turn) -> None:
        if turn.data["step"] != "preview":
            await self._read_back(turn)
            return
        confirmed = [Slip(code) for code in turn.data["slips"]]
        try:
            await turn.services.reports.sign(
                turn.actor, turn.data["report_id"], revision=turn.data["revision"], confirmed=confirmed
            )
        except (Conflict, SlipsFound):
            await self._read_back(turn, "这份报告刚在页面上改过，请再读一遍。")
            return
        await close_with_offer(turn, turn.data["consultation_id"], "签发了，正在发给医生和患者。辛苦了！")

    async def _throw(self, turn: Turn) -> None:
        choices = (Choice("report.throw.sure", "确定丢掉"), Choice("report.keep", "不丢，接着写"))
        turn.say(Menu("这份草稿写的内容都会删掉，找不回来。确定丢掉吗？", choices))

    async def _throw_surely(self, turn: Turn) -> None:
        with ending_if_refused(turn):
            await turn.services.reports.discard(turn.actor, turn.data["report_id"])
        close(turn, "草稿丢掉了。")

    async def _leave(self, turn: Turn) -> None:
        close(turn, self.farewell)

    async def _draft(self, turn: Turn) -> ReportView:
        with ending_if_refused(turn):
            draft = await turn.services.reports.report(turn.actor, turn.data["report_id"])
            if draft.state is not ReportState.DRAFT:
                raise IllegalMove("这份报告已经签发了。要改，请从会诊里再点“写影像报告”。")
        return draft

    async def _write(self, turn: Turn, **fields: Any) -> ReportView:
        with ending_if_refused(turn):
            return await turn.services.reports.write(turn.actor, turn.data["report_id"], **fields)


_TAPS = {
    "report.more": ReportFlow._more,
    "report.own": ReportFlow._own,
    "report.back": ReportFlow._back,
    "report.keep": ReportFlow._keep,
    "report.sign": ReportFlow._sign,
    "report.throw": ReportFlow._throw,
    "report.throw.sure": ReportFlow._throw_surely,
    "report.leave": ReportFlow._leave,
}


class AmendFlow(ReasonFlow):
    """Data: `consultation_id`, `study_id`, `report_id`."""

    name = "expert_report_amend"
    reasons = ("漏写了一处", "左右写错了", "和以前的片子对比后修改", "补充临床资料后修改")
    keep = "不改了"
    farewell = "好的，报告没有改。"

    async def question(self, turn: Turn) -> str:
        return "这份报告已经签发。要改的话，会出新的一版，旧的那版仍然看得到。为什么要改？"

    async def told(self, turn: Turn, words: str) -> None:
        argument = f"{turn.data['consultation_id']}:{turn.data['study_id']}"
        with ending_if_refused(turn):
            await turn.services.reports.amend(turn.actor, turn.data["report_id"], words)
        await write(turn, argument)


async def write(turn: Turn, argument: str) -> None:
    """Begin or go on; `argument` is the case, and the row of the study where it was chosen."""
    consultation_id, _, study_id = argument.partition(":")
    if not await turn.services.reports.may_write(turn.actor, consultation_id):
        raise Forbidden
    studies = await turn.services.imaging.studies_of(turn.actor, consultation_id)
    if not studies:
        close(turn, "这例会诊还没有检查图像。图像到了我马上告诉您。")
        return
    chosen = studies if len(studies) == 1 else [one for one in studies if one.id == study_id]
    if not chosen:
        turn.leave()
        choices = tuple(Choice(f"expert.report:{consultation_id}:{one.id}", clip(_named(one), 16)) for one in studies)
        turn.say(Menu("这例会诊有几份检查，要写哪一份？", choices))
        return
    await _write_of(turn, consultation_id, chosen[0])


async def _write_of(turn: Turn, consultation_id: str, study: StudyView) -> None:
    reports = await turn.services.reports.reports_of(turn.actor, consultation_id)
    latest = max((one for one in reports if one.study_id == study.id), key=lambda one: one.version, default=None)
    if latest is None or latest.state is ReportState.DRAFT:
        await turn.enter(ReportFlow.name, consultation_id=consultation_id, study_id=study.id, study_uid=study.study_uid)
        return
    turn.leave()
    choices = (
        Choice(f"expert.amend:{consultation_id}:{latest.id}", "修改报告"),
        Choice(f"expert.critical:{consultation_id}:{study.id}", "有危急值"),
        Choice(f"report.open:{consultation_id}", "看检查报告"),
    )
    turn.say(Menu(f"{_named(study)}：报告已经签发（第{latest.version}版）。", choices))


async def amend(turn: Turn, argument: str) -> None:
    """Ask why a signed report is changed; `argument` is the case and the report."""
    consultation_id, _, report_id = argument.partition(":")
    report = await turn.services.reports.report(turn.actor, report_id)
    await turn.enter(AmendFlow.name, consultation_id=consultation_id, study_id=report.study_id, report_id=report_id)


def _named(study: StudyView) -> str:
    """Name a study to its expert: 胸部CT 11月21日."""
    when = f"{int(study.study_date[4:6])}月{int(study.study_date[6:8])}日" if len(study.study_date) == 8 else ""
    return " ".join(filter(None, (study.description or "/".join(study.modalities) or "检查", when)))


def _can_be_quick(text: str) -> bool:
    """Whether the first open place asks for what was seen, rather than for a number or a side."""
    upto = text.index("_") if "_" in text else 0
    rest = text[upto:].lstrip("_")
    return bool(_QUESTION_BLANK.search(text[: len(text) - len(rest)])) and not _UNITS.match(rest)


def _critical(turn: Turn) -> Choice:
    return Choice(f"expert.critical:{turn.data['consultation_id']}:{turn.data['study_id']}", "有危急值")


async def _study(turn: Turn) -> StudyView:
    return await turn.services.imaging.study(turn.actor, turn.data["study_uid"], turn.data["consultation_id"])


async def _sex(turn: Turn) -> str:
    view = await turn.services.consultations.get(turn.actor, turn.data["consultation_id"])
    return (await turn.services.people.person(SYSTEM, view.patient_id)).sex


def register(dialogue: Dialogue) -> None:
    """Let an expert write, sign and amend reports."""
    dialogue.add_flow(ReportFlow())
    dialogue.add_flow(AmendFlow())
    dialogue.on_action("expert.report", write)
    dialogue.on_action("expert.amend", amend)
