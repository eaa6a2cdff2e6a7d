"""What somebody answers to a reminder to take medicines, by a tap or in two words, and the list of what there is."""

import re
from datetime import timedelta

from backend.dispensing import OrderState
from backend.dispensing.reminders_rules import DoseState
from bot.cards.medicines import (
    BEGIN,
    BEGIN_MOVED,
    HAVE,
    HOURS,
    LATER,
    REFUSE,
    STOP,
    TAKEN,
    handed,
    offered,
    plan_text,
)
from bot.dialogue import Dialogue, Turn
from bot.flows.medicine_hours import HoursFlow
from bot.flows.relatives import whose
from bot.flows.staff_menus import staff_role
from bot.incoming import Kind
from bot.messages import Choice, Menu, Message, Text, about
from bot.wording import lines, time_of_day

_LATELY = timedelta(days=7)
_MOST_PEOPLE = 3  # messages that WeChat takes after a tap
_NONE = "您现在没有吃药提醒。医生开了药、您拿到以后，我可以按时提醒您。"

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
    """List what the person and those for whom they speak are reminded of; offer it where they have medicines and no
    reminders."""
    reminders, now = turn.services.reminders, turn.services.clock.now()
    said: list[Message] = []
    for patient_id in (turn.actor.person_id, *sorted(turn.actor.wards)):
        name = await whose(turn, patient_id)
        found = await reminders.lines(turn.actor, patient_id)
        if found:
            kept = await reminders.adherence(turn.actor, patient_id)
            counted = f"到现在提醒了{kept.reminded}次，您说吃了{kept.taken}次。" if kept.reminded else ""
            words = lines(plan_text(found, now), counted)
            said.append(about(name, Menu(words, (Choice(f"{HOURS}:{patient_id}", "改时间"),))))
        elif (offer := await _of_newest_order(turn, patient_id)) is not None:
            said.append(about(name, offer))
    turn.say(*(said[:_MOST_PEOPLE] or [Text(_NONE)]))


async def _of_newest_order(turn: Turn, patient_id: str) -> Menu | None:
    """Offer reminders of the medicines that have come last, where that is not long ago."""
    since = turn.services.clock.now() - _LATELY
    for order in await turn.services.dispensing.orders_of(turn.actor, patient_id):
        if order.state is OrderState.RECEIVED and order.closed_at is not None and order.closed_at > since:
            return await offered(turn.services, turn.actor, order.prescription_id, handed(order.items))
    return None


async def _have(turn: Turn, prescription_id: str) -> None:
    """The patient says that they have the medicines, wherever they got them."""
    menu = await offered(turn.services, turn.actor, prescription_id)
    if menu is None:
        await show(turn)
    else:
        turn.say(menu)


async def _begin(turn: Turn, argument: str) -> None:
    patient_id = await _begun(turn, argument)
    found = await turn.services.reminders.lines(turn.actor, patient_id)
    planned = plan_text(found, turn.services.clock.now())
    words = lines("好的，到点我会提醒您。", planned, "想看、想改，发“吃药提醒”就行。")
    turn.say(Menu(words, (Choice(f"{HOURS}:{patient_id}", "改时间"),)))


async def _begin_moved(turn: Turn, argument: str) -> None:
    await turn.enter(HoursFlow.name, patient_id=await _begun(turn, argument))


async def _begun(turn: Turn, argument: str) -> str:
    """Begin the reminders that an offer names, and give whose they are."""
    prescription_id, _, chosen = argument.partition(":")
    only = {int(one) for one in chosen.split(".")} if chosen else None
    await turn.services.reminders.begin(turn.actor, prescription_id, only)
    return (await turn.services.prescriptions.prescription(turn.actor, prescription_id)).patient_id


async def _refuse(turn: Turn, _argument: str) -> None:
    turn.say("好的，不提醒。药要按时吃；以后想要提醒，发“吃药提醒”就行。")


async def _hours(turn: Turn, patient_id: str) -> None:
    await turn.enter(HoursFlow.name, patient_id=patient_id)


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
    """Let reminders be offered, begun, answered and moved."""
    dialogue.add_flow(HoursFlow())
    dialogue.on_action(HAVE, _have)
    dialogue.on_action(BEGIN, _begin)
    dialogue.on_action(BEGIN_MOVED, _begin_moved)
    dialogue.on_action(REFUSE, _refuse)
    dialogue.on_action(HOURS, _hours)
    dialogue.on_action(TAKEN, _taken)
    dialogue.on_action(LATER, _later)
    dialogue.on_action(STOP, _stop)
    dialogue.on_action("medicine.mine", show)
    dialogue.intercept([hear])
