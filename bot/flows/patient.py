"""What a patient hears while no conversation is running: a symptom begins an intake, everything else finds its way."""

from bot.dialogue import Dialogue, Turn
from bot.flows import assistance, consent, intake, my, place
from bot.flows.intake import is_clinical, not_words
from bot.flows.welcome import home
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import short_day
from nlu.types import Intent

_START = {Intent.START_CONSULTATION, Intent.BOOK, Intent.DESCRIBE_SYMPTOMS, Intent.SEND_PICTURE}
_MINE = {Intent.MY_CONSULTATIONS, Intent.CHANGE_BOOKING, Intent.CANCEL_BOOKING}


class PatientFlow:
    """The idle flow of patients."""

    name = "patient"

    async def begin(self, turn: Turn) -> None:
        """Offer what a patient can do."""
        turn.leave()
        turn.say(home("请问有什么可以帮您？"))

    async def receive(self, turn: Turn) -> None:
        """Find out what the message wants."""
        kind = turn.incoming.kind
        if not await consent.require_consent(turn):
            return
        if kind is Kind.LOCATION and turn.incoming.location is not None:
            await place.show_near(turn)
        elif kind is Kind.IMAGE and turn.incoming.file_id:
            await _take_picture(turn)
        elif kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            turn.say(home(not_words(turn)))
        else:
            await _take_words(turn)


async def _take_words(turn: Turn) -> None:
    said = await turn.understand()
    if is_clinical(said):
        await _begin_with(turn)
        return
    answer = await assistance.digression(turn, said)
    if answer is not None:
        turn.say(home(answer))
    elif said.intent in _MINE:
        await my.show(turn)
    elif said.intent in _START:
        await intake.start(turn)
    else:
        turn.say(home("哪里不舒服，直接告诉我就行。比如：“咳嗽三天了”。"))


async def _take_picture(turn: Turn) -> None:
    """Put a picture to the case that is open, or begin an intake with it."""
    case = await my.newest_running(turn)
    if case is None:
        await _begin_with(turn)
        return
    await turn.services.consultations.attach(turn.actor, case.id, turn.incoming.file_id)
    choices = (Choice(f"patient.case:{case.id}", "看这次会诊"), Choice("patient.start", "是新的不舒服"))
    turn.say(Menu(f"照片收到了，已经放进您{short_day(case.opened_at)}的会诊，医生看得到。", choices))


async def _begin_with(turn: Turn) -> None:
    """Begin an intake with this message as the first answer."""
    running = await my.newest_running(turn)
    await intake.start(turn)
    turn.replies.clear()
    if running is not None:
        day = short_day(running.opened_at)
        turn.say(f"您{day}的会诊还在进行，要看请点“我的会诊”。现在说的，我按新的一次来记。")
    await turn.forward(turn.incoming)


def register(dialogue: Dialogue) -> None:
    """Add the idle flow of patients."""
    dialogue.add_flow(PatientFlow())
