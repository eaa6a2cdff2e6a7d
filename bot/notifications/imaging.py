"""Images: a study has come, or waits for a person to say whose it is, or a machine sends what is not taken."""

from backend.consultation.views import ConsultationView
from backend.imaging import (
    QUARANTINE_WORDS,
    REASON_WORDS,
    TRANSFER_SENTENCES,
    Failure,
    QuarantineReason,
    Reason,
    StudyView,
    readable_name,
)
from backend.security.policy import SYSTEM, Role
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.messages import Link, Text
from bot.notifications.notifier import Notifier

_QUIET_SECONDS = 3600
_MOST_DOCTORS = 20
_ARRIVED = "检查图像到了"
_UNCERTAIN = "有检查图像等您确认"
_THERE = "这例会诊有检查图像"


async def study_arrived(notifier: Notifier) -> None:
    """Expert and doctor get the card that opens the images; the patient hears that they have come, once a study. Of
    photographs that somebody has made images they all know already."""
    view = await notifier.case()
    if notifier.payload["photographs"]:
        return
    study, instances = notifier.payload["study_id"], notifier.payload["instances"]
    card = _card(notifier, view, _ARRIVED, instances)
    for practitioner_id in (view.doctor_id, view.expert_id):
        await notifier.tell_practitioner(practitioner_id, card)
    told = Text("您的检查图像已经到了，医生会看。", notice=card.notice)
    await notifier.tell_speaker(view, told, once=f"study:{study}")


async def tell_new_expert(notifier: Notifier, view: ConsultationView) -> None:
    """Give the expert who has just got a case the card of the images that came before."""
    expert = await notifier.practitioner(view.expert_id or "")
    studies = await notifier.services.imaging.studies_of(SYSTEM, view.id)
    if studies and expert.person_id is not None:
        card = _card(notifier, view, _THERE, sum(study.images for study in studies))
        await notifier.tell(expert.person_id, card, once=f"images:{notifier.event.id}")


def _card(notifier: Notifier, view: ConsultationView, title: str, instances: int) -> Link:
    note = notice("progress", title, view, notifier.now, opens=True)
    described = f"{case_line(view)}\n一共{instances}张，点这里看图。"
    return Link(title, described, notifier.services.links.viewer(view.id), notice=note)


async def quarantined(notifier: Notifier) -> None:
    """The doctors of the institution hear what differs and what the images say; administrators, who may not read that,
    hear it without a name, and only where no doctor there has joined."""
    payload = notifier.payload
    people, institution_id = notifier.services.people, payload["institution_id"]
    why = QUARANTINE_WORDS[QuarantineReason(payload["reason"])]
    words = f"有一份检查图像（{payload['instances']}张）先放在一边，要等医生确认是谁的：{why}。"
    note = notice("task", _UNCERTAIN, None, notifier.now, status="待确认", opens=True)
    once = f"quarantined:{payload['study_id']}:{payload['reason']}"
    doctors = await people.practitioners(
        role=Role.GRASSROOTS_DOCTOR, institution_id=institution_id, joined_only=True, limit=_MOST_DOCTORS
    )
    for doctor in doctors:
        person_id = doctor.person_id or ""
        study = await notifier.services.imaging.waiting(await people.actor(person_id), payload["study_id"])
        if study is not None:
            url = notifier.services.links.quarantine(study.id)
            card = Link(_UNCERTAIN, f"{words}\n{_said(study)}\n点这里去确认。", url, notice=note)
            await notifier.tell(person_id, card, once=once)
    if not doctors:
        place = (await people.institution(institution_id)).name
        note = notice("task", _UNCERTAIN, None, notifier.now, status="待确认", button="待处理事项")
        await notifier.tell_administrators(Text(f"{place}：{words}", notice=note), once=once)


def _said(study: StudyView) -> str:
    """Give whom the images say that they are of."""
    patient = study.patient
    when = f"{study.study_date[:4]}年{study.study_date[4:6]}月{study.study_date[6:8]}日" if study.study_date else ""
    sex = {"M": "男", "F": "女"}.get(patient.sex, "")
    said = (readable_name(patient.name), sex, "、".join(study.modalities), when)
    return "图像上写的是：" + "，".join(filter(None, said)) + "。"


async def instance_refused(notifier: Notifier) -> None:
    """The administrators hear that a machine sends what is not taken, of one kind at most once an hour."""
    payload = notifier.payload
    place = (await notifier.services.people.institution(payload["institution_id"])).name
    why = REASON_WORDS[Reason(payload["reason"])]
    note = notice("task", "有检查图像没有收下", None, notifier.now, status="待处理", button="待处理事项")
    stretch = int(notifier.event.occurred_at.timestamp()) // _QUIET_SECONDS
    once = f"refused:{payload['institution_id']}:{payload['reason']}:{stretch}"
    words = f"{place}的设备发来的检查图像有没收下的：{why}。请联系医院检查设备。"
    message = Text(words, notice=note)
    await notifier.tell_administrators(message, once=once)


async def transfer_progress(notifier: Notifier) -> None:
    """The doctor hears how far a long transfer to the expert's hospital has come."""
    view, payload = await notifier.case(), notifier.payload
    words = f"{case_line(view)}：图像正在传给专家的医院，已传 {payload['arrived']}/{payload['total']} 张。"
    await notifier.tell_practitioner(view.doctor_id, Text(words))


async def transfer_finished(notifier: Notifier) -> None:
    """Doctor and expert hear that the expert's hospital has all of a study."""
    view = await notifier.case()
    words = f"{case_line(view)}：图像已经全部传到专家的医院，一共{notifier.payload['total']}张。"
    note = notice("progress", "图像已传到专家医院", view, notifier.now)
    for practitioner_id in (view.doctor_id, view.expert_id):
        await notifier.tell_practitioner(practitioner_id, Text(words, notice=note))


async def transfer_stuck(notifier: Notifier) -> None:
    """The doctor hears why a transfer does not go on, and that the images can be seen here; administrators act."""
    view = await notifier.case()
    why = TRANSFER_SENTENCES[Failure(notifier.payload["reason"])]
    doctor = f"{case_line(view)}：图像还没有全部传到专家的医院。{why}\n专家现在就可以在这里看图，不影响会诊。"
    note = notice("progress", "图像传送遇到问题", view, notifier.now)
    await notifier.tell_practitioner(view.doctor_id, Text(doctor, notice=note))
    note = notice("task", "图像传送遇到问题", view, notifier.now, status="待处理", button="待处理事项")
    await notifier.tell_administrators(Text(f"{view.number}：图像传送遇到问题。{why}", notice=note))


HANDLERS = {
    "imaging.transfer_progress": transfer_progress,
    "imaging.transfer_finished": transfer_finished,
    "imaging.transfer_stuck": transfer_stuck,
    "imaging.study_arrived": study_arrived,
    "imaging.quarantined": quarantined,
    "imaging.instance_refused": instance_refused,
}
