"""The room page in real browsers: three people see and hear each other through the real rooms."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.support.requirements import require_program
from tests.support.room_server import DOCTOR, EXPERT, PATIENT
from tests.web.conftest import CHROMIUM_ARGUMENTS
from tests.web.room_pages import MEDIA_ARGUMENTS, House, opened_house

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def camera_browser(pages_folder: Path) -> AsyncIterator[Browser]:
    """Chromium with a camera and a microphone."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=require_program("chromium"), args=[*CHROMIUM_ARGUMENTS, *MEDIA_ARGUMENTS]
        )
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def house(camera_browser: Browser, pages_folder: Path) -> AsyncIterator[House]:
    async with opened_house(camera_browser, pages_folder) as opened:
        yield opened


async def test_three_people_see_and_hear_each_other(house: House) -> None:
    patient, doctor, expert = await house.gather(PATIENT, DOCTOR, EXPERT)
    for visitor in (patient, doctor, expert):
        for other in {PATIENT, DOCTOR, EXPERT} - {visitor.party}:
            await visitor.sees(other)
    for visitor in (patient, doctor, expert):
        await visitor.hears(2)
