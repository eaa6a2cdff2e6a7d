"""Choosing the institution whose doctor gets the case, and handing it over; the nearest ones for anybody who asks."""

from backend.errors import NotFound
from bot.dialogue import Dialogue, Turn
from bot.flows import assistance, consent
from bot.flows.department import ask_department, chosen_department, departments_to_choose, named_department
from bot.flows.handover import hand_over
from bot.flows.intake import away_too_long, not_words, take_enclosure
from bot.flows.intake_state import Intake
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import distance
from nlu.types import Command

PAGE = 3
_LONGEST_CHOICE = 16
_DEPARTMENT_FOR = "department_for"
"""Where the flow keeps the institution that was chosen while the department is asked for."""


class PlaceFlow:
    """Lets the patient choose a township institution."""

    name = "place"

    async def begin(self, turn: Turn) -> None:
        """Show the nearest institutions, or the first ones where no location is known."""
        await _show(turn, 0)

    async def receive(self, turn: Turn) -> None:
        """Take a location or a name; show the list again for anything else."""
        intake = Intake.of(turn)
        if intake is None:
            await turn.enter("intake")
        elif turn.incoming.kind is Kind.LOCATION and turn.incoming.location is not None:
            intake.place = (turn.incoming.location.latitude, turn.incoming.location.longitude)
            intake.save(turn)
            await _show(turn, 0, "位置收到了，这几家离您近。")
        elif take_enclosure(turn, intake):
            pass
        elif turn.incoming.kind not in (Kind.TEXT, Kind.VOICE, Kind.TAP) or not turn.text:
            await _show(turn, 0, not_words(turn))
        elif not away_too_long(turn, intake):
            await _take_words(turn)


async def _take_words(turn: Turn) -> None:
    said = await turn.understand()
    if said.command is Command.BACK:
        turn.data.pop(_DEPARTMENT_FOR, None)
        await turn.enter("review", **turn.data)
        return
    if _DEPARTMENT_FOR in turn.data and await _take_department(turn, said.command):
        return
    answer = await assistance.digression(turn, said)
    if answer is not None:
        await _show(turn, 0, answer)
        return
    named = [
        one
        for one in await turn.services.people.institutions(kind="township", limit=50)
        if _is_named(turn.text, one.name)
    ]
    if len(named) == 1:
        await _pick(turn, named[0].id)
    else:
        await _show(turn, 0, "请在下面点一家，或者把您的位置发给我。")


async def _take_department(turn: Turn, command: Command | None) -> bool:
    """Whether the words answer which department it is to be."""
    intake = Intake.of(turn)
    codes = departments_to_choose(intake) if intake else ()
    code = named_department(turn.text, codes)
    if code is None and command not in (Command.DONT_KNOW, Command.SKIP):
        return False
    await _hand_over(turn, turn.data[_DEPARTMENT_FOR], code)
    return True


def _is_named(text: str, name: str) -> bool:
    return len(text) >= 2 and (text in name or name in text)


async def _show(turn: Turn, offset: int, before: str = "") -> None:
    """Show one page of institutions: the nearest first where the person's place is known."""
    intake = Intake.of(turn)
    near = intake.place if intake else None
    where = turn.incoming.location
    if where is not None:
        near = (where.latitude, where.longitude)
    found = await turn.services.people.institutions(kind="township", near=near, limit=PAGE + 1, offset=offset)
    if not found and offset:
        await _show(turn, 0, "后面没有了。")
        return
    # The names stand in the choices; above them only what a choice has no room for.
    cut = any(len(one.name) > _LONGEST_CHOICE for one in found[:PAGE])
    lines = [f"· {one.name}{_how_far(one.distance_km)}" for one in found[:PAGE]] if near or cut else []
    choices = [Choice(f"patient.place:{one.id}", one.name[:_LONGEST_CHOICE]) for one in found[:PAGE]]
    if len(found) > PAGE:
        choices.append(Choice(f"patient.places:{offset + PAGE}", "更多"))
    ask = "请选一家，那里的医生会看您的情况。" if turn.state.flow == "place" else "附近的卫生院："
    hint = "" if near else "\n把您的位置发给我，我帮您找最近的。"
    head = "\n".join(part for part in (before, ask, *lines) if part)
    turn.say(Menu(f"{head}{hint}", tuple(choices)))


def _how_far(kilometres: float | None) -> str:
    return "" if kilometres is None else f"（{distance(kilometres)}）"


async def _pick(turn: Turn, institution_id: str) -> None:
    institution = await turn.services.people.institution(institution_id)
    if turn.state.flow != "place":
        where = f"\n地址：{institution.address}" if institution.address else ""
        words = f"{institution.name}{where}"
        turn.say(Menu(words, (Choice("patient.continue" if Intake.of(turn) else "patient.start", "我要问诊"),)))
        return
    intake = Intake.of(turn)
    codes = departments_to_choose(intake) if intake else ()
    if codes:
        turn.data[_DEPARTMENT_FOR] = institution_id
        ask_department(turn, institution_id, codes)
    else:
        await _hand_over(turn, institution_id, None)


async def _pick_department(turn: Turn, argument: str) -> None:
    institution_id, code = chosen_department(argument)
    if turn.state.flow == "place":
        await _hand_over(turn, institution_id, code)
    else:
        await _pick(turn, institution_id)


async def _hand_over(turn: Turn, institution_id: str, department: str | None) -> None:
    if not await consent.require_consent(turn):
        return
    try:
        await hand_over(turn, await turn.services.people.institution(institution_id), department)
    except NotFound as refusal:  # nobody works there yet: say so, and let another be chosen
        turn.data.pop(_DEPARTMENT_FOR, None)
        await _show(turn, 0, refusal.sentence)


async def _more(turn: Turn, argument: str) -> None:
    await _show(turn, int(argument) if argument.isdecimal() else 0)


def register(dialogue: Dialogue) -> None:
    """Add the choice of an institution."""
    dialogue.add_flow(PlaceFlow())
    dialogue.on_action("patient.place", _pick)
    dialogue.on_action("patient.places", _more)
    dialogue.on_action("patient.department", _pick_department)


async def show_near(turn: Turn) -> None:
    """Answer a location that comes outside any intake with the nearest institutions."""
    await _show(turn, 0)
