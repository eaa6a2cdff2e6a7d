"""Prescriptions: a task for pharmacists, word to the doctor, and the patient's card once it is approved."""

from backend.prescription import PrescriptionView
from backend.security.policy import SYSTEM, Role
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.cards.prescription import OPEN, WRITE, medicines_text, patient_card, patient_steps, patient_text, review_card
from bot.messages import Choice, Menu, Text
from bot.notifications.notifier import Notifier

_MOST_PHARMACISTS = 20


async def signed(notifier: Notifier) -> None:
    """Every pharmacist of the institution gets the task; where there is none, those who keep the platform running."""
    view = await _prescription(notifier)
    case = await notifier.case()
    pharmacists = await notifier.services.people.practitioners(
        role=Role.PHARMACIST,
        institution_id=notifier.payload["review_institution_id"],
        joined_only=True,
        limit=_MOST_PHARMACISTS,
    )
    note = notice("task", "新处方等您审核", case, notifier.now, status="待审核", button="待审处方")
    for pharmacist in pharmacists:
        await notifier.tell_practitioner(pharmacist.id, review_card(view, note))
    if not pharmacists:
        words = f"有一张处方（{view.number}）签好了，但没有药师可以审核。请邀请药师加入。"
        note = notice("task", "处方没有药师审核", case, notifier.now, status="待处理", button="邀请成员")
        await notifier.tell_administrators(Text(words, notice=note))


async def returned(notifier: Notifier) -> None:
    """The doctor hears who returned it and why, with the way to change it."""
    view = await _prescription(notifier)
    case = await notifier.case()
    reviewer = await notifier.practitioner(notifier.payload["reviewer_id"])
    words = (
        f"{case_line(case)}：处方被退回了。\n药：{medicines_text(view)}\n"
        f"{reviewer.name}药师说：{view.return_reason}\n请改好以后再签名。"
    )
    note = notice("task", "处方被退回，请修改", case, notifier.now, status="已退回", button="我的会诊")
    card = Menu(words, (Choice(f"{WRITE}:{view.consultation_id}", "去修改"),), notice=note)
    await notifier.tell_practitioner(view.prescriber_id, card)


async def approved(notifier: Notifier) -> None:
    """The patient gets the medicines in plain words and the card with the code; the doctor hears that they have."""
    view = await _prescription(notifier)
    case = await notifier.case()
    note = notice("result", "您的处方开好了", case, notifier.now, opens=True)
    card = patient_card(view, notifier.services.links.prescription(view.id), note)
    medicines = Menu(patient_text(view.document, view), patient_steps(view))
    await notifier.tell_speaker(case, medicines, card)
    reviewer = await notifier.practitioner(notifier.payload["reviewer_id"])
    words = f"{case_line(case)}：{reviewer.name}药师审核通过了处方（{medicines_text(view)}），已经发给患者。"
    note = notice("progress", "处方审核通过", case, notifier.now)
    choices = (Choice(f"{OPEN}:{view.consultation_id}:{view.id}", "看处方"),)
    await notifier.tell_practitioner(view.prescriber_id, Menu(words, choices, notice=note))


async def revoked(notifier: Notifier) -> None:
    """The patient hears not to use it; the pharmacist who has it before them hears that it is off."""
    view = await _prescription(notifier)
    case = await notifier.case()
    if notifier.payload["approved"]:
        words = (
            f"医生把给您开的处方（{medicines_text(view)}）作废了，请不要再拿去取药。\n"
            "已经取了药的，先别吃，问问医生再说。"
        )
        note = notice("result", "您的处方作废了", case, notifier.now, button="我的会诊")
        await notifier.tell_speaker(case, Text(words, notice=note))
    elif view.taken_by:
        note = notice("progress", "处方已作废", case, notifier.now, button="待审处方")
        words = f"您正在审的处方 {view.number} 医生作废了，不用再审。"
        await notifier.tell_practitioner(view.taken_by, Text(words, notice=note))


async def expired(notifier: Notifier) -> None:
    """The patient hears that the time is over, and what to do where the medicine was not fetched."""
    view = await _prescription(notifier)
    case = await notifier.case()
    words = f"您的处方（{medicines_text(view)}）过了期限，不能再拿去取药。还需要用药的话，请找医生重新开。"
    note = notice("progress", "您的处方过期了", case, notifier.now, button="我的会诊")
    await notifier.tell_speaker(case, Text(words, notice=note))


async def _prescription(notifier: Notifier) -> PrescriptionView:
    return await notifier.services.prescriptions.prescription(SYSTEM, notifier.payload["prescription_id"])


HANDLERS = {
    "prescription.signed": signed,
    "prescription.returned": returned,
    "prescription.approved": approved,
    "prescription.revoked": revoked,
    "prescription.expired": expired,
}
