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

from backend.video.visits import EMPTY_FOR, EMPTY_TIMER
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

    name: str
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

    async def open_card(self, title: str = "") -> None:
        """Tap the latest card with this title, or whatever its title."""
        phone = self.page.get_by_test_id(f"phone-{self.member.phone.openid}")
        opening = self.page.locator("[data-testid^='detail-']")
        card = phone.locator("[data-testid^='bubble-']").filter(has_text=title).filter(has=opening).last
        await card.locator("[data-testid^='detail-']").click()

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
            await holder.picture(f"card-{holder.name}")
            await holder.open_card()
            await expect(holder.part("check")).to_be_visible()
            await holder.picture(f"check-{holder.name}")
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
            await _holder(browser, stack, product.wechat.base_url, name, member, folder)
            for name, member in (("patient", case.patient), ("doctor", case.doctor), ("expert", case.expert))
        ]
        yield Consultation(case, *holders)


async def _holder(
    browser: Browser, stack: AsyncExitStack, address: str, name: str, member: Member, folder: Path
) -> Holder:
    size: Any = WIDE if name == "expert" else NARROW
    window = await browser.new_context(viewport=size, locale="zh-CN", reduced_motion="reduce")
    stack.push_async_callback(window.close)
    window.set_default_timeout(30_000)
    await window.add_init_script(KEEP_INSIDE)
    # The desk shows this phone alone.
    await window.add_init_script(f"localStorage.setItem('qiaoyi.phones.shown', '[\"{member.phone.openid}\"]')")
    page = await window.new_page()
    await page.goto(address)
    return Holder(name, member, page, folder)


async def draw_upon(drawer: Holder, other: Holder) -> None:
    """Draw a line upon somebody's picture, which is made large for it."""
    who = other.member.person_id
    await drawer.part(f"picture-{who}-camera").click()
    await drawer.part("guide").click()
    await drawer.part("tool-freehand").click()
    canvas = drawer.part(f"drawing-{who}-camera")
    box = await canvas.bounding_box()
    assert box is not None
    for step, share in enumerate((0.3, 0.4, 0.5, 0.6)):
        await drawer.page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        if step == 0:
            await drawer.page.mouse.down()
    await drawer.page.mouse.up()


async def record(meeting: Consultation) -> None:
    """The expert asks; nothing is recorded before all three have agreed."""
    await meeting.expert.part("more").click()
    await meeting.expert.part("record").click()
    await meeting.doctor.part("record-yes").click()
    await expect(meeting.patient.part("record-question")).to_be_visible()
    await meeting.patient.picture("question")
    video, case = meeting.case.product.house.video, meeting.case
    assert await video.recordings(await case.expert.actor(), case.id) == []
    for holder in meeting.people:
        await expect(holder.part("recording-sign")).not_to_be_visible()
    await meeting.patient.part("record-yes").click()
    for holder in meeting.people:
        await expect(holder.part("recording-sign")).to_be_visible()

    async def is_kept() -> bool:
        kept = await video.recordings(await case.expert.actor(), case.id)
        return bool(kept) and len(kept[0].tracks) == 3 and all(track.duration_ms > 4000 for track in kept[0].tracks)

    await eventually(is_kept, 60)
    await meeting.patient.part("record-stop").click()
    for holder in meeting.people:
        await expect(holder.part("recording-sign")).not_to_be_visible()


async def leave(meeting: Consultation) -> None:
    """Everybody hangs up, and two minutes later the meeting counts as over."""
    for holder in meeting.people:
        await holder.part("leave").click()
        await holder.part("leave-yes").click()
        await expect(holder.part("notice")).to_be_visible()
        await holder.page.get_by_test_id("webview-close").click()

    async def is_over() -> bool:
        lines = await meeting.case.product.house.consultations.timeline(await meeting.case.doctor.actor(), case.id)
        return any(line.kind == "meeting" for line in lines)

    case = meeting.case
    await eventually(lambda: case.product.has_timer(EMPTY_TIMER), 30)
    await case.product.wechat.client.advance(EMPTY_FOR.total_seconds() + 1)
    await eventually(is_over, 30)


async def play_back(holder: Holder) -> None:
    """Open the recording from its card and let it play."""
    await holder.open_card("会诊录像可以看了")
    await holder.picture("recordings")
    await holder.part("open").click()
    await holder.part("play").click()
    for track in await holder.room.locator("[data-testid^='track-'] video").all():
        await eventually(lambda video=track: video.evaluate("video => video.currentTime > 1"), 30)  # type: ignore[misc]
    await holder.picture("playback")


async def test_three_people_meet_from_the_cards_on_their_phones(
    pages_folder: Path, tmp_path: Path, folder: Path
) -> None:
    async with booked_consultation(pages_folder, tmp_path, folder) as meeting:
        _, doctor, expert = meeting.people
        await meeting.everybody_enters()
        for holder in meeting.people:
            for other in meeting.people:
                if other is not holder:
                    await holder.frames_of(other)
            await holder.hears(2)
            await holder.picture(f"room-{holder.name}")
        await draw_upon(expert, doctor)
        drawn = doctor.part(f"drawing-{doctor.member.person_id}-camera")
        await expect(drawn).to_have_attribute("data-strokes", "1")
        await doctor.picture("drawn")
        await expert.part("keep").click()
        await expect(expert.part("keep-ok")).to_be_visible()
        [kept] = await meeting.case.product.house.consultations.attachments(
            await meeting.case.doctor.actor(), meeting.case.id
        )
        assert kept.note == "视频截图"
        await expert.part("guide").click()
        await record(meeting)
        await leave(meeting)
        await play_back(doctor)
