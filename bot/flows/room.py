"""The way into the video room from the chat: for whoever asks for it, and from a case."""

from bot.cards.room import VERB, room_card
from bot.dialogue import Dialogue, Turn
from bot.incoming import Kind
from bot.messages import Choice, Menu
from bot.wording import clip

_WORDS = frozenset({"进入会诊室", "进会诊室", "会诊室", "视频会诊室", "视频会诊", "进入视频会诊", "打开视频", "视频"})
_NONE = "现在没有开着的视频会诊室。约好了时间的话，快到点时我会把会诊室发给您，点开就行。"


async def show(turn: Turn, consultation_id: str) -> None:
    """Give the card of a case's room, or say when it will be there."""
    await turn.services.video.door(turn.actor, consultation_id)
    view = await turn.services.consultations.get(turn.actor, consultation_id)
    url = turn.services.links.room(view.id)
    turn.say(room_card(view, turn.actor.person_id, "请点这里进视频会诊室", url))


async def ask(turn: Turn) -> bool:
    """Bring whoever says so, in the middle of anything, into the room that is open; not ours where they say more."""
    if turn.incoming.kind not in (Kind.TEXT, Kind.VOICE) or turn.text.strip("。.！!，, ") not in _WORDS:
        return False
    rooms = await turn.services.video.open_rooms(turn.actor)
    if not rooms:
        turn.say(_NONE)
    elif len(rooms) == 1:
        await show(turn, rooms[0].consultation_id)
    else:
        choices = [Choice(f"{VERB}:{room.consultation_id}", _with(room.expected)) for room in rooms]
        turn.say(Menu("您要进哪个会诊室？", tuple(choices)))
    return True


def _with(expected: tuple[tuple[str, str], ...]) -> str:
    """Name a room by whom one meets there: the patient, for those who treat."""
    name, label = next(((name, label) for name, label in expected if name), ("", ""))
    return f"{clip(name, 5)}{label}" or "视频会诊室"


def register(dialogue: Dialogue) -> None:
    """Let the room be asked for; before the thread, so that the words are not relayed."""
    dialogue.on_action(VERB, show)
    dialogue.intercept([ask])
