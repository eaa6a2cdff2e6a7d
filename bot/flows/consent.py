"""The privacy consent: told in short, read in full on demand, given, refused, withdrawn; nothing is asked before it."""

import re

from bot.dialogue import Dialogue, Turn
from bot.flows import amending, erasure, rights
from bot.incoming import Kind
from bot.messages import Choice, Menu

_SUMMARY = (
    "开始之前，请您先看看这几条（《隐私与知情同意书》第{version}版）：\n"
    "· 您说的病情和照片，只给为您看病的医生看。\n"
    "· 内容加密保存，不会拿去做广告。\n"
    "· 我只帮您记录、找医生，看病由医生来看。\n"
    "· 您可以不同意，以后也随时可以撤回。\n"
    "您同意吗？"
)

_WITHDRAWAL = re.compile(r"(我(要|想))?(撤回|取消|收回)(我的)?(隐私)?同意(书)?[。！!]?")


async def require_consent(turn: Turn) -> bool:
    """Tell whether the person has agreed to the present version; where not, ask for it and say nothing else."""
    if await turn.services.people.has_consent(turn.actor.person_id):
        return True
    await ask(turn)
    return False


async def ask(turn: Turn, before: str = "") -> None:
    """Ask for consent, with `before` as the words that come first."""
    document = turn.services.people.consent_document()
    summary = _SUMMARY.format(version=document.version)
    turn.say(Menu(f"{before}\n\n{summary}" if before else summary, _choices(document.version)))


def _choices(version: str, full: bool = True) -> tuple[Choice, ...]:
    answers = (Choice(f"patient.agree:{version}", "同意"), Choice(f"patient.refuse:{version}", "不同意"))
    return (*answers, Choice("patient.terms", "看全文")) if full else answers


def register(dialogue: Dialogue) -> None:
    """Add the answers to the consent and the page about privacy."""
    dialogue.on_action("patient.agree", _agree)
    dialogue.on_action("patient.refuse", _refuse)
    dialogue.on_action("patient.terms", _terms)
    dialogue.on_action("patient.privacy", _privacy)
    dialogue.on_action("patient.withdraw", _withdraw)
    dialogue.intercept([_hear_withdrawal])


async def _agree(turn: Turn, version: str) -> None:
    people = turn.services.people
    if await people.has_consent(turn.actor.person_id):
        turn.say("好的，您已经同意过了。")
        return
    if version != people.consent_document().version:
        await ask(turn, "同意书有了新的内容，请您再看一遍。")
        return
    await people.give_consent(turn.actor, version)
    await turn.enter("intake", greeting="好的，谢谢您。")


async def _refuse(turn: Turn, version: str) -> None:
    people = turn.services.people
    if await people.has_consent(turn.actor.person_id):
        await _privacy(turn, "")
        return
    await people.refuse_consent(turn.actor, version)
    turn.leave()
    turn.say(
        Menu(
            "好的，听您的。您不同意，我就不问您的病情。以后想用了，点“同意”就行。\n要是情况紧急，请马上打120。",
            (Choice(f"patient.agree:{version}", "同意"), Choice("patient.terms", "看全文")),
        )
    )


async def _terms(turn: Turn, _argument: str) -> None:
    document = turn.services.people.consent_document()
    turn.say(f"《{document.title}》（第{document.version}版）\n\n{document.text}")
    if not await turn.services.people.has_consent(turn.actor.person_id):
        turn.say(Menu("看完了，您同意吗？", _choices(document.version, full=False)))


async def _privacy(turn: Turn, _argument: str) -> None:
    if not await require_consent(turn):
        return
    document = turn.services.people.consent_document()
    turn.say(
        Menu(
            f"您已经同意了《隐私与知情同意书》（第{document.version}版）。您随时可以撤回。",
            (
                Choice("patient.terms", "看全文"),
                Choice("patient.teaching", "教学用图"),
                Choice("patient.research", "病历研究"),
                Choice("patient.cases", "教学病例"),
                *rights.CHOICES,
                amending.CHOICE,
                erasure.CHOICE,
                Choice("patient.withdraw", "撤回同意"),
            ),
        )
    )


async def _withdraw(turn: Turn, argument: str) -> None:
    people = turn.services.people
    if not await people.has_consent(turn.actor.person_id):
        turn.say("您现在没有同意，不用撤回。")
        return
    if argument != "sure":
        turn.say(
            Menu(
                "撤回以后，我就不再问您的病情，没说完的内容也会删掉。已经交给医生的，医生要按规定保存。您确定撤回吗？",
                (Choice("patient.withdraw:sure", "确定撤回"), Choice("patient.privacy", "不撤回")),
            )
        )
        return
    await people.withdraw_consent(turn.actor)
    turn.leave()
    turn.say("已经撤回了，没说完的内容也删掉了。以后想用，再点“我要问诊”就行。")


async def _hear_withdrawal(turn: Turn) -> bool:
    """Whoever writes 撤回同意, as the document says, is heard in the middle of anything."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or _WITHDRAWAL.fullmatch(turn.text) is None:
        return False
    await _withdraw(turn, "")
    return True
