"""A phone on the phones page, handled as a person handles it: by looking, clicking and typing."""

import asyncio
import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

PATIENCE_SECONDS = 30.0
_LOOK_AGAIN_SECONDS = 0.1


@dataclass
class PagePhone:
    """One phone that lies on the desk.

    Attributes:
        name: who holds it; for messages of a failed test.
        seen: number of the last message that was looked at; `hears` looks at what came after it.
    """

    page: Page
    openid: str
    name: str
    seen: int = 0

    @property
    def screen(self) -> Locator:
        """The whole screen."""
        return self.page.get_by_test_id(f"phone-{self.openid}")

    def part(self, name: str) -> Locator:
        """A part of the screen by its test id, without the openid at its end."""
        return self.screen.get_by_test_id(f"{name}-{self.openid}")

    async def says(self, text: str) -> None:
        """Type a message and send it with the button."""
        if not await self.part("input").is_visible():
            await self.part("bar-toggle").click()
        await self.part("input").fill(text)
        await self.part("send").click()
        await self.own(text)

    async def own(self, text: str) -> None:
        """Wait until the person's own message is a bubble."""
        await expect(self.screen.locator("[data-testid^='bubble-']").filter(has_text=text).last).to_be_visible()

    async def taps(self, item: str) -> None:
        """Tap the latest answer with this text."""
        await (
            self.screen.locator("[data-testid^='item-']")
            .filter(has_text=re.compile(f"^\\s*{re.escape(item)}\\s*$"))
            .last.click()
        )

    async def taps_first_of(self, question: str, index: int = 0) -> None:
        """Tap an answer of the latest message with `question` in it, by its place from 0."""
        bubble = self.screen.locator("[data-testid^='bubble-']").filter(has_text=question).last
        await bubble.locator("[data-testid^='item-']").nth(index).click()

    async def presses(self, key: str, below: str = "") -> None:
        """Press a button of the menu; `below` is the name of the button that opens the list it is in."""
        button = self.screen.get_by_test_id(f"menu-button-{key}")
        if not below:
            if not await button.is_visible():
                await self.part("bar-toggle").click()
        else:
            opener = self.screen.get_by_role("button", name=below, exact=True)
            if not await opener.is_visible():
                await self.part("bar-toggle").click()
            await opener.click()
        await button.click()

    async def is_at(self, place: str) -> None:
        """Send a place of the list as position."""
        if not await self.part("plus").is_visible():
            await self.part("bar-toggle").click()
        await self.part("plus").click()
        await self.part("plus-location").click()
        await self.part(f"place-{place}").click()

    async def sends_picture(self, data: bytes) -> None:
        """Send a picture from the phone's album."""
        if not await self.part("plus").is_visible():
            await self.part("bar-toggle").click()
        await self.part("plus").click()
        async with self.page.expect_file_chooser() as chosen:
            await self.part("plus-image").click()
        await (await chosen.value).set_files({"name": "film.png", "mimeType": "image/png", "buffer": data})

    async def hears(self, *wanted: str) -> str:
        """Wait for a message with one of these texts among those after the last one heard, and give its text.

        Raises:
            AssertionError: none came in time; says what the chat shows instead.
        """
        end = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while asyncio.get_running_loop().time() < end:
            for seq, text in await self._bubbles():
                if seq > self.seen and any(part in text for part in wanted):
                    self.seen = seq
                    return text
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        shown = "\n".join(f"{seq}: {text}" for seq, text in (await self._bubbles())[-8:])
        raise AssertionError(f"{self.name}: {wanted} did not come after {self.seen}\n{shown}")

    async def last(self) -> int:
        """The number of the last message that is shown."""
        return max((seq for seq, _ in await self._bubbles()), default=0)

    async def _bubbles(self) -> list[tuple[int, str]]:
        """What the account said, as shown: number and text."""
        script = """bubbles => bubbles.map(bubble => [bubble.dataset.testid.slice(7), bubble.innerText])"""
        found = await self.screen.locator("[data-testid^='bubble-']").evaluate_all(script)
        return [(int(number), text) for number, text in found if not text.startswith("我：")]
