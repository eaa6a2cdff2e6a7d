"""The people of a video room, each with a page in a browser of its own, on a server for the room page."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

from tests.support.room_server import WHO, Party, RoomServer, running_room_server
from tests.support.waiting import eventually

MEDIA_ARGUMENTS = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
"""Chromium's own camera (a green field with a clock) and microphone (a beep a second), given without a question."""

CALM_MEDIA_ARGUMENTS = ["--use-fake-device-for-media-stream=fps=5", "--use-fake-ui-for-media-stream"]
"""The same with five pictures a second in place of twenty: everything is encoded and drawn without a graphics card, so
that pictures are nearly all that a room costs. For tests that do not count them."""

DESKTOP: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PHONE_ON_ITS_SIDE: dict[str, Any] = {**PHONE, "viewport": {"width": 844, "height": 390}}
WECHAT = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36 MicroMessenger/8.0.50"
MEDIA_TIMEOUT = 45.0
FLUENT = 14
"""Pictures a second."""


@dataclass(slots=True)
class Visitor:
    """Somebody before their page."""

    party: Party
    page: Page
    server: RoomServer
    problems: list[str] = field(default_factory=list)

    def part(self, name: str) -> Locator:
        """A part of the page by its test id."""
        return self.page.get_by_test_id(name)

    def picture(self, party: Party, source: str = "camera") -> Locator:
        """The picture of somebody."""
        return self.part(f"picture-{party.id}-{source}")

    async def open(self, address: str = "") -> None:
        """Open the card's address, or another."""
        await self.page.goto(address or self.server.address)

    async def enter(self) -> None:
        """From the card through the check to the door, or into the room."""
        await self.open()
        await self.part("enter").click()

    async def enter_room(self) -> None:
        """From the card into the room."""
        await self.enter()
        await expect(self.part("room")).to_be_visible()

    async def sees(self, other: Party, frames: int = 10, source: str = "camera") -> None:
        """Wait until so many further frames of somebody have been decoded."""
        video = self.picture(other, source).locator("video")
        total = "video => video.getVideoPlaybackQuality().totalVideoFrames"
        await expect(self.picture(other, source)).to_be_visible()
        before: int = await video.evaluate(total)

        async def came() -> bool:
            return bool(await video.evaluate(total) >= before + frames)

        await eventually(came, MEDIA_TIMEOUT)

    async def sees_fluently(self, people: int) -> None:
        """Wait until the pictures of so many others come at 14 a second or more, by the browser's own count."""

        async def is_fluent() -> bool:
            rates = await self.received("video", "framesPerSecond")
            return len(rates) == people and min(rates) >= FLUENT

        await eventually(is_fluent, MEDIA_TIMEOUT)

    async def received(self, kind: str, figure: str) -> list[float]:
        """A figure of each of the streams that arrive here, where it is above zero."""
        return list(
            await self.page.evaluate(
                """async ([kind, figure]) => {
                    const figures = []
                    for (const peer of window.peers)
                        for (const entry of (await peer.getStats()).values())
                            if (entry.type === 'inbound-rtp' && entry.kind === kind) figures.push(entry[figure] ?? 0)
                    return figures.filter(one => one > 0)
                }""",
                [kind, figure],
            )
        )

    async def encoding(self, source: str) -> dict[str, Any]:
        """What the browser was told about sending its camera or screen."""
        return dict(
            await self.page.evaluate(
                """source => {
                    const open = window.peers.filter(peer => peer.connectionState !== 'closed')
                    const all = open.flatMap(peer => peer.getTransceivers())
                    return all.find(({mid}) => mid === source).sender.getParameters().encodings[0]
                }""",
                source,
            )
        )

    async def hears(self, people: int) -> None:
        """Wait until so many others have been heard."""

        async def heard() -> bool:
            return len(await self.received("audio", "totalAudioEnergy")) >= people

        await eventually(heard, MEDIA_TIMEOUT)


# So that a test can ask the connections what they carried, and end a camera as a phone call does: the page itself keeps
# neither where others can see.
KEEP_INSIDE = """
window.peers = []
window.tracks = []
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
navigator.mediaDevices.getUserMedia = async wanted => {
    const stream = await open(wanted)
    window.tracks.push(...stream.getTracks())
    return stream
}
window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...parameters) { super(...parameters); window.peers.push(this) }
}
"""


@dataclass(slots=True)
class House:
    """A server and the visitors that a test lets in."""

    server: RoomServer
    browser: Browser
    stack: AsyncExitStack
    visitors: list[Visitor] = field(default_factory=list)

    async def visitor(
        self, party: Party, device: dict[str, Any] = DESKTOP, *, wechat: bool = True, **more: Any
    ) -> Visitor:
        """A browser of somebody's own; in WeChat unless told otherwise."""
        options = {"locale": "zh-CN", "reduced_motion": "reduce", **device, **more}
        if wechat:
            options["user_agent"] = WECHAT if device is not DESKTOP else f"{_DESKTOP_AGENT} MicroMessenger/8.0"
        context = await self.browser.new_context(**options)
        self.stack.push_async_callback(context.close)
        await context.add_cookies([{"name": WHO, "value": party.id, "url": self.server.url}])
        await context.add_init_script(KEEP_INSIDE)
        visitor = Visitor(party, await context.new_page(), self.server)
        _watch(visitor, context)
        self.visitors.append(visitor)
        return visitor

    async def gather(self, *parties: Party, device: dict[str, Any] = DESKTOP) -> list[Visitor]:
        """People who are in the room."""
        visitors = [await self.visitor(party, device) for party in parties]
        for visitor in visitors:
            await visitor.enter_room()
        return visitors


_DESKTOP_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126 Safari/537.36"


def _watch(visitor: Visitor, context: BrowserContext) -> None:
    def see_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in (None, "", "127.0.0.1"):
            visitor.problems.append(f"request to {request.url}")

    def see_line(line: ConsoleMessage) -> None:
        # The browser itself writes down each answer of 400 and above, and each WebSocket that was cut.
        if line.type == "error" and "Failed to load resource" not in line.text and "WebSocket" not in line.text:
            visitor.problems.append(line.text)

    visitor.page.on("pageerror", lambda error: visitor.problems.append(str(error)))
    visitor.page.on("console", see_line)
    context.on("request", see_request)


@asynccontextmanager
async def opened_house(browser: Browser, pages: Path) -> AsyncIterator[House]:
    """A server and no visitors yet. At the end, an error in a page or a request beyond loopback fails the test."""
    async with running_room_server(pages) as server, AsyncExitStack() as stack:
        house = House(server, browser, stack)
        yield house
        assert [problem for visitor in house.visitors for problem in visitor.problems] == []
