"""A grassroots doctor's tasks and cases: what came in, opened one by one."""

from backend.consultation.rules import RUNNING, Status
from bot.cards.amendments import addenda_lines
from bot.cards.case import case_choice, full_case
from bot.cards.history import history_choice
from bot.cards.material import gather, supplement_lines
from bot.cards.prescription import WRITE, prescription_choices
from bot.cards.report import report_choices
from bot.cards.room import room_choices
from bot.cards.teaching_cases import propose_choice, similar_choice
from bot.dialogue import Dialogue, Turn
from bot.flows.case_lists import say_cases, say_pictures, say_timeline
from bot.flows.doctor_findings import FindingsFlow, next_steps
from bot.messages import Choice, Menu
from bot.wording import lines


async def tasks(turn: Turn, argument: str = "") -> None:
    """List what waits for this doctor: experts who asked for more, then new cases."""
    waiting = await turn.services.consultations.waiting_for_supplement(turn.actor)
    await say_cases(
        turn,
        list_verb="doctor.tasks",
        case_verb="doctor.open",
        argument=argument,
        head="等您处理的任务：",
        empty="现在没有等您处理的任务。",
        status=Status.DRAFT,
        first=[case_choice(case, "doctor.supplement", "补资料 ") for case in waiting],
    )


async def mine(turn: Turn, argument: str = "") -> None:
    """List all cases of this doctor."""
    await say_cases(
        turn,
        list_verb="doctor.mine",
        case_verb="doctor.case",
        argument=argument,
        head="您的会诊：",
        empty="您还没有会诊。",
    )


async def open_task(turn: Turn, consultation_id: str) -> None:
    """Open a task: it counts as received, and what the doctor writes next are its vital signs and findings."""
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    if view.status is Status.DRAFT:
        await turn.services.consultations.acknowledge_task(turn.actor, consultation_id)
        card = full_case(view, turn.services.clock.now())
        await turn.enter(FindingsFlow.name, consultation_id=consultation_id, before=card)
    else:
        await show(turn, consultation_id)


async def show(turn: Turn, consultation_id: str) -> None:
    """Show a case with what can be done with it now."""
    turn.leave()
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    material = await gather(turn.services.consultations, turn.actor, consultation_id)
    addenda = await turn.services.amendments.addenda(turn.actor, consultation_id)
    text = lines(full_case(view, turn.services.clock.now()), *addenda_lines(addenda), *supplement_lines(material))
    room = room_choices(view, turn.services.clock.now())
    report = await report_choices(turn.services.reports, turn.actor, consultation_id)
    prescriptions = await prescription_choices(turn.services.prescriptions, turn.actor, consultation_id)
    may_propose, _ = await turn.services.teaching_cases.proposal(turn.actor, consultation_id)
    propose = (propose_choice(consultation_id),) if may_propose else ()
    steps = _steps(view.status, consultation_id, material.is_waiting)
    turn.say(Menu(text, (*room, *report, *prescriptions, *steps, *propose)))


def _steps(status: Status, consultation_id: str, is_waiting: bool) -> tuple[Choice, ...]:
    if status is Status.DRAFT:
        findings = Choice(f"doctor.findings:{consultation_id}", "补充体征检查")
        known = (history_choice(consultation_id), similar_choice(consultation_id))
        return (findings, *known, _images(consultation_id), *next_steps(consultation_id))
    steps = [
        history_choice(consultation_id),
        *((Choice(f"{WRITE}:{consultation_id}", "开处方"),) if status is not Status.CANCELLED else ()),
        Choice(f"doctor.pictures:{consultation_id}", "看图片"),
        Choice(f"doctor.timeline:{consultation_id}", "看经过"),
    ]
    if status is Status.IN_PROGRESS:
        steps.insert(0, Choice(f"thread.focus:{consultation_id}", "进入会诊"))
    if is_waiting and status in (Status.ASSIGNED, Status.IN_PROGRESS):
        steps.insert(0, Choice(f"doctor.supplement:{consultation_id}", "现在补充"))
    if status in (Status.PENDING, Status.ASSIGNED):
        steps.insert(0, Choice(f"doctor.attach:{consultation_id}", "添加资料"))
    if status in RUNNING:
        steps.append(similar_choice(consultation_id))
        steps.append(_images(consultation_id))
    if status in (Status.PENDING, Status.ASSIGNED):
        steps.append(Choice(f"doctor.cancel:{consultation_id}", "取消会诊"))
    return tuple(steps)


def _images(consultation_id: str) -> Choice:
    return Choice(f"doctor.images:{consultation_id}", "上传影像")


async def pictures(turn: Turn, argument: str) -> None:
    """Send the pictures of a case."""
    await say_pictures(turn, argument, "doctor.pictures")


def register(dialogue: Dialogue) -> None:
    """Let tasks and cases be listed and opened."""
    dialogue.on_action("doctor.tasks", tasks)
    dialogue.on_action("doctor.mine", mine)
    dialogue.on_action("doctor.open", open_task)
    dialogue.on_action("doctor.case", show)
    dialogue.on_action("doctor.timeline", say_timeline)
    dialogue.on_action("doctor.pictures", pictures)
