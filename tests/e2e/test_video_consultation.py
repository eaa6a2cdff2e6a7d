"""A video consultation as its three people hold it: cards in the chats of three phones, three browsers with a camera.

Screenshots of the moments that count go to the folder that SCREENSHOTS_FOLDER names, else to the test's own.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FrameLocator, Locator, Page, async_playwright, expect

from tests.support.product import BookedCase, Member, booked_case, running_product
from tests.support.requirements import require_program
from tests.support.waiting import eventually
from tests.web.conftest import CHROMIUM_ARGUMENTS, NARROW, WIDE
from tests.web.room_pages import KEEP_INSIDE, MEDIA_ARGUMENTS

FRAMES = 45
"""Three seconds of a picture with 15 frames a second."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the screenshots go."""
    wanted = Path(os.environ.get("SCREENSHOTS_FOLDER", tmp_path))
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


@dataclass
class Holder:
    """Somebody who holds one of the phones, in a browser of their own."""

    member: Member
    page: Page
    folder: Path

    @property
    def room(self) -> FrameLocator:
        """The web view of the phone."""
        return self.page.frame_locator("[data-testid='webview'] iframe")

    def part(self, name: str) -> Locator:
        """A part of the room's page."""
        return self.room.get_by_test_id(name)

    async def open_card(self) -> None:
        """Tap the latest card that leads into a room."""
        phone = self.page.get_by_test_id(f"phone-{self.member.phone.openid}")
        await phone.locator("[data-testid^='detail-']").last.click()

    async def frames_of(self, other: "Holder", count: int = FRAMES) -> None:
        """Wait until so many further frames of somebody have been decoded here."""
        video = self.part(f"picture-{other.member.person_id}-camera").locator("video")
        await expect(video).to_be_visible()
        total = "video => video.getVideoPlaybackQuality().totalVideoFrames"
        before: int = await video.evaluate(total)

        async def came() -> bool:
            return bool(await video.evaluate(total) >= before + count)

        await eventually(came, 30)

    async def hears(self, people: int) -> None:
        """Wait until the sound of so many others has had some energy."""
        script = """async () => {
            const energies = []
            for (const peer of window.peers ?? [])
                for (const {type, kind, totalAudioEnergy} of (await peer.getStats()).values())
                    if (type === 'inbound-rtp' && kind === 'audio') energies.push(totalAudioEnergy)
            return energies.filter(energy => energy > 0).length
        }"""
        frame = next(frame for frame in self.page.frames if "/h5/rooms/" in frame.url)

        async def heard() -> bool:
            return bool(await frame.evaluate(script) >= people)

        await eventually(heard, 30)

    async def picture(self, name: str) -> None:
        """Take a screenshot."""
        await self.page.screenshot(path=self.folder / f"{name}.png")


@dataclass
class Consultation:
    """A case, and its people before their phones."""

    case: BookedCase
    patient: Holder
    doctor: Holder
    expert: Holder

    @property
    def people(self) -> tuple[Holder, Holder, Holder]:
        """All three."""
        return self.patient, self.doctor, self.expert

    async def everybody_enters(self) -> None:
        """Open the cards, check the devices, go in; the expert lets the patient in."""
        for holder in self.people:
            await holder.open_card()
            await expect(holder.part("check")).to_be_visible()
            await holder.picture(f"check-{holder.member.phone.openid}")
            await holder.part("enter").click()
        await self.expert.part(f"admit-{self.patient.member.person_id}").click()
        for holder in self.people:
            await expect(holder.part("room")).to_be_visible()


@asynccontextmanager
async def booked_consultation(pages: Path, tmp_path: Path, folder: Path) -> AsyncIterator[Consultation]:
    """The product, a case ten minutes before its time, and a browser for each of its people."""
    async with AsyncExitStack() as stack:
        product = await stack.enter_async_context(running_product(tmp_path, pages))
        case = await booked_case(product)
        playwright = await stack.enter_async_context(async_playwright())
        browser: Browser = await playwright.chromium.launch(
            executable_path=require_program("chromium"), args=[*CHROMIUM_ARGUMENTS, *MEDIA_ARGUMENTS]
        )
        stack.push_async_callback(browser.close)
        await case.move_to_reminder(10)
        holders = [
            await _holder(browser, stack, product.wechat.base_url, member, folder, size)
            for member, size in ((case.patient, NARROW), (case.doctor, NARROW), (case.expert, WIDE))
        ]
        yield Consultation(case, *holders)


async def _holder(
    browser: Browser, stack: AsyncExitStack, address: str, member: Member, folder: Path, size: Any
) -> Holder:
    window = await browser.new_context(viewport=size, locale="zh-CN", reduced_motion="reduce")
    stack.push_async_callback(window.close)
    window.set_default_timeout(30_000)
    await window.add_init_script(KEEP_INSIDE)
    # The desk shows this phone alone.
    await window.add_init_script(f"localStorage.setItem('qiaoyi.phones.shown', '[\"{member.phone.openid}\"]')")
    page = await window.new_page()
    await page.goto(address)
    return Holder(member, page, folder)


async def test_three_people_meet_from_the_cards_on_their_phones(
    pages_folder: Path, tmp_path: Path, folder: Path
) -> None:
    async with booked_consultation(pages_folder, tmp_path, folder) as meeting:
        await meeting.everybody_enters()
        for holder in meeting.people:
            for other in meeting.people:
                if other is not holder:
                    await holder.frames_of(other)
            await holder.hears(2)
            await holder.picture(f"room-{holder.member.phone.openid}")
