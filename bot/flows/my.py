"""我的会诊: everything that a patient has asked for, how far it is, what came of it, and what can still be done."""

import re
from itertools import groupby

from backend.consultation.rules import RUNNING, Status
from backend.consultation.views import ConsultationSummary, ConsultationView
from backend.security.policy import Role
from bot.cards.amendments import addenda_lines
from bot.cards.charge import charge_choices
from bot.cards.prescription import prescription_choices
from bot.cards.report import report_choices
from bot.cards.room import room_choices
from bot.dialogue import Dialogue, Turn
from bot.flows import consent
from bot.flows.booking import active_booking
from bot.flows.intake_state import Intake
from bot.flows.words import REASONS, ask_reason, on_words
from bot.messages import Choice, Menu, Text
from bot.wording import clip, day, moment, short_day, time_of_day

PAGE = 5
_CASES_LOOKED_AT = 10
_LONGEST_TIMELINE = 30
_LONGEST_NAME = 4
_STAFF_ONLY = ("offered", "declined", "opinion", "critical_value")
"""Kinds of entries that tell a patient nothing: who else was asked, the drafts of an opinion, alarms among doctors."""
_STATUS_MOVE = re.compile(r"（[^（）]+→[^（）]+）$")
_PLAIN_STATUS = {
    Status.DRAFT: "等卫生院医生看",
    Status.PENDING: "正在找专家",
    Status.ASSIGNED: "专家接了",
    Status.IN_PROGRESS: "正在会诊",
    Status.COMPLETED: "已完成",
    Status.CANCELLED: "已取消",
}


async def show(turn: Turn, offset: int = 0) -> None:
    """List the person's consultations, the newest first."""
    found = await turn.services.consultations.list_for(turn.actor, limit=PAGE + 1, offset=offset)
    if not found:
        start = Choice("patient.start", "我要问诊")
        turn.say(Menu("后面没有了。" if offset else "您还没有会诊。哪里不舒服，直接告诉我就行。", (start,)))
        return
    choices = [Choice(f"patient.case:{one.id}", _title(one)) for one in found[:PAGE]]
    if len(found) > PAGE:
        choices.append(Choice(f"patient.mine:{offset + PAGE}", "更早的"))
    if Intake.of(turn) is not None:
        choices.append(Choice("patient.continue", "接着刚才说"))
    turn.say(Menu("您的会诊都在这里，点开看：", tuple(choices)))


def _title(case: ConsultationSummary) -> str:
    when_or_who = clip(case.relative_name, _LONGEST_NAME) or short_day(case.opened_at)
    return f"{when_or_who} {_PLAIN_STATUS[case.status]}"


async def running(turn: Turn) -> list[ConsultationSummary]:
    """Give the person's consultations as a patient that have not ended, the newest first, looking at the latest few."""
    cases = await turn.services.consultations.list_for(turn.actor, role=Role.PATIENT, limit=_CASES_LOOKED_AT)
    return [case for case in cases if case.status in RUNNING]


async def newest_running(turn: Turn) -> ConsultationSummary | None:
    """Give the newest of them."""
    return next(iter(await running(turn)), None)


async def _mine(turn: Turn, argument: str) -> None:
    if await consent.require_consent(turn):
        await show(turn, int(argument) if argument.isdecimal() else 0)


async def _case(turn: Turn, consultation_id: str) -> None:
    """Show one consultation and what can be done with it."""
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    lines = [
        f"{moment(case.opened_at)}交的病情",
        *([f"病人：{case.relative_name}"] if case.relative_name else []),
        f"进展：{_PLAIN_STATUS[case.status]}",
        f"卫生院：{case.institution_name} {case.doctor_name}医生",
    ]
    complaint = case.record.get("chief_complaint")
    if complaint:
        lines.insert(1, f"主诉：{complaint}")
    if case.expert_name:
        lines.append(f"专家：{case.expert_name}医生（{case.department_name}）")
    booking = active_booking(case)
    if booking is not None:
        lines.append(f"约的时间：{moment(booking.starts_at)}")
    room = room_choices(case, turn.services.clock.now())
    report = await report_choices(turn.services.reports, turn.actor, case.id)
    prescriptions = await prescription_choices(turn.services.prescriptions, turn.actor, case.id)
    money = await charge_choices(turn.services.charging, turn.actor, case.id)
    turn.say(Menu("\n".join(lines), (*money, *room, *report, *prescriptions, *_choices(case))))


def _choices(case: ConsultationView) -> list[Choice]:
    choices = []
    if case.status is Status.COMPLETED:
        choices.append(Choice(f"patient.result:{case.id}", "看结果"))
        if case.rating is None:
            choices.append(Choice(f"patient.rate:{case.id}", "评价"))
    if active_booking(case) is not None:
        choices += [Choice(f"patient.book:{case.id}", "改时间"), Choice(f"patient.unbook:{case.id}", "取消预约")]
    elif case.status is Status.ASSIGNED and not case.urgency.skips_booking:
        choices.append(Choice(f"patient.book:{case.id}", "选时间"))
    choices.append(Choice(f"patient.timeline:{case.id}", "看经过"))
    if case.status not in (Status.COMPLETED, Status.CANCELLED):
        choices.append(Choice(f"patient.cancel:{case.id}", "取消会诊"))
    return choices


async def _timeline(turn: Turn, consultation_id: str) -> None:
    entries = await turn.services.consultations.timeline(turn.actor, consultation_id)
    told = [entry for entry in entries if entry.kind not in _STAFF_ONLY][-_LONGEST_TIMELINE:]
    days = [
        "\n".join([date, *(f"{time_of_day(entry.at)} {_STATUS_MOVE.sub('', entry.text_zh)}" for entry in of_day)])
        for date, of_day in groupby(told, key=lambda entry: day(entry.at))
    ]
    back = Choice(f"patient.case:{consultation_id}", "返回这次会诊")
    turn.say(
        Text("\n\n".join(["这次会诊的经过：", *days])),
        Menu("看完了，还可以：", (back, Choice("patient.mine", "我的会诊"))),
    )


async def _result(turn: Turn, consultation_id: str) -> None:
    """Show the expert's opinion, in the expert's own words."""
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    if case.opinion is None or case.status is not Status.COMPLETED:
        turn.say("结果还没有出来。出来了我马上告诉您。")
        return
    words = (
        f"{case.expert_name}医生的会诊意见：\n\n诊断：{case.opinion.diagnosis}\n\n怎么治：{case.opinion.plan}\n\n"
        f"有不明白的，请问{case.institution_name}的{case.doctor_name}医生。"
    )
    addenda = await turn.services.amendments.addenda(turn.actor, case.id)
    words = "\n\n".join([words, *addenda_lines(addenda)])
    rate = (Choice(f"patient.rate:{case.id}", "评价"),) if case.rating is None else ()
    turn.say(Menu(words, (*rate, Choice(f"patient.amend_case:{case.id}", "这里写错了"))))


async def _cancel(turn: Turn, argument: str) -> None:
    consultation_id, _, code = argument.partition(":")
    if code in REASONS:
        await _cancel_because(turn, consultation_id, REASONS[code])
        return
    case = await turn.services.consultations.get(turn.actor, consultation_id)
    if case.status in (Status.COMPLETED, Status.CANCELLED):
        turn.say(f"这次会诊{_PLAIN_STATUS[case.status]}，不用取消。")
        return
    ask_reason(turn, "patient.cancel", consultation_id, "取消以后，医生就不再看这次的情况了。是因为什么？")


async def _cancel_because(turn: Turn, consultation_id: str, reason: str) -> None:
    await turn.services.consultations.cancel(turn.actor, consultation_id, reason)
    turn.say("这次会诊取消了，医生也会知道。要是又不舒服，随时告诉我。")


async def _care(turn: Turn, _: str) -> None:
    """Show the way to what somebody has at home, medicines and devices, and to what was paid."""
    choices = (
        Choice("order.mine", "我的取药单"),
        Choice("device.mine", "我的设备"),
        Choice("charge.bills", "我的账单"),
    )
    turn.say(Menu("要看什么？", choices))


def register(dialogue: Dialogue) -> None:
    """Add the list of consultations and what can be done with each."""
    dialogue.on_action("patient.care", _care)
    dialogue.on_action("patient.mine", _mine)
    dialogue.on_action("patient.case", _case)
    dialogue.on_action("patient.timeline", _timeline)
    dialogue.on_action("patient.result", _result)
    dialogue.on_action("patient.cancel", _cancel)
    on_words(dialogue, "patient.cancel", _cancel_because)
