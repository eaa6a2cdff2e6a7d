"""An expert changes their times in their own words; what was understood is read back before it is kept."""

from datetime import date, timedelta

from backend.errors import DomainError, Forbidden, InvalidInput
from backend.scheduling import BookedTimes, BookingView, Knowing, ScheduleChanged, ScheduleView
from backend.security.policy import Role
from bot.cards.case import case_choice, case_line
from bot.cards.schedule import change_lines, overview, unannounced, weekdays_said
from bot.dialogue import Dialogue, Turn
from bot.flows.schedule_clock import Unclear
from bot.flows.schedule_plan import change_of, has_hours, usual_minutes
from bot.flows.schedule_words import Wish, read_wish
from bot.flows.staff_flow import StaffFlow, ending_if_refused
from bot.messages import Choice, Menu
from bot.wording import lines, moment

HOURS = "expert.hours"
_EXAMPLES = "例如：\n每周三下午2点到5点\n明天下午3点加一个号\n11月25日不出诊\n国庆节休息"
_LEAVE = Choice("hours.leave", "不改了")
_AGAIN = Choice("hours.again", "不对，重写")
_YEAR = timedelta(days=366)
_BOOKED_SHOWN = 6
_LONGEST_IDLE = 40


def hours_choice() -> Choice:
    """Give the answer that lets an expert change their times."""
    return Choice(HOURS, "改出诊时间")


async def view_of(turn: Turn) -> ScheduleView:
    """Give the actor's own schedule, today and the year to come."""
    if turn.actor.practitioner_id is None:
        raise Forbidden
    today = turn.services.clock.today().date()
    return await turn.services.scheduling.schedule(turn.actor, turn.actor.practitioner_id, today, today + _YEAR)


def is_about_hours(turn: Turn) -> bool:
    """Tell whether an expert without a running flow has written when they have time."""
    if Role.EXPERT not in turn.actor.roles or len(turn.text) > _LONGEST_IDLE:
        return False
    try:
        return read_wish(turn.text, turn.services.clock.today().date()) is not None
    except Unclear:
        return False


class HoursFlow(StaffFlow):
    """Data: `words` that were understood and the `day` on which they were written; `weekly`, `instead`: what was
    chosen where they leave it open; `version` of the schedule that was read back, `kept`: bookings that may stay
    outside the hours; `earlier`: words to which the next ones belong.
    """

    name = "expert_hours"
    farewell = "好的，出诊时间没有改。"

    async def begin(self, turn: Turn) -> None:
        if words := turn.data.pop("words", ""):
            await self.told(turn, words)
            return
        view = await view_of(turn)
        shown = overview(view, turn.services.clock.today().date())
        turn.say(Menu(lines(shown, f"想怎么改，直接写，也可以说。{_EXAMPLES}"), (_LEAVE,)))

    async def told(self, turn: Turn, words: str) -> None:
        today = turn.services.clock.today().date()
        minutes = usual_minutes(await view_of(turn))
        earlier = turn.data.get("earlier", "")
        try:
            understood = _understood([f"{earlier}{words}", f"{earlier}到{words}"] if earlier else [], today, minutes)
            if understood is None and read_wish(words, today, minutes) is not None:
                understood = words
        except Unclear as missing:
            turn.state.data = {"earlier": words} if missing.open_end else {}
            turn.say(Menu(missing.sentence, (_LEAVE,)))
            return
        if understood is None:
            turn.say(Menu(f"没看懂。请写哪一天或者每周几，几点到几点。{_EXAMPLES}", (_LEAVE,)))
            return
        turn.state.data = {"words": understood, "day": today.isoformat()}
        await self._read_back(turn)

    async def tapped(self, turn: Turn, item_id: str) -> None:
        if item_id == _LEAVE.id:
            turn.leave()
            turn.say(Menu(self.farewell, (Choice("expert.schedule", "我的日程"),)))
        elif item_id == _AGAIN.id:
            turn.state.data = {}
            turn.say(Menu(f"好的，请再写一次。{_EXAMPLES}", (_LEAVE,)))
        elif "words" not in turn.data:
            await super().tapped(turn, item_id)
        elif item_id in ("hours.weekly", "hours.once"):
            turn.data["weekly"] = item_id == "hours.weekly"
            await self._read_back(turn)
        elif item_id in ("hours.instead", "hours.more"):
            turn.data["instead"] = item_id == "hours.instead"
            await self._read_back(turn)
        elif item_id in ("hours.save", "hours.keep"):
            await self._save(turn)
        else:
            await super().tapped(turn, item_id)

    async def _read_back(self, turn: Turn, said: str = "") -> None:
        view = await view_of(turn)
        wish = _wish(turn, view)
        if wish.days.weekly and wish.days.on and "weekly" not in turn.data:
            every = weekdays_said(wish.days.weekly)
            once = "只有最近这一次" if len(wish.days.on) == 1 else "只有最近这几天"
            choices = (Choice("hours.weekly", f"每{every}"[:12]), Choice("hours.once", once), _LEAVE)
            turn.say(Menu(f"以后每{every}都这样，还是只有最近的{every}？", choices))
            return
        try:
            change = change_of(view, wish, weekly=_is_weekly(turn, wish), instead=_is_instead(turn, wish))
        except InvalidInput as refusal:
            turn.state.data = {}
            turn.say(Menu(f"{refusal.sentence}\n要改别的，请接着写。", (_LEAVE,)))
            return
        turn.data["version"] = view.version
        turn.data.pop("kept", None)
        today = turn.services.clock.today().date()
        words = lines(said, "请核对，改好以后是：", *change_lines(view, change), unannounced(change, today))
        turn.say(Menu(words, (Choice("hours.save", "对，保存"), *_other_way(turn, view, wish), _AGAIN, _LEAVE)))

    async def _save(self, turn: Turn) -> None:
        view = await view_of(turn)
        wish, knowing = _wish(turn, view), Knowing(turn.data.get("version"), frozenset(turn.data.get("kept", ())))
        with ending_if_refused(turn):
            change = change_of(view, wish, weekly=_is_weekly(turn, wish), instead=_is_instead(turn, wish))
            try:
                await turn.services.scheduling.change(turn.actor, view.expert_id, change, knowing)
            except ScheduleChanged:
                await self._read_back(turn, "您的出诊时间刚刚被管理员改过，还没有保存。")
                return
            except BookedTimes as booked:
                turn.data["kept"] = [*knowing.bookings, *(one.id for one in booked.bookings)]
                turn.say(await _booked_card(turn, booked.bookings))
                return
        turn.leave()
        done = (Choice("expert.schedule", "我的日程"), Choice(HOURS, "再改一处"))
        turn.say(Menu(lines("改好了：", *change_lines(view, change)), done))


def _understood(attempts: list[str], today: date, minutes: int) -> str | None:
    for words in attempts:
        try:
            if read_wish(words, today, minutes) is not None:
                return words
        except Unclear:
            continue
    return None


def _wish(turn: Turn, view: ScheduleView) -> Wish:
    wish = read_wish(turn.data["words"], date.fromisoformat(turn.data["day"]), usual_minutes(view))
    if wish is None:
        raise DomainError
    return wish


def _is_weekly(turn: Turn, wish: Wish) -> bool:
    return bool(turn.data.get("weekly", wish.days.weekly))


def _is_instead(turn: Turn, wish: Wish) -> bool:
    return bool(turn.data.get("instead", wish.instead))


def _other_way(turn: Turn, view: ScheduleView, wish: Wish) -> tuple[Choice, ...]:
    """Offer to let new times replace those of their days, or come to them, where both can be meant."""
    is_open = wish.instead is None and wish.stretches and not wish.off
    if not is_open or not has_hours(view, wish, weekly=_is_weekly(turn, wish)):
        return ()
    if _is_instead(turn, wish):
        return (Choice("hours.more", "原来的时间也留着"),)
    return (Choice("hours.instead", "只留新写的时间"),)


async def _booked_card(turn: Turn, bookings: tuple[BookingView, ...]) -> Menu:
    """Name the consultations that the change would leave outside the hours."""
    now, told, choices = turn.services.clock.now(), [], []
    for one in bookings[:_BOOKED_SHOWN]:
        case = await turn.services.consultations.get(turn.actor, one.consultation_id)
        told.append(f"· {moment(one.starts_at, now)}　{case_line(case)}")
        choices.append(case_choice(case, "expert.case"))
    more = f"还有{len(bookings) - _BOOKED_SHOWN}例没有列出来。" if len(bookings) > _BOOKED_SHOWN else ""
    head = lines(
        f"还没有保存。这段时间里已经约了{len(bookings)}例会诊：",
        *told,
        more,
        "照样改的话，这些会诊还是按约好的时间。看不了的，请点开那一例再点“退回”，或者告诉管理员换时间。",
    )
    return Menu(head, (Choice("hours.keep", "照样改"), *choices, _LEAVE))


async def change_hours(turn: Turn, _: str = "") -> None:
    """Show the actor's times and let them be changed."""
    await turn.enter(HoursFlow.name)


async def heard_hours(turn: Turn) -> None:
    """Take the words of an idle expert as a wish about their times."""
    await turn.enter(HoursFlow.name, words=turn.text)


def register(dialogue: Dialogue) -> None:
    """Let an expert change their times."""
    dialogue.add_flow(HoursFlow())
    dialogue.on_action(HOURS, change_hours)
