"""Whether a patient's images, or their case, may be used for teaching: asked on the page about privacy, and when
教学用图 or 教学病例 is written.

Each is a consent of its own: who says no loses nothing.
"""

from functools import partial

from bot.cards.teaching import PROMISES, USES, Use
from bot.dialogue import Dialogue, Turn, is_practitioner
from bot.flows.consent import require_consent
from bot.incoming import Kind
from bot.messages import Choice, Menu


def register(dialogue: Dialogue) -> None:
    """Add the questions and their answers."""
    for use in USES:
        dialogue.on_action(use.verb, partial(_ask, use))
        dialogue.on_action(f"{use.verb}_terms", partial(_terms, use))
        dialogue.on_action(f"{use.verb}_agree", partial(_agree, use))
        dialogue.on_action(f"{use.verb}_refuse", partial(_refuse, use))
    dialogue.intercept([_hear])


async def _ask(use: Use, turn: Turn, _argument: str) -> None:
    if not await require_consent(turn):
        return
    if await turn.services.people.has_consent(turn.actor.person_id, use.kind):
        turn.say(Menu(use.agreed, (Choice(f"{use.verb}_refuse", "收回"), use.terms)))
        return
    turn.say(Menu(f"{use.question}\n{PROMISES}", (*_answers(use, turn), use.terms)))


def _answers(use: Use, turn: Turn) -> tuple[Choice, ...]:
    return use.answers(turn.services.people.consent_document(use.kind).version)


async def _terms(use: Use, turn: Turn, _argument: str) -> None:
    if not await require_consent(turn):
        return
    people = turn.services.people
    document = people.consent_document(use.kind)
    turn.say(f"《{document.title}》（第{document.version}版）\n\n{document.text}")
    if not await people.has_consent(turn.actor.person_id, use.kind):
        turn.say(Menu("看完了，可以吗？", _answers(use, turn)))


async def _agree(use: Use, turn: Turn, version: str) -> None:
    if not await require_consent(turn):
        return
    people = turn.services.people
    if version != people.consent_document(use.kind).version:
        await _ask(use, turn, "")  # it has changed since it was asked
        return
    await people.give_consent(turn.actor, version, use.kind)
    turn.say(f"好的，谢谢您，记下了。以后想收回，发“{use.name}”就行。")


async def _refuse(use: Use, turn: Turn, _argument: str) -> None:
    if not await require_consent(turn):
        return
    people = turn.services.people
    if await people.has_consent(turn.actor.person_id, use.kind):
        await people.withdraw_consent(turn.actor, use.kind)
        turn.say(use.taken_back)
        return
    await people.refuse_consent(turn.actor, people.consent_document(use.kind).version, use.kind)
    turn.say(use.refused)


async def _hear(turn: Turn) -> bool:
    """Whoever writes a name of these, as the documents say, is heard in the middle of anything."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or is_practitioner(turn.actor):
        return False
    use = next((use for use in USES if use.words.fullmatch(turn.text)), None)
    if use is None:
        return False
    await _ask(use, turn, "")
    return True
