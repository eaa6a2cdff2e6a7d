"""What somebody answers to a reminder to take medicines, by a tap or in two words, and the list of what there is."""

import re

from backend.dispensing.reminders_rules import DoseState
from bot.cards.medicines import LATER, STOP, TAKEN, plan_text
from bot.dialogue import Dialogue, Turn
from bot.flows.staff_menus import staff_role
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import time_of_day

_TAKEN = re.compile(r"(?:我|药)*(?:都|已经?|刚)*(?:吃|服|喝)(?:过|完|好)?药?了?")
_LATER = re.compile(r"(?:晚点|等会儿?|待会儿?|过会儿?)(?:再)?(?:提醒|吃)?(?:我)?")
_MINE = re.compile(r"(?:我的)?(?:吃药|用药|服药)提醒")


async def hear(turn: Turn) -> bool:
    """Take 已吃 and 晚点提醒 for an answer where a reminder waits for one; not ours otherwise."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or staff_role(turn.actor) is not None:
        return False
    words = turn.text.rstrip("。.！!")
    if _MINE.fullmatch(words):
        await show(turn)
        return True
    answer = TAKEN if _TAKEN.fullmatch(words) else LATER if _LATER.fullmatch(words) else ""
    if not answer:
        return False
    asked = [
        dose
        for patient_id in (turn.actor.person_id, *sorted(turn.actor.wards))
        if (dose := await turn.services.reminders.newest_asked(turn.actor, patient_id)) is not None
    ]
    if not asked:
        return False
    await turn.act(f"{answer}:{max(asked, key=lambda dose: dose.due_at).id}")
    return True


async def show(turn: Turn, _argument: str = "") -> None:
    """List what the person is reminded of, and how often they said that they had taken it."""
    reminders = turn.services.reminders
    found = await reminders.lines(turn.actor, turn.actor.person_id)
    if not found:
        turn.say("您现在没有吃药提醒。医生开了药以后，我可以按时提醒您。")
        return
    kept = await reminders.adherence(turn.actor, turn.actor.person_id)
    counted = f"\n到现在提醒了{kept.reminded}次，您说吃了{kept.taken}次。" if kept.reminded else ""
    turn.say(plan_text(found, turn.services.clock.now()) + counted)


async def _taken(turn: Turn, dose_id: str) -> None:
    dose = await turn.services.reminders.taken(turn.actor, dose_id)
    turn.say("好的，记下了。" if dose.state is DoseState.TAKEN else "好的。")


async def _later(turn: Turn, dose_id: str) -> None:
    at = await turn.services.reminders.put_off(turn.actor, dose_id)
    if at is None:
        turn.say("好的。这一顿我不再提醒了，请您自己记着；错过了不要下一顿加倍吃。")
    else:
        turn.say(f"好的，{time_of_day(at)}再提醒您。")


async def _stop(turn: Turn, argument: str) -> None:
    dose_id, _, sure = argument.partition(":")
    if sure != "sure":
        dose = await turn.services.reminders.dose(turn.actor, dose_id)
        names = "、".join(line.name for line in dose.lines)
        choices = (Choice(f"{STOP}:{dose_id}:sure", "不再提醒"), Choice(f"{LATER}:{dose_id}", "晚点提醒"))
        words = f"以后不再提醒您吃：{names}。\n药要不要停，请先问医生，不要自己停。确定不提醒了吗？"
        turn.say(Menu(words, choices))
        return
    await turn.services.reminders.stop(turn.actor, dose_id)
    turn.say("好的，这几种药不再提醒了。吃药不舒服，请马上告诉医生。")


def register(dialogue: Dialogue) -> None:
    """Let reminders be answered."""
    dialogue.on_action(TAKEN, _taken)
    dialogue.on_action(LATER, _later)
    dialogue.on_action(STOP, _stop)
    dialogue.on_action("medicine.mine", show)
    dialogue.intercept([hear])
