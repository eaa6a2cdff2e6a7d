"""One person's chat with the real dialogue, without HTTP: say, tap, click, send, and read what comes back."""

import json
from collections.abc import Callable
from dataclasses import replace

from backend.ids import new_id
from backend.photographs import CleanPicture, clean
from bot.delivery.rules import fit
from bot.dialogue import ConversationState, Dialogue
from bot.incoming import Incoming, Kind, Location
from bot.messages import Choice, Link, Menu, Message, Picture, QrCode, Text
from tests.support.house import House
from tests.support.pictures import jpeg

MOST_REPLIES = 3
"""After a tap, WeChat lets an account send three messages (facts: customer-service messages)."""

_LONGEST_CHOICE = 16
_LONGEST_ID = 128
_TEXT_BYTES = 2048

Check = Callable[[Message], None]


class Conversation:
    """A chat as WeChat would carry it: every message is one transaction, and the state rests as JSON in between.

    Args:
        house: the services.
        dialogue: the conversations to test.
        person_id: who is talking.
    """

    def __init__(self, house: House, dialogue: Dialogue, person_id: str) -> None:
        self.house = house
        self.dialogue = dialogue
        self.person_id = person_id
        self.state = ConversationState()
        self.replies: list[Message] = []
        self.menus: list[Menu] = []
        self.said: list[str] = []
        self.checks: list[Check] = []

    @property
    def text(self) -> str:
        """Everything that the last turn answered, as a person reads it."""
        return "\n".join(words_of(reply) for reply in self.replies)

    @property
    def choices(self) -> list[str]:
        """What can be tapped below the last turn's answers."""
        return [choice.text for reply in self.replies if isinstance(reply, Menu) for choice in reply.choices]

    async def say(self, text: str) -> str:
        """Type `text`; give the answer."""
        return await self._do(Kind.TEXT, text=text)

    async def speak(self, transcript: str) -> str:
        """Send a voice message that WeChat heard as `transcript`."""
        return await self._do(Kind.VOICE, text=transcript)

    async def tap(self, text: str) -> str:
        """Tap the newest answer that reads `text` (or begins with it), in any menu so far."""
        offered = [choice for menu in reversed(self.menus) for choice in menu.choices]
        chosen = next((one for one in offered if one.text == text), None)
        chosen = chosen or next((one for one in offered if one.text.startswith(text)), None)
        if chosen is None:
            raise AssertionError(f"nothing reads {text!r}; offered: {[one.text for one in offered[:12]]}")
        return await self.tap_choice(chosen)

    async def tap_choice(self, choice: Choice) -> str:
        """Tap `choice`, wherever it stood."""
        return await self._do(Kind.TAP, text=choice.text, item_id=choice.id)

    async def click(self, key: str) -> str:
        """Click a button of the account's menu."""
        return await self._do(Kind.CLICK, item_id=key)

    async def follow(self, scene: str = "") -> str:
        """Follow the account, perhaps by a QR code with a scene."""
        return await self._do(Kind.FOLLOW, item_id=scene)

    async def scan(self, scene: str) -> str:
        """Scan a QR code as a follower."""
        return await self._do(Kind.SCAN, item_id=scene)

    async def send_location(self, latitude: float, longitude: float, label: str = "") -> str:
        """Send a place."""
        return await self._do(Kind.LOCATION, location=Location(latitude, longitude, label))

    async def send_image(self, picture: CleanPicture | None = None) -> str:
        """Send a picture: the gateway has put it into the file store before the turn."""
        picture = picture or clean(jpeg(), "image/jpeg")
        file_id = await self.house.services.files.put_picture(picture, self.person_id, own_of=self.person_id)
        return await self._do(Kind.IMAGE, file_id=file_id)

    async def send_sticker(self) -> str:
        """Send something that nobody can read."""
        return await self._do(Kind.OTHER)

    async def _do(
        self, kind: Kind, text: str = "", item_id: str = "", file_id: str = "", location: Location | None = None
    ) -> str:
        self.said.append(text)
        now = self.house.clock.now()
        incoming = Incoming(new_id(), self.person_id, kind, now, text, item_id, file_id, location)
        state = ConversationState.from_json(json.loads(json.dumps(self.state.to_json())))
        async with self.house.database.transaction():
            self.replies = await self.dialogue.respond(replace(incoming), state)
        self.state = state
        self.menus += [reply for reply in self.replies if isinstance(reply, Menu)]
        self._look_over()
        await self.house.settle()
        return self.text

    def _look_over(self) -> None:
        sent = [piece for reply in self.replies for piece in fit(reply, _TEXT_BYTES)]
        assert len(sent) <= MOST_REPLIES, f"{len(sent)} messages in one turn: {self.text}"
        for reply in self.replies:
            assert words_of(reply).strip(), "an empty message"
            if isinstance(reply, Menu):
                assert reply.choices, f"a menu without answers: {reply.head}"
                for choice in reply.choices:
                    assert 0 < len(choice.text) <= _LONGEST_CHOICE, f"too long to tap: {choice.text}"
                    assert len(choice.id) <= _LONGEST_ID, f"too long an id: {choice.id}"
            for check in self.checks:
                check(reply)


def words_of(message: Message) -> str:
    """Give the words of a message, without its tappable answers."""
    if isinstance(message, Text):
        return message.text
    if isinstance(message, Menu):
        return f"{message.head}\n{message.tail}".strip()
    if isinstance(message, Link):
        return f"{message.title}\n{message.description}\n{message.url}"
    if isinstance(message, QrCode):
        return f"{message.title}\n{message.description}"
    assert isinstance(message, Picture)
    return f"[{message.file_id}]"
