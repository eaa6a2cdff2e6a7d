"""The hours at which somebody is reminded of medicines, put to their own day: “8点改成7点半”."""

import re
from datetime import datetime, time, timedelta

from backend.clock import LOCAL_ZONE
from backend.errors import InvalidInput
from bot.cards.medicines import HOURS, plan_text, times_said
from bot.dialogue import Turn
from bot.flows.staff_flow import LEAVING, ending_if_refused
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import lines
from nlu.numbers import parse_number

_SAID = re.compile(
    r"(?P<part>凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里)?\s*(?P<hour>\d{1,2}|[一二两三四五六七八九十]{1,3})\s*"
    r"(?:[:：点时]|点钟)\s*(?P<minute>半|一刻|三刻|\d{1,2}|[一二三四五]?十[一二三四五六七八九]?|[零〇][一二三四五六七八九])?分?"
)
_MINUTES = {None: 0, "": 0, "半": 30, "一刻": 15, "三刻": 45}
_AFTERNOON = frozenset({"下午", "傍晚", "晚上", "夜里"})
_NEARBY = (-60, -30, 30, 60)
_ANY_DAY = datetime(2000, 1, 1, tzinfo=LOCAL_ZONE)


def time_in(words: str, near: time) -> time | None:
    """Read a time of day: "7点半", "晚上6:30", "十二点"; None where it is none.

    Of the two that "7点" may be, it is the one nearer to `near`.
    """
    said = _SAID.fullmatch(words.strip().removesuffix("吧").removesuffix("吃"))
    if said is None:
        return None
    hour = parse_number(said["hour"])
    minute = _MINUTES.get(said["minute"], parse_number(said["minute"] or ""))
    if hour is None or minute is None or not (0 <= hour < 24 and 0 <= minute < 60):
        return None
    if said["part"] in _AFTERNOON and hour < 12:
        hour += 12
    elif said["part"] is None and 0 < hour <= 12:
        hour = min((hour % 12, hour % 12 + 12), key=lambda one: abs(one * 60 + minute - near.hour * 60 - near.minute))
    return time(int(hour), int(minute))


class HoursFlow:
    """Which time is to be another one, and which. Data: `patient_id`; `old`: the time that is being moved."""

    name = "medicine_hours"

    async def begin(self, turn: Turn) -> None:
        """Ask which time; where there is one alone, ask for the new one."""
        await self._which(turn)

    async def receive(self, turn: Turn) -> None:
        """Take the time that is moved, then the new one."""
        verb, _, argument = turn.incoming.item_id.partition(":")
        if verb == "from":
            self._ask(turn, argument)
        elif verb == "to":
            await self._move(turn, time.fromisoformat(argument))
        elif turn.incoming.item_id == "enough" or turn.text in LEAVING:
            turn.leave()
            turn.say("好的，时间不改了。")
        elif turn.incoming.kind in (Kind.TEXT, Kind.VOICE) and "old" in turn.data:
            await self._told(turn)
        else:
            await self._which(turn, "请点下面的一项。")

    async def _which(self, turn: Turn, said: str = "") -> None:
        found = await turn.services.reminders.lines(turn.actor, turn.data["patient_id"])
        times = sorted({one for line in found for one in line.times})
        if not times:
            turn.leave()
            turn.say("现在没有吃药提醒，不用改时间。")
        elif len(times) == 1:
            self._ask(turn, times[0].isoformat("minutes"))
        else:
            choices = tuple(Choice(f"from:{one.isoformat('minutes')}", times_said([one])) for one in times)
            turn.say(Menu(lines(said, "要改哪个时间？"), (*choices, Choice("enough", "不改了"))))

    def _ask(self, turn: Turn, old: str) -> None:
        turn.state.data = {**turn.state.data, "old": old}
        was = time.fromisoformat(old)
        near = [(datetime.combine(_ANY_DAY, was) + timedelta(minutes=one)).time() for one in _NEARBY]
        choices = tuple(Choice(f"to:{one.isoformat('minutes')}", times_said([one])) for one in near)
        words = f"{times_said([was])}改成几点？点一个，也可以直接写，比如：7点半。"
        turn.say(Menu(words, (*choices, Choice("enough", "不改了"))))

    async def _told(self, turn: Turn) -> None:
        wanted = time_in(turn.text, time.fromisoformat(turn.data["old"]))
        if wanted is None:
            turn.say("没看懂。请写几点，比如：7点半，或者 晚上6:30。")
        else:
            await self._move(turn, wanted)

    async def _move(self, turn: Turn, wanted: time) -> None:
        old = time.fromisoformat(turn.data["old"])
        try:
            with ending_if_refused(turn):
                found = await turn.services.reminders.move(turn.actor, turn.data["patient_id"], old, wanted)
        except InvalidInput as wrong:
            turn.say(wrong.sentence)
            return
        choice = Choice(f"{HOURS}:{turn.data['patient_id']}", "再改一个")
        turn.leave()
        said = f"好的，{times_said([old])}改成{times_said([wanted])}。"
        turn.say(Menu(lines(said, plan_text(found, turn.services.clock.now())), (choice,)))
