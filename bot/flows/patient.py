"""What a patient hears while no conversation is running: a symptom begins an intake, everything else finds its way."""

from bot.dialogue import Dialogue, Turn
from bot.flows import assistance, change, consent, intake, my, place, progress
from bot.flows.intake import asks_only, is_clinical, not_words
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
        if not await turn.services.people.has_consent(turn.actor.person_id):
            await _before_consent(turn)
            return
        if kind is Kind.LOCATION and turn.incoming.location is not None:
            await place.show_near(turn)
        elif kind is Kind.IMAGE and turn.incoming.file_id:
            await _take_picture(turn)
        elif kind not in (Kind.TEXT, Kind.VOICE) or not turn.text:
            turn.say(home(not_words(turn)))
        else:
            await _take_words(turn)


async def _before_consent(turn: Turn) -> None:
    """Answer what is asked about the service itself, and ask for the consent: nothing else may be said yet."""
    answer = ""
    if turn.incoming.kind in (Kind.TEXT, Kind.VOICE) and turn.text:
        said = await turn.understand()
        answer = "" if is_clinical(said) else await assistance.digression(turn, said) or ""
    await consent.ask(turn, answer)


async def _take_words(turn: Turn) -> None:
    said = await turn.understand()
    case = await progress.of_newest(turn)
    if case is not None and progress.is_asked(turn.text, said):
        turn.say(progress.card(case, turn.services.clock.now()))
        return
    tells = is_clinical(said) or (case is not None and said.intent is Intent.DESCRIBE_SYMPTOMS)
    if tells and not asks_only(turn.text, said):
        await (change.begin_with(turn, "") if case is None else change.ask(turn))
        return
    answer = await assistance.digression(turn, said)
    if answer is not None:
        turn.say(home(answer))
    elif said.intent in _MINE:
        await my.show(turn)
    elif said.intent in _START:
        await intake.start(turn)
    elif case is not None:
        turn.say(progress.card(case, turn.services.clock.now()))
    else:
        turn.say(home("哪里不舒服，直接告诉我就行。比如：“咳嗽三天了”。"))


async def _take_picture(turn: Turn) -> None:
    """Put a picture to the case that is open, or begin an intake with it."""
    case = await my.newest_running(turn)
    if case is None:
        await change.begin_with(turn, "")
        return
    await turn.services.consultations.attach(turn.actor, case.id, turn.incoming.file_id)
    choices = (
        Choice(f"patient.case:{case.id}", "看这次会诊"),
        Choice(f"slip.take:{turn.incoming.file_id}", "这是化验单"),
        Choice("patient.start", "是新的不舒服"),
    )
    turn.say(Menu(f"照片收到了，已经放进您{short_day(case.opened_at)}的会诊，医生看得到。", choices))


def register(dialogue: Dialogue) -> None:
    """Add the idle flow of patients."""
    dialogue.add_flow(PatientFlow())
