"""Copies for teaching: the patient is asked where somebody wants some, and who asked hears the answer."""

from backend.consultation.desk import speaker
from backend.imaging import DestinationView
from backend.security.policy import SYSTEM
from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.cards.teaching import PROMISES
from bot.flows.teaching import TEACHING
from bot.messages import Link, Menu
from bot.notifications.notifier import Notifier

_QUESTION = "想问问您：检查图像能不能用来上课"


async def teaching_asked(notifier: Notifier) -> None:
    """The patient hears who wants their images for whom, and what happens before; they answer with a tap."""
    view, people = await notifier.case(), notifier.services.people
    asker = await notifier.practitioner(notifier.payload["asked_by"])
    place = await _place(notifier)
    words = (
        f"{speaker(asker.role, asker.name)}想把您的检查图像（比如CT片子），给{place}的医生和学生上课用。\n"
        f"{PROMISES}\n可以吗？"
    )
    note = notice("progress", _QUESTION, view, notifier.now, status="等您回答", button="我的会诊")
    choices = (*TEACHING.answers(people.consent_document(TEACHING.kind).version), TEACHING.terms)
    await notifier.tell_patient(view, Menu(words, choices, notice=note))


async def teaching_answered(notifier: Notifier) -> None:
    """Who asked hears whether the patient agrees, and so whether the copies go."""
    view, agreed = await notifier.case(), notifier.payload["agreed"]
    title = "患者同意图像用于教学" if agreed else "患者不同意图像用于教学"
    place = await _place(notifier)
    what = (
        f"去掉姓名、号码和日期以后，图像正在送到{place}。点这里看送到哪一步。" if agreed else "图像没有送出，会诊照常。"
    )
    note = notice("progress", title, view, notifier.now, opens=True)
    card = Link(title, f"{case_line(view)}\n{what}", notifier.services.links.viewer(view.id), notice=note)
    await notifier.tell_practitioner(notifier.payload["asked_by"], card)


async def _place(notifier: Notifier) -> str:
    """Say who gets the copies."""
    known = await notifier.services.imaging.destinations(SYSTEM)
    [found] = [one for one in known if one.id == notifier.payload["destination_id"]]
    return await _said(notifier, found)


async def _said(notifier: Notifier, destination: DestinationView) -> str:
    institution = await notifier.services.people.institution(destination.institution_id)
    return institution.name if institution.name in destination.label else f"{institution.name}（{destination.label}）"


HANDLERS = {"imaging.teaching_asked": teaching_asked, "imaging.teaching_answered": teaching_answered}
