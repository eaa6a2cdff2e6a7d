"""The search for an expert: invitations, who has it, how far it was widened, and what happens where nobody answers."""

from dataclasses import replace

from backend.consultation.ranking import Widening
from backend.consultation.rules import Step, Urgency
from backend.consultation.views import ConsultationView
from backend.security.policy import SYSTEM
from bot.cards.case import case_line
from bot.cards.digest import digest_card
from bot.cards.material import gather
from bot.cards.notices import notice
from bot.cards.offer import offer_card
from bot.messages import Choice, Menu, Message, Text
from bot.notifications import imaging
from bot.notifications.notifier import Notifier

_WIDENED = {
    Widening.DEPARTMENT: "擅长这个病的专家不够，本科室的专家也在邀请。",
    Widening.ON_CALL: "还没有专家接受，正在请值班专家。",
}


_NOT_WAITING = "还没打120的，请现在就打，或者马上去最近的医院急诊，别等这里的消息。"


def _to_patient(view: ConsultationView, calm: str) -> str:
    """Give `calm`, but never let somebody in danger wait for it."""
    return f"{calm}\n{_NOT_WAITING}" if view.urgency is Urgency.CRITICAL else calm


async def submitted(notifier: Notifier) -> None:
    """The patient hears that the doctor has looked and that an expert is being found."""
    view = await notifier.case()
    words = f"{view.doctor_name}医生看过您的情况了，正在帮您请大医院的专家。找到了马上告诉您，请放心。"
    note = notice("progress", "正在为您请专家", view, notifier.now)
    await notifier.tell_patient(view, Text(_to_patient(view, words), notice=note))


async def offer_made(notifier: Notifier) -> None:
    """An expert gets an invitation."""
    view = await notifier.case()
    offer = await notifier.services.consultations.offer(SYSTEM, notifier.payload["offer_id"])
    card = offer_card(offer, view, notifier.now)
    await notifier.tell_practitioner(offer.expert_id, card, expires_at=offer.expires_at)


async def offer_taken(notifier: Notifier) -> None:
    """An expert who was asked too hears who has the case."""
    winner = await notifier.practitioner(notifier.payload["taken_by"])
    view = await notifier.case()
    words = f"{_invitation(view)}已由{winner.institution_name}{winner.name}{winner.title}接下，您不用处理了，谢谢您。"
    await notifier.tell_practitioner(notifier.payload["expert_id"], Text(words))


async def offer_expired(notifier: Notifier) -> None:
    """An expert who did not answer in time hears that nothing is left to do."""
    view = await notifier.case()
    words = f"{_invitation(view)}已过回复时间，您不用处理了。"
    await notifier.tell_practitioner(notifier.payload["expert_id"], Text(words))


async def offer_withdrawn(notifier: Notifier) -> None:
    """The case was cancelled: an invitation needs no answer any more."""
    view = await notifier.case()
    words = f"{_invitation(view)}已撤回，您不用处理了，谢谢您。"
    await notifier.tell_practitioner(notifier.payload["expert_id"], Text(words))


def _invitation(view: ConsultationView) -> str:
    """Name an invitation as its card did: by where it came from, for the card shows neither name nor number."""
    return f"{view.institution_name}的会诊邀请（{view.department_name}）"


async def widened(notifier: Notifier) -> None:
    """The doctor hears that the search goes on more widely; that it has come to its end is told by `exhausted`."""
    words = _WIDENED.get(Widening(notifier.payload["step"]))
    if words is not None:
        view = await notifier.case()
        await notifier.tell_practitioner(view.doctor_id, Text(f"{case_line(view)}：{words}"))


async def exhausted(notifier: Notifier) -> None:
    """Nobody took it: an administrator acts, the doctor knows, the patient is not left alone."""
    view = await notifier.case()
    alarm = f"没有专家接受：{view.number} {view.department_name}（{view.urgency.label}），请尽快安排专家。"
    await notifier.tell_administrators(
        Menu(
            alarm,
            (Choice("administrator.waiting", "待处理事项"),),
            notice=notice("task", "会诊无人接受，请安排", view, notifier.now, button="待处理事项"),
        )
    )
    words = f"{case_line(view)}：暂时没有专家接受，已请平台管理员安排。情况紧急请先按急诊处理或转诊。"
    await notifier.tell_practitioner(
        view.doctor_id, Text(words, notice=notice("progress", "暂时没有专家接受", view, notifier.now))
    )
    calm = "专家们现在都在忙，我们的工作人员正在帮您安排，请再等等。要是突然加重，请马上打120。"
    if view.urgency is Urgency.CRITICAL:
        calm = _to_patient(view, "专家们现在都在忙，我们的工作人员正在安排。您的情况不能等。")
    await notifier.tell_patient(view, Text(calm, notice=notice("progress", "正在为您安排专家", view, notifier.now)))


async def assigned(notifier: Notifier) -> None:
    """An expert has it: the patient chooses a time, or waits a moment where it is urgent; the doctor knows who."""
    view = await notifier.case()
    if view.expert_id is None:  # given back since
        return
    expert = await notifier.practitioner(view.expert_id)
    who = f"{expert.institution_name}{expert.department_name}的{expert.name}{expert.title}"
    found = notice("progress", "专家已接受会诊", view, notifier.now)
    if view.urgency.skips_booking:
        patient: Message = Text(_to_patient(view, f"请到专家了：{who}。专家马上就来，请您看着手机。"), notice=found)
    else:
        choose = (Choice(f"patient.book:{view.id}", "选时间"),)
        patient = Menu(f"请到专家了：{who}。\n请您选一个方便的时间。", choose, notice=found)
    await notifier.tell_patient(view, patient)
    choices = (Choice(f"doctor.attach:{view.id}", "添加资料"), Choice(f"doctor.case:{view.id}", "查看病例"))
    doctor = Menu(f"{case_line(view)}：{who}已接受。\n会诊前可以补充图片和说明。", choices, notice=found)
    await notifier.tell_practitioner(view.doctor_id, doctor)
    material = await gather(notifier.services.consultations, SYSTEM, view.id)
    given_to = notice("task", "请您负责一例会诊", view, notifier.now, button="我的会诊")
    digest = digest_card(view, material, notifier.now, given_to)
    given = replace(digest, head=f"平台请您负责这例会诊。\n{digest.head}")
    await notifier.tell_practitioner(view.expert_id, given)  # not one who accepted: their turn has shown it
    await imaging.tell_new_expert(notifier, view)


async def given_back(notifier: Notifier) -> None:
    """The expert cannot do it after all, or an administrator took it from them, which they hear: patient and doctor
    hear so too, and that somebody else is being found."""
    view = await notifier.case()
    expert = await notifier.practitioner(notifier.payload["expert_id"])
    entries = await notifier.services.consultations.timeline(SYSTEM, view.id)
    told = next(entry.text_zh for entry in reversed(entries) if entry.kind == Step.GIVE_BACK)
    sentence = told.rpartition("（")[0]  # without the move of the status
    note = notice("progress", "正在重新请专家", view, notifier.now)
    lost = "原来约的时间取消了。" if notifier.payload["booking_cancelled"] else ""
    words = f"{expert.name}专家临时看不了这次会诊。{lost}我们正在帮您请别的专家，找到了马上告诉您。"
    await notifier.tell_patient(view, Text(_to_patient(view, words), notice=note))
    doctor = f"{case_line(view)}：{sentence}。正在重新找专家。"
    await notifier.tell_practitioner(view.doctor_id, Text(doctor, notice=note))
    if notifier.payload["actor_id"] != expert.person_id:
        gone = notice("task", "这例会诊已转给别的专家", view, notifier.now, button="我的会诊")
        words = f"{case_line(view)}：{sentence}。您不用再看这例会诊了。{lost}谢谢您。"
        await notifier.tell_practitioner(expert.id, Text(words, notice=gone))


HANDLERS = {
    "consultation.submitted": submitted,
    "offer.made": offer_made,
    "offer.taken": offer_taken,
    "offer.expired": offer_expired,
    "offer.withdrawn": offer_withdrawn,
    "matching.widened": widened,
    "matching.exhausted": exhausted,
    "consultation.assigned": assigned,
    "consultation.given_back": given_back,
}
