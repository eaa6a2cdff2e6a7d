"""The three-way thread inside everybody's own chat: what is said while nothing else runs goes to the case in focus.

The sender is answered by silence, as in any chat; `bot.notifications.thread` brings the words to the two others.
"""

from backend.consultation.rules import Status
from bot.cards.case import case_choice, case_line
from bot.dialogue import Dialogue, Turn
from bot.incoming import Kind
from bot.messages import Menu

_RUNNING_SHOWN = 9
_KINDS = {Kind.TEXT: "text", Kind.VOICE: "voice", Kind.IMAGE: "image"}


async def relay(turn: Turn) -> bool:
    """Post what was said to the consultation in focus; not ours where a flow waits for an answer or none is held."""
    incoming = turn.incoming
    if turn.state.flow or incoming.kind not in _KINDS:
        return False
    consultation_id = await turn.services.consultations.focus(turn.actor)
    if consultation_id is None:
        return False
    if incoming.kind is Kind.VOICE and not turn.text:
        turn.say("这段语音没有听清，请再说一次，或者打字。")
    elif incoming.kind is Kind.IMAGE:
        await turn.services.consultations.post(turn.actor, consultation_id, kind="image", file_id=incoming.file_id)
    elif turn.text:
        kind = _KINDS[incoming.kind]
        await turn.services.consultations.post(turn.actor, consultation_id, kind=kind, text=turn.text)
    return True


async def taken_over(turn: Turn, consultation_id: str) -> bool:
    """End a flow about a case that is being held meanwhile, and post its message there: people are talking already."""
    if await turn.services.consultations.focus(turn.actor) != consultation_id:
        return False
    turn.leave()
    return await relay(turn)


async def focus(turn: Turn, consultation_id: str) -> None:
    """Let what this person says from now on go to one running consultation."""
    await turn.services.consultations.set_focus(turn.actor, consultation_id)
    turn.leave()
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    if view.speaker_id == turn.actor.person_id:
        turn.say(
            f"好的，您现在可以跟{view.expert_name}专家、{view.doctor_name}医生说话了。打字、说话、发照片，他们都能看到。"
        )
    else:
        turn.say(f"您现在在这个会诊里：{case_line(view)}。\n您发的文字、语音、图片，会诊里的其他人都能看到。")


async def switch(turn: Turn, _: str = "") -> None:
    """List the running consultations, to talk in another one."""
    consultations = turn.services.consultations
    running = await consultations.list_for(turn.actor, status=Status.IN_PROGRESS, limit=_RUNNING_SHOWN)
    if not running:
        turn.say("您现在没有正在进行的会诊。")
        return
    focused = await consultations.focus(turn.actor)
    choices = tuple(case_choice(case, "thread.focus", "✓" if case.id == focused else "") for case in running)
    turn.say(Menu("您要在哪个会诊里说话？", choices))


def register(dialogue: Dialogue) -> None:
    """Let the thread be switched from anywhere, and hear what is said while no flow runs."""
    dialogue.on_action("thread.focus", focus)
    dialogue.on_action("thread.switch", switch)
    dialogue.intercept([relay])
