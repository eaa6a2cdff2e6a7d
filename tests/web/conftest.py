"""The phones page in a real browser, against a real sandbox, with an account that a test speaks for."""

import fcntl
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Request, async_playwright, expect

from sandbox.client import Phone
from tests.support.requirements import require_program
from tests.support.sandbox import RunningSandbox, running_sandbox
from tests.web.local_account import LocalAccount
from tests.web.room_pages import CALM_MEDIA_ARGUMENTS, MEDIA_ARGUMENTS, House, opened_house

WEB = Path(__file__).parents[2] / "web"
BUILD_SECONDS = 300
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)  # three browsers that send pictures, on a machine that does other things too
WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 390, "height": 844}


@dataclass(slots=True)
class Desk:
    """The page with its phones, the sandbox behind it and the account that speaks to them."""

    page: Page
    sandbox: RunningSandbox
    account: LocalAccount
    phones: list[Phone]
    problems: list[str] = field(default_factory=list)

    @property
    def phone(self) -> Phone:
        """The patient's phone."""
        return self.phones[0]

    def screen(self, phone: Phone | None = None) -> Locator:
        """A phone's screen, the patient's unless another is named."""
        return self.page.get_by_test_id(f"phone-{(phone or self.phone).openid}")

    def part(self, name: str, phone: Phone | None = None) -> Locator:
        """A part of a phone's screen by its test id; ``{openid}`` in it stands for the phone's."""
        return self.screen(phone).get_by_test_id(name.format(openid=(phone or self.phone).openid))

    async def open(self) -> None:
        """Load the page and wait until it is connected."""
        await self.page.goto(self.sandbox.base_url)
        await self.page.locator("[data-testid^='phone-'], [data-testid='start-three']").first.wait_for()

    async def callbacks(self, phone: Phone | None = None) -> list[str]:
        """The bodies of the callbacks that the sandbox made for a phone, oldest first."""
        entries = await self.sandbox.client.journal(path="callback", openid=(phone or self.phone).openid)
        return [str(entry["body"]) for entry in entries]

    async def callback_with(self, *parts: str) -> str:
        """The first callback for the patient's phone that holds all the parts; waits for it."""
        after = 0
        while True:
            entries = await self.sandbox.client.journal(
                path="callback", openid=self.phone.openid, after=after, wait=10, limit=1
            )
            assert entries, f"no callback with {parts}"
            after = entries[-1]["seq"]
            if all(part in entries[-1]["body"] for part in parts):
                return str(entries[-1]["body"])


@pytest.fixture(scope="session")
def pages_folder() -> Path:
    """The built pages; built here when a source is newer than what lies there."""
    require_program("chromium")
    require_program("node")
    npm = require_program("npm")
    # Test processes that start together must not build at the same time.
    with (Path(tempfile.gettempdir()) / "qiaoyi-pages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _build(npm)


def _build(npm: Path) -> Path:
    if not (WEB / "node_modules" / ".package-lock.json").is_file():
        subprocess.run([npm, "ci"], cwd=WEB, check=True, timeout=BUILD_SECONDS, capture_output=True)
    built = WEB / "dist" / "phones.html"
    if not built.is_file() or built.stat().st_mtime < _newest_source():
        subprocess.run([npm, "run", "build"], cwd=WEB, check=True, timeout=BUILD_SECONDS, capture_output=True)
    return built.parent


def _newest_source() -> float:
    made = {"dist", "node_modules"}
    tops = [top for top in WEB.iterdir() if top.name not in made]
    sources = [file for top in tops for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()]
    return max(file.stat().st_mtime for file in sources)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(pages_folder: Path) -> AsyncIterator[Browser]:
    """Chromium, one for the tests of a file."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=require_program("chromium"), args=CHROMIUM_ARGUMENTS
        )
        yield chromium
        await chromium.close()


@asynccontextmanager
async def opened_desk(
    browser: Browser, pages_folder: Path, nicknames: list[str], **context: Any
) -> AsyncIterator[Desk]:
    """A fresh sandbox with phones that follow the account, and a page that is not loaded yet.

    At the end, an error in the page or a request beyond loopback fails the test.
    """
    async with running_sandbox(web=pages_folder) as sandbox:
        account = LocalAccount(sandbox)
        try:
            await sandbox.client.set_callback(await account.start(), verify=False)
            phones = [await sandbox.client.phone(name, following=True) for name in nicknames]
            options = {"viewport": WIDE, "locale": "zh-CN", "reduced_motion": "reduce", **context}
            window = await browser.new_context(**options)
            desk = Desk(await window.new_page(), sandbox, account, phones)
            _watch(desk)
            try:
                yield desk
            finally:
                await window.close()
            assert desk.problems == []
        finally:
            await account.close()


def _watch(desk: Desk) -> None:
    def see_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in (None, "127.0.0.1"):
            desk.problems.append(f"request to {request.url}")

    desk.page.on("pageerror", lambda error: desk.problems.append(str(error)))
    desk.page.on("console", lambda line: desk.problems.append(line.text) if line.type == "error" else None)
    desk.page.on("request", see_request)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(browser: Browser, pages_folder: Path) -> AsyncIterator[Desk]:
    """A wide window with three phones."""
    async with opened_desk(browser, pages_folder, ["王秀英（患者）", "李建国（村医）", "陈明远（专家）"]) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def pocket(browser: Browser, pages_folder: Path) -> AsyncIterator[Desk]:
    """A window as narrow as a phone."""
    names = ["王秀英（患者）", "李建国（村医）", "陈明远（专家）"]
    async with opened_desk(browser, pages_folder, names, viewport=NARROW) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def camera_browser(pages_folder: Path) -> AsyncIterator[Browser]:
    """Chromium with a microphone and a camera of few pictures, one for the tests of a file."""
    async with _with_camera(CALM_MEDIA_ARGUMENTS) as chromium:
        yield chromium


@asynccontextmanager
async def _with_camera(arguments: list[str]) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=require_program("chromium"), args=[*CHROMIUM_ARGUMENTS, *arguments]
        )
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def house(camera_browser: Browser, pages_folder: Path) -> AsyncIterator[House]:
    """A server for the room page, and the people whom a test lets in."""
    async with opened_house(camera_browser, pages_folder) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def fluent_house(pages_folder: Path) -> AsyncIterator[House]:
    """The same for who counts the pictures: cameras give as many as they can."""
    async with _with_camera(MEDIA_ARGUMENTS) as chromium, opened_house(chromium, pages_folder) as opened:
        yield opened
