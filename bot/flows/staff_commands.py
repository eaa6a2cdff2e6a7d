"""Short commands that practitioners may type instead of tapping, in the middle of anything."""

from backend.security.policy import Role
from bot.dialogue import Dialogue, Handler, Turn
from bot.flows import (
    administrator,
    administrator_invite,
    doctor_new,
    doctor_task,
    emergency,
    expert_case,
    expert_hours,
    expert_opinion,
    expert_pay,
    expert_report,
    expert_schedule,
    my,
    offers,
    patient_facts,
    pharmacy,
    prescribing,
    prescription_review,
    teaching_cases,
    thread,
)
from bot.flows.staff_menus import home, staff_role
from bot.incoming import Kind


async def _menu(turn: Turn, _: str) -> None:
    turn.leave()
    turn.say(home(turn.actor))


async def _opinion(turn: Turn, _: str) -> None:
    consultation_id = await turn.services.consultations.focus(turn.actor)
    if consultation_id is None:
        turn.say(home(turn.actor, "您现在没有正在进行的会诊。"))
    else:
        await expert_opinion.give_opinion(turn, consultation_id)


async def _report(turn: Turn, _: str) -> None:
    consultation_id = await turn.services.consultations.focus(turn.actor)
    if consultation_id is None:
        turn.say(home(turn.actor, "请先点“我的会诊”，打开那例会诊，再点“写影像报告”。"))
    else:
        await expert_report.write(turn, consultation_id)


async def _prescription(turn: Turn, _: str) -> None:
    consultation_id = await turn.services.consultations.focus(turn.actor)
    if consultation_id is None:
        turn.say(home(turn.actor, "请先点“我的会诊”，打开那例会诊，再点“开处方”。"))
    else:
        await prescribing.write(turn, consultation_id)


async def _only_experts_close(turn: Turn, _: str) -> None:
    turn.say("会诊由专家填好意见后结束。")


async def _patient_cases(turn: Turn, _: str) -> None:
    await my.show(turn)


_LEARNING: dict[str, Handler] = {
    "病例学习": teaching_cases.home,
    "病例库": teaching_cases.home,
    "我的学分": teaching_cases.points,
}
_ANYBODY: dict[str, Handler] = {"菜单": _menu, "切换": thread.switch, "切换会诊": thread.switch}
_IN_THREAD: dict[str, Handler] = {"切换": thread.switch, "切换会诊": thread.switch, "我的会诊": _patient_cases}
_COMMANDS: dict[Role, dict[str, Handler]] = {
    Role.GRASSROOTS_DOCTOR: {
        "我的任务": doctor_task.tasks,
        "任务": doctor_task.tasks,
        "发起会诊": doctor_new.start,
        "我的会诊": doctor_task.mine,
        "结束会诊": _only_experts_close,
        "开处方": _prescription,
        "紧急查看": emergency.start,
        "患者资料": patient_facts.change_in_focus,
        "填写意见": _only_experts_close,
        **_LEARNING,
    },
    Role.EXPERT: {
        "会诊邀请": offers.show_offers,
        "我的会诊": expert_case.mine,
        "我的日程": expert_schedule.schedule,
        "改出诊时间": expert_hours.change_hours,
        "出诊时间": expert_hours.change_hours,
        "我的劳务费": expert_pay.pay,
        "劳务费": expert_pay.pay,
        "填写意见": _opinion,
        "结束会诊": _opinion,
        "写影像报告": _report,
        "写报告": _report,
        "开处方": _prescription,
        "紧急查看": emergency.start,
        "患者资料": patient_facts.change_in_focus,
        **_LEARNING,
    },
    Role.PHARMACIST: {"待审处方": prescription_review.queue, "取药单": pharmacy.queue},
    Role.ADMINISTRATOR: {"待处理事项": administrator.waiting, "邀请成员": administrator_invite.candidates},
}


async def command(turn: Turn) -> bool:
    """Do what a message names, word for word; not ours where it is no command of this person."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE):
        return False
    words = turn.text.rstrip("。.！!")
    role = staff_role(turn.actor)
    if role is None:
        return await _patient_command(turn, words)
    handler = _COMMANDS[role].get(words) or _ANYBODY.get(words)
    if handler is None:
        return False
    await handler(turn, "")
    return True


async def _patient_command(turn: Turn, words: str) -> bool:
    """Do what a patient names in the middle of a thread, where it would be relayed else."""
    if words not in _IN_THREAD or turn.state.flow or await turn.services.consultations.focus(turn.actor) is None:
        return False
    await _IN_THREAD[words](turn, "")
    return True


def register(dialogue: Dialogue) -> None:
    """Let commands be typed; before the thread, so that they are not relayed."""
    dialogue.intercept([command])
