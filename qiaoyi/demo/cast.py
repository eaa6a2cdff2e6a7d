"""The people of the story: phones that show in the transcript what they do and what they get."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from qiaoyi.demo.transcript import Transcript
from sandbox.client import Message, NoSuchMessageError, Phone

PATIENCE_SECONDS = 30.0
"""How long the story waits for a page's answer; on an idle machine they take some tens of milliseconds."""


class Person:
    """Somebody with a phone.

    Args:
        name: as the transcript calls them.
        patience: how long they wait for a message, seconds.
    """

    def __init__(self, phone: Phone, name: str, transcript: Transcript, patience: float) -> None:
        self.phone = phone
        self.name = name
        self.patience = patience
        self._transcript = transcript
        self._seen = 0
        self._pressed: dict[str, float] = {}  # button → when, in seconds of the sandbox's clock

    async def look_up(self) -> None:
        """Take everything that is on the phone by now as known."""
        self._seen = (await self.phone.describe())["last_seq"]

    async def follows(self) -> None:
        """Follow the account."""
        self._transcript.did(self.name, "关注公众号")
        await self.phone.follow()

    async def says(self, text: str) -> None:
        """Type and send."""
        self._transcript.did(self.name, text)
        await self.phone.say(text)

    async def taps(self, item: str) -> None:
        """Tap an answer, by its text."""
        self._transcript.did(self.name, f"［{item}］")
        await self.phone.tap(item)

    async def presses(self, key: str, label: str) -> None:
        """Press a button of the account's menu."""
        self._transcript.did(self.name, f"菜单［{label}］")
        await self._let_a_second_pass(key)
        await self.phone.press(key)

    async def _let_a_second_pass(self, key: str) -> None:
        # WeChat stamps events with whole seconds and no number: two clicks on one button within a second look like one
        # that was delivered twice. The story is told faster than a person can press.
        now = await self._now()
        if (left := self._pressed.get(key, 0.0) + 1 - now) > 0:
            await self.phone.client.advance(left)
        self._pressed[key] = await self._now()

    async def _now(self) -> float:
        return datetime.fromisoformat((await self.phone.client.clock())["now"]).timestamp()

    async def is_at(self, latitude: float, longitude: float, label: str) -> None:
        """Send a location."""
        self._transcript.did(self.name, f"位置：{label}")
        await self.phone.send_location(latitude, longitude, label)

    async def sends_picture(self, data: bytes) -> None:
        """Send a picture."""
        self._transcript.did(self.name, "[图片]")
        await self.phone.send_image(data)

    async def hears(self, *wanted: str) -> Message:
        """Wait for a message with one of these texts in it; what comes before it is shown too.

        Raises:
            NoSuchMessageError: none came in time.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self.patience
        while (left := end - loop.time()) > 0:
            for message in await self.phone.messages(self._seen, wait=left):
                self._seen = message.seq
                if message.sender == "user":
                    continue
                self._transcript.got(self.name, message)
                if any(text in message.text for text in wanted):
                    return message
        raise NoSuchMessageError(
            f"{self.name}: “{'” or “'.join(wanted)}” did not come\n{await self.phone.transcript()}"
        )


async def first_to_hear(people: Sequence[Person], wanted: str, count: int = 1) -> list[Person]:
    """Give the first `count` of `people` who get a message with `wanted` in it.

    Raises:
        NoSuchMessageError: fewer did.
    """
    waiting = {asyncio.create_task(_hears(person, wanted)) for person in people}
    found: list[Person] = []
    try:
        while waiting and len(found) < count:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            found += [person for task in done if (person := task.result()) is not None]
    finally:
        for task in waiting:
            task.cancel()
    if len(found) < count:
        raise NoSuchMessageError(f"“{wanted}” came to {len(found)} of {len(people)} people, {count} were expected")
    return found[:count]


async def _hears(person: Person, wanted: str) -> Person | None:
    try:
        await person.phone.wait_for(wanted, timeout=person.patience, after=person._seen)
    except NoSuchMessageError:
        return None
    return person
