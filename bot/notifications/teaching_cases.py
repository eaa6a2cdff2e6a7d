"""The case library: the patient is asked, reviewers and proposers hear how it goes, doctors get a case a week."""

from bot.cards.case import case_line
from bot.cards.notices import notice
from bot.cards.teaching import PROMISES
from bot.cards.teaching_cases import weekly_card
from bot.flows.teaching import CASES
from bot.messages import Menu, Text
from bot.notifications.notifier import Notifier
from bot.wording import lines

_QUESTION = "想问问您：病例能不能用来学习"


async def asked(notifier: Notifier) -> None:
    """The patient hears what it is about and answers with a tap."""
    view = await notifier.case()
    version = notifier.services.people.consent_document(CASES.kind).version
    words = f"医生想把您这次看病的经过，写成一份看不出是谁的病例，给别的医生学习。\n{PROMISES}\n可以吗？"
    note = notice("progress", _QUESTION, view, notifier.now, status="等您回答", button="我的会诊")
    await notifier.tell_patient(view, Menu(words, (*CASES.answers(version), CASES.terms), notice=note))


async def drafted(notifier: Notifier) -> None:
    """Reviewers hear that a draft waits."""
    view = await notifier.case()
    note = notice("task", "有一份教学病例等您审核", None, notifier.now, status="待审核", button="待处理事项")
    words = f"有一份教学病例等您审核：{view.number}（{view.department_name}）。请在电脑上打开管理台的“病例库”。"
    await notifier.tell_administrators(Text(words, notice=note))


async def declined(notifier: Notifier) -> None:
    """Who recommended it hears that the patient does not agree."""
    await _tell_proposer(
        notifier, "教学病例：患者不同意", "患者不同意把这次看病的经过用于教学，就不用了。会诊不受影响。"
    )


async def published(notifier: Notifier) -> None:
    """Who recommended it hears that others learn from it now."""
    await _tell_proposer(notifier, "您推荐的病例已发布", "您推荐的教学病例审核通过，已经放进病例库。谢谢您！")


async def rejected(notifier: Notifier) -> None:
    """Who recommended it hears that it was not taken."""
    await _tell_proposer(notifier, "您推荐的病例没有采用", "您推荐的教学病例这次没有采用，草稿已经删掉。会诊不受影响。")


async def picked(notifier: Notifier) -> None:
    """The township doctors of a department get the case of the week."""
    library, week = notifier.services.teaching_cases, notifier.payload["week"]
    case = await library.find_published(notifier.payload["case_id"])
    if case is None:  # withdrawn since it was picked
        return
    note = notice("task", "本周病例，请您看看", None, notifier.now, status="可学习", button="我的任务")
    for person_id in await library.readers(notifier.payload["department_code"]):
        await notifier.tell(person_id, weekly_card(case, note), once=f"teaching:{week}")


async def _tell_proposer(notifier: Notifier, title: str, words: str) -> None:
    """Tell a practitioner; an account of the console sees how it goes in the list."""
    view, proposer = await notifier.case(), notifier.payload["proposed_by"]
    found = await notifier.services.people.practitioners_by_id([proposer])
    if proposer in found:
        note = notice("progress", title, view, notifier.now, button="我的会诊")
        await notifier.tell_practitioner(proposer, Text(lines(case_line(view), words), notice=note))


HANDLERS = {
    "teaching_case.asked": asked,
    "teaching_case.drafted": drafted,
    "teaching_case.declined": declined,
    "teaching_case.published": published,
    "teaching_case.rejected": rejected,
    "teaching_case.picked": picked,
}
