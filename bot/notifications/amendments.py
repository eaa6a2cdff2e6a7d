"""Records that a patient says are wrong: who wrote them is asked, and asked again; the patient hears the answer."""

from backend.consultation.views import ConsultationView
from backend.rights import AmendmentState, AmendmentView
from backend.security.policy import SYSTEM
from bot.cards.amendments import addenda_lines, request_card
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.messages import Choice, Menu, Text, about
from bot.notifications.notifier import Notifier
from bot.wording import lines

_NOT_CONTENT = "您要是觉得还是不对，可以当面问医生，也可以点“转人工”。"


async def asked(notifier: Notifier) -> None:
    """Who wrote it is asked; the doctor of the case hears of what the expert is asked."""
    view, request = await notifier.case(), await _request(notifier)
    await _ask(notifier, view, request, "患者说病历有一处写错了，请您看看。")
    if request.answerer_id != view.doctor_id:
        words = f"{case_line(view)}：患者说“{request.name}”有一处写错了，已经请{request.answers}医生看。您不用做什么。"
        note = notice("progress", "患者请专家更正病历", view, notifier.now)
        await notifier.tell_practitioner(view.doctor_id, Text(words, notice=note))


async def unanswered(notifier: Notifier) -> None:
    """They are asked again; after a week those who keep the platform running hear of it too, not what is written."""
    view, request = await notifier.case(), await _request(notifier)
    if request.state is not AmendmentState.ASKED:
        return
    days = (notifier.now - request.asked_at).days
    await _ask(notifier, view, request, f"患者说病历有一处写错了，{days}天了还在等您答复。")
    if request.overdue:
        words = (
            f"{view.number} 的更正请求{days}天没有答复。要答复的是{request.answers}医生，请打电话提醒。"
            "管理台的“会诊”页上有全部等答复的请求。"
        )
        note = notice("task", "更正请求没人答复", None, notifier.now, status="待处理", button="待处理事项")
        await notifier.tell_administrators(Text(words, notice=note))


async def answered(notifier: Notifier) -> None:
    """The patient hears what came of it; of what was put right the others who treat, too."""
    view, request = await notifier.case(), await _request(notifier)
    amended = request.state is AmendmentState.AMENDED
    title = "您提的更正，医生改好了" if amended else "您提的更正，医生答复了"
    note = notice("progress", title, view, notifier.now)
    choices = (Choice(f"patient.case:{view.id}", "看这次会诊"), Choice("help.human", "转人工"))
    await _tell_patient(notifier, view, request, Menu(_to_patient(request), choices, notice=note))
    if amended:
        note = notice("progress", "病历有一处更正", view, notifier.now)
        words = Text(lines(f"{case_line(view)}（{view.number}）", *addenda_lines([request])), notice=note)
        for practitioner_id in (view.doctor_id, view.expert_id):
            if practitioner_id != request.answerer_id:
                await notifier.tell_practitioner(practitioner_id, words)


async def taken_back(notifier: Notifier) -> None:
    """Who was asked need not answer any more."""
    view, request = await notifier.case(), await _request(notifier)
    note = notice("progress", "患者说不用更正了", view, notifier.now)
    words = f"{case_line(view)}：“{request.name}”，患者说不用更正了。您不用再答复。"
    await notifier.tell_practitioner(request.answerer_id, Text(words, notice=note))


def _to_patient(request: AmendmentView) -> str:
    if request.state is not AmendmentState.AMENDED:
        return lines(
            f"您说“{request.name}”写错了，{request.answers}医生看过了，这次没有改。",
            f"原因：{request.answer}",
            _NOT_CONTENT,
        )
    if request.version:
        return lines(
            f"您说“{request.name}”写错了，{request.answers}医生改好了，出了第{request.version}版。",
            "旧的那一版也还留着。点“看这次会诊”就能看到。",
        )
    return lines(
        f"您说“{request.name}”写错了，{request.answers}医生写了更正：",
        request.answer,
        "原来写的也还留着，更正写在旁边，以后看病的医生都看得到。",
    )


async def _ask(notifier: Notifier, view: ConsultationView, request: AmendmentView, head: str) -> None:
    note = notice("task", "患者请您更正病历", view, notifier.now, status="待答复", button="我的会诊")
    await notifier.tell_practitioner(request.answerer_id, request_card(view, request, head, note))


async def _tell_patient(notifier: Notifier, view: ConsultationView, request: AmendmentView, message: Menu) -> None:
    """Tell who asked: the patient, or who spoke for them then."""
    name = "" if request.asked_by == request.patient_id else view.patient_name or "您的家人"
    await notifier.tell(request.asked_by, about(name, message))


async def _request(notifier: Notifier) -> AmendmentView:
    return await notifier.services.amendments.amendment(SYSTEM, notifier.payload["amendment_id"])


HANDLERS = {
    "amendment.asked": asked,
    "amendment.unanswered": unanswered,
    "amendment.answered": answered,
    "amendment.taken_back": taken_back,
}
